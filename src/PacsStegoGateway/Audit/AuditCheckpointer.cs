using PacsStegoGateway.Configuration;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Audit;

/// <summary>Writes a checkpoint after so many entries of this gateway, after so many minutes with any, and at the end.</summary>
public sealed partial class AuditCheckpointer(
    GatewayStore store, KeyRing keys, GatewayOptions options, TimeProvider time, ILogger<AuditCheckpointer> logger) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly AuditChain _chain = new(keys);
    private readonly Lock _gate = new();
    private long _written;
    private long _writtenAt;

    /// <summary>Writes one now, if there is anything new; failures are logged, because no image waits for this.</summary>
    public void Write()
    {
        lock (_gate)
        {
            if (options.Audit.CheckpointPath.Length == 0 || store.LastAuditHead is not { } head || head.Sequence == _written)
            {
                return;
            }

            string path = options.InDataFolder(options.Audit.CheckpointPath);
            try
            {
                AuditCheckpoints.Append(path, AuditCheckpoints.LineOf(_chain, head, time.GetUtcNow(), store.Node));
                _written = head.Sequence;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                LogFailed(logger, path, e);
            }

            _writtenAt = time.GetTimestamp();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _writtenAt = time.GetTimestamp();
        using var timer = new PeriodicTimer(Look, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (store.LastAuditHead is { } head
                    && (head.Sequence - _written >= options.Audit.CheckpointEntries
                        || time.GetElapsedTime(_writtenAt) >= TimeSpan.FromMinutes(options.Audit.CheckpointMinutes)))
                {
                    Write();
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The last one is written when the last entry is.
        }
    }

    [LoggerMessage(7001, LogLevel.Error, "No checkpoint of the audit trail could be written to {Path}.")]
    private static partial void LogFailed(ILogger logger, string path, Exception exception);
}
