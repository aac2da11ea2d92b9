using System.Buffers.Binary;

namespace PacsStegoGateway.Dicom;

/// <summary>The three ways an element header and its numbers are laid out (PS3.5 7.1, Annex A).</summary>
internal enum ElementEncoding
{
    ImplicitLittleEndian,
    ExplicitLittleEndian,
    ExplicitBigEndian,
}

/// <summary>The bytes before a value field.</summary>
/// <remarks>
/// <code>
/// Explicit VR, PS3.5 Table 7.1-1 (OB OD OF OL OV OW SQ SV UC UN UR UT UV)
///   0-1 group  2-3 element  4-5 VR  6-7 reserved, zero  8-11 length  12- value
/// Explicit VR, PS3.5 Table 7.1-2 (all other VRs)
///   0-1 group  2-3 element  4-5 VR  6-7 length  8- value
/// Implicit VR, PS3.5 Table 7.1-3, and items and delimiters (FFFE,xxxx) everywhere
///   0-1 group  2-3 element  4-7 length  8- value
/// </code>
/// </remarks>
/// <param name="Tag">The tag.</param>
/// <param name="Vr">The VR as it stands there, known or not; 0 where none stands there.</param>
/// <param name="Length">The length field; <see cref="UndefinedLength"/> means delimited.</param>
/// <param name="Size">Bytes of the header: 8 or 12.</param>
/// <param name="Reserved">The reserved bytes, zero in a well-formed header.</param>
internal readonly record struct ElementHeader(Tag Tag, Vr Vr, uint Length, int Size, ushort Reserved)
{
    public const uint UndefinedLength = 0xFFFF_FFFF;
    public const int ShortSize = 8;
    public const int LongSize = 12;

    public static readonly Tag Item = new(0xFFFE, 0xE000);
    public static readonly Tag ItemDelimitation = new(0xFFFE, 0xE00D);
    public static readonly Tag SequenceDelimitation = new(0xFFFE, 0xE0DD);

    public bool IsUndefined => Length == UndefinedLength;

    /// <summary>Reads the header at the start of the bytes; false when there are too few.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, ElementEncoding encoding, out ElementHeader header)
    {
        header = default;
        if (bytes.Length < ShortSize)
        {
            return false;
        }

        bool bigEndian = encoding == ElementEncoding.ExplicitBigEndian;
        var tag = new Tag(UInt16(bytes, bigEndian), UInt16(bytes[2..], bigEndian));
        if (encoding == ElementEncoding.ImplicitLittleEndian || tag.Group == 0xFFFE)
        {
            header = new ElementHeader(tag, 0, UInt32(bytes[4..], bigEndian), ShortSize, 0);
            return true;
        }

        var vr = (Vr)BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        if (!HasLongHeader(vr))
        {
            header = new ElementHeader(tag, vr, UInt16(bytes[6..], bigEndian), ShortSize, 0);
            return true;
        }

        if (bytes.Length < LongSize)
        {
            return false;
        }

        header = new ElementHeader(tag, vr, UInt32(bytes[8..], bigEndian), LongSize, UInt16(bytes[6..], bigEndian));
        return true;
    }

    /// <summary>
    /// The header form of a VR, known or not: a VR that this version of the standard does not know has the long form
    /// when it is two capital letters (PS3.5 7.1.2, for VRs to come), otherwise the short one.
    /// </summary>
    public static bool HasLongHeader(Vr vr) => vr.HasLongHeader() || (!vr.IsKnown() && AreLetters(vr));

    /// <summary>True for two capital letters, as every VR is.</summary>
    public static bool AreLetters(Vr vr) =>
        char.IsAsciiLetterUpper((char)((ushort)vr >> 8)) && char.IsAsciiLetterUpper((char)((ushort)vr & 0xFF));

    private static ushort UInt16(ReadOnlySpan<byte> bytes, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static uint UInt32(ReadOnlySpan<byte> bytes, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
