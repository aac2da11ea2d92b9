using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Forwarding;

/// <summary>
/// Says, at the start and every hour, what waits for destinations that the configuration does not name any more: nobody sends it, and
/// its files stay until a person puts the destination back or drops the deliveries.
/// </summary>
public sealed partial class ForgottenDeliveries(
    GatewayStore store, DestinationSet destinations, TimeProvider time, ILogger<ForgottenDeliveries> logger) : BackgroundService
{
    private static readonly TimeSpan Between = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Between, time);
        try
        {
            do
            {
                try
                {
                    foreach (DeliverySummary waiting in await store.SummarizeQueuesAsync(stoppingToken))
                    {
                        if (!destinations.Knows(waiting.Destination))
                        {
                            LogForgotten(logger, waiting.Count, waiting.Destination, waiting.State);
                        }
                    }
                }
                catch (StoreUnavailableException e)
                {
                    LogStoreAway(logger, e);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    [LoggerMessage(4010, LogLevel.Warning, "{Count} objects wait for {Destination} ({State}), which is not configured here: put it back, or drop them (psg queue drop).")]
    private static partial void LogForgotten(ILogger logger, long count, string destination, DeliveryState state);

    [LoggerMessage(4011, LogLevel.Warning, "The database is away: nobody knows what waits for destinations that are gone.")]
    private static partial void LogStoreAway(ILogger logger, Exception exception);
}
