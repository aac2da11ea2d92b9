using System.Runtime.InteropServices;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>
/// The identifying values that were taken out of one object, to find them where they do not belong: a name typed into
/// a comment, a date inside a version number.
/// </summary>
/// <remarks>
/// Values are compared as bytes, which is what a reader of the file sees. A search costs one look at every byte: the
/// four bytes at each place ask a small bit table whether a value may begin there, and only then a dictionary.
/// </remarks>
internal sealed class RemovedValues
{
    /// <summary>Shortest value that is looked for, in bytes; below, every text would match by chance.</summary>
    internal const int Shortest = 4;

    /// <summary>From this length on a value counts inside a longer word too; a shorter one must stand by itself.</summary>
    private const int UnmistakableLength = 6;

    private readonly Dictionary<uint, List<Needle>> _byStart = [];
    private readonly ulong[] _mayStart = new ulong[64];

    private readonly record struct Needle(ReadOnlyMemory<byte> Bytes, bool StandsAlone);

    /// <summary>Adds what identifies in an element that was removed or replaced, and in the items below it.</summary>
    /// <param name="element">As it came.</param>
    /// <param name="row">Its row of the table, or null.</param>
    internal void Add(Element element, ProfileRow? row)
    {
        if (element.Items is { } items)
        {
            foreach (DataSet item in items)
            {
                foreach (Element below in item)
                {
                    Add(below, ProfileTable.Find(below.Tag));
                }
            }

            return;
        }

        Vr vr = element.Vr == Vr.UN ? DataDictionary.VrOf(element.Tag) : element.Vr;
        switch (vr)
        {
            case Vr.PN:
                AddName(element.Value);
                break;
            case Vr.UI:
                AddValues(element.Value, Shortest, standsAlone: false);
                break;
            case Vr.DA or Vr.DT:
                AddValues(element.Value, 8, standsAlone: false);
                break;
            case Vr.TM:
                AddValues(element.Value, 6, standsAlone: true);
                break;
            case Vr.AE or Vr.AS or Vr.LO or Vr.LT or Vr.SH or Vr.ST or Vr.UC or Vr.UR or Vr.UT when IsIdentifier(element.Tag, row):
                AddValues(element.Value, Shortest, standsAlone: false);
                break;
        }
    }

    /// <summary>True when one of the values occurs in the text.</summary>
    internal bool OccursIn(ReadOnlySpan<byte> text)
    {
        for (int i = 0; i + Shortest <= text.Length; i++)
        {
            uint start = MemoryMarshal.Read<uint>(text[i..]);
            int bit = BitOf(start);
            if ((_mayStart[bit >> 6] & (1UL << bit)) == 0 || !_byStart.TryGetValue(start, out List<Needle>? needles))
            {
                continue;
            }

            foreach (Needle needle in needles)
            {
                if (text[i..].StartsWith(needle.Bytes.Span)
                    && (!needle.StandsAlone || StandsAlone(text, i, needle.Bytes.Length)))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>
    /// Rows that the Clean Descriptors Option would keep cleaned are descriptions, not identifiers: their words are
    /// everyday words ("HEAD") that other attributes may rightly say too. The same holds for private elements.
    /// </summary>
    private static bool IsIdentifier(Tag tag, ProfileRow? row) =>
        !tag.IsPrivate && row is { } r && r.ActionOf(DeidentificationOption.CleanDescriptors) is null;

    private void AddName(ReadOnlyMemory<byte> value)
    {
        AddValues(value, Shortest, standsAlone: false);
        ReadOnlySpan<byte> bytes = value.Span;
        int start = 0;
        for (int i = 0; i <= bytes.Length; i++)
        {
            // Components, component groups, values, and the words of which people make one component.
            if (i == bytes.Length || bytes[i] is (byte)'^' or (byte)'=' or (byte)'\\' or (byte)' ' or (byte)',')
            {
                AddOne(value[start..i], Shortest, standsAlone: true);
                start = i + 1;
            }
        }
    }

    private void AddValues(ReadOnlyMemory<byte> value, int shortest, bool standsAlone)
    {
        int start = 0;
        while (value.Span[start..].IndexOf((byte)'\\') is var length and >= 0)
        {
            AddOne(value.Slice(start, length), shortest, standsAlone);
            start += length + 1;
        }

        AddOne(value[start..], shortest, standsAlone);
    }

    private void AddOne(ReadOnlyMemory<byte> value, int shortest, bool standsAlone)
    {
        value = value.Trim(" \0"u8);
        if (value.Length < shortest || value.Span.StartsWith("1.2.840.10008."u8))
        {
            return;
        }

        uint start = MemoryMarshal.Read<uint>(value.Span);
        if (!_byStart.TryGetValue(start, out List<Needle>? needles))
        {
            needles = [];
            _byStart.Add(start, needles);
            int bit = BitOf(start);
            _mayStart[bit >> 6] |= 1UL << bit;
        }

        standsAlone |= value.Length < UnmistakableLength;
        foreach (Needle known in needles)
        {
            if (known.StandsAlone == standsAlone && known.Bytes.Span.SequenceEqual(value.Span))
            {
                return;
            }
        }

        needles.Add(new Needle(value, standsAlone));
    }

    private static bool StandsAlone(ReadOnlySpan<byte> text, int at, int length) =>
        (at == 0 || !IsWord(text[at - 1])) && (at + length == text.Length || !IsWord(text[at + length]));

    private static bool IsWord(byte character) => char.IsAsciiLetterOrDigit((char)character) || character >= 0x80;

    /// <summary>A bit of the 4096: multiplicative hashing.</summary>
    private static int BitOf(uint start) => (int)((start * 2654435769u) >> 20);
}
