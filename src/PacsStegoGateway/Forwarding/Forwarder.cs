using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Work;

namespace PacsStegoGateway.Forwarding;

/// <summary>
/// Sends protected objects to one destination. Its deliveries are its queue; connections are kept open while there is work. An
/// object is forwarded when every destination said so, and only then do its files go.
/// </summary>
/// <remarks>
/// After a crash between the destination's answer and our commit the object is sent again under the same UID: the PACS
/// stores it once. When the destination is away, or outside its hours, nothing is written to the rows: it is the destination that
/// waits, not they; other destinations have queues and connections of their own.
/// </remarks>
public sealed partial class Forwarder : BackgroundService
{
    /// <summary>Longest that a destination is obeyed which asks to be left alone.</summary>
    private static readonly TimeSpan LongestRest = TimeSpan.FromHours(1);

    private static readonly DicomReadOptions ToStudy = new() { StopBefore = Tags.SeriesInstanceUID, LongestReadSource = 0 };

    private readonly GatewayStore _store;
    private readonly Spool _spool;
    private readonly Destination _destination;
    private readonly WorkOptions _work;
    private readonly TimeProvider _time;
    private readonly ILogger<Forwarder> _logger;
    private readonly RowQueue<DeliveryRow> _queue;
    private bool _wasOpen = true;

    public Forwarder(GatewayStore store, Spool spool, Destination destination, WorkOptions work, TimeProvider time, ILogger<Forwarder> logger)
    {
        (_store, _spool, _destination, _work, _time, _logger) = (store, spool, destination, work, time, logger);
        _queue = new RowQueue<DeliveryRow>(store, DueAsync, static d => d.Id, work.QueueLength, destination.Signal, logger);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        LogStarted(_logger, _destination);
        Task[] senders = [.. Enumerable.Range(0, _destination.Options.Associations).Select(_ => Task.Run(() => SendAllAsync(stoppingToken), CancellationToken.None))];
        await _queue.FillAsync(stoppingToken);
        await Task.WhenAll(senders);
    }

    /// <summary>What is due; outside the hours nothing is.</summary>
    private async Task<IReadOnlyList<DeliveryRow>> DueAsync(int limit, CancellationToken cancellationToken)
    {
        bool isOpen = _destination.IsOpen;
        if (isOpen != _wasOpen)
        {
            _wasOpen = isOpen;
            LogHours(_logger, _destination.Name, isOpen ? "begins" : "waits until its hours begin", _destination.Options.Hours);
        }

        return isOpen ? await _store.DueDeliveriesAsync(_destination.Name, limit, cancellationToken) : [];
    }

    private async Task SendAllAsync(CancellationToken stopping)
    {
        await using IObjectSender sender = _destination.OpenSender();
        int failures = 0;
        try
        {
            while (await NextAsync(sender, stopping) is { } delivery)
            {
                TimeSpan? rest = null;
                try
                {
                    // What was read ahead waits with the others: in the hours to come it is read again.
                    rest = _destination.IsOpen ? await SendAsync(sender, delivery, stopping) : null;
                }
                catch (StoreUnavailableException e)
                {
                    LogStoreAway(_logger, e);
                    rest = TimeSpan.Zero;
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // The row is as it was; the sender must live on, or the queue would stand still unnoticed.
                    LogUnexpected(_logger, delivery.Instance.Id, e.GetType().Name);
                    rest = TimeSpan.Zero;
                }
                finally
                {
                    _queue.Done(delivery);
                }

                failures = rest is null ? 0 : failures + 1;
                if (rest is { } atLeast)
                {
                    await sender.CloseAsync();
                    TimeSpan backoff = Backoff.After(failures - 1, _work);
                    await Task.Delay(atLeast > backoff ? atLeast : backoff, _time, stopping);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Stopping: what was not answered is sent again at the next start.
        }
    }

    /// <summary>The next row; the connection is released after a while without one.</summary>
    private async Task<DeliveryRow?> NextAsync(IObjectSender sender, CancellationToken stopping)
    {
        while (true)
        {
            if (_queue.Rows.TryRead(out DeliveryRow? delivery))
            {
                return delivery;
            }

            using var idle = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            if (sender.IsOpen)
            {
                idle.CancelAfter(TimeSpan.FromSeconds(_destination.Options.ReleaseAfterSeconds));
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
                await sender.ReleaseAsync(stopping);
            }
        }
    }

    /// <returns>Null: go on. Else the destination, not the object, is the trouble: how long to leave it alone, at least.</returns>
    private async Task<TimeSpan?> SendAsync(IObjectSender sender, DeliveryRow delivery, CancellationToken stopping)
    {
        if (!_store.HoldsLease)
        {
            // Perhaps another gateway has it by now: what is still ours is read again.
            return TimeSpan.Zero;
        }

        InstanceRow row = delivery.Instance;
        try
        {
            using ByteSource file = _spool.Open(row.ProtectedFile!);
            // The file's own: lossy pixels leave uncompressed, whatever the row was received in.
            var written = TransferSyntax.Of(Part10.TransferSyntaxOf(file));
            ByteSource dataSet = Part10.DataSetOf(file);
            if (!IsProtectedObjectOf(row, dataSet, written))
            {
                // Somebody changed the row: the original, or another patient's object, must not leave in its place.
                LogOtherObject(_logger, row.Id);
                await _store.QuarantineAsync(row, RefusalReason.ProofFailed, "The file that the row names is not its protected object.");
                return null;
            }

            return await SettleAsync(delivery, await sender.SendAsync(new ObjectToSend(row.SopClassUID, row.SopUID, written, dataSet), stopping));
        }
        catch (FileNotFoundException)
        {
            // Sent already, by a row read before; or lost, which the row's own state will say.
            await _store.QuarantineAsync(row, RefusalReason.MalformedDataSet, "The spool file is missing.");
            return null;
        }
        catch (DicomContentException)
        {
            // What we wrote cannot be read back: trying again changes nothing, and a person must see it.
            LogUnreadable(_logger, row.Id);
            await _store.QuarantineAsync(row, RefusalReason.ProofFailed, "The protected object in the spool cannot be read back.");
            return null;
        }
        catch (SpoolFileException e)
        {
            // Perhaps in the middle of it: the peer must not take what comes next for the rest.
            await sender.CloseAsync();
            await _store.QuarantineAsync(row, e.Reason, e.Message);
            return null;
        }
        catch (IOException e) when (e is not StoreUnavailableException)
        {
            LogSpool(_logger, row.Id, e);
            return TimeSpan.Zero;
        }
    }

    /// <summary>By the pseudonyms it bears, which no original has. Its first elements are read.</summary>
    private static bool IsProtectedObjectOf(InstanceRow row, ByteSource dataSet, TransferSyntax transferSyntax)
    {
        DataSet first = DataSetReader.Read(dataSet, transferSyntax, ToStudy);
        return first.GetText(Tags.SOPInstanceUID) == row.SopUID && first.GetText(Tags.StudyInstanceUID) == row.StudyUID;
    }

    private async Task<TimeSpan?> SettleAsync(DeliveryRow delivery, SendOutcome outcome)
    {
        switch (outcome)
        {
            case SendOutcome.Stored:
                Settlement settled = await _store.SettleDeliverySentAsync(delivery, outcome.Detail);
                if (settled.FilesUnneeded)
                {
                    _spool.Delete(delivery.Instance.ProtectedFile!);
                    _spool.Delete(delivery.Instance.ReceivedFile);
                }

                return null;

            case SendOutcome.Later later:
                TimeSpan rest = later.NotBefore is { } asked ? asked < LongestRest ? asked : LongestRest : TimeSpan.Zero;
                TimeSpan backoff = Backoff.After(delivery.Attempts, _work);
                LogLater(_logger, delivery.Instance.Id, outcome.Detail);
                await _store.SettleDeliveryRetryAsync(delivery, _time.GetUtcNow() + (rest > backoff ? rest : backoff), outcome.Detail);
                return rest;

            case SendOutcome.Away:
                LogAway(_logger, outcome.Detail);
                return TimeSpan.Zero;

            default:
                LogRefused(_logger, delivery.Instance.Id, outcome.Detail);
                await _store.SettleDeliveryDeadAsync(delivery, outcome.Detail);
                return null;
        }
    }

    [LoggerMessage(4000, LogLevel.Information, "Sending to {Destination}.")]
    private static partial void LogStarted(ILogger logger, Destination destination);

    [LoggerMessage(4001, LogLevel.Warning, "{Detail} Objects wait in the spool.")]
    private static partial void LogAway(ILogger logger, string detail);

    [LoggerMessage(4002, LogLevel.Error, "Instance {Id} is a dead letter (psg queue): {Detail}")]
    private static partial void LogRefused(ILogger logger, long id, string detail);

    [LoggerMessage(4003, LogLevel.Warning, "The database is away: forwarding waits.")]
    private static partial void LogStoreAway(ILogger logger, Exception exception);

    [LoggerMessage(4004, LogLevel.Warning, "Instance {Id} cannot be read from the spool.")]
    private static partial void LogSpool(ILogger logger, long id, Exception exception);

    [LoggerMessage(4005, LogLevel.Error, "Forwarding instance {Id} failed unexpectedly with {Type}.")]
    private static partial void LogUnexpected(ILogger logger, long id, string type);

    [LoggerMessage(4006, LogLevel.Error, "The protected object of instance {Id} cannot be read back from the spool and is quarantined.")]
    private static partial void LogUnreadable(ILogger logger, long id);

    [LoggerMessage(4007, LogLevel.Warning, "Instance {Id} is sent again later: {Detail}")]
    private static partial void LogLater(ILogger logger, long id, string detail);

    [LoggerMessage(4009, LogLevel.Critical, "The row of instance {Id} names a file that is not its protected object: quarantined. Was the database changed?")]
    private static partial void LogOtherObject(ILogger logger, long id);

    [LoggerMessage(4008, LogLevel.Information, "{Destination} {What} ({Hours} local time).")]
    private static partial void LogHours(ILogger logger, string destination, string what, string hours);
}
