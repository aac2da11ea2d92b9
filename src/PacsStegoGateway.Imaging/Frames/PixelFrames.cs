using System.Runtime.InteropServices;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Imaging.Frames;

/// <summary>
/// The frames of a data set's pixel data, native or encapsulated, integer or floating point. A frame is found without
/// touching the others; native frames are views, compressed ones are decoded when they are read.
/// </summary>
/// <remarks>Safe to read from several threads as long as the data set is not changed.</remarks>
public sealed class PixelFrames
{
    private const string EncapsulatedUncompressed = "1.2.840.10008.1.2.1.98";

    private readonly Element _element;
    private readonly FragmentIndex? _fragments;
    private readonly IPixelCodec? _codec;
    private readonly TransferSyntax _transferSyntax;

    private PixelFrames(Element element, FrameFormat format, SampleKind samples, int count, FragmentIndex? fragments, TransferSyntax transferSyntax)
    {
        _element = element;
        _fragments = fragments;
        _codec = fragments is null ? null : PixelCodecs.Find(transferSyntax);
        _transferSyntax = transferSyntax;
        Format = format;
        Samples = samples;
        Count = count;
    }

    /// <summary>What the data set says about its frames; a compressed frame may be something else once it is decoded.</summary>
    public FrameFormat Format { get; }

    /// <summary>Integers, or floating point numbers.</summary>
    public SampleKind Samples { get; }

    /// <summary>Number of Frames, at least 1.</summary>
    public int Count { get; }

    /// <summary>True when the frames are made of fragments.</summary>
    public bool IsEncapsulated => _fragments is not null;

    /// <summary>Opens the pixel data.</summary>
    /// <param name="dataSet">With an Image Pixel Module and Pixel Data, Float Pixel Data or Double Float Pixel Data.</param>
    /// <param name="transferSyntax">The one it was read with.</param>
    /// <exception cref="DicomContentException">There is no pixel data, its description is impossible, or its fragments cannot be told apart.</exception>
    public static PixelFrames Open(DataSet dataSet, TransferSyntax transferSyntax)
    {
        (Element element, SampleKind samples) = Find(dataSet);
        FrameFormat format = FormatOf(dataSet, samples);
        int count = CountOf(dataSet);
        if (format.PhotometricInterpretation == "YBR_FULL_422" && element.Fragments is null
            && element.ValueLength >= (Int128)count * format.SampleCount * format.BitsAllocated / 8)
        {
            // Written by decoders that gave every pixel its own chrominance and forgot to say so: the length tells.
            format = format with { PhotometricInterpretation = "YBR_FULL" };
        }

        FragmentIndex? fragments = element.Fragments is { } items
            ? FragmentIndex.Of(items, count, dataSet.Find(Tags.ExtendedOffsetTable) is { } table ? table.Value.Span : default)
            : null;
        return new PixelFrames(element, format, samples, count, fragments, transferSyntax);
    }

    /// <summary>Reads one frame.</summary>
    /// <param name="frame">From 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such frame.</exception>
    /// <exception cref="DicomContentException">The frame is cut short or damaged.</exception>
    /// <exception cref="PixelCodecRefusedException">No codec for the transfer syntax, or it refuses this codestream.</exception>
    public PixelFrame Read(int frame)
    {
        RequireFrame(frame);
        if (_fragments is null)
        {
            return ReadNative(frame);
        }

        ReadOnlyMemory<byte> codestream = Codestream(frame);
        if (_codec is not null)
        {
            DecodedFrame decoded = _codec.Decode(codestream, Format);
            return new PixelFrame(decoded.Bytes, 0, decoded.Format, Samples);
        }

        if (_transferSyntax.UID != EncapsulatedUncompressed)
        {
            throw new PixelCodecRefusedException(PixelCodecRefusal.NotSupported, $"There is no decoder for {_transferSyntax.Name}.");
        }

        long length = (FrameGeometry.NativeBits(Format) + 7) / 8;
        return codestream.Length >= length
            ? new PixelFrame(codestream[..(int)length], 0, Format, Samples)
            : throw new DicomContentException($"Frame {frame} has {codestream.Length} bytes, Rows and Columns ask for {length}.");
    }

    /// <summary>
    /// The bytes of an encapsulated frame as they were sent, its fragments put together (a single fragment is not copied).
    /// </summary>
    /// <exception cref="InvalidOperationException">The pixel data is native.</exception>
    /// <exception cref="DicomContentException">The frame is longer than an array can be, or empty.</exception>
    public ReadOnlyMemory<byte> Codestream(int frame)
    {
        (int first, int count) = FragmentsOf(frame);
        Fragments items = _element.Fragments!;
        if (count == 1)
        {
            return items.LengthOf(first) == 0 ? throw new DicomContentException($"Frame {frame} is an empty fragment.") : items[first];
        }

        long length = 0;
        for (int item = first; item < first + count; item++)
        {
            length += items.LengthOf(item);
        }

        if (length == 0 || length > Array.MaxLength)
        {
            throw new DicomContentException($"Frame {frame} is {length} bytes in {count} fragments; 1 to {Array.MaxLength} can be put together.");
        }

        byte[] whole = GC.AllocateUninitializedArray<byte>((int)length);
        int at = 0;
        for (int item = first; item < first + count; item++)
        {
            int some = (int)items.LengthOf(item);
            items.SourceOf(item).Read(0, whole.AsSpan(at, some));
            at += some;
        }

        return whole;
    }

    /// <summary>The items of (7FE0,0010) that make up a frame: the first one (item 0 is the Basic Offset Table) and how many.</summary>
    /// <exception cref="InvalidOperationException">The pixel data is native.</exception>
    public (int First, int Count) FragmentsOf(int frame)
    {
        RequireFrame(frame);
        return (_fragments ?? throw new InvalidOperationException("Native pixel data has no fragments."))[frame];
    }

    private void RequireFrame(int frame)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(frame);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(frame, Count);
    }

    private PixelFrame ReadNative(int frame)
    {
        Int128 bits = FrameGeometry.NativeBits(Format);
        Int128 from = bits * frame;
        Int128 end = (from + bits + 7) / 8;
        if (end > _element.ValueLength)
        {
            throw new DicomContentException(
                $"{_element.Tag} at frame {frame}: it has {_element.ValueLength} bytes, Rows, Columns and {Count} frames ask for {end} up to here.");
        }

        long first = (long)(from / 8);
        ReadOnlyMemory<byte> bytes = _element.Source.Slice(first, (long)end - first).Load();
        return new PixelFrame(SwapsHalves ? WithHalvesSwapped(bytes.Span) : bytes, (int)(from % 8), Format, Samples);
    }

    /// <summary>
    /// A reader of big endian swaps the 16-bit words of an OW value; a sample of 32 bits is two of them, and the more
    /// significant one came first (PS3.5 A.3, 7.3).
    /// </summary>
    private bool SwapsHalves => _transferSyntax.BigEndian && Format.BitsAllocated == 32 && _element.Vr == Vr.OW;

    private static byte[] WithHalvesSwapped(ReadOnlySpan<byte> bytes)
    {
        byte[] swapped = new byte[bytes.Length];
        ReadOnlySpan<uint> from = MemoryMarshal.Cast<byte, uint>(bytes);
        Span<uint> to = MemoryMarshal.Cast<byte, uint>(swapped.AsSpan());
        for (int i = 0; i < from.Length; i++)
        {
            to[i] = (from[i] << 16) | (from[i] >> 16);
        }

        return swapped;
    }

    private static (Element, SampleKind) Find(DataSet dataSet) =>
        dataSet.Find(Tags.PixelData) is { IsEmpty: false } integers ? (integers, SampleKind.Integer)
        : dataSet.Find(Tags.FloatPixelData) is { IsEmpty: false } floats ? (floats, SampleKind.Float32)
        : dataSet.Find(Tags.DoubleFloatPixelData) is { IsEmpty: false } doubles ? (doubles, SampleKind.Float64)
        : throw new DicomContentException("The data set has no pixel data, or pixel data of no length.");

    private static FrameFormat FormatOf(DataSet dataSet, SampleKind samples)
    {
        string? fault = FrameFormat.TryRead(dataSet, out FrameFormat format);
        if (samples != SampleKind.Integer)
        {
            int bits = samples == SampleKind.Float32 ? 32 : 64;
            fault = format.BitsAllocated != bits ? $"BitsAllocated is {format.BitsAllocated}, samples of this pixel data have {bits}."
                : (format with { BitsAllocated = 32, BitsStored = 32, HighBit = 31 }).Fault;
            format = format with { BitsStored = bits, HighBit = bits - 1 };
        }

        fault ??= FrameGeometry.SharesChrominance(format) && (format.SamplesPerPixel != 3 || (format.Columns & 1) != 0 || format.BitsAllocated == 1)
            && dataSet.Find(Tags.PixelData) is { Fragments: null }
            ? $"{format.PhotometricInterpretation} of {format.Columns} columns: two pixels share their chrominance, so columns come in pairs."
            : null;
        return fault is null ? format : throw new DicomContentException(fault);
    }

    /// <summary>Number of Frames; absent or empty means one.</summary>
    private static int CountOf(DataSet dataSet) =>
        dataSet.Find(Tags.NumberOfFrames) is not { IsEmpty: false } ? 1
        : dataSet.GetInt32(Tags.NumberOfFrames) is { } count and >= 0 ? Math.Max(1, count)
        : throw new DicomContentException("Number of Frames is not a number that pixel data can have.");
}
