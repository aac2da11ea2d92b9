using System.Text;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>
/// The identifying values that were taken out of one object, to find them where they do not belong: a name typed into
/// a comment, a date inside a version number.
/// </summary>
/// <remarks>
/// Values are compared as bytes, ASCII letters in either case: once as they stand, once without what separates their
/// parts. Each is one pass of a <see cref="TextIndex"/>.
/// </remarks>
internal sealed class RemovedValues
{
    /// <summary>Shortest value that is looked for, in bytes; below, every text would match by chance.</summary>
    internal const int Shortest = 4;

    /// <summary>From this length on a value counts inside a longer word too; a shorter one must stand by itself.</summary>
    private const int UnmistakableLength = 6;

    /// <summary>The same for a description, in bytes: long enough that a longer text continues it, not resembles it.</summary>
    private const int UnmistakableDescriptionLength = 12;

    /// <summary>From this length on a value counts in a text without its separators inside a longer word, too.</summary>
    private const int UnmistakableCompactLength = 8;

    /// <summary>Longest value, in bytes, that is also looked for without its separators: a name has no more.</summary>
    private const int LongestCompact = 256;

    /// <summary>The values with capital letters made small.</summary>
    private readonly TextIndex _values = new();

    /// <summary>Identifying values without their separators: two words written as one, a date written otherwise.</summary>
    private readonly TextIndex _compact = new();

    /// <summary>Patient IDs, names and accession numbers that even a term of the standard must not be.</summary>
    private readonly HashSet<string> _identifiers = [];

    private byte[] _folded = [];
    private byte[] _withoutSeparators = [];
    private int[] _places = [];

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

        if (element.Tag == Tags.PatientID || element.Tag == Tags.PatientName || element.Tag == Tags.AccessionNumber)
        {
            AddIdentifier(element.Value.Span);
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
                AddDayFirst(element.Value.Span);
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

    /// <summary>True when one of the values occurs in the text, in whatever letter case and with whatever separators.</summary>
    /// <param name="text">The value field.</param>
    /// <param name="identifiersOnly">Descriptions do not count: the text is a term of a standard.</param>
    internal bool OccursIn(ReadOnlySpan<byte> text, bool identifiersOnly)
    {
        if (_folded.Length < text.Length)
        {
            int size = Math.Max(text.Length, 256);
            (_folded, _withoutSeparators, _places) = (new byte[size], new byte[size], new int[size]);
        }

        Span<byte> folded = _folded.AsSpan(0, text.Length);
        Fold(text, folded);
        if (_values.OccursIn(folded, folded, null, identifiersOnly))
        {
            return true;
        }

        int length = 0;
        for (int i = 0; i < folded.Length; i++)
        {
            if (!IsSeparator(folded[i]))
            {
                _places[length] = i;
                _withoutSeparators[length++] = folded[i];
            }
        }

        return _compact.OccursIn(_withoutSeparators.AsSpan(0, length), folded, _places, identifiersOnly: true);
    }

    /// <summary>True when a value of the text is an identifier of six characters or more with a digit.</summary>
    internal bool HoldsIdentifier(ReadOnlySpan<byte> text)
    {
        if (_identifiers.Count == 0)
        {
            return false;
        }

        var identifiers = _identifiers.GetAlternateLookup<ReadOnlySpan<char>>();
        string characters = Encoding.Latin1.GetString(text).ToLowerInvariant();
        foreach (Range range in characters.AsSpan().Split('\\'))
        {
            if (identifiers.Contains(characters.AsSpan()[range].Trim(" \0")))
            {
                return true;
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
        int caret = bytes.IndexOf((byte)'^');
        if (caret > 0)
        {
            // People write the given name first.
            int end = bytes[(caret + 1)..].IndexOfAny("^=\\"u8) is var next and >= 0 ? caret + 1 + next : bytes.Length;
            AddCompact([.. bytes[(caret + 1)..end], .. bytes[..caret]]);
            AddCompact(bytes[..end]);
        }

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

        byte[] folded = new byte[value.Length];
        Fold(value.Span, folded);
        _values.Add(folded, new Needle(
            standsAlone || value.Length < (identifies ? UnmistakableLength : UnmistakableDescriptionLength), identifies));
        if (identifies && !standsAlone && value.Length <= LongestCompact && !IsUID(value.Span))
        {
            AddCompact(value.Span);
        }
    }

    private void AddCompact(ReadOnlySpan<byte> value)
    {
        Span<byte> compact = stackalloc byte[LongestCompact];
        int length = 0;
        if (value.Length > compact.Length)
        {
            return;
        }

        foreach (byte character in value)
        {
            if (!IsSeparator(character) && character != 0)
            {
                compact[length++] = Lower(character);
            }
        }

        if (length >= UnmistakableLength)
        {
            bool isNumber = !compact[..length].ContainsAnyExceptInRange((byte)'0', (byte)'9');
            _compact.Add(compact[..length].ToArray(), new Needle(isNumber || length < UnmistakableCompactLength, Identifies: true));
        }
    }

    /// <summary>A date as DD.MM.YYYY and MM/DD/YYYY; YYYY-MM-DD is the date itself with separators.</summary>
    private void AddDayFirst(ReadOnlySpan<byte> dates)
    {
        foreach (Range range in dates.Split((byte)'\\'))
        {
            ReadOnlySpan<byte> date = dates[range].Trim(" \0"u8);
            if (date.Length >= 8 && !date[..8].ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            {
                AddCompact([.. date[6..8], .. date[4..6], .. date[..4]]);
                AddCompact([.. date[4..8], .. date[..4]]);
                AddCompact(date[..8]);
            }
        }
    }

    private void AddIdentifier(ReadOnlySpan<byte> values)
    {
        string characters = Encoding.Latin1.GetString(values).ToLowerInvariant();
        foreach (string value in characters.Split('\\', StringSplitOptions.TrimEntries))
        {
            string significant = value.Trim(' ', '\0');
            if (significant.Length >= UnmistakableLength && significant.Any(char.IsAsciiDigit))
            {
                _identifiers.Add(significant);
            }
        }
    }

    /// <summary>Digits and dots: without the dots it is no UID any more, and nobody writes it so.</summary>
    private static bool IsUID(ReadOnlySpan<byte> value) => value.Count((byte)'.') >= 4 && !value.ContainsAnyExceptInRange((byte)'.', (byte)'9');

    private static void Fold(ReadOnlySpan<byte> text, Span<byte> folded)
    {
        for (int i = 0; i < text.Length; i++)
        {
            folded[i] = Lower(text[i]);
        }
    }

    private static byte Lower(byte character) => character is >= (byte)'A' and <= (byte)'Z' ? (byte)(character | 0x20) : character;

    /// <summary>What people write between the parts of a name, number or date. A backslash ends a value: it is none.</summary>
    private static bool IsSeparator(byte character) => character is (byte)' ' or (byte)'_' or (byte)'-' or (byte)'.' or (byte)','
        or (byte)'/' or (byte)'^' or (byte)'=' or (byte)':' or (byte)';' or (byte)'\t';
}
