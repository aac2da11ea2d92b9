using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Audit;

/// <summary>
/// Sends the trail to a syslog receiver, in order and from where it was left: the rows are the spool. Of several gateways on one database the one
/// that holds the lease sends.
/// </summary>
/// <remarks>
/// Syslog has no answers, so an entry counts as received when the connection that took it was still open some seconds later, or was ended
/// in order by both sides. What was sent later than that when a connection breaks is sent again: at least once, never lost.
/// </remarks>
public sealed partial class AuditForwarder(
    GatewayStore store, SyslogOptions options, TlsClient? tls, TimeProvider time, ILogger<AuditForwarder> logger) : BackgroundService
{
    /// <summary>The receiver's row in the database.</summary>
    public const string Receiver = "syslog";

    private const int Page = 200;

    /// <summary>A gateway that has not renewed for so long sends no more: another takes over.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private bool _isAway;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await store.LeaseForwardingAsync(Receiver, Lease) is { } cursor)
                {
                    await ForwardAsync(cursor, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (IOException e)
            {
                // Said once, not at every try; the rows wait.
                if (!_isAway)
                {
                    LogAway(logger, options.Host, options.Port, e.InnerException is null ? e.Message : $"{e.Message} {e.InnerException.Message}");
                }

                _isAway = true;
            }

            await Task.Delay(TimeSpan.FromSeconds(options.RetrySeconds), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Sends until the connection, the lease or the program ends.</summary>
    private async Task ForwardAsync(long cursor, CancellationToken stoppingToken)
    {
        await using SyslogConnection connection = await SyslogConnection.OpenAsync(options, tls, stoppingToken);
        var sent = new Queue<(long Sequence, long At)>();
        long confirmed = cursor;
        long renewed = time.GetTimestamp();
        if (_isAway)
        {
            LogBack(logger, options.Host, options.Port);
            _isAway = false;
        }

        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                if (time.GetElapsedTime(renewed) > Lease / 3)
                {
                    if (await store.LeaseForwardingAsync(Receiver, Lease) is null)
                    {
                        return;
                    }

                    renewed = time.GetTimestamp();
                }

                IReadOnlyList<AuditRecord> page = await store.AuditAfterAsync(cursor, Page, stoppingToken);
                foreach (AuditRecord record in page)
                {
                    await connection.SendAsync(record, stoppingToken);
                    cursor = record.Sequence;
                    sent.Enqueue((cursor, time.GetTimestamp()));
                }

                if (!connection.IsOpen)
                {
                    throw new IOException("The syslog receiver closed the connection.");
                }

                long before = confirmed;
                while (sent.TryPeek(out (long Sequence, long At) oldest)
                    && (connection.IsDatagram || time.GetElapsedTime(oldest.At) >= TimeSpan.FromSeconds(options.ConfirmSeconds)))
                {
                    confirmed = sent.Dequeue().Sequence;
                }

                if (confirmed > before)
                {
                    await store.ConfirmForwardedAsync(Receiver, confirmed);
                }

                if (page.Count == 0)
                {
                    await Task.Delay(Look, time, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping: what was sent is confirmed below.
        }

        if (sent.Count > 0 && await connection.CloseAsync())
        {
            await store.ConfirmForwardedAsync(Receiver, cursor);
        }
    }

    [LoggerMessage(7011, LogLevel.Warning, "The audit trail cannot be sent to {Host}:{Port}: {Words} It waits in the database.")]
    private static partial void LogAway(ILogger logger, string host, int port, string words);

    [LoggerMessage(7012, LogLevel.Information, "The audit trail is sent to {Host}:{Port} again.")]
    private static partial void LogBack(ILogger logger, string host, int port);
}
