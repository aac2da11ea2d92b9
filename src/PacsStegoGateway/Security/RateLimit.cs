namespace PacsStegoGateway.Security;

/// <summary>So many a minute of each key: a bucket that holds a minute's worth and fills evenly. Safe for threads.</summary>
/// <param name="perMinute">Asked each time; 0 is no limit.</param>
public sealed class RateLimit<TKey>(Func<int> perMinute, TimeProvider time)
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly BoundedMemory<TKey, Bucket> _buckets = new();

    /// <summary>True when there was one left, now taken.</summary>
    public bool TryTake(TKey key)
    {
        double most = perMinute();
        if (most <= 0)
        {
            return true;
        }

        lock (_gate)
        {
            Bucket bucket = _buckets.GetOrAdd(key, () => new Bucket { Left = most, At = time.GetTimestamp() });
            bucket.Left = Math.Min(most, bucket.Left + (time.GetElapsedTime(bucket.At).TotalMinutes * most));
            bucket.At = time.GetTimestamp();
            if (bucket.Left < 1)
            {
                return false;
            }

            bucket.Left--;
            return true;
        }
    }

    private sealed class Bucket
    {
        public double Left { get; set; }

        public long At { get; set; }
    }
}
