using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Work;

/// <summary>
/// Whether more objects may be taken in while so many are on their way. An estimate that never is too low is kept in memory;
/// only when it says full are the rows counted, once a second at most.
/// </summary>
/// <param name="store">Whose rows are counted.</param>
/// <param name="most">Most objects on their way; 0: any number.</param>
/// <param name="time">Paces the counting.</param>
public sealed class WaitingRows(GatewayStore store, int most, TimeProvider time)
{
    private static readonly TimeSpan BetweenCounts = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _counting = new(1, 1);

    // Not counted yet: full, until the first who asks has counted.
    private long _estimate = most;
    private long? _countedAt;

    /// <summary>True when one more may come. While the rows are being counted, others go by the estimate.</summary>
    /// <exception cref="StoreUnavailableException">They cannot be counted now.</exception>
    public async ValueTask<bool> HasRoomAsync(CancellationToken cancellationToken)
    {
        if (most == 0 || Interlocked.Read(ref _estimate) < most)
        {
            return true;
        }

        await _counting.WaitAsync(cancellationToken);
        try
        {
            if (Interlocked.Read(ref _estimate) >= most && (_countedAt is not { } at || time.GetElapsedTime(at) >= BetweenCounts))
            {
                Interlocked.Exchange(ref _estimate, await store.CountWaitingAsync(most, cancellationToken));
                _countedAt = time.GetTimestamp();
            }

            return Interlocked.Read(ref _estimate) < most;
        }
        finally
        {
            _counting.Release();
        }
    }

    /// <summary>One more is on its way.</summary>
    public void Added() => Interlocked.Increment(ref _estimate);
}
