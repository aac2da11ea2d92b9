using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace PacsStegoGateway.Dicom;

/// <summary>
/// One data element, raw first: tag, VR and the value field as it was encoded. Immutable, except that the items of a
/// sequence are data sets and may be changed in place.
/// </summary>
/// <remarks>
/// Exactly one content is present: <see cref="Value"/> (a value field, numbers in little endian), <see cref="Items"/>
/// (a sequence) or <see cref="Fragments"/> (encapsulated pixel data, PS3.5 A.4). Bytes that nobody touches are written
/// as they came, padding included. A long value of a large object stays where it lies (<see cref="Source"/>) and is in
/// memory only while somebody looks at <see cref="Value"/>: who needs its length asks <see cref="ValueLength"/>.
/// </remarks>
public sealed class Element
{
    /// <summary>Longest value, in bytes, that is read into memory at once when it lies elsewhere: no text or number is longer.</summary>
    public const int MostLoaded = 64 << 20;

    private readonly ReadOnlyMemory<byte> _value;

    /// <summary>Not a <see cref="Dicom.Tag"/>: a number lies beside the VR, a structure takes eight bytes of its own in every element.</summary>
    private readonly uint _tag;

    /// <summary>A <see cref="ByteSource"/> or <see cref="Dicom.Fragments"/>; null for a value in memory and for items.</summary>
    private readonly object? _elsewhere;

    private Element(Tag tag, Vr vr, ReadOnlyMemory<byte> value, IReadOnlyList<DataSet>? items, object? elsewhere, bool hasUndefinedLength)
    {
        _tag = tag.Value;
        Vr = vr;
        _value = value;
        Items = items;
        _elsewhere = elsewhere;
        HasUndefinedLength = hasUndefinedLength;
    }

    public Tag Tag => new(_tag);

    public Vr Vr { get; }

    /// <summary>
    /// The value field, numbers in little endian, trailing pad byte included; empty for items and fragments. Where it
    /// lies elsewhere, each call reads it.
    /// </summary>
    /// <exception cref="DicomContentException">It lies elsewhere and is longer than <see cref="MostLoaded"/>: use <see cref="Source"/>.</exception>
    public ReadOnlyMemory<byte> Value => _elsewhere is ByteSource source ? Load(Tag, source) : _value;

    /// <summary>Bytes of the value field; 0 for items and fragments.</summary>
    public long ValueLength => _elsewhere is ByteSource source ? source.Length : _value.Length;

    /// <summary>The value field where it lies; empty for items and fragments.</summary>
    public ByteSource Source => _elsewhere as ByteSource ?? ByteSource.Of(_value);

    /// <summary>True when the value field is not in memory.</summary>
    public bool IsDeferred => _elsewhere is ByteSource;

    /// <summary>The items of a sequence in order, or null.</summary>
    public IReadOnlyList<DataSet>? Items { get; }

    /// <summary>Fragments of encapsulated pixel data, the first being the Basic Offset Table, or null.</summary>
    public Fragments? Fragments => _elsewhere as Fragments;

    /// <summary>True when the value field was, and will be, delimited instead of counted (PS3.5 7.5.2, A.4).</summary>
    public bool HasUndefinedLength { get; }

    /// <summary>True when neither bytes, items nor fragments are present (zero length).</summary>
    public bool IsEmpty => ValueLength == 0 && (Items is null || Items.Count == 0) && Fragments is null;

    /// <summary>A value field as it stands on the wire; an odd length is kept as it is.</summary>
    [OverloadResolutionPriority(1)]
    public static Element Raw(Tag tag, Vr vr, ReadOnlyMemory<byte> value) => new(tag, vr, value, null, null, false);

    /// <summary>A value field that stays where it lies.</summary>
    public static Element Raw(Tag tag, Vr vr, ByteSource value) => value.TryGetMemory(out ReadOnlyMemory<byte> memory)
        ? Raw(tag, vr, memory)
        : new(tag, vr, default, null, value, false);

    /// <summary>A sequence; the list is held, not copied.</summary>
    public static Element Sequence(Tag tag, IReadOnlyList<DataSet> items, bool hasUndefinedLength = false, Vr vr = Vr.SQ) =>
        new(tag, vr, default, items, null, hasUndefinedLength);

    /// <summary>Encapsulated pixel data; always of undefined length.</summary>
    public static Element Encapsulated(Tag tag, Vr vr, Fragments fragments) => new(tag, vr, default, null, fragments, true);

    /// <inheritdoc cref="Encapsulated(Tag, Vr, Fragments)"/>
    public static Element Encapsulated(Tag tag, Vr vr, IEnumerable<ReadOnlyMemory<byte>> fragments) =>
        Encapsulated(tag, vr, new Fragments(fragments.Select(ByteSource.Of)));

    /// <summary>A text value, padded to even length with the VR's pad byte.</summary>
    /// <exception cref="ArgumentException">The VR is not a text VR, or the text does not fit the encoding.</exception>
    public static Element Text(Tag tag, Vr vr, string text, System.Text.Encoding? encoding = null)
    {
        if (!vr.IsText())
        {
            throw new ArgumentException($"{tag}: VR {vr.Letters()} holds no text.", nameof(vr));
        }

        encoding = CharacterSets.For(encoding ?? CharacterSets.Default, vr);
        byte[] bytes = encoding.GetBytes(text);
        if (encoding.GetString(bytes) != text)
        {
            throw new ArgumentException($"{tag}: the text has characters that the character set has not.", nameof(text));
        }

        if ((bytes.Length & 1) != 0)
        {
            Array.Resize(ref bytes, bytes.Length + 1);
            bytes[^1] = vr.PaddingByte();
        }

        return Raw(tag, vr, bytes);
    }

    /// <summary>One unsigned 16-bit value.</summary>
    public static Element UInt16(Tag tag, ushort value, Vr vr = Vr.US)
    {
        byte[] bytes = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        return Raw(tag, vr, bytes);
    }

    /// <summary>One unsigned 32-bit value.</summary>
    public static Element UInt32(Tag tag, uint value, Vr vr = Vr.UL)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return Raw(tag, vr, bytes);
    }

    /// <summary>
    /// The value as text, values separated by backslashes, padding removed: leading spaces too where PS3.5 6.2 calls
    /// them insignificant. Numbers and tags are formatted with the invariant culture; OB and its kin give null.
    /// </summary>
    public string? ToText(System.Text.Encoding? encoding = null)
    {
        int size = Vr == Vr.AT ? 4 : Vr.SwapUnit();
        if (Items is not null || Fragments is not null || Vr is Vr.OW or Vr.OL or Vr.OF or Vr.OD or Vr.OV || (size == 1 && !Vr.IsText()))
        {
            return null;
        }

        ReadOnlySpan<byte> value = Value.Span;
        if (Vr.IsText())
        {
            System.Text.Encoding used = Vr.IsAffectedByCharacterSet() ? CharacterSets.For(encoding ?? CharacterSets.Default, Vr) : CharacterSets.Default;
            string text = used.GetString(value).TrimEnd('\0', ' ');
            return Vr is Vr.LT or Vr.ST or Vr.UT or Vr.UR or Vr.UC ? text : TrimEach(text);
        }

        string[] values = new string[value.Length / size];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = FormatNumber(value.Slice(i * size, size));
        }

        return string.Join('\\', values);
    }

    private static string TrimEach(string text) => text.Contains('\\')
        ? string.Join('\\', text.Split('\\').Select(static v => v.Trim(' ', '\0')))
        : text.Trim(' ', '\0');

    private string FormatNumber(ReadOnlySpan<byte> bytes) => Vr switch
    {
        Vr.US => BinaryPrimitives.ReadUInt16LittleEndian(bytes).ToString(CultureInfo.InvariantCulture),
        Vr.SS => BinaryPrimitives.ReadInt16LittleEndian(bytes).ToString(CultureInfo.InvariantCulture),
        Vr.UL => BinaryPrimitives.ReadUInt32LittleEndian(bytes).ToString(CultureInfo.InvariantCulture),
        Vr.SL => BinaryPrimitives.ReadInt32LittleEndian(bytes).ToString(CultureInfo.InvariantCulture),
        Vr.UV => BinaryPrimitives.ReadUInt64LittleEndian(bytes).ToString(CultureInfo.InvariantCulture),
        Vr.SV => BinaryPrimitives.ReadInt64LittleEndian(bytes).ToString(CultureInfo.InvariantCulture),
        Vr.FL => BinaryPrimitives.ReadSingleLittleEndian(bytes).ToString("R", CultureInfo.InvariantCulture),
        Vr.FD => BinaryPrimitives.ReadDoubleLittleEndian(bytes).ToString("R", CultureInfo.InvariantCulture),
        Vr.AT => new Tag(BinaryPrimitives.ReadUInt16LittleEndian(bytes), BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..])).ToString(),
        _ => throw new InvalidOperationException($"VR {Vr.Letters()} is not a number."),
    };

    /// <summary>Tag, VR and size only: values may identify a patient and must not slip into logs.</summary>
    public override string ToString() => Items is not null
        ? $"{Tag} {Vr.Letters()} {Items.Count} items"
        : Fragments is not null
            ? $"{Tag} {Vr.Letters()} {Fragments.Count} {(Fragments.Count == 1 ? "fragment" : "fragments")}"
            : $"{Tag} {Vr.Letters()} {ValueLength} bytes";

    internal static ReadOnlyMemory<byte> Load(Tag tag, ByteSource source) =>
        source.TryGetMemory(out ReadOnlyMemory<byte> memory) ? memory
        : source.Length <= MostLoaded ? source.ToArray()
        : throw new DicomContentException($"{tag}: {source.Length} bytes are more than the {MostLoaded} that are read at once.");
}
