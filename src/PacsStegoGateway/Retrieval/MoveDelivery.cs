using System.Threading.Channels;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Intake;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>Where the objects of one C-MOVE or C-GET go.</summary>
/// <param name="AETitle">For log and audit.</param>
/// <param name="Originator">Named in the sub-operations of a C-MOVE; null for a C-GET.</param>
/// <param name="ConnectAsync">Opens it, given what is going to be sent; an association that it opens is released afterwards.</param>
public sealed record DeliveryTarget(
    string AETitle, MoveOriginator? Originator, Func<IReadOnlyList<ProposedContext>, CancellationToken, Task<IStoreTarget>> ConnectAsync);

/// <summary>
/// The sub-operations of one C-MOVE or C-GET as a line of three: what is fetched is revealed by several at a time, recorded, and sent by one.
/// Each hands over only when the next has room, so that no more than a few objects are open, however many are asked for.
/// </summary>
/// <param name="revealing">Shared by all retrievals: how many objects are revealed at a time.</param>
public sealed partial class MoveDelivery(
    GatewayStore store, OriginalSource objects, DeliveryTarget destination, RetrievalCaller caller, MoveProgress progress,
    ChannelWriter<MoveResponse> pending, SemaphoreSlim revealing, ILogger logger, CancellationToken cancellationToken) : IAsyncDisposable
{
    /// <summary>An Error Comment has 64 characters at most.</summary>
    private const string NoContext = "No accepted context for SOP class and transfer syntax";

    private static readonly int Width = Math.Min(Environment.ProcessorCount, 8);

    private readonly Channel<FetchedInstance> _fetched = Channel.CreateBounded<FetchedInstance>(Width);
    private readonly Channel<ReadyInstance> _ready = Channel.CreateBounded<ReadyInstance>(Width);
    private Task _revealing = Task.CompletedTask;
    private Task _sending = Task.CompletedTask;
    private IStoreTarget? _target;
    private volatile bool _isBroken;

    /// <param name="Held">What <paramref name="Stored"/> reads from.</param>
    private sealed record FetchedInstance(FoundInstance Found, ByteSource Stored, TransferSyntax TransferSyntax, IDisposable Held);

    /// <param name="TransferSyntax">In which it is sent.</param>
    private sealed record ReadyInstance(FetchedInstance Fetched, OutgoingObject Object, TransferSyntax TransferSyntax, ByteSource DataSet, DecodedOriginal? Decoded) : IDisposable
    {
        public void Dispose()
        {
            Decoded?.Dispose();
            Fetched.Held.Dispose();
        }
    }

    /// <summary>Nothing more can be delivered: the destination is gone, or nothing can be recorded.</summary>
    public bool IsBroken => _isBroken;

    /// <summary>Opens the association to the destination. False when it cannot be: everything fails.</summary>
    public async Task<bool> ConnectAsync()
    {
        try
        {
            _target = await destination.ConnectAsync(
                SendingForm.ContextsFor(progress.All.Select(static f => (f.Row.SopClassUID, f.Row.TransferSyntaxUID))), cancellationToken);
        }
        catch (AssociationException e)
        {
            LogDestination(logger, destination.AETitle, e.Failure.ToString());
            _isBroken = true;
            return false;
        }

        _revealing = Task.WhenAll(Enumerable.Range(0, Width).Select(_ => Task.Run(RevealAllAsync, CancellationToken.None)));
        _sending = Task.Run(SendAllAsync, CancellationToken.None);
        return true;
    }

    /// <summary>Delivers an object whose file is still here; one whose file is gone waits for the PACS.</summary>
    public async Task FromSpoolAsync(FoundInstance found)
    {
        if (objects.FindInSpool(found.Row) is { } file)
        {
            if (progress.Take(found.Row.SopUID) is null)
            {
                file.Dispose();
                return;
            }

            await HandOverAsync(new FetchedInstance(found, Part10.DataSetOf(file), TransferSyntax.Of(Part10.TransferSyntaxOf(file)), file));
        }
    }

    /// <summary>Takes an object that the PACS gives back. It has our answer when it is here, not when it has been delivered.</summary>
    public async ValueTask<StoreResponse> FromPacsAsync(StoreRequest given, CancellationToken association)
    {
        if (progress.Take(given.AffectedSOPInstanceUID) is not { } found)
        {
            return new StoreResponse(DimseStatus.InvalidSOPInstance, "This instance was not asked for");
        }

        FetchedObject stored;
        try
        {
            stored = await objects.FetchAsync(given.DataSet, association);
        }
        catch
        {
            progress.GiveBack(found);
            throw;
        }

        await HandOverAsync(new FetchedInstance(found, stored.DataSet, TransferSyntax.Of(given.TransferSyntaxUID), stored));
        return StoreResponse.Success;
    }

    /// <summary>Counts and records what cannot be delivered.</summary>
    public async Task FailAsync(IEnumerable<FoundInstance> instances, string detail)
    {
        foreach (FoundInstance found in instances.ToList())
        {
            await FailAsync(found, DimseStatus.ProcessingFailure, AuditOutcome.SeriousFailure, detail);
        }
    }

    /// <summary>Waits until everything that was handed over has been dealt with, and closes the association.</summary>
    public async ValueTask DisposeAsync()
    {
        _fetched.Writer.TryComplete();
        await _revealing;
        _ready.Writer.TryComplete();
        await _sending;
        if (_target is RequestorAssociation association)
        {
            try
            {
                if (!_isBroken)
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
    }

    private async Task HandOverAsync(FetchedInstance fetched)
    {
        try
        {
            await _fetched.Writer.WriteAsync(fetched, cancellationToken);
        }
        catch
        {
            fetched.Held.Dispose();
            throw;
        }
    }

    private async Task RevealAllAsync()
    {
        await foreach (FetchedInstance fetched in _fetched.Reader.ReadAllAsync(CancellationToken.None))
        {
            ReadyInstance? ready = null;
            try
            {
                ready = await PrepareAsync(fetched);
            }
            catch (Exception e)
            {
                Break(e);
            }

            if (ready is null)
            {
                fetched.Held.Dispose();
            }
            else
            {
                await _ready.Writer.WriteAsync(ready, CancellationToken.None);
            }
        }
    }

    /// <returns>Null when it does not go out: canceled, or counted as failed.</returns>
    private async Task<ReadyInstance?> PrepareAsync(FetchedInstance fetched)
    {
        FoundInstance found = fetched.Found;
        if (cancellationToken.IsCancellationRequested || _isBroken)
        {
            return null;
        }

        (OutgoingObject? given, RefusalReason reason, string detail) = await OpenAsync(fetched);
        if (given is null)
        {
            await FailAsync(found, DimseStatus.ProcessingFailure, AuditOutcome.SeriousFailure, detail, reason.ToString());
            return null;
        }

        (TransferSyntax TransferSyntax, ByteSource DataSet)? form = SendingForm.Fit(_target!, given.SOPClassUID, given.TransferSyntax, given.DataSet);
        DecodedOriginal? decoded = null;
        string refusal = NoContext;
        if (form is null && SendingForm.FindUncompressed(_target!, given.SOPClassUID) is { } uncompressed)
        {
            (decoded, refusal) = objects.Decode(given, uncompressed);
            form = decoded is null ? null : (uncompressed, decoded.DataSet);
        }

        if (form is not { } fit)
        {
            await FailAsync(found, DimseStatus.SOPClassNotSupported, AuditOutcome.MinorFailure, $"Not sent to {destination.AETitle}: {refusal}.", comment: refusal);
            return null;
        }

        var ready = new ReadyInstance(fetched, given, fit.TransferSyntax, fit.DataSet, decoded);
        try
        {
            await RecordDisclosureAsync(ready);
            return ready;
        }
        catch
        {
            decoded?.Dispose();
            throw;
        }
    }

    private async Task<(OutgoingObject? Object, RefusalReason Reason, string Detail)> OpenAsync(FetchedInstance fetched)
    {
        await revealing.WaitAsync(cancellationToken);
        try
        {
            return objects.Open(caller.View, fetched.Found, fetched.Stored, fetched.TransferSyntax);
        }
        finally
        {
            revealing.Release();
        }
    }

    /// <summary>
    /// Before it leaves: identity that went out unrecorded could not be called back. What became of it is recorded when it is not what was
    /// meant.
    /// </summary>
    private Task RecordDisclosureAsync(ReadyInstance ready)
    {
        if (!caller.View.IsOriginal)
        {
            return Task.CompletedTask;
        }

        string how = ready.TransferSyntax.UID == ready.Object.TransferSyntax.UID ? "" : $" as {ready.TransferSyntax.Name}";
        string key = IdentityVault.KeyOf(ready.Fetched.Found.Row.Essentials);
        how += key.Length == 0 ? "" : $", identity under key {key}";
        return AuditAsync(ready.Fetched.Found, ready.Object.IsFromSymbolAlone
            ? new AuditRecord(AuditEvent.Reidentified, AuditOutcome.MinorFailure)
            {
                Reason = nameof(RefusalReason.OriginalNotProven),
                Detail = $"About to be sent to {destination.AETitle}{how}, restored from the symbol alone: the PACS has removed the Encrypted Attributes.",
            }
            : new AuditRecord(AuditEvent.Reidentified) { Detail = $"About to be sent to {destination.AETitle}{how}." });
    }

    private async Task SendAllAsync()
    {
        await foreach (ReadyInstance ready in _ready.Reader.ReadAllAsync(CancellationToken.None))
        {
            using (ready)
            {
                try
                {
                    await SendAsync(ready);
                }
                catch (Exception e)
                {
                    Break(e);
                }
            }

            pending.TryWrite(progress.Pending());
        }
    }

    /// <summary>Once begun it is finished, whatever is canceled: only then are the counts true.</summary>
    private async Task SendAsync(ReadyInstance ready)
    {
        FoundInstance found = ready.Fetched.Found;
        if (cancellationToken.IsCancellationRequested)
        {
            await (caller.View.IsOriginal
                ? AuditAsync(found, new AuditRecord(AuditEvent.RetrieveFailed, AuditOutcome.MinorFailure) { Detail = "Not sent: the retrieval was canceled." })
                : Task.CompletedTask);
            return;
        }

        if (_isBroken)
        {
            await FailAsync(found, DimseStatus.ProcessingFailure, AuditOutcome.MinorFailure, $"Not sent: the association with {destination.AETitle} is gone.");
            return;
        }

        try
        {
            StoreResponse response = await _target!.StoreAsync(ready.Object.SOPClassUID, ready.Object.SOPInstanceUID, ready.TransferSyntax.UID,
                ready.DataSet, destination.Originator, CancellationToken.None);
            if (response.Status.IsFailure)
            {
                await FailAsync(found, response.Status, AuditOutcome.MinorFailure, $"{destination.AETitle} answered {response.Status}.");
            }
            else
            {
                progress.Settle(found, ready.Object.IsFromSymbolAlone && response.Status.IsSuccess ? DimseStatus.CoercionOfDataElements : response.Status);
            }
        }
        catch (AssociationException e)
        {
            _isBroken = true;
            LogDestination(logger, destination.AETitle, e.Failure.ToString());
            await FailAsync(found, DimseStatus.ProcessingFailure, AuditOutcome.MinorFailure, $"The association with {destination.AETitle} failed: {e.Failure}.");
        }
    }

    private async Task FailAsync(
        FoundInstance found, DimseStatus status, AuditOutcome outcome, string detail, string? reason = null, string? comment = null)
    {
        progress.Settle(found, status, comment);
        pending.TryWrite(progress.Pending());
        await AuditAsync(found, new AuditRecord(AuditEvent.RetrieveFailed, outcome) { Reason = reason, Detail = detail });
    }

    /// <summary>Without this a stage would stand still, and everything before it.</summary>
    private void Break(Exception e)
    {
        if (e is not OperationCanceledException)
        {
            _isBroken = true;
            // The type alone: a message may quote what it read.
            LogBroken(logger, destination.AETitle, e.GetType().Name);
        }
    }

    private Task AuditAsync(FoundInstance found, AuditRecord record) => store.AppendAuditAsync(caller.About(record with
    {
        Patient = found.Row.Patient,
        StudyUID = found.Row.StudyUID,
        SopUID = found.Row.SopUID,
    }));

    [LoggerMessage(5010, LogLevel.Warning, "The move destination {Destination} failed: {Failure}.")]
    private static partial void LogDestination(ILogger logger, string destination, string failure);

    [LoggerMessage(5011, LogLevel.Error, "Delivering to {Destination} failed with {Type}.")]
    private static partial void LogBroken(ILogger logger, string destination, string type);
}
