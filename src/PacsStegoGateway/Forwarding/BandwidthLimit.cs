namespace PacsStegoGateway.Forwarding;

/// <summary>A token bucket that all connections of one destination draw from: a tenth of a second may go at once. Thread-safe.</summary>
public sealed class BandwidthLimit(int megabitsPerSecond, TimeProvider time)
{
    private readonly double _secondsPerByte = 8 / (megabitsPerSecond * 1e6);
    private readonly Lock _gate = new();
    private double _paidUntil = double.MinValue;

    /// <summary>Most that is taken at once, so that several connections take turns, bytes.</summary>
    public const int Portion = 16 * 1024;

    private static double Burst => 0.1;

    /// <summary>Waits until so many bytes may be written. Those who come first go first.</summary>
    public ValueTask TakeAsync(int bytes, CancellationToken cancellationToken)
    {
        double wait;
        lock (_gate)
        {
            double now = time.GetTimestamp() / (double)time.TimestampFrequency;
            _paidUntil = Math.Max(_paidUntil, now - Burst) + (bytes * _secondsPerByte);
            wait = _paidUntil - now;
        }

        return wait <= 0 ? ValueTask.CompletedTask : new ValueTask(Task.Delay(TimeSpan.FromSeconds(wait), time, cancellationToken));
    }
}

/// <summary>A connection whose writing is limited. Below TLS, so that what is counted is what goes over the wire.</summary>
internal sealed class LimitedStream(Stream inner, BandwidthLimit limit) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            ReadOnlyMemory<byte> portion = buffer[..Math.Min(BandwidthLimit.Portion, buffer.Length)];
            await limit.TakeAsync(portion.Length, cancellationToken).ConfigureAwait(false);
            await inner.WriteAsync(portion, cancellationToken).ConfigureAwait(false);
            buffer = buffer[portion.Length..];
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Writing waits for its turn: asynchronously only.");

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.ReadAsync(buffer, offset, count, cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
