using System.Buffers.Binary;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Frames;

/// <summary>Which fragments of encapsulated pixel data make up which frame, found without decoding any.</summary>
/// <remarks>
/// <code>
/// (7FE0,0010) item 0: Basic Offset Table, 32-bit offsets, or empty (PS3.5 A.4)
///             item 1: fragment      ^ offsets count from the first byte of this item's tag
///             item 2: fragment ...
/// (7FE0,0001) Extended Offset Table, 64-bit offsets;  (7FE0,0002) Extended Offset Table Lengths (PS3.3 C.7.6.3.1.8)
/// </code>
/// A table that is there and sound is followed. One that is not (another number of entries than frames, offsets that fall
/// or do not meet a fragment's start: truncated, or counted from elsewhere, or wrapped above 4 GiB) is passed over, and
/// the fragments speak for themselves, in this order: one frame takes them all; as many fragments as frames are one each,
/// empty ones left out; as many fragments that begin like a codestream as frames begin one each. Else it is an error.
/// </remarks>
internal sealed class FragmentIndex
{
    /// <summary>Item tag and length before every fragment, in bytes.</summary>
    private const int ItemHeaderLength = 8;

    /// <summary>Bytes of a fragment that show what it begins with.</summary>
    private const int LongestStart = 12;

    private readonly Fragments _items;

    /// <summary>For each frame the item it begins with, or null when frame n is item n + 1.</summary>
    private readonly int[]? _starts;

    private FragmentIndex(Fragments items, int count, int[]? starts)
    {
        _items = items;
        Count = count;
        _starts = starts;
    }

    /// <summary>Frames.</summary>
    public int Count { get; }

    /// <param name="items">The Basic Offset Table, then the fragments.</param>
    /// <param name="frames">Number of Frames, at least 1.</param>
    /// <param name="extendedOffsets">Value of (7FE0,0001), or empty.</param>
    /// <exception cref="DicomContentException">Which fragments belong to which frame cannot be found out.</exception>
    public static FragmentIndex Of(Fragments items, int frames, ReadOnlySpan<byte> extendedOffsets)
    {
        int fragments = items.Count - 1;
        if (fragments < frames)
        {
            throw new DicomContentException($"Encapsulated pixel data has {Math.Max(0, fragments)} {(fragments == 1 ? "fragment" : "fragments")} for {frames} frames.");
        }

        int[]? starts = FromTable(items, frames, extendedOffsets, sizeof(ulong)) ?? FromTable(items, frames, items[0].Span, sizeof(uint));
        if (starts is not null)
        {
            return new FragmentIndex(items, frames, starts);
        }

        if (fragments == frames)
        {
            return new FragmentIndex(items, frames, null);
        }

        return new FragmentIndex(items, frames, frames == 1 ? [1]
            : Where(items, frames, static f => f.Length > 0)
            ?? Where(items, frames, BeginsCodestream)
            ?? throw new DicomContentException(
                $"Encapsulated pixel data has {fragments} {(fragments == 1 ? "fragment" : "fragments")} for {frames} frames and no table or codestream starts that tell them apart."));
    }

    /// <summary>The items of one frame: the first of them and how many.</summary>
    public (int First, int Count) this[int frame]
    {
        get
        {
            if (_starts is null)
            {
                return (frame + 1, 1);
            }

            int end = frame + 1 < _starts.Length ? _starts[frame + 1] : _items.Count;
            return (_starts[frame], end - _starts[frame]);
        }
    }

    /// <summary>The first item of each frame by a table of offsets; null when there is none or it cannot be right.</summary>
    private static int[]? FromTable(Fragments items, int frames, ReadOnlySpan<byte> table, int size)
    {
        if (table.Length != (long)frames * size)
        {
            return null;
        }

        int[] starts = new int[frames];
        int item = 1;
        ulong position = 0;
        for (int frame = 0; frame < frames; frame++)
        {
            ulong offset = size == sizeof(uint)
                ? BinaryPrimitives.ReadUInt32LittleEndian(table[(frame * size)..])
                : BinaryPrimitives.ReadUInt64LittleEndian(table[(frame * size)..]);
            while (position < offset && item < items.Count)
            {
                position += (ulong)(ItemHeaderLength + items.LengthOf(item++));
            }

            if (position != offset || item >= items.Count || (frame == 0 ? offset != 0 : starts[frame - 1] == item))
            {
                return null;
            }

            starts[frame] = item;
        }

        return starts;
    }

    /// <summary>The items that a frame begins with by a rule; null unless there are exactly as many as frames, the first among them.</summary>
    private static int[]? Where(Fragments items, int frames, Func<ByteSource, bool> begins)
    {
        int[] starts = new int[frames];
        int found = 0;
        for (int item = 1; item < items.Count; item++)
        {
            if (begins(items.SourceOf(item)))
            {
                if (found == frames)
                {
                    return null;
                }

                starts[found++] = item;
            }
        }

        return found == frames && starts[0] == 1 ? starts : null;
    }

    /// <summary>
    /// True for the first bytes of JPEG and JPEG-LS (SOI and another marker), JPEG 2000 (SOC, SIZ), JPEG XL (codestream or
    /// container) and of RLE (1 to 15 segments, the first right after the header).
    /// </summary>
    private static bool BeginsCodestream(ByteSource fragment) => fragment.Slice(0, Math.Min(fragment.Length, LongestStart)).Load().Span switch
    {
        [0xFF, 0xD8, 0xFF, ..] => true,
        [0xFF, 0x4F, 0xFF, 0x51, ..] => true,
        [0xFF, 0x0A, ..] => true,
        [0, 0, 0, 0x0C, 0x4A, 0x58, 0x4C, 0x20, ..] => true,
        [>= 1 and <= 15, 0, 0, 0, 64, 0, 0, 0, ..] => fragment.Length >= 64,
        _ => false,
    };
}
