using System.Buffers.Binary;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>A lookup table of a data set: Modality LUT, VOI LUT, one colour of a palette (PS3.3 C.11.1, C.11.2, C.7.6.3.1.5).</summary>
/// <remarks><code>
/// descriptor: entries (0 means 65536) | first stored value mapped, US or SS | bits of an entry, 8 or 16 (10 to 16 in use)
/// data:       one 16-bit word an entry, or, when the length says so, one byte an entry
/// </code></remarks>
internal sealed class LookupTable
{
    private readonly ushort[] _entries;
    private readonly int _first;

    private LookupTable(ushort[] entries, int first, int bits)
    {
        _entries = entries;
        _first = first;
        Maximum = (1 << bits) - 1;
    }

    /// <summary>Greatest value that an entry of this table may have.</summary>
    public int Maximum { get; }

    /// <summary>The entry for an input; those outside the table get its first or last entry.</summary>
    public int this[double input] =>
        _entries[(int)Math.Clamp(Math.Floor(input) - _first, 0, _entries.Length - 1)];

    /// <summary>Reads a table.</summary>
    /// <param name="descriptor">Three 16-bit numbers.</param>
    /// <param name="data">The entries.</param>
    /// <param name="inputIsSigned">The sign of the numbers that go in decides that of the first one mapped, whatever VR an implicit data set was read with.</param>
    /// <exception cref="DicomContentException">No such table.</exception>
    public static LookupTable Read(Element descriptor, Element data, bool inputIsSigned) =>
        Read(descriptor, inputIsSigned, (entries, _) => Entries(data.Value.Span, entries));

    /// <summary>Reads a segmented palette (PS3.3 C.7.9.2).</summary>
    public static LookupTable ReadSegmented(Element descriptor, Element data, bool inputIsSigned) =>
        Read(descriptor, inputIsSigned, (entries, bits) => SegmentedPalette.Expand(data.Value.Span, entries, bits));

    private static LookupTable Read(Element descriptor, bool inputIsSigned, Func<int, int, ushort[]> read)
    {
        ReadOnlySpan<byte> numbers = descriptor.Value.Span;
        if (numbers.Length < 6)
        {
            throw new DicomContentException($"{descriptor.Tag}: a LUT descriptor has three numbers.");
        }

        int count = BinaryPrimitives.ReadUInt16LittleEndian(numbers);
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(numbers[4..]);
        if (bits is < 1 or > 16)
        {
            throw new DicomContentException($"{descriptor.Tag}: LUT entries of {bits} bits; 1 to 16 can be read.");
        }

        ushort[] entries = read(count == 0 ? 65536 : count, bits);
        if (entries.Length == 0)
        {
            throw new DicomContentException($"{descriptor.Tag}: the LUT has no data.");
        }

        // Tables deeper than they say exist; the deepest entry tells.
        int greatest = entries.Max();
        while (greatest >> bits != 0)
        {
            bits++;
        }

        return new LookupTable(entries, inputIsSigned || descriptor.Vr == Vr.SS
            ? BinaryPrimitives.ReadInt16LittleEndian(numbers[2..])
            : BinaryPrimitives.ReadUInt16LittleEndian(numbers[2..]), bits);
    }

    /// <summary>Words, or bytes when there are just as many (padded to an even length) as entries. A short table is taken as it is.</summary>
    private static ushort[] Entries(ReadOnlySpan<byte> data, int count)
    {
        if (data.Length == count || data.Length == count + (count & 1))
        {
            ushort[] bytes = new ushort[Math.Min(count, data.Length)];
            for (int i = 0; i < bytes.Length; i++)
            {
                bytes[i] = data[i];
            }

            return bytes;
        }

        ushort[] words = new ushort[Math.Min(count, data.Length / 2)];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt16LittleEndian(data[(i * 2)..]);
        }

        return words;
    }
}
