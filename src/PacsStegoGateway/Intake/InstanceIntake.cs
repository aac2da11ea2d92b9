using System.IO.Pipelines;
using System.Security.Cryptography;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Work;

namespace PacsStegoGateway.Intake;

/// <summary>An object at the door, whatever protocol it came by.</summary>
/// <param name="AffectedSOPClassUID">As announced; the data set must say the same.</param>
/// <param name="AffectedSOPInstanceUID">As announced; the data set must say the same.</param>
/// <param name="TransferSyntaxUID">How <paramref name="DataSet"/> is encoded.</param>
/// <param name="DataSet">The bytes as they arrive, without meta header.</param>
public sealed record IntakeRequest(
    string AffectedSOPClassUID, string AffectedSOPInstanceUID, string TransferSyntaxUID, PipeReader DataSet, string CallingAE, string RemoteAddress)
{
    /// <summary>The title that was called.</summary>
    public string CalledAE { get; init; } = "";
}

/// <summary>Accepted means on disk and committed; there is no promise in between.</summary>
public abstract record IntakeOutcome
{
    private IntakeOutcome()
    {
    }

    public sealed record Accepted(ReceiptKind Kind) : IntakeOutcome;

    /// <param name="OffendingElement">The element that is wrong, where one is.</param>
    public sealed record Refused(RefusalReason Reason, string Detail, Tag? OffendingElement = null) : IntakeOutcome;
}

/// <summary>The one door: spool, check, flush, commit; then, and only then, accepted.</summary>
public sealed partial class InstanceIntake(
    Spool spool, GatewayStore store, IdentityVault vault, SpoolOptions options, WaitingRows waiting, WorkSignal received, ILogger<InstanceIntake> logger)
{
    private static readonly DicomReadOptions StructureOnly = new() { LongestReadSource = 0 };

    private readonly long _maxBytes = (long)options.MaxObjectMegabytes << 20;

    /// <summary>Takes the object in. What is refused leaves nothing behind but an audit entry.</summary>
    /// <exception cref="IOException">The sender went away before the last byte; nothing was kept.</exception>
    public async Task<IntakeOutcome> AcceptAsync(IntakeRequest request, CancellationToken cancellationToken)
    {
        IntakeOutcome outcome;
        try
        {
            outcome = await TakeAsync(request, cancellationToken);
        }
        catch (StoreUnavailableException e)
        {
            LogStoreAway(logger, e);
            return new IntakeOutcome.Refused(RefusalReason.StoreUnavailable, "The database is away.");
        }

        if (outcome is IntakeOutcome.Refused refused)
        {
            await AuditRefusalAsync(request, refused);
        }
        else if (outcome is IntakeOutcome.Accepted { Kind: ReceiptKind.New or ReceiptKind.Retried })
        {
            waiting.Added();
            received.Set();
        }

        return outcome;
    }

    private async Task<IntakeOutcome> TakeAsync(IntakeRequest request, CancellationToken cancellationToken)
    {
        if (!spool.Room.MayBegin())
        {
            return NoRoom();
        }

        if (!await waiting.HasRoomAsync(cancellationToken))
        {
            return new IntakeOutcome.Refused(RefusalReason.OutOfResources, "Too many objects are on their way.");
        }

        // Loop guard: somebody sends from the PACS to us what we sent there. Pseudonyms are of this form, most originals are not.
        if (request.AffectedSOPInstanceUID.StartsWith("2.25.", StringComparison.Ordinal)
            && await store.IsPseudonymAsync(request.AffectedSOPInstanceUID, cancellationToken))
        {
            return new IntakeOutcome.Refused(RefusalReason.AlreadyProtected, "The SOP Instance UID is one that this gateway gave.");
        }

        SpoolFile file;
        byte[] prefix = FileMeta.Prefix(request.AffectedSOPClassUID, request.AffectedSOPInstanceUID, request.TransferSyntaxUID, request.CallingAE);
        try
        {
            file = spool.Create();
        }
        catch (IOException e)
        {
            LogDisk(logger, e);
            return NoRoom();
        }

        using (file)
        {
            using IncrementalHash hash = vault.StartContentHash(request.TransferSyntaxUID);
            if (await SpoolAsync(request, file, prefix, hash, cancellationToken) is { } refusal)
            {
                return refusal;
            }

            (IntakeOutcome? wrong, InstanceRow? row) = Examine(request, file, prefix.Length, hash.GetHashAndReset());
            if (wrong is not null)
            {
                return wrong;
            }

            try
            {
                file.Flush();
            }
            catch (IOException e)
            {
                LogDisk(logger, e);
                return NoRoom();
            }

            return new IntakeOutcome.Accepted(await CommitAsync(file, row!));
        }
    }

    private async Task<ReceiptKind> CommitAsync(SpoolFile file, InstanceRow row)
    {
        // Until the database has said no, the row may exist: a file too many is swept up later, a file too few is a loss.
        file.Keep();
        Receipt receipt = await store.ReceiveAsync(row);
        if (receipt.UnneededFile is { } unneeded)
        {
            spool.Delete(unneeded);
        }

        if (receipt.Kind is ReceiptKind.New or ReceiptKind.Retried)
        {
            spool.Room.Await(row.ReceivedBytes);
        }

        return receipt.Kind;
    }

    /// <summary>Bytes to the file as they come. Null when all came.</summary>
    private async Task<IntakeOutcome.Refused?> SpoolAsync(
        IntakeRequest request, SpoolFile file, byte[] prefix, IncrementalHash hash, CancellationToken cancellationToken)
    {
        if (TryWrite(file, prefix) is { } full)
        {
            return full;
        }

        long nextStep = Spool.RoomStep;
        while (true)
        {
            ReadResult read = await request.DataSet.ReadAsync(cancellationToken);
            foreach (ReadOnlyMemory<byte> segment in read.Buffer)
            {
                if (file.Length + segment.Length - prefix.Length > _maxBytes)
                {
                    return new IntakeOutcome.Refused(RefusalReason.TooLarge, "The object is larger than is accepted.");
                }

                if (file.Length >= nextStep)
                {
                    nextStep += Spool.RoomStep;
                    if (!spool.Room.MayGoOn(file.Length))
                    {
                        return NoRoom();
                    }
                }

                hash.AppendData(segment.Span);
                if (TryWrite(file, segment.Span) is { } refused)
                {
                    return refused;
                }
            }

            request.DataSet.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return null;
            }
        }
    }

    private IntakeOutcome.Refused? TryWrite(SpoolFile file, ReadOnlySpan<byte> bytes)
    {
        try
        {
            file.Write(bytes);
            return null;
        }
        catch (IOException e)
        {
            LogDisk(logger, e);
            return NoRoom();
        }
    }

    /// <summary>
    /// Reads the whole structure with the reader that the worker will use, in the file and without the long values: a
    /// data set that is cut short or garbled is not acknowledged.
    /// </summary>
    private (IntakeOutcome.Refused? Wrong, InstanceRow? Row) Examine(IntakeRequest request, SpoolFile file, int start, byte[] contentHash)
    {
        if (file.Length == start)
        {
            return (new IntakeOutcome.Refused(RefusalReason.MalformedDataSet, "The data set is empty."), null);
        }

        DataSet dataSet;
        try
        {
            dataSet = DataSetReader.Read(file.Written(start), TransferSyntax.Of(request.TransferSyntaxUID), StructureOnly);
        }
        catch (DicomContentException e)
        {
            return (new IntakeOutcome.Refused(RefusalReason.MalformedDataSet, e.Message, e.Tag), null);
        }
        catch (IOException e)
        {
            LogDisk(logger, e);
            return (NoRoom(), null);
        }

        if (Compare(dataSet, Tags.SOPClassUID, request.AffectedSOPClassUID) is { } otherClass)
        {
            return (otherClass, null);
        }

        if (Compare(dataSet, Tags.SOPInstanceUID, request.AffectedSOPInstanceUID) is { } otherInstance)
        {
            return (otherInstance, null);
        }

        foreach (Tag tag in (ReadOnlySpan<Tag>)[Tags.StudyInstanceUID, Tags.SeriesInstanceUID])
        {
            if (!Uid.IsValid(dataSet.GetText(tag)))
            {
                return (new IntakeOutcome.Refused(RefusalReason.MissingIdentifier, $"{tag} is missing or no UID.", tag), null);
            }
        }

        InstancePseudonyms pseudonyms = vault.PseudonymsOf(dataSet);
        return (null, new InstanceRow
        {
            SopUID = pseudonyms.SopUID,
            StudyUID = pseudonyms.StudyUID,
            SeriesUID = pseudonyms.SeriesUID,
            Patient = pseudonyms.Patient,
            PatientIndex = pseudonyms.PatientIndex,
            AccessionIndex = pseudonyms.AccessionIndex,
            SopClassUID = request.AffectedSOPClassUID,
            TransferSyntaxUID = request.TransferSyntaxUID,
            Essentials = vault.Seal(EssentialIdentity.Of(dataSet)),
            ContentHash = contentHash,
            CallingAE = request.CallingAE,
            CalledAE = request.CalledAE,
            RemoteAddress = request.RemoteAddress,
            ReceivedFile = file.Name,
            ReceivedBytes = file.Length,
        });
    }

    private static IntakeOutcome.Refused? Compare(DataSet dataSet, Tag tag, string announced) => dataSet.GetText(tag) switch
    {
        null or "" => new IntakeOutcome.Refused(RefusalReason.MissingIdentifier, $"{tag} is missing.", tag),
        { } found when found != announced => new IntakeOutcome.Refused(RefusalReason.DataSetDoesNotMatchCommand, $"{tag} is not what the command says.", tag),
        _ => null,
    };

    private async Task AuditRefusalAsync(IntakeRequest request, IntakeOutcome.Refused refused)
    {
        LogRefused(logger, request.CallingAE, refused.Reason);
        try
        {
            await store.AppendAuditAsync(new AuditRecord(AuditEvent.ReceiveRefused, AuditOutcome.MinorFailure)
            {
                CallingAE = request.CallingAE,
                RemoteAddress = request.RemoteAddress,
                SopUID = vault.Pseudonyms.MapUID(request.AffectedSOPInstanceUID),
                Reason = refused.Reason.ToString(),
                Detail = refused.Detail,
            });
        }
        catch (StoreUnavailableException e)
        {
            // The operation has failed already, and the sender is told so.
            LogStoreAway(logger, e);
        }
    }

    private static IntakeOutcome.Refused NoRoom() => new(RefusalReason.OutOfResources, "The spool is full.");

    [LoggerMessage(2001, LogLevel.Warning, "An object from {CallingAE} was refused: {Reason}.")]
    private static partial void LogRefused(ILogger logger, string callingAE, RefusalReason reason);

    [LoggerMessage(2002, LogLevel.Error, "The spool cannot be written.")]
    private static partial void LogDisk(ILogger logger, Exception exception);

    [LoggerMessage(2003, LogLevel.Error, "The database is away: nothing is accepted until it is back.")]
    private static partial void LogStoreAway(ILogger logger, Exception exception);
}
