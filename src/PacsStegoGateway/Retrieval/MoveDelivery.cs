using System.Threading.Channels;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>Where the originals of one C-MOVE or C-GET go.</summary>
/// <param name="AETitle">For log and audit.</param>
/// <param name="Originator">Named in the sub-operations of a C-MOVE; null for a C-GET.</param>
/// <param name="ConnectAsync">Opens it, given what is going to be sent; an association that it opens is released afterwards.</param>
public sealed record DeliveryTarget(
    string AETitle, MoveOriginator? Originator, Func<IReadOnlyList<ProposedContext>, CancellationToken, Task<IStoreTarget>> ConnectAsync);

/// <summary>The sub-operations of one C-MOVE or C-GET: one object at a time is revealed, recorded and sent to where it is wanted.</summary>
public sealed partial class MoveDelivery(
    GatewayStore store, OriginalSource originals, DeliveryTarget destination, QueryRequest request, string remoteAddress,
    MoveProgress progress, ChannelWriter<MoveResponse> pending, ILogger logger) : IAsyncDisposable
{
    /// <summary>An Error Comment has 64 characters at most.</summary>
    private const string NoContext = "No accepted context for SOP class and transfer syntax";

    // The PACS may deliver on several associations when it was asked to move; the destination gets one object at a time.
    private readonly SemaphoreSlim _one = new(1);
    private IStoreTarget? _target;

    /// <summary>The destination is gone: nothing more can be delivered.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Opens the association to the destination. False when it cannot be: everything fails.</summary>
    public async Task<bool> ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            _target = await destination.ConnectAsync(
                SendingForm.ContextsFor(progress.All.Select(static f => (f.Row.SopClassUID, f.Row.TransferSyntaxUID))), cancellationToken);
            return true;
        }
        catch (AssociationException e)
        {
            LogDestination(logger, destination.AETitle, e.Failure.ToString());
            IsBroken = true;
            return false;
        }
    }

    /// <summary>Delivers an object that has not left the gateway yet.</summary>
    public async Task FromSpoolAsync(FoundInstance found, CancellationToken cancellationToken)
    {
        ByteSource file;
        try
        {
            file = originals.OpenInSpool(found.Row);
        }
        catch (FileNotFoundException)
        {
            // Forwarded in the meantime: the PACS is asked instead.
            return;
        }
        catch (SpoolFileException e)
        {
            await FailAsync([found], e.Message);
            return;
        }

        using (file)
        {
            await DeliverAsync(found, Part10.DataSetOf(file), Part10.TransferSyntaxOf(file), cancellationToken);
        }
    }

    /// <summary>Takes an object that the PACS gives back and delivers it.</summary>
    public async ValueTask<StoreResponse> FromPacsAsync(StoreRequest given, CancellationToken cancellationToken)
    {
        if (progress.FindOpen(given.AffectedSOPInstanceUID) is not { } found)
        {
            return new StoreResponse(DimseStatus.InvalidSOPInstance, "This instance was not asked for");
        }

        using FetchedObject stored = await originals.FetchAsync(given.DataSet, cancellationToken);
        await DeliverAsync(found, stored.DataSet, given.TransferSyntaxUID, cancellationToken);
        return StoreResponse.Success;
    }

    /// <summary>Counts and records what cannot be delivered.</summary>
    public async Task FailAsync(IEnumerable<FoundInstance> instances, string detail)
    {
        foreach (FoundInstance found in instances.ToList())
        {
            progress.Settle(found, DimseStatus.ProcessingFailure);
            await AuditAsync(found, new AuditRecord(AuditEvent.RetrieveFailed, AuditOutcome.SeriousFailure) { Detail = detail });
        }

        pending.TryWrite(progress.Pending());
    }

    public async ValueTask DisposeAsync()
    {
        if (_target is RequestorAssociation association)
        {
            try
            {
                if (!IsBroken)
                {
                    await association.ReleaseAsync(CancellationToken.None);
                }
            }
            catch (IOException)
            {
                // It is gone; what it acknowledged stays acknowledged.
            }

            await association.DisposeAsync();
        }

        _one.Dispose();
    }

    private async Task DeliverAsync(FoundInstance found, ByteSource stored, string transferSyntaxUID, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (IsBroken)
            {
                progress.Settle(found, DimseStatus.ProcessingFailure);
                await AuditAsync(found, new AuditRecord(AuditEvent.RetrieveFailed, AuditOutcome.MinorFailure) { Detail = $"Not sent: the association with {destination.AETitle} is gone." });
                return;
            }

            (RevealedInstance? original, RefusalReason reason, string detail) = originals.Open(found, stored, TransferSyntax.Of(transferSyntaxUID));
            if (original is null)
            {
                progress.Settle(found, DimseStatus.ProcessingFailure);
                await AuditAsync(found, new AuditRecord(AuditEvent.RetrieveFailed, AuditOutcome.SeriousFailure) { Reason = reason.ToString(), Detail = detail });
                return;
            }

            await SendAsync(found, original);
        }
        finally
        {
            _one.Release();
            pending.TryWrite(progress.Pending());
        }
    }

    private async Task SendAsync(FoundInstance found, RevealedInstance original)
    {
        DecodedOriginal? decoded = null;
        try
        {
            (TransferSyntax TransferSyntax, ByteSource DataSet)? form = SendingForm.Fit(_target!, original.SOPClassUID, original.TransferSyntax, original.DataSet);
            string refusal = NoContext;
            if (form is null && SendingForm.FindUncompressed(_target!, original.SOPClassUID) is { } uncompressed)
            {
                (decoded, refusal) = originals.Decode(original, uncompressed);
                form = decoded is null ? null : (uncompressed, decoded.DataSet);
            }

            if (form is { } fit)
            {
                await SendAsync(found, original, fit.TransferSyntax, fit.DataSet);
                return;
            }

            progress.Settle(found, DimseStatus.SOPClassNotSupported, refusal);
            await AuditAsync(found, new AuditRecord(AuditEvent.RetrieveFailed, AuditOutcome.MinorFailure)
            {
                Detail = $"Not sent to {destination.AETitle}: {refusal}.",
            });
        }
        finally
        {
            decoded?.Dispose();
        }
    }

    /// <summary>Once begun it is finished, whatever is canceled: only then are the counts true.</summary>
    private async Task SendAsync(FoundInstance found, RevealedInstance original, TransferSyntax transferSyntax, ByteSource dataSet)
    {
        // Recorded before it leaves: identity that went out unrecorded could not be called back. What became of it is recorded when
        // it is not what was meant.
        string how = transferSyntax.UID == original.TransferSyntax.UID ? "" : $" as {transferSyntax.Name}";
        await AuditAsync(found, new AuditRecord(AuditEvent.Reidentified) { Detail = $"About to be sent to {destination.AETitle}{how}." });
        string failure;
        try
        {
            StoreResponse response = await _target!.StoreAsync(original.SOPClassUID, original.SOPInstanceUID, transferSyntax.UID,
                dataSet, destination.Originator, CancellationToken.None);
            progress.Settle(found, response.Status);
            if (!response.Status.IsFailure)
            {
                return;
            }

            failure = $"{destination.AETitle} answered {response.Status}.";
        }
        catch (AssociationException e)
        {
            IsBroken = true;
            progress.Settle(found, DimseStatus.ProcessingFailure);
            LogDestination(logger, destination.AETitle, e.Failure.ToString());
            failure = $"The association with {destination.AETitle} failed: {e.Failure}.";
        }

        await AuditAsync(found, new AuditRecord(AuditEvent.RetrieveFailed, AuditOutcome.MinorFailure) { Detail = failure });
    }

    private Task AuditAsync(FoundInstance found, AuditRecord record) => store.AppendAuditAsync(record with
    {
        CallingAE = request.Association.CallingAETitle,
        RemoteAddress = remoteAddress,
        Patient = found.Row.Patient,
        StudyUID = found.Row.StudyUID,
        SopUID = found.Row.SopUID,
    });

    [LoggerMessage(5010, LogLevel.Warning, "The move destination {Destination} failed: {Failure}.")]
    private static partial void LogDestination(ILogger logger, string destination, string failure);
}
