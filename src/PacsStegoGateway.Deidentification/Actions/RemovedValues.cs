using System.Runtime.InteropServices;
using System.Text;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>
/// The identifying values that were taken out of one object, to find them where they do not belong: a name typed into
/// a comment, a date inside a version number.
/// </summary>
/// <remarks>
/// Values are compared as bytes, which is what a reader of the file sees. A search costs one look at every byte: the
/// four bytes at each place ask a small bit table whether a value may begin there; only then the lengths of the values
/// that begin so are tried in a dictionary. So thousands of UIDs with one root cost no more than one.
/// </remarks>
internal sealed class RemovedValues
{
    /// <summary>Shortest value that is looked for, in bytes; below, every text would match by chance.</summary>
    internal const int Shortest = 4;

    /// <summary>From this length on a value counts inside a longer word too; a shorter one must stand by itself.</summary>
    private const int UnmistakableLength = 6;

    /// <summary>The same for a description, in bytes: long enough that a longer text continues it, not resembles it.</summary>
    private const int UnmistakableDescriptionLength = 12;

    private readonly Dictionary<ReadOnlyMemory<byte>, Needle> _needles = new(BytesComparer.Instance);
    private readonly Dictionary<uint, List<int>> _lengthsByStart = [];
    private readonly ulong[] _mayStart = new ulong[64];

    /// <param name="StandsAlone">It counts only as a whole word, or words.</param>
    /// <param name="Identifies">It is a name, number, date or UID; otherwise a description.</param>
    private readonly record struct Needle(bool StandsAlone, bool Identifies);

    /// <summary>Adds what identifies or describes in an element that was removed or replaced, and in the items below it.</summary>
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
            case Vr.LT or Vr.ST or Vr.UR or Vr.UT when row is not null && !element.Tag.IsPrivate:
                AddOne(element.Value, Shortest, standsAlone: false, !IsDescription(row));
                break;
            case Vr.AE or Vr.AS or Vr.LO or Vr.SH or Vr.UC when row is not null && !element.Tag.IsPrivate:
                AddValues(element.Value, Shortest, standsAlone: false, !IsDescription(row));
                break;
        }
    }

    /// <summary>True when one of the values occurs in the text.</summary>
    /// <param name="text">The value field.</param>
    /// <param name="identifiersOnly">Descriptions do not count: the text is a term of a standard.</param>
    internal bool OccursIn(ReadOnlySpan<byte> text, bool identifiersOnly)
    {
        var needles = _needles.GetAlternateLookup<ReadOnlySpan<byte>>();
        for (int i = 0; i + Shortest <= text.Length; i++)
        {
            uint start = MemoryMarshal.Read<uint>(text[i..]);
            int bit = BitOf(start);
            if ((_mayStart[bit >> 6] & (1UL << bit)) == 0 || !_lengthsByStart.TryGetValue(start, out List<int>? lengths))
            {
                continue;
            }

            foreach (int length in lengths)
            {
                if (i + length <= text.Length && needles.TryGetValue(text.Slice(i, length), out Needle needle)
                    && (needle.Identifies || !identifiersOnly)
                    && (!needle.StandsAlone || StandsAlone(text, i, length)))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>
    /// Rows that the Clean Descriptors Option would keep cleaned are descriptions, not identifiers: their words are
    /// everyday words ("HEAD"), which a longer word or a standard term may rightly hold too.
    /// </summary>
    private static bool IsDescription(ProfileRow? row) =>
        row is { } r && r.ActionOf(DeidentificationOption.CleanDescriptors) is not null;

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

    private void AddValues(ReadOnlyMemory<byte> value, int shortest, bool standsAlone, bool identifies = true)
    {
        int start = 0;
        while (value.Span[start..].IndexOf((byte)'\\') is var length and >= 0)
        {
            AddOne(value.Slice(start, length), shortest, standsAlone, identifies);
            start += length + 1;
        }

        AddOne(value[start..], shortest, standsAlone, identifies);
    }

    private void AddOne(ReadOnlyMemory<byte> value, int shortest, bool standsAlone, bool identifies = true)
    {
        value = value.Trim(" \0"u8);
        if (value.Length < shortest || (value.Span.StartsWith("1.2.840.10008."u8) && RegisteredUIDs.Contains(Encoding.ASCII.GetString(value.Span))))
        {
            return;
        }

        var needle = new Needle(standsAlone || value.Length < (identifies ? UnmistakableLength : UnmistakableDescriptionLength), identifies);
        if (_needles.TryGetValue(value, out Needle known))
        {
            // Two attributes had this value: what holds for the stricter one holds.
            _needles[value] = new Needle(known.StandsAlone && needle.StandsAlone, known.Identifies || needle.Identifies);
            return;
        }

        _needles.Add(value, needle);
        uint start = MemoryMarshal.Read<uint>(value.Span);
        if (!_lengthsByStart.TryGetValue(start, out List<int>? lengths))
        {
            lengths = [];
            _lengthsByStart.Add(start, lengths);
            int bit = BitOf(start);
            _mayStart[bit >> 6] |= 1UL << bit;
        }

        if (!lengths.Contains(value.Length))
        {
            lengths.Add(value.Length);
        }
    }

    private static bool StandsAlone(ReadOnlySpan<byte> text, int at, int length) =>
        (at == 0 || !IsWord(text[at - 1])) && (at + length == text.Length || !IsWord(text[at + length]));

    private static bool IsWord(byte character) => char.IsAsciiLetterOrDigit((char)character) || character is (byte)'_' or >= 0x80;

    /// <summary>A bit of the 4096: multiplicative hashing.</summary>
    private static int BitOf(uint start) => (int)((start * 2654435769u) >> 20);

    /// <summary>Byte strings by content, looked up by a span of the text without a copy.</summary>
    private sealed class BytesComparer : IEqualityComparer<ReadOnlyMemory<byte>>, IAlternateEqualityComparer<ReadOnlySpan<byte>, ReadOnlyMemory<byte>>
    {
        internal static readonly BytesComparer Instance = new();

        public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

        public int GetHashCode(ReadOnlyMemory<byte> bytes) => GetHashCode(bytes.Span);

        public bool Equals(ReadOnlySpan<byte> alternate, ReadOnlyMemory<byte> other) => alternate.SequenceEqual(other.Span);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public ReadOnlyMemory<byte> Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
