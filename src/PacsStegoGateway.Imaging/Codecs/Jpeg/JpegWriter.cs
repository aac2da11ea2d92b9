using System.Buffers.Binary;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>Writes marker segments and entropy-coded bits into a buffer that is known to be long enough.</summary>
internal ref struct JpegWriter(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;
    private int _at;
    private ulong _bits;
    private int _count;

    public void Marker(byte marker)
    {
        _buffer[_at++] = 0xFF;
        _buffer[_at++] = marker;
    }

    /// <summary>SOF with components 1, 2, 3 ... that are not subsampled.</summary>
    public void FrameHeader(byte process, int precision, int rows, int columns, int components)
    {
        Segment(process, 6 + (3 * components));
        _buffer[_at++] = (byte)precision;
        Word(rows);
        Word(columns);
        _buffer[_at++] = (byte)components;
        for (int c = 1; c <= components; c++)
        {
            _buffer[_at++] = (byte)c;
            _buffer[_at++] = 0x11;
            _buffer[_at++] = 0;
        }
    }

    public void HuffmanTable(int slot, ReadOnlySpan<byte> counts, ReadOnlySpan<byte> values)
    {
        Segment(JpegSegments.HuffmanTables, 17 + values.Length);
        _buffer[_at++] = (byte)slot;
        counts.CopyTo(_buffer[_at..]);
        values.CopyTo(_buffer[(_at + 16)..]);
        _at += 16 + values.Length;
    }

    /// <summary>SOS of a lossless scan over all components, component c with table c - 1, no point transform.</summary>
    public void ScanHeader(int components, int predictor)
    {
        Segment(JpegSegments.StartOfScan, 4 + (2 * components));
        _buffer[_at++] = (byte)components;
        for (int c = 1; c <= components; c++)
        {
            _buffer[_at++] = (byte)c;
            _buffer[_at++] = (byte)((c - 1) << 4);
        }

        _buffer[_at++] = (byte)predictor;
        _buffer[_at++] = 0;
        _buffer[_at++] = 0;
    }

    /// <summary>Appends at most 32 bits.</summary>
    public void Bits(uint bits, int count)
    {
        _bits = (_bits << count) | bits;
        _count += count;
        if (_count >= 32)
        {
            _count -= 32;
            uint word = (uint)(_bits >> _count);

            // No byte of the word is FF: four bytes at once.
            if ((~word - 0x01010101 & word & 0x80808080) == 0)
            {
                BinaryPrimitives.WriteUInt32BigEndian(_buffer[_at..], word);
                _at += 4;
            }
            else
            {
                for (int shift = 24; shift >= 0; shift -= 8)
                {
                    Stuffed((byte)(word >> shift));
                }
            }
        }
    }

    /// <summary>Fills the last byte with ones (T.81 F.1.2.3).</summary>
    public void Flush()
    {
        for (; _count > 0; _count -= 8)
        {
            Stuffed(_count >= 8 ? (byte)(_bits >> (_count - 8)) : (byte)((_bits << (8 - _count)) | (0xFFu >> _count)));
        }

        _count = 0;
    }

    /// <summary>What was written, with a zero behind the end of image when that makes the length even.</summary>
    public readonly byte[] ToEvenArray()
    {
        byte[] result = new byte[(_at + 1) & ~1];
        _buffer[.._at].CopyTo(result);
        return result;
    }

    private void Segment(byte marker, int contentLength)
    {
        Marker(marker);
        Word(contentLength + 2);
    }

    private void Word(int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[_at..], (ushort)value);
        _at += 2;
    }

    private void Stuffed(byte value)
    {
        _buffer[_at++] = value;
        if (value == 0xFF)
        {
            _buffer[_at++] = 0;
        }
    }
}
