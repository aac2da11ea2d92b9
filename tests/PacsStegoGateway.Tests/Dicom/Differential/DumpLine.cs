using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

/// <summary>One element, item or fragment, in the form in which <c>dcmdump</c> prints it and we can print it too.</summary>
/// <param name="Depth">0 for a top-level element, 1 for its items and fragments, 2 for the elements in them, and so on.</param>
/// <param name="Tag">The tag.</param>
/// <param name="Vr">Two letters; <c>na</c> for an item, <c>pi</c> for a fragment.</param>
/// <param name="Length">Bytes of the value field, or null when it is delimited.</param>
/// <param name="Value">The value, numbers in hexadecimal and text as Latin-1; null for items, sequences and what is not shown.</param>
internal sealed partial record DumpLine(int Depth, Tag Tag, string Vr, long? Length, string? Value)
{
    /// <summary>Values longer than this are compared by length here, and byte by byte with pydicom.</summary>
    public const int LongestValue = 4096;

    /// <summary>The arguments that make dcmdump print what <see cref="Parse"/> reads.</summary>
    public static readonly string[] Arguments = ["-q", "+F", "-Un", "-dc", "-M", "+R", "4", "+L", "+Qn"];

    /// <summary>Each file's lines, by the path it was called with; none for a file that dcmdump cannot read.</summary>
    public static Dictionary<string, List<DumpLine>> Parse(string output)
    {
        var files = new Dictionary<string, List<DumpLine>>();
        List<DumpLine> lines = [];
        foreach (string line in output.Split('\n'))
        {
            if (FileLine().Match(line) is { Success: true } file)
            {
                files[file.Groups[1].Value] = lines = [];
            }
            else if (ElementLine().Match(line) is { Success: true } element)
            {
                var tag = new Tag(Hex(element.Groups["group"].Value), Hex(element.Groups["element"].Value));
                string vr = element.Groups["vr"].Value;
                if (tag.Group == 0xFFFE && tag.Element != 0xE000)
                {
                    continue;
                }

                long? length = element.Groups["length"].Value == "u/l" ? null : long.Parse(element.Groups["length"].Value, CultureInfo.InvariantCulture);
                lines.Add(new DumpLine(element.Groups["indent"].Length / 2, tag, Letters(vr), length,
                    length is null or > LongestValue ? null : Normal(vr, element.Groups["value"].Value)));
            }
        }

        return files;
    }

    /// <summary>Our view of the same file.</summary>
    public static List<DumpLine> Of(DicomFile file)
    {
        List<DumpLine> lines = [];
        Add(lines, file.FileMetaInformation, 0, ElementEncoding.ExplicitLittleEndian);
        Add(lines, file.DataSet, 0, DataSetReader.EncodingOf(file.TransferSyntax));
        return lines;
    }

    private static void Add(List<DumpLine> lines, DataSet set, int depth, ElementEncoding encoding)
    {
        foreach (Element element in set)
        {
            string vr = ElementHeader.AreLetters(element.Vr) ? element.Vr.Letters() : "??";
            lines.Add(new DumpLine(depth, element.Tag, vr, element.HasUndefinedLength ? null : EncodedLength.OfValue(element, encoding), ValueOf(element)));
            ElementEncoding inner = EncodedLength.EncodingOfItems(element, encoding);
            foreach (DataSet item in element.Items ?? [])
            {
                lines.Add(new DumpLine(depth + 1, ElementHeader.Item, "na", item.HasUndefinedLength ? null : EncodedLength.Of(item, inner), null));
                Add(lines, item, depth + 2, inner);
            }

            foreach (ReadOnlyMemory<byte> fragment in element.Fragments ?? [])
            {
                lines.Add(new DumpLine(depth + 1, ElementHeader.Item, "pi", fragment.Length, fragment.Length > LongestValue ? null : Convert.ToHexString(fragment.Span)));
            }
        }
    }

    private static string? ValueOf(Element element) =>
        element.Items is not null || element.Fragments is not null || element.Value.Length > LongestValue ? null
        : element.Vr.IsText() ? Encoding.Latin1.GetString(element.Value.Span)
        : Convert.ToHexString(element.Value.Span);

    /// <summary>DCMTK's own letters for what it read without being told a VR: unknown, and an offset in a DICOMDIR.</summary>
    private static string Letters(string vr) => vr switch
    {
        "??" => "UN",
        "up" => "UL",
        _ => vr,
    };

    /// <summary>Turns dcmdump's numbers back into the little-endian bytes they stand for.</summary>
    private static string? Normal(string vr, string shown)
    {
        if (vr is "SQ" or "na")
        {
            return null;
        }

        if (shown.StartsWith("(no value available)", StringComparison.Ordinal))
        {
            return "";
        }

        if (shown.StartsWith('[') && shown.EndsWith(']'))
        {
            return WebUtility.HtmlDecode(shown[1..^1]);
        }

        var bytes = new StringBuilder();
        foreach (string value in shown.Split('\\'))
        {
            bytes.Append(Convert.ToHexString(BytesOf(vr, value)));
        }

        return bytes.ToString();
    }

    private static byte[] BytesOf(string vr, string value) => vr switch
    {
        "US" or "xs" or "SS" or "lt" => BitConverter.GetBytes((ushort)int.Parse(value, CultureInfo.InvariantCulture)),
        "OW" or "ox" or "px" when value.Length == 4 => BitConverter.GetBytes(Hex(value)),
        "UL" or "up" => BitConverter.GetBytes(uint.Parse(value, CultureInfo.InvariantCulture)),
        "SL" => BitConverter.GetBytes(int.Parse(value, CultureInfo.InvariantCulture)),
        "OL" => BitConverter.GetBytes(uint.Parse(value, NumberStyles.HexNumber, CultureInfo.InvariantCulture)),
        "FL" or "OF" => BitConverter.GetBytes(float.Parse(value, CultureInfo.InvariantCulture)),
        "FD" or "OD" => BitConverter.GetBytes(double.Parse(value, CultureInfo.InvariantCulture)),
        "SV" => BitConverter.GetBytes(long.Parse(value, CultureInfo.InvariantCulture)),
        "UV" => BitConverter.GetBytes(ulong.Parse(value, CultureInfo.InvariantCulture)),
        "OV" => BitConverter.GetBytes(ulong.Parse(value, NumberStyles.HexNumber, CultureInfo.InvariantCulture)),
        "AT" => [.. BitConverter.GetBytes(Hex(value[1..5])), .. BitConverter.GetBytes(Hex(value[6..10]))],
        _ => Convert.FromHexString(value),
    };

    private static ushort Hex(string digits) => ushort.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^# dcmdump \(\d+/\d+\): (.*)$")]
    private static partial Regex FileLine();

    [GeneratedRegex(@"^(?<indent> *)\((?<group>[0-9a-f]{4}),(?<element>[0-9a-f]{4})\) (?<vr>\S\S) (?<value>.*?) *# *(?<length>u/l|\d+), *\d+ [^#]*$")]
    private static partial Regex ElementLine();
}
