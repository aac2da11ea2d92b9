using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PacsStegoGateway.Dicom;

/// <summary>Texts, names and numbers of DICOM JSON (PS3.18 F.2.3).</summary>
internal ref partial struct DicomJsonReader
{
    private Element ReadTexts(Tag tag, Vr vr)
    {
        var text = new StringBuilder();
        int count = 0;
        for (Next(); _json.TokenType != JsonTokenType.EndArray; Next())
        {
            string value = ReadText(vr);
            if (count > 0 && !vr.AllowsMultipleText())
            {
                throw Wrong($"A VR of {vr.Letters()} has one value.");
            }

            if (vr.AllowsMultipleText() && value.Contains('\\', StringComparison.Ordinal))
            {
                throw Wrong("A backslash separates values and cannot be part of one.");
            }

            text.Append(count++ > 0 ? "\\" : "").Append(value);
        }

        try
        {
            return Element.Text(tag, vr, text.ToString(), vr.IsAffectedByCharacterSet() ? Encoding.UTF8 : null);
        }
        catch (ArgumentException failure)
        {
            throw new DicomContentException(Pointer(), _json.BytesConsumed, $"A VR of {vr.Letters()} cannot hold these characters.", failure);
        }
    }

    private string ReadText(Vr vr) => _json.TokenType switch
    {
        JsonTokenType.Null => "",
        JsonTokenType.String => ReadString(),
        JsonTokenType.StartObject when vr == Vr.PN => ReadName(),

        // The digits as they stand: 0.50 stays 0.50.
        JsonTokenType.Number when vr is Vr.DS => Encoding.ASCII.GetString(_json.ValueSpan),
        JsonTokenType.Number when vr is Vr.IS => ReadInteger(int.MinValue, int.MaxValue).ToString(CultureInfo.InvariantCulture),
        _ => throw Wrong($"This is no value of VR {vr.Letters()}."),
    };

    /// <summary>The component groups of a name (F.2.2), joined as the value has them.</summary>
    private string ReadName()
    {
        string[] groups = new string[DicomJson.NameGroups.Length];
        for (Next(); _json.TokenType != JsonTokenType.EndObject; Next())
        {
            int index = Array.IndexOf(DicomJson.NameGroups, ReadString());
            Next();
            if (index < 0 || _json.TokenType is not (JsonTokenType.String or JsonTokenType.Null))
            {
                throw Wrong("A name has Alphabetic, Ideographic and Phonetic texts and nothing else.");
            }

            groups[index] = _json.TokenType == JsonTokenType.Null ? "" : ReadString();
            if (groups[index].Contains('=', StringComparison.Ordinal))
            {
                throw Wrong("An equals sign separates component groups and cannot be part of one.");
            }
        }

        return string.Join('=', groups).TrimEnd('=');
    }

    private byte[] ReadNumbers(Vr vr)
    {
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        for (Next(); _json.TokenType != JsonTokenType.EndArray; Next())
        {
            if (_json.TokenType is not (JsonTokenType.Number or JsonTokenType.String) && !(_json.TokenType == JsonTokenType.Null && vr is Vr.FL or Vr.FD))
            {
                throw Wrong($"This is no value of VR {vr.Letters()}.");
            }

            AppendNumber(bytes, vr);
        }

        return bytes.WrittenSpan.ToArray();
    }

    private void AppendNumber(System.Buffers.ArrayBufferWriter<byte> bytes, Vr vr)
    {
        Span<byte> span = bytes.GetSpan(8);
        switch (vr)
        {
            case Vr.US or Vr.SS:
                BitConverter.TryWriteBytes(span, (short)(vr == Vr.US ? ReadInteger(0, ushort.MaxValue) : ReadInteger(short.MinValue, short.MaxValue)));
                bytes.Advance(2);
                break;
            case Vr.UL or Vr.SL:
                BitConverter.TryWriteBytes(span, (int)(vr == Vr.UL ? ReadInteger(0, uint.MaxValue) : ReadInteger(int.MinValue, int.MaxValue)));
                bytes.Advance(4);
                break;
            case Vr.UV or Vr.SV:
                BitConverter.TryWriteBytes(span, vr == Vr.UV ? (long)(ulong)ReadInteger(0, ulong.MaxValue) : (long)ReadInteger(long.MinValue, long.MaxValue));
                bytes.Advance(8);
                break;
            case Vr.FL:
                BitConverter.TryWriteBytes(span, (float)ReadFloat());
                bytes.Advance(4);
                break;
            case Vr.FD:
                BitConverter.TryWriteBytes(span, ReadFloat());
                bytes.Advance(8);
                break;
            default:
                Tag tag = _json.TokenType == JsonTokenType.String && Tag.TryParse(ReadString(), out Tag parsed) ? parsed : throw Wrong("A tag is eight hexadecimal digits.");
                BitConverter.TryWriteBytes(span, tag.Group);
                BitConverter.TryWriteBytes(span[2..], tag.Element);
                bytes.Advance(4);
                break;
        }
    }

    /// <summary>A whole number, written as a number or as a string of one (F.2.3).</summary>
    private Int128 ReadInteger(Int128 least, Int128 most)
    {
        string digits = ReadDigits();
        bool isWhole = Int128.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out Int128 value);
        if (!isWhole && double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out double real) && Math.Abs(real) < 1L << 53 && real == Math.Truncate(real))
        {
            (isWhole, value) = (true, (Int128)real);
        }

        return isWhole && value >= least && value <= most ? value : throw Wrong($"This is no whole number from {least} to {most}.");
    }

    private double ReadFloat() => _json.TokenType == JsonTokenType.Null ? double.NaN : ReadDigits() switch
    {
        "NaN" or "nan" => double.NaN,
        "Infinity" or "inf" => double.PositiveInfinity,
        "-Infinity" or "-inf" => double.NegativeInfinity,
        var digits when double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) => value,
        _ => throw Wrong("This is no number."),
    };

    private string ReadDigits() => _json.TokenType == JsonTokenType.Number
        ? _json.ValueSpan.Length <= DicomJson.MostDigits ? Encoding.ASCII.GetString(_json.ValueSpan) : throw Wrong($"A number has more than {DicomJson.MostDigits} digits.")
        : ReadString() is { Length: <= DicomJson.MostDigits } text ? text.Trim() : throw Wrong($"A number has more than {DicomJson.MostDigits} digits.");
}
