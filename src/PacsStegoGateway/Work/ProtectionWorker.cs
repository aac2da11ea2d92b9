using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Forwarding;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Routing;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Work;

/// <summary>The product's first verb; thread-safe. <c>Protector.Protect</c> is the one that ships.</summary>
public delegate ProtectionOutcome Protect(ByteSource dataSet, TransferSyntax transferSyntax, KeepProtected keep);

/// <summary>
/// Takes received rows, protects, writes the protected object to the spool, commits row and audit entry together. A crash
/// anywhere leaves the row as it was, and the next start does it again: pseudonyms are the same, so the PACS sees one object.
/// </summary>
public sealed partial class ProtectionWorker(
    GatewayStore store, Spool spool, Protect protect, Func<RouteTable> routes, DestinationSet destinations, WorkOptions options, WorkSignal received, TimeProvider time,
    ILogger<ProtectionWorker> logger) : BackgroundService
{
    /// <summary>A failure of our own that repeats this often is the object's: it is set aside so that others go on.</summary>
    private const int MaxUnexpected = 3;

    private readonly RowQueue<InstanceRow> _queue = new(
        store, (limit, cancellation) => store.DueAsync(InstanceState.Received, limit, cancellation), static r => r.Id, options.QueueLength, received, logger);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        int count = options.Workers == 0 ? Environment.ProcessorCount : options.Workers;
        // Threads of their own: computing on the pool's would hold up the answers to modalities.
        Task[] workers = [.. Enumerable.Range(0, count).Select(_ => WorkerThread.Run(() => Work(stoppingToken)))];
        await _queue.FillAsync(stoppingToken);
        await Task.WhenAll(workers);
    }

    private void Work(CancellationToken stopping)
    {
        while (_queue.Rows.WaitToReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult())
        {
            while (!stopping.IsCancellationRequested && _queue.Rows.TryRead(out InstanceRow? row))
            {
                try
                {
                    ProcessAsync(row, stopping).GetAwaiter().GetResult();
                }
                catch (OperationCanceledException) when (stopping.IsCancellationRequested)
                {
                    return;
                }
                catch (Exception e)
                {
                    // The row is as it was; the worker must live on, or the queue would stand still unnoticed.
                    LogUnexpected(logger, row.Id, e.GetType().Name);
                    stopping.WaitHandle.WaitOne(Backoff.After(0, options));
                }
                finally
                {
                    _queue.Done(row);
                }
            }

            if (stopping.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task ProcessAsync(InstanceRow row, CancellationToken stopping)
    {
        try
        {
            await ProtectAsync(row);
        }
        catch (FileNotFoundException)
        {
            await SettleAsync(() => SetAsideAsync(row, RefusalReason.MalformedDataSet, "The spool file is missing."), stopping);
        }
        catch (SpoolFileException e)
        {
            await SettleAsync(() => SetAsideAsync(row, e.Reason, e.Message), stopping);
        }
        catch (StoreUnavailableException e)
        {
            LogStoreAway(logger, row.Id, e);
            await Task.Delay(Backoff.After(0, options), time, stopping);
        }
        catch (IOException e)
        {
            LogRetry(logger, row.Id, e);
            await SettleAsync(() => store.RetryLaterAsync(
                row, time.GetUtcNow() + Backoff.After(row.Attempts, options), RefusalReason.OutOfResources, "Reading or writing the spool failed."), stopping);
        }
        catch (Exception e)
        {
            // The type alone: a message may quote what it read.
            LogUnexpected(logger, row.Id, e.GetType().Name);
            string detail = $"Unexpected: {e.GetType().Name}.";
            await SettleAsync(() => row.Attempts + 1 < MaxUnexpected
                ? store.RetryLaterAsync(row, time.GetUtcNow() + Backoff.After(row.Attempts, options), RefusalReason.ProofFailed, detail)
                : SetAsideAsync(row, RefusalReason.ProofFailed, detail), stopping);
        }
    }

    private async Task ProtectAsync(InstanceRow row)
    {
        using ByteSource received = spool.Open(row.ReceivedFile);
        ByteSource dataSet = Part10.DataSetOf(received);
        var transferSyntax = TransferSyntax.Of(row.TransferSyntaxUID);
        if (await FindRouteAsync(row, dataSet, transferSyntax) is not { } route)
        {
            return;
        }

        using var result = new ResultInSpool(spool);
        switch (protect(dataSet, transferSyntax, result.Keep))
        {
            case ProtectionOutcome.Quarantined refused:
                await SetAsideAsync(row, refused.Reason, refused.Detail);
                break;

            case ProtectionOutcome.Protected { Instance: var instance }
                when instance.SOPInstanceUID != row.SopUID || instance.StudyInstanceUID != row.StudyUID:
                await SetAsideAsync(row, RefusalReason.ProofFailed, "The protected object bears other UIDs than the row: another pseudonym key?");
                break;

            case ProtectionOutcome.Protected { Instance: var instance }:
                await CommitAsync(row, instance, result.File!, route);
                break;
        }
    }

    private async Task SetAsideAsync(InstanceRow row, RefusalReason reason, string detail)
    {
        await store.QuarantineAsync(row, reason, detail);
        spool.Room.Settle(row.ReceivedBytes);
        LogQuarantined(logger, row.Id, reason);
    }

    /// <summary>Where the object goes by the rules in effect; null when it goes nowhere and is quarantined.</summary>
    private async Task<RouteDecision.To?> FindRouteAsync(InstanceRow row, ByteSource dataSet, TransferSyntax transferSyntax)
    {
        RouteDecision decision = routes().Decide(row.CalledAE, row.CallingAE, dataSet, transferSyntax);
        if (decision is RouteDecision.To to)
        {
            return to;
        }

        (RefusalReason reason, string detail) = decision is RouteDecision.Refused refused
            ? (RefusalReason.RefusedByRoute, $"The rule '{refused.Rule}' sends it nowhere.")
            : (RefusalReason.NoRoute, "No rule holds for it.");
        await SetAsideAsync(row, reason, detail);
        return null;
    }

    private async Task CommitAsync(InstanceRow row, ProtectedInstance instance, SpoolFile file, RouteDecision.To route)
    {
        // Read where the object lies, which the flush closes.
        byte[] attributes = AttributesOf(instance);
        file.Flush();
        file.Keep();
        if (await store.SetProtectedAsync(row, file.Name, destinations.TargetsOf(route.Destinations), DetailOf(instance, route), attributes))
        {
            destinations.Wake(route.Destinations);
            if (row.ProtectedFile is { } earlier)
            {
                // The object came back from quarantine after an earlier protection.
                spool.Delete(earlier);
            }
        }
        else
        {
            spool.Delete(file.Name);
        }

        spool.Room.Settle(row.ReceivedBytes);
    }

    /// <summary>What the protected object may be found by; long values are not read.</summary>
    private static byte[] AttributesOf(ProtectedInstance instance) => EssentialIdentity.Of(
        DataSetReader.Read(instance.DataSet, instance.TransferSyntax, new DicomReadOptions { LongestReadSource = 0 })).EncodeForIndex();

    private static string DetailOf(ProtectedInstance instance, RouteDecision.To route) => route.Rule is null
        ? instance.Embedding.ToString()
        : $"{instance.Embedding}; rule '{route.Rule}' to {string.Join(", ", route.Destinations)}";

    /// <summary>Writes what became of the row; when the database is away too, the row is still as it was and comes again.</summary>
    private async Task SettleAsync(Func<Task> write, CancellationToken stopping)
    {
        try
        {
            await write();
        }
        catch (StoreUnavailableException)
        {
            await Task.Delay(Backoff.After(0, options), time, stopping);
        }
    }

    /// <summary>The file of a protected object, made when there is one; it goes again unless a row owns it.</summary>
    private sealed class ResultInSpool(Spool spool) : IDisposable
    {
        public SpoolFile? File { get; private set; }

        /// <summary>Writes the object where it will leave from: what is proved afterwards is this file.</summary>
        public ByteSource Keep(ProtectedInstance instance)
        {
            File?.Dispose();
            File = spool.Create();
            byte[] prefix = FileMeta.Prefix(instance.SOPClassUID, instance.SOPInstanceUID, instance.TransferSyntax.UID);
            File.Write(prefix);
            instance.DataSet.Pass(File.Write);
            return File.Written(prefix.Length);
        }

        public void Dispose() => File?.Dispose();
    }

    [LoggerMessage(3010, LogLevel.Warning, "Instance {Id} is quarantined: {Reason}.")]
    private static partial void LogQuarantined(ILogger logger, long id, RefusalReason reason);

    [LoggerMessage(3011, LogLevel.Warning, "Instance {Id} is tried again later.")]
    private static partial void LogRetry(ILogger logger, long id, Exception exception);

    [LoggerMessage(3012, LogLevel.Error, "Instance {Id} failed unexpectedly with {Type}.")]
    private static partial void LogUnexpected(ILogger logger, long id, string type);

    [LoggerMessage(3013, LogLevel.Warning, "The database is away: instance {Id} waits.")]
    private static partial void LogStoreAway(ILogger logger, long id, Exception exception);
}
