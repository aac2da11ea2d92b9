using System.Buffers.Binary;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>A top-level element whose value is not recorded because the clean set keeps it: only its form is.</summary>
/// <param name="Tag">The attribute.</param>
/// <param name="Vr">The VR in the original; a PACS may read OB for OW.</param>
/// <param name="Length">Length of the value field in the original, in bytes; null for encapsulated pixel data.</param>
public readonly record struct RetainedElement(Tag Tag, Vr Vr, long? Length)
{
    /// <summary>Bytes of one encoded entry: tag, VR, length (all ones when null), little endian.</summary>
    private const int EntryLength = 4 + 2 + 4;

    /// <summary>Stands for the length of what has none.</summary>
    private const uint NoLength = 0xFFFF_FFFF;

    /// <summary>A compact form of the list.</summary>
    public static byte[] Encode(IReadOnlyList<RetainedElement> retained)
    {
        byte[] bytes = new byte[retained.Count * EntryLength];
        for (int i = 0; i < retained.Count; i++)
        {
            Span<byte> entry = bytes.AsSpan(i * EntryLength, EntryLength);
            BinaryPrimitives.WriteUInt32LittleEndian(entry, retained[i].Tag.Value);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[4..], (ushort)retained[i].Vr);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[6..], (uint)(retained[i].Length ?? NoLength));
        }

        return bytes;
    }

    /// <summary>Reads what <see cref="Encode"/> wrote.</summary>
    /// <exception cref="DicomContentException">The length is no multiple of an entry's.</exception>
    public static IReadOnlyList<RetainedElement> Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length % EntryLength != 0)
        {
            throw new DicomContentException($"A list of retained elements cannot have {bytes.Length} bytes.");
        }

        var retained = new RetainedElement[bytes.Length / EntryLength];
        for (int i = 0; i < retained.Length; i++)
        {
            ReadOnlySpan<byte> entry = bytes.Slice(i * EntryLength, EntryLength);
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(entry[6..]);
            retained[i] = new RetainedElement(new Tag(BinaryPrimitives.ReadUInt32LittleEndian(entry)),
                (Vr)BinaryPrimitives.ReadUInt16LittleEndian(entry[4..]), length == NoLength ? null : length);
        }

        return retained;
    }

    internal static RetainedElement Of(Element element) =>
        new(element.Tag, element.Vr, element.Fragments is null ? element.ValueLength : null);

    /// <summary>The element with the original's VR and, when the original's length was odd, without the pad byte.</summary>
    internal Element Apply(Element element)
    {
        if (Length is not { } length || element.Fragments is not null)
        {
            return element;
        }

        if (element.ValueLength != length && (element.ValueLength != length + 1 || (length & 1) == 0))
        {
            throw new DicomContentException($"{Tag} had {length} bytes when it was sent out and has {element.ValueLength} now.");
        }

        return element.Vr == Vr && element.ValueLength == length
            ? element
            : Element.Raw(Tag, Vr, element.Source.Slice(0, length));
    }
}
