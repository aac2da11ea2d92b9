using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>
/// Decodes differences of lossless JPEG (T.81 H.1.2.2): a Huffman code for the number of bits SSSS, then that many bits.
/// One look at the next 12 bits gives the whole difference when it fits in them, which nearly all do.
/// </summary>
internal sealed class LosslessTable
{
    /// <summary>Bits looked at together.</summary>
    public const int LookupBits = 12;

    /// <summary>Set in an entry that holds only the code's length and SSSS, or nothing when that is zero.</summary>
    public const uint Incomplete = 0x80;

    public HuffmanCode Code { get; }

    /// <exception cref="DicomContentException">A value is no number of bits, 0 to 16.</exception>
    public LosslessTable(HuffmanCode code)
    {
        Code = code;
        Entries = new uint[1 << LookupBits];
        Array.Fill(Entries, Incomplete);
        for (int i = 0; i < code.Values.Length; i++)
        {
            int length = code.Lengths[i], size = code.Values[i];
            if (size > 16)
            {
                throw new DicomContentException($"A Huffman table of lossless JPEG has the value {size}.");
            }

            if (length > LookupBits)
            {
                continue;
            }

            int extra = size == 16 ? 0 : size;
            int spare = LookupBits - length;
            Span<uint> entries = Entries.AsSpan(code.Codes[i] << spare, 1 << spare);
            if (extra > spare)
            {
                entries.Fill(Incomplete | (uint)length | ((uint)size << 8));
                continue;
            }

            for (int rest = 0; rest < entries.Length; rest++)
            {
                int difference = Difference(size, (uint)(rest >> (spare - extra)));
                entries[rest] = ((uint)(ushort)difference << 16) | (uint)(length + extra);
            }
        }
    }

    /// <summary>By the next 12 bits: difference in the upper half, bits used in the lowest seven.</summary>
    public uint[] Entries { get; }

    /// <summary>Decodes one difference the long way.</summary>
    /// <param name="bits">The next bits, left aligned, at least 32 of them.</param>
    /// <param name="used">How many of them were used.</param>
    /// <exception cref="DicomContentException">No code begins so.</exception>
    public int Decode(ulong bits, out int used)
    {
        for (int i = 0; i < Code.Lengths.Length; i++)
        {
            int length = Code.Lengths[i];
            if (bits >> (64 - length) == Code.Codes[i])
            {
                int size = Code.Values[i];
                int extra = size == 16 ? 0 : size;
                used = length + extra;
                return Difference(size, extra == 0 ? 0 : (uint)(bits << length >> (64 - extra)));
            }
        }

        throw new DicomContentException("The entropy-coded data has a Huffman code that is in no table.");
    }

    /// <summary>Table H.2: the first half of the values of SSSS bits is negative; 16 means 32768 and has no bits.</summary>
    private static int Difference(int size, uint bits) =>
        size == 0 ? 0 : size == 16 ? 32768 : bits >> (size - 1) != 0 ? (int)bits : (int)bits - (1 << size) + 1;
}
