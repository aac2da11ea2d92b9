using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PacsStegoGateway.Dicom;

/// <summary>Reads and writes the DICOM JSON Model (PS3.18 Annex F).</summary>
public static class DicomJson
{
    /// <summary>The defined term of the only character set that JSON has (F.2.1).</summary>
    internal const string Utf8Term = "ISO_IR 192";

    /// <summary>Characters of a number, far more than any has.</summary>
    internal const int MostDigits = 1024;

    /// <summary>Beyond this, programs that take every number for an IEEE double lose digits: such numbers are written as strings.</summary>
    private const long MostExact = (1L << 53) - 1;

    /// <summary>The names of the component groups of a person's name, in order (F.2.2).</summary>
    internal static readonly string[] NameGroups = ["Alphabetic", "Ideographic", "Phonetic"];

    /// <summary>
    /// Reads one data set. Text becomes UTF-8, and (0008,0005) says so where it stands or is needed; group lengths are
    /// left out. Numbers of FL and FD may be the strings NaN, Infinity and -Infinity; null there is NaN.
    /// </summary>
    /// <param name="utf8">One object.</param>
    /// <param name="bulkData">Gives the element whose value a URI stands for: tag, VR and URI as they stand there. Without it, or
    /// when it gives null, such an attribute is refused.</param>
    /// <param name="options">Limits; nesting, items, attributes and value lengths count.</param>
    /// <exception cref="DicomContentException">No DICOM JSON, or beyond a limit; with the place as a JSON pointer.</exception>
    public static DataSet Read(ReadOnlySpan<byte> utf8, Func<Tag, Vr, string, Element?>? bulkData = null, DicomReadOptions? options = null) =>
        new DicomJsonReader(utf8, bulkData, options ?? DicomReadOptions.Default).ReadAll(isArray: false)[0];

    /// <summary>Reads an array of data sets, as the DICOMweb services carry them.</summary>
    /// <inheritdoc cref="Read"/>
    public static IReadOnlyList<DataSet> ReadArray(ReadOnlySpan<byte> utf8, Func<Tag, Vr, string, Element?>? bulkData = null, DicomReadOptions? options = null) =>
        new DicomJsonReader(utf8, bulkData, options ?? DicomReadOptions.Default).ReadAll(isArray: true);

    /// <summary>
    /// Writes one object: an attribute per element, tags as eight capital hexadecimal digits. Group lengths and
    /// Specific Character Set are left out or replaced as F.2 demands, since JSON is UTF-8. Bulk values are inline.
    /// </summary>
    /// <param name="dataSet">The data set.</param>
    /// <param name="writer">Where to; flushed only in the middle of values that are not in memory.</param>
    /// <param name="bulkDataUri">Gives the URI that stands for the value of a top-level or nested element, or null to
    /// write the value inline. Encapsulated pixel data, which has no inline form, is left out without one.</param>
    public static void Write(DataSet dataSet, Utf8JsonWriter writer, Func<Element, string?>? bulkDataUri = null)
    {
        Encoding encoding = dataSet.Encoding;
        writer.WriteStartObject();
        foreach (Element element in dataSet)
        {
            if (element.Tag.IsGroupLength)
            {
                continue;
            }

            string? uri = bulkDataUri?.Invoke(element);
            if (element.Fragments is not null && uri is null)
            {
                continue;
            }

            writer.WriteStartObject(element.Tag.Value.ToString("X8", CultureInfo.InvariantCulture));
            Vr vr = element.Items is not null ? Vr.SQ : element.Vr.IsKnown() && !IsCutNumber(element) ? element.Vr : Vr.UN;
            writer.WriteString("vr", (element.Tag == Tags.SpecificCharacterSet ? Vr.CS : vr).Letters());
            if (uri is not null)
            {
                writer.WriteString("BulkDataURI", uri);
            }
            else if (element.Tag == Tags.SpecificCharacterSet && !element.IsEmpty)
            {
                writer.WriteStartArray("Value");
                writer.WriteStringValue(Utf8Term);
                writer.WriteEndArray();
            }
            else if (!element.IsEmpty)
            {
                WriteContent(element, vr, encoding, writer, bulkDataUri);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    /// <summary>True for numbers of which the last is not all there: what is no value of its VR is written as the bytes it is.</summary>
    private static bool IsCutNumber(Element element) => element.Vr is Vr.AT or Vr.US or Vr.SS or Vr.UL or Vr.SL or Vr.UV or Vr.SV or Vr.FL or Vr.FD
        && element.Value.Length % (element.Vr == Vr.AT ? 4 : element.Vr.SwapUnit()) != 0;

    private static void WriteContent(Element element, Vr vr, Encoding encoding, Utf8JsonWriter writer, Func<Element, string?>? bulkDataUri)
    {
        if (element.Items is { } items)
        {
            writer.WriteStartArray("Value");
            foreach (DataSet item in items)
            {
                Write(item, writer, bulkDataUri);
            }

            writer.WriteEndArray();
            return;
        }

        if (vr is Vr.OB or Vr.OD or Vr.OF or Vr.OL or Vr.OV or Vr.OW or Vr.UN)
        {
            WriteBulk(element, writer);
            return;
        }

        if (vr.IsText())
        {
            WriteTexts(element.ToText(encoding) ?? "", vr, writer);
            return;
        }

        WriteNumbers(element.Value.Span, vr, writer);
    }

    private static void WriteBulk(Element element, Utf8JsonWriter writer)
    {
        if (!element.IsDeferred)
        {
            writer.WriteBase64String("InlineBinary", element.Value.Span);
            return;
        }

        writer.WritePropertyName("InlineBinary");
        element.Source.Pass(chunk =>
        {
            writer.WriteBase64StringSegment(chunk, isFinalSegment: false);
            writer.Flush();
        });
        writer.WriteBase64StringSegment([], isFinalSegment: true);
    }

    private static void WriteTexts(string text, Vr vr, Utf8JsonWriter writer)
    {
        string[] values = vr.AllowsMultipleText() ? text.Split('\\') : [text];
        if (values is [var only] && only.Trim(vr == Vr.PN ? '=' : ' ').Length == 0)
        {
            return;
        }

        writer.WriteStartArray("Value");
        foreach (string value in values)
        {
            WriteText(value, vr, writer);
        }

        writer.WriteEndArray();
    }

    private static void WriteText(string value, Vr vr, Utf8JsonWriter writer)
    {
        if (value.Length == 0)
        {
            writer.WriteNullValue();
        }
        else if (vr == Vr.PN)
        {
            WriteName(value, writer);
        }
        else if (vr == Vr.IS && int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int integer))
        {
            writer.WriteNumberValue(integer);
        }
        else if (vr == Vr.DS && IsJsonNumber(value))
        {
            // Digit by digit: 0.50 and -0 stay what they are.
            writer.WriteRawValue(value, skipInputValidation: true);
        }
        else if (vr == Vr.DS && double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number))
        {
            writer.WriteNumberValue(number);
        }
        else
        {
            // What is no number stays readable as the text it is (Table F.2.3-1 allows a string).
            writer.WriteStringValue(value);
        }
    }

    /// <summary>True for the grammar of RFC 8259 section 6 and a finite value: no plus sign, leading zero or bare point.</summary>
    private static bool IsJsonNumber(string text)
    {
        int digit = text.StartsWith('-') ? 1 : 0;
        if (!double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double value)
            || !double.IsFinite(value) || digit == text.Length || !char.IsAsciiDigit(text[digit]))
        {
            return false;
        }

        bool hasLeadingZero = text[digit] == '0' && digit + 1 < text.Length && char.IsAsciiDigit(text[digit + 1]);
        int point = text.IndexOf('.', StringComparison.Ordinal);
        return !hasLeadingZero && (point < 0 || (point + 1 < text.Length && char.IsAsciiDigit(text[point + 1])));
    }

    /// <summary>Component groups by name (F.2.2); at most three.</summary>
    private static void WriteName(string value, Utf8JsonWriter writer)
    {
        string[] groups = value.Split('=');
        writer.WriteStartObject();
        for (int i = 0; i < Math.Min(groups.Length, NameGroups.Length); i++)
        {
            if (groups[i].Length > 0)
            {
                writer.WriteString(NameGroups[i], groups[i]);
            }
        }

        writer.WriteEndObject();
    }

    private static void WriteNumbers(ReadOnlySpan<byte> value, Vr vr, Utf8JsonWriter writer)
    {
        int size = vr == Vr.AT ? 4 : vr.SwapUnit();
        writer.WriteStartArray("Value");
        for (; value.Length >= size; value = value[size..])
        {
            switch (vr)
            {
                case Vr.US:
                    writer.WriteNumberValue((uint)BinaryPrimitives.ReadUInt16LittleEndian(value));
                    break;
                case Vr.SS:
                    writer.WriteNumberValue(BinaryPrimitives.ReadInt16LittleEndian(value));
                    break;
                case Vr.UL:
                    writer.WriteNumberValue(BinaryPrimitives.ReadUInt32LittleEndian(value));
                    break;
                case Vr.SL:
                    writer.WriteNumberValue(BinaryPrimitives.ReadInt32LittleEndian(value));
                    break;
                case Vr.UV:
                    WriteLarge(BinaryPrimitives.ReadUInt64LittleEndian(value), writer);
                    break;
                case Vr.SV:
                    WriteLarge(BinaryPrimitives.ReadInt64LittleEndian(value), writer);
                    break;
                case Vr.FL:
                    WriteFloat(BinaryPrimitives.ReadSingleLittleEndian(value), writer);
                    break;
                case Vr.FD:
                    WriteFloat(BinaryPrimitives.ReadDoubleLittleEndian(value), writer);
                    break;
                default:
                    uint tag = ((uint)BinaryPrimitives.ReadUInt16LittleEndian(value) << 16) | BinaryPrimitives.ReadUInt16LittleEndian(value[2..]);
                    writer.WriteStringValue(tag.ToString("X8", CultureInfo.InvariantCulture));
                    break;
            }
        }

        writer.WriteEndArray();
    }

    private static void WriteLarge(Int128 value, Utf8JsonWriter writer)
    {
        if (Int128.Abs(value) <= MostExact)
        {
            writer.WriteNumberValue((long)value);
        }
        else
        {
            writer.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>JSON has no number for NaN and infinity, and PS3.18 no other form: a string keeps them, null would not.</summary>
    private static void WriteFloat(double value, Utf8JsonWriter writer)
    {
        if (double.IsFinite(value))
        {
            writer.WriteNumberValue(value);
        }
        else
        {
            writer.WriteStringValue(NameOf(value));
        }
    }

    private static void WriteFloat(float value, Utf8JsonWriter writer)
    {
        if (float.IsFinite(value))
        {
            writer.WriteNumberValue(value);
        }
        else
        {
            writer.WriteStringValue(NameOf(value));
        }
    }

    private static string NameOf(double value) => double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";

    /// <summary>The bytes with the VR's pad byte after them when they are odd in number.</summary>
    internal static byte[] Even(byte[] bytes, Vr vr) => (bytes.Length & 1) == 0 ? bytes : [.. bytes, vr.PaddingByte()];
}
