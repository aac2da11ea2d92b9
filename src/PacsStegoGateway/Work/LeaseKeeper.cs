using PacsStegoGateway.Configuration;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Work;

/// <summary>
/// Gives our signs of life, and takes over what a dead gateway left to do, if its files can be seen from here.
/// </summary>
/// <remarks>
/// Who has been away from the database itself judges nobody until it has been back for the length of a lease: after an outage
/// of the database all look dead to the one who comes first.
/// </remarks>
public sealed partial class LeaseKeeper(
    GatewayStore store, string spoolFolder, ForwardTarget pacs, NodeOptions options, IReadOnlyList<WorkSignal> signals, TimeProvider time,
    ILogger<LeaseKeeper> logger) : BackgroundService
{
    private readonly HashSet<string> _unseen = [];
    private long _aliveSince = time.GetTimestamp();

    private TimeSpan Lease => TimeSpan.FromSeconds(options.LeaseSeconds);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Lease / 3, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await BeatAsync(stoppingToken);
                }
                catch (StoreUnavailableException e)
                {
                    _aliveSince = time.GetTimestamp();
                    LogAway(logger, e);
                }
                catch (Exception e) when (e is IOException or ConfigurationException)
                {
                    // The spool cannot be read now; or our name was given to another gateway, and we do nothing until it stops.
                    _aliveSince = time.GetTimestamp();
                    LogTrouble(logger, e);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task BeatAsync(CancellationToken cancellationToken)
    {
        if (!await store.RenewLeaseAsync(Lease))
        {
            LogLost(logger);
            await store.JoinAsync(SpoolIdentity.Make(spoolFolder, store.Node), Lease, pacs);
            _aliveSince = time.GetTimestamp();
        }
        else if (time.GetElapsedTime(_aliveSince) >= Lease)
        {
            await TakeOverAsync(cancellationToken);
        }
    }

    private async Task TakeOverAsync(CancellationToken cancellationToken)
    {
        foreach (NodeRow dead in await store.DeadNodesAsync(cancellationToken))
        {
            if (SpoolIdentity.Read(spoolFolder, dead.Name) != dead.SpoolId)
            {
                if (_unseen.Add(dead.Name))
                {
                    LogUnseen(logger, dead.Name);
                }

                continue;
            }

            _unseen.Remove(dead.Name);
            int rows = await store.TakeOverAsync(dead.Name);
            LogTakenOver(logger, dead.Name, rows);
            foreach (WorkSignal signal in signals)
            {
                signal.Set();
            }
        }
    }

    [LoggerMessage(3020, LogLevel.Warning, "No sign of life can be given: the database is away.")]
    private static partial void LogAway(ILogger logger, Exception exception);

    [LoggerMessage(3021, LogLevel.Error, "No sign of life can be given.")]
    private static partial void LogTrouble(ILogger logger, Exception exception);

    [LoggerMessage(3022, LogLevel.Warning, "Another gateway took over our rows while we gave no sign of life: going on with new ones.")]
    private static partial void LogLost(ILogger logger);

    [LoggerMessage(3023, LogLevel.Critical, "The gateway {Name} is dead and left work, but its spool folder is not in ours: start it again.")]
    private static partial void LogUnseen(ILogger logger, string name);

    [LoggerMessage(3024, LogLevel.Warning, "The gateway {Name} is dead: {Rows} of its objects are ours now.")]
    private static partial void LogTakenOver(ILogger logger, string name, int rows);
}
