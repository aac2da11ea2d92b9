using System.Buffers.Binary;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>Segmented Palette Color Lookup Table Data (PS3.3 C.7.9.2).</summary>
/// <remarks><code>
/// discrete: 0 | number of values | values
/// linear:   1 | number of values | last value: a straight line from the value before to it
/// indirect: 2 | number of segments | byte offset of the first of them, less significant word first (two words; four bytes in a table of bytes)
/// </code></remarks>
internal static class SegmentedPalette
{
    /// <summary>Expands the segments.</summary>
    /// <param name="data">Words, or bytes when <paramref name="bits"/> is 8 and not every entry was given a word.</param>
    /// <param name="count">Entries that the descriptor announces: nothing beyond is made.</param>
    /// <param name="bits">Bits of an entry, by the descriptor.</param>
    /// <exception cref="DicomContentException">Segments that lead nowhere, or to more or fewer entries than announced.</exception>
    public static ushort[] Expand(ReadOnlySpan<byte> data, int count, int bits)
    {
        if (bits > 8)
        {
            return new Expansion(Words(data), count, wordSize: 2).Run();
        }

        // 8-bit tables come as bytes (OB thinking) and, as the OW of the dictionary suggests, as words: only one fits.
        try
        {
            return new Expansion(Bytes(data), count, wordSize: 1).Run();
        }
        catch (DicomContentException)
        {
            return new Expansion(Words(data), count, wordSize: 2).Run();
        }
    }

    private static ushort[] Words(ReadOnlySpan<byte> data)
    {
        ushort[] words = new ushort[data.Length / 2];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt16LittleEndian(data[(i * 2)..]);
        }

        return words;
    }

    private static ushort[] Bytes(ReadOnlySpan<byte> data)
    {
        ushort[] words = new ushort[data.Length];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = data[i];
        }

        return words;
    }

    private sealed class Expansion(ushort[] code, int count, int wordSize)
    {
        private readonly ushort[] _entries = new ushort[count];
        private int _made;

        public ushort[] Run()
        {
            int at = 0;
            while (_made < count && at < code.Length)
            {
                at = Segment(at, mayRefer: true);
            }

            return _made == count ? _entries : throw new DicomContentException($"The segmented palette makes {_made} entries of {count}.");
        }

        private int Segment(int at, bool mayRefer)
        {
            ushort operation = Take(at++);
            int length = Take(at++);
            switch (operation)
            {
                case 0:
                    for (int i = 0; i < length; i++)
                    {
                        Add(Take(at++));
                    }

                    return at;
                case 1 when _made > 0:
                    int from = _entries[_made - 1];
                    int to = Take(at++);
                    for (int i = 1; i <= length; i++)
                    {
                        Add((ushort)Math.Round(from + ((double)(to - from) * i / length), MidpointRounding.AwayFromZero));
                    }

                    return at;
                case 2 when mayRefer:
                    long offset = 0;
                    for (int i = 0; i < 4 / wordSize; i++)
                    {
                        offset |= (long)Take(at++) << (8 * wordSize * i);
                    }

                    if (offset % wordSize != 0 || offset / wordSize >= code.Length)
                    {
                        throw new DicomContentException($"A segment of the palette refers to byte {offset} of {code.Length * wordSize}.");
                    }

                    int copied = (int)(offset / wordSize);
                    for (int i = 0; i < length; i++)
                    {
                        copied = Segment(copied, mayRefer: false);
                    }

                    return at;
                default:
                    throw new DicomContentException($"A segment of the palette has the operation {operation}, which cannot stand there.");
            }
        }

        private ushort Take(int at) => at < code.Length ? code[at] : throw new DicomContentException("The segmented palette is cut short.");

        private void Add(ushort value)
        {
            if (_made == count)
            {
                throw new DicomContentException($"The segmented palette makes more entries than the {count} announced.");
            }

            _entries[_made++] = value;
        }
    }
}
