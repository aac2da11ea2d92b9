namespace PacsStegoGateway.Configuration;

/// <summary>Protecting and forwarding.</summary>
public sealed class WorkOptions
{
    /// <summary>Instances protected at a time, 0 to 256. Default 0: one per core.</summary>
    public int Workers { get; set; }

    /// <summary>Rows taken into memory ahead of the workers, 1 to 10000. Default 64.</summary>
    public int QueueLength { get; set; } = 64;

    /// <summary>
    /// Most objects of this gateway on their way, protected or not, before no more are accepted (A700), 0 to 10000000. Default 200000; 0: any
    /// number. Dead letters count, quarantined objects do not.
    /// </summary>
    public int MaxWaiting { get; set; } = 200_000;

    /// <summary>Wait before the first retry, seconds, 1 to 3600. Default 5. Each further wait doubles, with jitter.</summary>
    public int RetryFirstSeconds { get; set; } = 5;

    /// <summary>Longest wait between retries, seconds, RetryFirstSeconds to 86400. Default 600. Retries never end by themselves.</summary>
    public int RetryMaxSeconds { get; set; } = 600;
}
