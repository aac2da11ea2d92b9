using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Service;

/// <summary>
/// Keeps the watchdog content while we are well, and removes spool files that no row owns: left by a crash between file and
/// row, between row and removal, or by a database that never said whether it had committed.
/// </summary>
public sealed partial class Housekeeping(
    GatewayStore store, Spool spool, SystemdNotifier systemd, IServer server, TimeProvider time, ILogger<Housekeeping> logger) : BackgroundService
{
    private static readonly TimeSpan BetweenSweeps = TimeSpan.FromHours(1);

    /// <summary>Removes files without a row. Those being written now are not looked at.</summary>
    /// <returns>How many were removed.</returns>
    public static async Task<int> SweepAsync(Spool spool, GatewayStore store, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> unowned = await store.UnownedFilesAsync(spool.IdleFiles(), cancellationToken);
        foreach (string file in unowned)
        {
            spool.Delete(file);
        }

        spool.Recount();
        return unowned.Count;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        TimeSpan beat = systemd.WatchdogInterval ?? BetweenSweeps;
        long swept = time.GetTimestamp();
        using var timer = new PeriodicTimer(beat, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                bool reachable = await store.IsReachableAsync(stoppingToken);
                if (reachable && time.GetElapsedTime(swept) >= BetweenSweeps)
                {
                    swept = time.GetTimestamp();
                    LogSwept(logger, await SweepAsync(spool, store, stoppingToken));
                }

                // A database that is away is no reason to restart us: we are well, and say what we wait for.
                systemd.Status(reachable ? "Accepting associations" : "The database is away: answering A700 until it is back");
                if (await IsListeningAsync(stoppingToken))
                {
                    systemd.Watchdog();
                }
                else
                {
                    LogDeaf(logger);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
        catch (StoreUnavailableException e)
        {
            LogSweepFailed(logger, e);
        }
    }

    /// <summary>Can somebody connect? A listener that died while the program lives is what a watchdog is for.</summary>
    private async Task<bool> IsListeningAsync(CancellationToken cancellationToken)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            await socket.ConnectAsync(ListenAddress.Reachable(server), limit.Token);
            return true;
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    [LoggerMessage(6012, LogLevel.Critical, "Nobody can connect to the listener.")]
    private static partial void LogDeaf(ILogger logger);

    [LoggerMessage(6010, LogLevel.Information, "{Count} spool files without a row were removed.")]
    private static partial void LogSwept(ILogger logger, int count);

    [LoggerMessage(6011, LogLevel.Warning, "The database went away while the spool was swept.")]
    private static partial void LogSweepFailed(ILogger logger, Exception exception);
}
