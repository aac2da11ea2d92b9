using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>A Huffman table as a DHT segment gives it (ITU-T T.81 B.2.4.2), with the codes of Annex C.</summary>
internal sealed class HuffmanCode
{
    private HuffmanCode(byte[] lengths, byte[] values, ushort[] codes)
    {
        Lengths = lengths;
        Values = values;
        Codes = codes;
    }

    /// <summary>Length in bits of each code, shortest first, 1 to 16.</summary>
    public byte[] Lengths { get; }

    /// <summary>What each code stands for.</summary>
    public byte[] Values { get; }

    /// <summary>The codes, right aligned.</summary>
    public ushort[] Codes { get; }

    /// <param name="counts">How many codes there are of each length, 1 to 16.</param>
    /// <param name="values">What they stand for, shortest code first.</param>
    /// <exception cref="DicomContentException">There are more codes of a length than that length has.</exception>
    public static HuffmanCode Create(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> values)
    {
        byte[] lengths = new byte[values.Length];
        ushort[] codes = new ushort[values.Length];
        int code = 0, index = 0;
        for (int length = 1; length <= 16; length++)
        {
            for (int i = 0; i < counts[length - 1]; i++, index++, code++)
            {
                if (code >= 1 << length)
                {
                    throw new DicomContentException($"The Huffman table has more codes of {length} bits than there are.");
                }

                lengths[index] = (byte)length;
                codes[index] = (ushort)code;
            }

            code <<= 1;
        }

        return new HuffmanCode(lengths, values.ToArray(), codes);
    }

    /// <summary>Reads all tables of a DHT segment into the slots: 0 to 3 for DC and lossless, 4 to 7 for AC.</summary>
    public static void Read(ReadOnlySpan<byte> segment, HuffmanCode?[] slots)
    {
        while (!segment.IsEmpty)
        {
            if (segment.Length < 17 || (segment[0] & 0xEC) != 0)
            {
                throw new DicomContentException("A Huffman table segment is cut off or names an impossible table.");
            }

            ReadOnlySpan<byte> counts = segment.Slice(1, 16);
            int total = 0;
            foreach (byte count in counts)
            {
                total += count;
            }

            if (total > 256 || segment.Length < 17 + total)
            {
                throw new DicomContentException($"A Huffman table of {total} codes does not fit its segment.");
            }

            slots[((segment[0] >> 4) * 4) + (segment[0] & 3)] = Create(counts, segment.Slice(17, total));
            segment = segment[(17 + total)..];
        }
    }

    /// <summary>The best table for these frequencies with codes of at most 16 bits, none of them all ones (T.81 K.2).</summary>
    /// <param name="frequencies">How often each value occurs; at most 256 of them.</param>
    public static (byte[] Counts, byte[] Values) Optimize(ReadOnlySpan<long> frequencies)
    {
        // One value more than there is takes the longest code, which is the one of all ones.
        int n = frequencies.Length + 1;
        long[] weights = [.. frequencies, 1];
        int[] sizes = new int[n];
        int[] others = new int[n];
        Array.Fill(others, -1);
        while (true)
        {
            int least = Least(weights, -1), second = Least(weights, least);
            if (second < 0)
            {
                break;
            }

            weights[least] += weights[second];
            weights[second] = 0;
            int at = least;
            for (sizes[at]++; others[at] >= 0; sizes[at]++)
            {
                at = others[at];
            }

            others[at] = second;
            for (sizes[second]++; others[second] >= 0; sizes[second]++)
            {
                second = others[second];
            }
        }

        int[] bits = new int[n + 1];
        foreach (int size in sizes)
        {
            bits[size] += size > 0 ? 1 : 0;
        }

        // Codes above 16 bits are taken in pairs: one of their prefix, the other beside a shorter code (figure K.3).
        for (int length = n; length > 16; length--)
        {
            while (bits[length] > 0)
            {
                int shorter = length - 2;
                while (bits[shorter] == 0)
                {
                    shorter--;
                }

                bits[length] -= 2;
                bits[length - 1]++;
                bits[shorter + 1] += 2;
                bits[shorter]--;
            }
        }

        int longest = Math.Min(16, n);
        while (bits[longest] == 0)
        {
            longest--;
        }

        bits[longest]--;
        byte[] counts = new byte[16];
        for (int length = 1; length <= longest; length++)
        {
            counts[length - 1] = (byte)bits[length];
        }

        byte[] values = [.. Enumerable.Range(0, n - 1).Where(v => sizes[v] > 0).OrderBy(v => sizes[v]).Select(static v => (byte)v)];
        return (counts, values);

        // Of equal weights the greater value, so that the one that does not exist ends up with the longest code.
        static int Least(long[] weights, int except)
        {
            int found = -1;
            for (int i = 0; i < weights.Length; i++)
            {
                if (i != except && weights[i] > 0 && (found < 0 || weights[i] <= weights[found]))
                {
                    found = i;
                }
            }

            return found;
        }
    }
}
