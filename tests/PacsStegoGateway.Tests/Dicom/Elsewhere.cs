using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

/// <summary>Bytes that are in memory and do not say so: what a file is to the reader.</summary>
public sealed class Elsewhere(byte[] bytes) : ByteSource
{
    public override long Length => bytes.Length;

    protected internal override void ReadInside(long offset, Span<byte> destination) => bytes.AsSpan((int)offset, destination.Length).CopyTo(destination);
}

/// <summary>Any number of bytes that stand nowhere: byte i is a function of i.</summary>
public sealed class EndlessPattern(long length) : ByteSource
{
    public override long Length => length;

    /// <summary>How many bytes were read so far.</summary>
    public long BytesRead { get; private set; }

    protected internal override void ReadInside(long offset, Span<byte> destination)
    {
        BytesRead += destination.Length;
        ReadOnlySpan<byte> period = Period;
        for (int at = (int)(offset % period.Length); !destination.IsEmpty; at = 0)
        {
            int some = Math.Min(destination.Length, period.Length - at);
            period.Slice(at, some).CopyTo(destination);
            destination = destination[some..];
        }
    }

    private static readonly byte[] Period = [.. Enumerable.Range(0, 65_521).Select(static i => (byte)(i * 31 ^ i >> 3))];
}
