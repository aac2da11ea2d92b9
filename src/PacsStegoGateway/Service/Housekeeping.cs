using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Service;

/// <summary>
/// Keeps the watchdog content while we are well, and removes spool files that no row owns: left by a crash between file and
/// row, between row and removal, or by a database that never said whether it had committed. Tells the spool, from the rows, how
/// much is still to be protected.
/// </summary>
public sealed partial class Housekeeping(
    GatewayStore store, Spool spool, SystemdNotifier systemd, IServer server, TimeProvider time, ILogger<Housekeeping> logger) : BackgroundService
{
    private static readonly TimeSpan BetweenSweeps = TimeSpan.FromHours(1);

    private static readonly TimeSpan BetweenCounts = TimeSpan.FromMinutes(1);

    /// <summary>Removes files without a row: ours, and those of gateways that are dead. Those being written now are not looked at.</summary>
    /// <returns>How many were removed.</returns>
    public static async Task<int> SweepAsync(Spool spool, GatewayStore store, CancellationToken cancellationToken)
    {
        int removed = await RemoveUnownedAsync(spool, store, spool.IdleFiles(), cancellationToken);
        foreach (NodeRow dead in (await store.NodesAsync(cancellationToken)).Where(static n => n.LeftMilliseconds <= 0))
        {
            // Only of the gateway that this database knows: another's files have their rows elsewhere.
            if (spool.IdOf(dead.Name) == dead.SpoolId)
            {
                removed += await RemoveUnownedAsync(spool, store, spool.FilesLeftBy(dead.Name), cancellationToken);
            }
        }

        spool.Recount();
        return removed;
    }

    /// <summary>Puts right how much is still to be protected: others release objects from quarantine, or leave theirs to us.</summary>
    public static async Task CountAwaitingAsync(Spool spool, GatewayStore store, CancellationToken cancellationToken) =>
        spool.Room.SetAwaiting(await store.BytesAwaitingProtectionAsync(cancellationToken));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        TimeSpan beat = systemd.WatchdogInterval is { } asked && asked < BetweenCounts ? asked : BetweenCounts;
        long counted = time.GetTimestamp();
        long swept = counted;
        using var timer = new PeriodicTimer(beat, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                bool reachable = await store.IsReachableAsync(stoppingToken);
                try
                {
                    if (reachable && time.GetElapsedTime(counted) >= BetweenCounts)
                    {
                        counted = time.GetTimestamp();
                        await CountAwaitingAsync(spool, store, stoppingToken);
                    }

                    if (reachable && time.GetElapsedTime(swept) >= BetweenSweeps)
                    {
                        swept = time.GetTimestamp();
                        LogSwept(logger, await SweepAsync(spool, store, stoppingToken));
                    }
                }
                catch (Exception e) when (e is StoreUnavailableException or IOException)
                {
                    LogSweepFailed(logger, e);
                }

                // A database that is away, or a full disk, is no reason to restart us: we are well, and say what we wait for.
                systemd.Status(!reachable ? "The database is away: answering A700 until it is back"
                    : spool.Room.IsFull ? "The spool is full: answering A700 until there is room"
                    : "Accepting associations");
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
    }

    private static async Task<int> RemoveUnownedAsync(Spool spool, GatewayStore store, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> unowned = await store.UnownedFilesAsync(files, cancellationToken);
        foreach (string file in unowned)
        {
            spool.Delete(file);
        }

        return unowned.Count;
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

    [LoggerMessage(6011, LogLevel.Warning, "The spool could not be swept or counted; the next time is soon.")]
    private static partial void LogSweepFailed(ILogger logger, Exception exception);
}
