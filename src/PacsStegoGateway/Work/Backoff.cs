using PacsStegoGateway.Configuration;

namespace PacsStegoGateway.Work;

/// <summary>Waits between retries: doubling, with jitter, so that many that failed together do not come back together.</summary>
public static class Backoff
{
    /// <param name="attempts">Failed attempts before this one, from 0.</param>
    public static TimeSpan After(int attempts, WorkOptions options)
    {
        double seconds = Math.Min(options.RetryMaxSeconds, options.RetryFirstSeconds * Math.Pow(2, Math.Min(attempts, 30)));
        return TimeSpan.FromSeconds(seconds * (0.75 + (Random.Shared.NextDouble() / 2)));
    }
}
