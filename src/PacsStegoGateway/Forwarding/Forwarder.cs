using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Work;

namespace PacsStegoGateway.Forwarding;

/// <summary>
/// Sends protected objects to one destination. Its deliveries are its queue; an association is kept open while there is work. An
/// object is forwarded when every destination said so, and only then do its files go.
/// </summary>
/// <remarks>
/// After a crash between the destination's answer and our commit the object is sent again under the same UID: the PACS
/// stores it once. When the destination is away nothing is written to the rows: it is the destination that waits, not they; other
/// destinations have queues and associations of their own.
/// </remarks>
public sealed partial class Forwarder(
    GatewayStore store, Spool spool, PacsOptions destination, GatewayTls tls, WorkOptions work, WorkSignal isProtected, TimeProvider time,
    ILogger<Forwarder> logger) : BackgroundService
{
    private readonly RowQueue<DeliveryRow> _queue = new(
        store, (limit, cancellation) => store.DueDeliveriesAsync(destination.KnownAs, limit, cancellation), static d => d.Id, work.QueueLength, isProtected, logger);
    private readonly ProposedContexts _contexts = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Task[] senders = [.. Enumerable.Range(0, destination.Associations).Select(_ => Task.Run(() => SendAllAsync(stoppingToken), CancellationToken.None))];
        await _queue.FillAsync(stoppingToken);
        await Task.WhenAll(senders);
    }

    private async Task SendAllAsync(CancellationToken stopping)
    {
        await using var link = new DestinationLink(destination, tls, _contexts);
        int failures = 0;
        try
        {
            while (await NextAsync(link, stopping) is { } delivery)
            {
                try
                {
                    failures = await SendAsync(link, delivery, stopping) ? 0 : failures + 1;
                }
                catch (StoreUnavailableException e)
                {
                    LogStoreAway(logger, e);
                    failures++;
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // The row is as it was; the sender must live on, or the queue would stand still unnoticed.
                    LogUnexpected(logger, delivery.Instance.Id, e.GetType().Name);
                    failures++;
                }
                finally
                {
                    _queue.Done(delivery);
                }

                if (failures > 0)
                {
                    await link.CloseAsync();
                    await Task.Delay(Backoff.After(failures - 1, work), time, stopping);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Stopping: what was not answered is sent again at the next start.
        }
    }

    /// <summary>The next row; the association is released after a while without one.</summary>
    private async Task<DeliveryRow?> NextAsync(DestinationLink link, CancellationToken stopping)
    {
        while (true)
        {
            if (_queue.Rows.TryRead(out DeliveryRow? delivery))
            {
                return delivery;
            }

            using var idle = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            if (link.IsOpen)
            {
                idle.CancelAfter(TimeSpan.FromSeconds(destination.ReleaseAfterSeconds));
            }

            try
            {
                if (!await _queue.Rows.WaitToReadAsync(idle.Token))
                {
                    return null;
                }
            }
            catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
            {
                await link.ReleaseAsync(stopping);
            }
        }
    }

    /// <returns>False when the destination, not the object, is the trouble: wait before anything else is sent.</returns>
    private async Task<bool> SendAsync(DestinationLink link, DeliveryRow delivery, CancellationToken stopping)
    {
        if (!store.HoldsLease)
        {
            // Perhaps another gateway has it by now: what is still ours is read again.
            return false;
        }

        InstanceRow row = delivery.Instance;
        bool sending = false;
        try
        {
            using ByteSource file = spool.Open(row.ProtectedFile!);
            // The file's own: lossy pixels leave uncompressed, whatever the row was received in.
            TransferSyntax written = TransferSyntax.Of(Part10.TransferSyntaxOf(file));
            RequestorAssociation? association = await link.OpenAsync(row.SopClassUID, written.UID, stopping);
            if (association is null)
            {
                await SetAsideAsync(delivery, $"{destination.AETitle} accepts no presentation context for this object.");
                return true;
            }

            (TransferSyntax transferSyntax, ByteSource form) =
                SendingForm.Fit(association, row.SopClassUID, written, Part10.DataSetOf(file))!.Value;
            sending = true;
            StoreResponse response = await association.StoreAsync(
                row.SopClassUID, row.SopUID, transferSyntax.UID, form, null, stopping);
            sending = false;
            return await SettleAsync(delivery, response.Status);
        }
        catch (FileNotFoundException)
        {
            // Sent already, by a row read before; or lost, which the row's own state will say.
            await store.QuarantineAsync(row, RefusalReason.MalformedDataSet, "The spool file is missing.");
            return true;
        }
        catch (SpoolFileException e)
        {
            await store.QuarantineAsync(row, e.Reason, e.Message);
            return !sending;
        }
        catch (DicomContentException)
        {
            // What we wrote cannot be read back: trying again changes nothing, and a person must see it.
            LogUnreadable(logger, row.Id);
            await store.QuarantineAsync(row, RefusalReason.ProofFailed, "The protected object in the spool cannot be read back.");
            return true;
        }
        catch (AssociationException e) when (!e.IsTransient && !sending)
        {
            LogAway(logger, destination.AETitle, e.Failure.ToString());
            return false;
        }
        catch (AssociationException e)
        {
            LogAway(logger, destination.AETitle, e.Failure.ToString());
            if (sending)
            {
                // It may be this object that the destination cannot bear: let others go first.
                await RetryAsync(delivery, $"The association with {destination.AETitle} failed while sending: {e.Failure}.");
            }

            return false;
        }
        catch (IOException e) when (e is not StoreUnavailableException)
        {
            LogSpool(logger, row.Id, e);
            return false;
        }
    }

    private async Task<bool> SettleAsync(DeliveryRow delivery, DimseStatus status)
    {
        if (status == DimseStatus.ElementsDiscarded)
        {
            // Perhaps the sealed ones: our files are then the only way back to the original, and a person decides.
            await SetAsideAsync(delivery, $"{destination.AETitle} stored it but discarded elements ({status}).");
            return true;
        }

        if (status.IsSuccess || status.IsWarning)
        {
            Settlement settled = await store.SettleDeliverySentAsync(delivery, $"{destination.AETitle} answered {status}.");
            if (settled.FilesUnneeded)
            {
                spool.Delete(delivery.Instance.ProtectedFile!);
                spool.Delete(delivery.Instance.ReceivedFile);
            }

            return true;
        }

        if (!status.IsTransient)
        {
            await SetAsideAsync(delivery, $"{destination.AETitle} answered {status}.");
            return true;
        }

        await RetryAsync(delivery, $"{destination.AETitle} answered {status}.");
        return false;
    }

    private async Task SetAsideAsync(DeliveryRow delivery, string detail)
    {
        LogRefused(logger, delivery.Instance.Id, destination.AETitle);
        await store.SettleDeliveryDeadAsync(delivery, detail);
    }

    private Task RetryAsync(DeliveryRow delivery, string detail) =>
        store.SettleDeliveryRetryAsync(delivery, time.GetUtcNow() + Backoff.After(delivery.Attempts, work), detail);

    [LoggerMessage(4001, LogLevel.Warning, "{Destination} cannot be reached ({Failure}): objects wait in the spool.")]
    private static partial void LogAway(ILogger logger, string destination, string failure);

    [LoggerMessage(4002, LogLevel.Error, "Instance {Id} was refused by {Destination} for good: a dead letter (psg queue).")]
    private static partial void LogRefused(ILogger logger, long id, string destination);

    [LoggerMessage(4003, LogLevel.Warning, "The database is away: forwarding waits.")]
    private static partial void LogStoreAway(ILogger logger, Exception exception);

    [LoggerMessage(4004, LogLevel.Warning, "Instance {Id} cannot be read from the spool.")]
    private static partial void LogSpool(ILogger logger, long id, Exception exception);

    [LoggerMessage(4006, LogLevel.Error, "The protected object of instance {Id} cannot be read back from the spool and is quarantined.")]
    private static partial void LogUnreadable(ILogger logger, long id);

    [LoggerMessage(4005, LogLevel.Error, "Forwarding instance {Id} failed unexpectedly with {Type}.")]
    private static partial void LogUnexpected(ILogger logger, long id, string type);
}
