using System.Globalization;
using System.Text;

namespace PacsStegoGateway.Dicom;

/// <summary>A data set as text, one line per element, for people. Holds whatever the data set holds, identities too.</summary>
/// <remarks><code>
/// (0008,0060) CS [MR]                                     #   2 Modality
/// (0008,1140) SQ 1 item                                   #   - ReferencedImageSequence
///   item 1
///     (0008,1150) UI [1.2.840.10008.5.1.4.1.1.4]          #  26 ReferencedSOPClassUID
/// </code></remarks>
public static class DataSetText
{
    private const int ValueColumn = 56;

    /// <summary>Writes the data set.</summary>
    /// <param name="dataSet">The data set.</param>
    /// <param name="writer">Where to.</param>
    /// <param name="maxValueLength">Characters of a value to show; longer ones end in "...". At least 4.</param>
    public static void Dump(DataSet dataSet, TextWriter writer, int maxValueLength = 64)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxValueLength, 4);
        Dump(dataSet, writer, maxValueLength, "");
    }

    private static void Dump(DataSet dataSet, TextWriter writer, int maxValueLength, string indent)
    {
        Encoding encoding = dataSet.Encoding;
        foreach (Element element in dataSet)
        {
            string value = Describe(element, encoding, maxValueLength);
            string start = $"{indent}{element.Tag} {Letters(element.Vr)} {value}";
            string length = element.HasUndefinedLength || element.Items is not null
                ? "-"
                : element.ValueLength.ToString(CultureInfo.InvariantCulture);
            writer.WriteLine($"{start.PadRight(ValueColumn)} # {length,6} {KeywordOf(element.Tag)}");
            for (int i = 0; i < (element.Items?.Count ?? 0); i++)
            {
                writer.WriteLine($"{indent}  item {i + 1}");
                Dump(element.Items![i], writer, maxValueLength, indent + "    ");
            }
        }

        if (!dataSet.TrailingBytes.IsEmpty)
        {
            writer.WriteLine($"{indent}{dataSet.TrailingBytes.Length} zero bytes after the data set");
        }
    }

    /// <summary>Writes the elements of these tags alone, wherever they stand, each with the way to it: (0008,1140)[1].(0008,1155).</summary>
    /// <inheritdoc cref="Dump(DataSet, TextWriter, int)"/>
    /// <param name="only">The tags.</param>
    /// <returns>How many were found.</returns>
    public static int Dump(DataSet dataSet, TextWriter writer, IReadOnlyCollection<Tag> only, int maxValueLength = 64)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxValueLength, 4);
        return Dump(dataSet, writer, only, maxValueLength, "");
    }

    private static int Dump(DataSet dataSet, TextWriter writer, IReadOnlyCollection<Tag> only, int maxValueLength, string path)
    {
        int found = 0;
        foreach (Element element in dataSet)
        {
            if (only.Contains(element.Tag))
            {
                writer.WriteLine($"{path}{element.Tag} {Letters(element.Vr)} {Describe(element, dataSet.Encoding, maxValueLength)}");
                found++;
            }

            for (int i = 0; i < (element.Items?.Count ?? 0); i++)
            {
                found += Dump(element.Items![i], writer, only, maxValueLength, $"{path}{element.Tag}[{i + 1}].");
            }
        }

        return found;
    }

    private static string Describe(Element element, Encoding encoding, int maxValueLength)
    {
        if (element.Items is { } items)
        {
            return items.Count == 1 ? "1 item" : $"{items.Count} items";
        }

        if (element.Fragments is { } fragments)
        {
            return $"{Math.Max(0, fragments.Count - 1)} {(fragments.Count == 2 ? "fragment" : "fragments")}, {fragments.TotalLength - (fragments.Count > 0 ? fragments.LengthOf(0) : 0)} bytes";
        }

        if (element.IsEmpty)
        {
            return "(no value)";
        }

        // Only so much of a long value is read and decoded as can be shown: a pixel data element is never turned into text.
        int bytes = (int)Math.Min(element.ValueLength, maxValueLength * 8);
        ReadOnlyMemory<byte> value = element.Source.Slice(0, bytes).Load();
        if (Element.Raw(element.Tag, element.Vr, value).ToText(encoding) is { } text)
        {
            string shown = Cut(Printable(text), maxValueLength, bytes < element.ValueLength);
            return element.Vr.IsText() ? $"[{shown}]" : shown;
        }

        return Cut(Convert.ToHexStringLower(value.Span[..Math.Min(bytes, maxValueLength)]), maxValueLength, element.ValueLength > maxValueLength);
    }

    private static string Cut(string text, int maxLength, bool isPart) =>
        text.Length > maxLength ? text[..(maxLength - 3)] + "..." : isPart ? text + "..." : text;

    /// <summary>Control characters would let a value write its own lines, or colour the terminal.</summary>
    private static string Printable(string text) => text.Any(char.IsControl)
        ? string.Create(text.Length, text, static (span, t) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = char.IsControl(t[i]) ? '.' : t[i];
            }
        })
        : text;

    private static string Letters(Vr vr) => ElementHeader.AreLetters(vr) ? vr.Letters() : "??";

    private static string KeywordOf(Tag tag) =>
        DataDictionary.Find(tag)?.Keyword
            ?? (tag.IsGroupLength ? "GroupLength" : tag.IsPrivateCreator ? "PrivateCreator" : tag.IsPrivate ? "Private" : "Unknown");
}
