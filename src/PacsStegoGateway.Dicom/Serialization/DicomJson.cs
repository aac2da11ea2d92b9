using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PacsStegoGateway.Dicom;

/// <summary>Writes the DICOM JSON Model (PS3.18 Annex F).</summary>
public static class DicomJson
{
    /// <summary>
    /// Writes one object: an attribute per element, tags as eight capital hexadecimal digits. Group lengths and
    /// Specific Character Set are left out or replaced as F.2 demands, since JSON is UTF-8. Bulk values are inline.
    /// </summary>
    /// <param name="dataSet">The data set.</param>
    /// <param name="writer">Where to; not flushed.</param>
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
            Vr vr = element.Items is not null ? Vr.SQ : element.Vr.IsKnown() ? element.Vr : Vr.UN;
            writer.WriteString("vr", vr.Letters());
            if (uri is not null)
            {
                writer.WriteString("BulkDataURI", uri);
            }
            else if (element.Tag == Tags.SpecificCharacterSet)
            {
                writer.WriteStartArray("Value");
                writer.WriteStringValue("ISO_IR 192");
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
            writer.WriteBase64String("InlineBinary", element.Value.Span);
            return;
        }

        if (vr.IsText())
        {
            WriteTexts(element.ToText(encoding) ?? "", vr, writer);
            return;
        }

        WriteNumbers(element.Value.Span, vr, writer);
    }

    private static void WriteTexts(string text, Vr vr, Utf8JsonWriter writer)
    {
        string[] values = vr.AllowsMultipleText() ? text.Split('\\') : [text];
        if (values.All(static v => v.Length == 0))
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
        ReadOnlySpan<string> names = ["Alphabetic", "Ideographic", "Phonetic"];
        string[] groups = value.Split('=');
        writer.WriteStartObject();
        for (int i = 0; i < Math.Min(groups.Length, names.Length); i++)
        {
            if (groups[i].Length > 0)
            {
                writer.WriteString(names[i], groups[i]);
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
                    writer.WriteNumberValue(BinaryPrimitives.ReadUInt64LittleEndian(value));
                    break;
                case Vr.SV:
                    writer.WriteNumberValue(BinaryPrimitives.ReadInt64LittleEndian(value));
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

    /// <summary>JSON has no number for NaN and infinity and PS3.18 no other form: null keeps the place (F.2.5).</summary>
    private static void WriteFloat(double value, Utf8JsonWriter writer)
    {
        if (double.IsFinite(value))
        {
            writer.WriteNumberValue(value);
        }
        else
        {
            writer.WriteNullValue();
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
            writer.WriteNullValue();
        }
    }
}
