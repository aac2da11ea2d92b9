using System.Buffers;
using System.Buffers.Binary;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>
/// The entropy-coded data between two markers with its stuffed zeros taken out, read most significant bit first, eight
/// bytes at a time. Beyond its end are zeros, and <see cref="RequireNotPassed"/> says whether they were used.
/// </summary>
internal ref struct EntropyBits
{
    private const int Slack = 16;

    private readonly byte[] _rented;
    private readonly int _length;

    private EntropyBits(byte[] rented, int length)
    {
        _rented = rented;
        _length = length;
        Data = rented.AsSpan(0, length + Slack);
    }

    /// <summary>The data, and zeros behind it.</summary>
    public readonly ReadOnlySpan<byte> Data;

    /// <summary>Next byte to be taken into <see cref="Bits"/>.</summary>
    public int Position;

    /// <summary>The next bits, left aligned.</summary>
    public ulong Bits;

    /// <summary>How many of <see cref="Bits"/> are there.</summary>
    public int Count;

    /// <summary>Greatest <see cref="Position"/> from which eight bytes can be taken; a decoder that comes there has used all there was.</summary>
    public readonly int Limit => _length + Slack - 8;

    /// <summary>Takes the data that begins at the position, up to the next marker.</summary>
    /// <param name="next">Where that marker is, or the end of the bytes.</param>
    public static EntropyBits Take(ReadOnlySpan<byte> bytes, int position, out int next)
    {
        ReadOnlySpan<byte> source = bytes[position..];
        byte[] rented = ArrayPool<byte>.Shared.Rent(source.Length + Slack);
        int from = 0, to = 0;
        while (true)
        {
            int length = source[from..].IndexOf((byte)0xFF);
            bool isEnd = length < 0 || from + length + 1 >= source.Length;
            length = length < 0 ? source.Length - from : length;
            source.Slice(from, length).CopyTo(rented.AsSpan(to));
            from += length;
            to += length;
            if (isEnd)
            {
                break;
            }

            byte after = source[from + 1];
            if (after == 0)
            {
                rented[to++] = 0xFF;
                from += 2;
            }
            else if (after == 0xFF)
            {
                from++;
            }
            else
            {
                break;
            }
        }

        rented.AsSpan(to, Slack).Clear();
        next = position + from;
        return new EntropyBits(rented, to);
    }

    /// <summary>Fills <see cref="Bits"/> to at least 56.</summary>
    public void Refill()
    {
        if (Position > Limit)
        {
            throw EndsEarly();
        }

        Bits |= BinaryPrimitives.ReadUInt64BigEndian(Data[Position..]) >> Count;
        Position += (63 - Count) >> 3;
        Count |= 56;
    }

    /// <summary>Throws when more bits were used than there are.</summary>
    public readonly void RequireNotPassed()
    {
        if ((Position * 8L) - Count > _length * 8L)
        {
            throw EndsEarly();
        }
    }

    public readonly void Dispose() => ArrayPool<byte>.Shared.Return(_rented);

    public static DicomContentException EndsEarly() => new("The entropy-coded data ends before the image does.");
}
