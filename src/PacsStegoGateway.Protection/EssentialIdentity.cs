using System.Buffers;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Protection;

/// <summary>
/// The few attributes that say whose image this is, as raw values: small enough for the hidden QR symbol, and the sealed
/// index entry by which authorised callers search.
/// </summary>
/// <remarks>
/// Encoding, <see cref="FormatVersion"/> 1: one byte version, then for each attribute one byte index into
/// <see cref="Attributes"/>, the length as a base-128 varint and the bytes. A UID is packed two characters a byte
/// (digits 0-9, dot = 10, filler = 15). Trailing padding is kept, so the raw value comes back as it was.
/// </remarks>
public sealed class EssentialIdentity
{
    private const byte FormatVersion = 1;
    private const int MaxValueLength = 1024;

    /// <summary>What is kept, most important first; the index is part of the format: only append.</summary>
    public static IReadOnlyList<Tag> Attributes { get; } =
    [
        Tags.SpecificCharacterSet, Tags.PatientName, Tags.PatientID, Tags.PatientBirthDate, Tags.PatientSex,
        Tags.AccessionNumber, Tags.StudyInstanceUID, Tags.SeriesInstanceUID, Tags.SOPInstanceUID,
        Tags.IssuerOfPatientID, Tags.StudyDate, Tags.StudyTime, Tags.StudyID, Tags.StudyDescription, Tags.Modality,
        Tags.SeriesNumber, Tags.SeriesDescription, Tags.InstanceNumber, Tags.SOPClassUID, Tags.ReferringPhysicianName,
        Tags.PatientBirthTime, Tags.TimezoneOffsetFromUTC, Tags.SeriesDate, Tags.SeriesTime, Tags.BodyPartExamined, Tags.Laterality,
        Tags.ProtocolName, Tags.StationName, Tags.InstitutionName, Tags.Manufacturer, Tags.ManufacturerModelName,
        Tags.PerformedProcedureStepStartDate, Tags.PerformedProcedureStepStartTime, Tags.ImageType, Tags.ContentDate, Tags.ContentTime,
        Tags.AcquisitionDate, Tags.AcquisitionTime, Tags.AcquisitionNumber, Tags.Rows, Tags.Columns, Tags.BitsAllocated, Tags.NumberOfFrames,
    ];

    /// <summary>How many of <see cref="Attributes"/> go into the hidden symbol.</summary>
    private const int HiddenCount = 10;

    private EssentialIdentity(DataSet values) => Values = values;

    /// <summary>The attributes that were present, raw, with their character set.</summary>
    public DataSet Values { get; }

    /// <summary>Picks the attributes from a data set; absent ones stay absent, over-long text is left to the full record.</summary>
    public static EssentialIdentity Of(DataSet original)
    {
        var values = new DataSet();
        foreach (Tag tag in Attributes)
        {
            if (original.Find(tag) is { Items: null, Fragments: null, ValueLength: <= MaxValueLength } element)
            {
                values.Set(element);
            }
        }

        return new EssentialIdentity(values);
    }

    /// <summary>The bytes for the hidden symbol: patient, study, series and instance, nothing that is not needed to name them.</summary>
    public byte[] EncodeForSymbol() => Encode(HiddenCount);

    /// <summary>The bytes for the sealed search index: everything.</summary>
    public byte[] EncodeForIndex() => Encode(Attributes.Count);

    /// <summary>Reads either encoding.</summary>
    /// <exception cref="DicomContentException">Not such bytes. They come authenticated, so this means another version.</exception>
    public static EssentialIdentity Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty || bytes[0] != FormatVersion)
        {
            throw new DicomContentException($"The identity has format version {(bytes.IsEmpty ? -1 : bytes[0])}, this program reads {FormatVersion}.");
        }

        var values = new DataSet();
        int at = 1;
        while (at < bytes.Length)
        {
            int index = bytes[at++];
            int length = ReadLength(bytes, ref at);
            if (index >= Attributes.Count || length > bytes.Length - at)
            {
                throw new DicomContentException("The identity record is cut short or of a later version.");
            }

            Tag tag = Attributes[index];
            Vr vr = DataDictionary.VrOf(tag);
            ReadOnlySpan<byte> value = bytes.Slice(at, length);
            values.Set(Element.Raw(tag, vr, vr == Vr.UI ? UnpackUid(value) : value.ToArray()));
            at += length;
        }

        return new EssentialIdentity(values);
    }

    /// <summary>Identity never slips into a log through string formatting.</summary>
    public override string ToString() => "[redacted]";

    private byte[] Encode(int count)
    {
        var writer = new ArrayBufferWriter<byte>(256);
        writer.Write([FormatVersion]);
        for (int index = 0; index < count; index++)
        {
            if (Values.Find(Attributes[index]) is not { } element)
            {
                continue;
            }

            byte[]? packed = element.Vr == Vr.UI ? PackUid(element.Value.Span) : null;
            if (element.Vr == Vr.UI && packed is null)
            {
                continue;
            }

            ReadOnlySpan<byte> value = packed ?? element.Value.Span;
            writer.Write([(byte)index]);
            WriteLength(writer, value.Length);
            writer.Write(value);
        }

        return writer.WrittenSpan.ToArray();
    }

    /// <summary>Two characters a byte; the NUL pad is the nibble 14. Null when a character is none of a UID's.</summary>
    private static byte[]? PackUid(ReadOnlySpan<byte> uid)
    {
        byte[] packed = new byte[(uid.Length + 1) / 2];
        packed.AsSpan().Fill(0xFF);
        for (int i = 0; i < uid.Length; i++)
        {
            int nibble = uid[i] switch
            {
                >= (byte)'0' and <= (byte)'9' => uid[i] - '0',
                (byte)'.' => 10,
                (byte)' ' => 13,
                0 => 14,
                _ => -1,
            };
            if (nibble < 0)
            {
                return null;
            }

            packed[i / 2] = (i & 1) == 0 ? (byte)((nibble << 4) | 0x0F) : (byte)((packed[i / 2] & 0xF0) | nibble);
        }

        return packed;
    }

    private static byte[] UnpackUid(ReadOnlySpan<byte> packed)
    {
        byte[] uid = new byte[packed.Length * 2];
        int length = 0;
        foreach (byte pair in packed)
        {
            foreach (int nibble in (ReadOnlySpan<int>)[pair >> 4, pair & 15])
            {
                if (nibble != 15)
                {
                    uid[length++] = nibble switch { 10 => (byte)'.', 13 => (byte)' ', 14 => 0, _ => (byte)('0' + nibble) };
                }
            }
        }

        return uid[..length];
    }

    private static void WriteLength(ArrayBufferWriter<byte> writer, int length)
    {
        while (length >= 0x80)
        {
            writer.Write([(byte)(length | 0x80)]);
            length >>= 7;
        }

        writer.Write([(byte)length]);
    }

    private static int ReadLength(ReadOnlySpan<byte> bytes, ref int at)
    {
        int length = 0;
        for (int shift = 0; shift <= 14 && at < bytes.Length; shift += 7)
        {
            byte next = bytes[at++];
            length |= (next & 0x7F) << shift;
            if (next < 0x80)
            {
                return length;
            }
        }

        throw new DicomContentException("The identity record has an over-long length.");
    }
}
