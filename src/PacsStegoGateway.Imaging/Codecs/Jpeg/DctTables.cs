using System.Buffers.Binary;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>Quantization tables, their order, and fast lookup of Huffman codes for JPEG with DCT.</summary>
internal sealed class DctTables
{
    private const int LookupBits = 10;

    private readonly HuffmanCode _code;
    private readonly ushort[] _lookup = new ushort[1 << LookupBits];

    public DctTables(HuffmanCode code)
    {
        _code = code;
        for (int i = 0; i < code.Values.Length && code.Lengths[i] <= LookupBits; i++)
        {
            int spare = LookupBits - code.Lengths[i];
            _lookup.AsSpan(code.Codes[i] << spare, 1 << spare).Fill((ushort)((code.Lengths[i] << 8) | code.Values[i]));
        }
    }

    /// <summary>Where the coefficients of a block go, row by row, in the order they are coded (T.81 figure A.6).</summary>
    public static ReadOnlySpan<byte> ZigZag =>
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    ];

    /// <summary>Takes one code and returns its value.</summary>
    /// <exception cref="DicomContentException">No code begins so.</exception>
    public int Take(ref EntropyBits bits)
    {
        bits.Refill();
        int entry = _lookup[bits.Bits >> (64 - LookupBits)];
        if (entry == 0)
        {
            entry = TakeLong(bits.Bits);
        }

        bits.Bits <<= entry >> 8;
        bits.Count -= entry >> 8;
        return entry & 0xFF;
    }

    /// <summary>Takes a number of that many bits, 1 to 15, whose first half of values is negative (T.81 F.2.2.1). <see cref="Take"/> left them ready.</summary>
    public static int TakeNumber(ref EntropyBits bits, int size)
    {
        int value = (int)(bits.Bits >> (64 - size));
        bits.Bits <<= size;
        bits.Count -= size;
        return value >> (size - 1) != 0 ? value : value - (1 << size) + 1;
    }

    /// <summary>Reads all tables of a DQT segment, in the order they are coded.</summary>
    public static void ReadQuantization(ReadOnlySpan<byte> segment, float[]?[] slots)
    {
        while (!segment.IsEmpty)
        {
            int wide = segment[0] >> 4, slot = segment[0] & 15;
            if (wide > 1 || slot > 3 || segment.Length < 1 + (64 << wide))
            {
                throw new DicomContentException("A quantization table segment is cut off or names an impossible table.");
            }

            float[] table = new float[64];
            for (int i = 0; i < 64; i++)
            {
                table[i] = wide == 0 ? segment[1 + i] : BinaryPrimitives.ReadUInt16BigEndian(segment[(1 + (2 * i))..]);
            }

            slots[slot] = table;
            segment = segment[(1 + (64 << wide))..];
        }
    }

    private int TakeLong(ulong bits)
    {
        for (int i = 0; i < _code.Lengths.Length; i++)
        {
            if (bits >> (64 - _code.Lengths[i]) == _code.Codes[i])
            {
                return (_code.Lengths[i] << 8) | _code.Values[i];
            }
        }

        throw new DicomContentException("The entropy-coded data has a Huffman code that is in no table.");
    }
}
