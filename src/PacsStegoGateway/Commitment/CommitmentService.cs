using System.Security.Cryptography;
using System.Text;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Intake;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Work;

namespace PacsStegoGateway.Commitment;

/// <summary>
/// The door of storage commitment: requests of modalities are kept before they are answered, reports of destinations are
/// believed when the destination says them and about what it was asked.
/// </summary>
/// <param name="deleteFile">Removes a file of the spool that no row needs any more.</param>
public sealed partial class CommitmentService(
    GatewayStore store, Action<string> deleteFile, IdentityVault vault, LiveConfiguration live, OpenRequestors requestors, WorkSignal requested, TimeProvider time,
    ILogger<CommitmentService> logger)
{
    /// <summary>Most objects of a report: we never ask about so many.</summary>
    private const int MostReported = 100_000;

    private CommitmentOptions Options => live.Current.Options.Commitment;

    /// <summary>N-ACTION of a modality.</summary>
    /// <param name="request">Its caller may ask for commitment.</param>
    /// <param name="remote">Its address.</param>
    public async Task<NormalizedResponse> RequestAsync(ActionRequest request, string remote)
    {
        if (request.RequestedSOPInstanceUID != SopClasses.StorageCommitmentInstance)
        {
            return new NormalizedResponse(DimseStatus.NoSuchSOPInstance, null, "Not the well-known instance of Storage Commitment");
        }

        if (request.ActionTypeID != CommitmentMessage.ActionTypeID)
        {
            return new NormalizedResponse(DimseStatus.NoSuchAction);
        }

        CommitmentMessage? asked = CommitmentMessage.Read(request.Information, isResult: false, Options.MaxReferences, out DimseStatus wrong);
        if (asked is null)
        {
            // 0115 has no Error Comment (PS3.7 C.5.10).
            return new NormalizedResponse(wrong, null, wrong == DimseStatus.ResourceLimitation ? $"More than {Options.MaxReferences} references" : null);
        }

        CommitRequestReceipt receipt;
        try
        {
            receipt = await store.RequestCommitmentAsync(new CommitRequestRow
            {
                CallingAE = request.Association.CallingAETitle,
                CalledAE = request.Association.CalledAETitle,
                RemoteAddress = remote,
                TransactionIndex = vault.Pseudonyms.MapUID(asked.TransactionUID),
                Node = store.Node,
                Instances = asked.References.Count,
                ContentHash = HashOf(asked),
                Sealed = SealedRequest.Close(vault, asked),
            });
        }
        catch (StoreUnavailableException e)
        {
            LogStoreAway(logger, e);
            return new NormalizedResponse(DimseStatus.ResourceLimitation, null, "Database away at present, ask again later");
        }

        if (receipt == CommitRequestReceipt.Conflict)
        {
            return new NormalizedResponse(DimseStatus.DuplicateTransactionUID, null, "Transaction UID is in use for another request");
        }

        requestors.Remember(request.Association.CallingAETitle, request.Requestor);
        requested.Set();
        return NormalizedResponse.Success;
    }

    /// <summary>N-EVENT-REPORT of a destination, on whatever association.</summary>
    /// <param name="report">What it says.</param>
    /// <param name="destinations">Names of the destinations that the caller is; none: it is not one.</param>
    /// <param name="remote">Its address.</param>
    public async Task<NormalizedResponse> ReportAsync(EventReportRequest report, IReadOnlyList<string> destinations, string remote)
    {
        if (report.AffectedSOPInstanceUID != SopClasses.StorageCommitmentInstance)
        {
            return new NormalizedResponse(DimseStatus.NoSuchSOPInstance, null, "Not the well-known instance of Storage Commitment");
        }

        if (report.EventTypeID is not (CommitmentMessage.AllCommitted or CommitmentMessage.FailuresExist))
        {
            return new NormalizedResponse(DimseStatus.NoSuchEventType);
        }

        CommitmentMessage? said = CommitmentMessage.Read(report.Information, isResult: true, MostReported, out DimseStatus wrong);
        if (said is null)
        {
            return new NormalizedResponse(wrong);
        }

        var audit = new AuditRecord(AuditEvent.CommitmentReported) { CallingAE = report.Association.CallingAETitle, RemoteAddress = remote };
        try
        {
            CommitReportOutcome outcome = await store.ApplyCommitReportAsync(said.TransactionUID, destinations, FindingsOf(said, string.Join(", ", destinations)),
                attempts => time.GetUtcNow() + Backoff.After(attempts, live.Current.Options.Work), Options.MaxResends, audit);
            if (!outcome.IsKnown)
            {
                LogUnknown(logger, remote);
                await store.AppendAuditAsync(audit with
                {
                    Event = AuditEvent.CommitmentFailed,
                    Outcome = AuditOutcome.MinorFailure,
                    Detail = "A report about a transaction that this caller was never asked.",
                });
                return new NormalizedResponse(DimseStatus.InvalidArgumentValue);
            }

            foreach (string file in outcome.FilesUnneeded)
            {
                deleteFile(file);
            }

            return NormalizedResponse.Success;
        }
        catch (StoreUnavailableException e)
        {
            LogStoreAway(logger, e);
            return new NormalizedResponse(DimseStatus.ResourceLimitation, null, "Database away at present, report again later");
        }
    }

    /// <summary>What waits for the word of destinations that the configuration does not ask any more is done.</summary>
    public async Task WaiveAsync()
    {
        GatewayOptions options = live.Current.Options;
        foreach (DestinationOptions destination in options.Destinations.Prepend(options.Pacs).Where(static d => !d.StorageCommitment))
        {
            int done;
            do
            {
                (done, IReadOnlyList<string> files) = await store.WaiveCommitsAsync(destination.KnownAs);
                foreach (string file in files)
                {
                    deleteFile(file);
                }
            }
            while (done > 0);
        }
    }

    /// <summary>What follows from each word of a report; the failures first, should an object stand among both.</summary>
    private static List<CommitFinding> FindingsOf(CommitmentMessage said, string by) =>
    [
        .. said.Failures
            .Select(f => new CommitFinding(f.Reference.SopInstanceUID, VerdictOf(f.Reason), $"{by} did not commit it: {f.Reason}."))
            .Concat(said.References.Select(r => new CommitFinding(r.SopInstanceUID, CommitVerdict.Committed, $"{by} committed it.")))
            .DistinctBy(static f => f.SopUID),
    ];

    /// <summary>PS3.3 C.14.1.1.</summary>
    private static CommitVerdict VerdictOf(DimseStatus reason) =>
        reason == DimseStatus.NoSuchSOPInstance ? CommitVerdict.SendAgain
        : reason == DimseStatus.ClassInstanceConflict || reason == DimseStatus.SOPClassNotSupported ? CommitVerdict.Dead
        : CommitVerdict.AskAgain;

    /// <summary>The same for the same objects in any order.</summary>
    private byte[] HashOf(CommitmentMessage asked)
    {
        using IncrementalHash hash = vault.StartContentHash("storage commitment");
        foreach (SopReference reference in asked.References
            .OrderBy(static r => r.SopInstanceUID, StringComparer.Ordinal).ThenBy(static r => r.SopClassUID, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.ASCII.GetBytes($"{reference.SopClassUID} {reference.SopInstanceUID}\n"));
        }

        return hash.GetHashAndReset();
    }

    [LoggerMessage(8001, LogLevel.Error, "The database is away: storage commitment waits.")]
    private static partial void LogStoreAway(ILogger logger, Exception exception);

    [LoggerMessage(8002, LogLevel.Warning, "A storage commitment report from {Remote} is about a transaction that it was never asked.")]
    private static partial void LogUnknown(ILogger logger, string remote);
}
