using System.Numerics;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.JpegLs;

/// <summary>The bits of one scan (T.87 A.1): after a byte FF the next one has seven.</summary>
internal ref struct JpegLsBits
{
    private readonly ReadOnlySpan<byte> _bytes;
    private int _position;
    private ulong _cache;
    private int _valid;
    private bool _isStuffed;

    /// <param name="bytes">From behind the scan header up to the next marker.</param>
    public JpegLsBits(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Bytes that no bit was taken of.</summary>
    public readonly ReadOnlySpan<byte> Unread => _bytes[Math.Max(0, _position - (_valid / 8))..];

    /// <summary>Zeros in front of the next one, which is taken too; at most <paramref name="most"/>.</summary>
    public int ReadUnary(int most)
    {
        Fill();
        int zeros = BitOperations.LeadingZeroCount(_cache);
        if (zeros >= _valid || zeros > most || zeros > 56)
        {
            throw Short();
        }

        _cache <<= zeros + 1;
        _valid -= zeros + 1;
        return zeros;
    }

    /// <summary>A number of 0 to 30 bits.</summary>
    public int Read(int count)
    {
        if (count == 0)
        {
            return 0;
        }

        if (_valid < count)
        {
            Fill();
            if (_valid < count)
            {
                throw Short();
            }
        }

        int value = (int)(_cache >> (64 - count));
        _cache <<= count;
        _valid -= count;
        return value;
    }

    private static DicomContentException Short() => new("JPEG-LS: a scan ends too early, or holds a code that does not exist.");

    private void Fill()
    {
        while (_valid <= 56 && _position < _bytes.Length)
        {
            byte next = _bytes[_position++];
            int bits = _isStuffed ? 7 : 8;
            _cache |= (ulong)next << (64 - bits - _valid);
            _valid += bits;
            _isStuffed = next == 0xFF;
        }
    }
}
