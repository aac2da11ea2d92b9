using System.Numerics;
using System.Runtime.InteropServices;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Frames;

namespace PacsStegoGateway.Protection;

/// <summary>
/// The frames of one data set's grayscale pixel data as they can carry something: native ones are views, compressed ones
/// are decoded when they are asked for. Not thread-safe.
/// </summary>
internal sealed class CarrierFrames
{
    /// <summary>A symbol is hidden in, and looked for in, at most this many frames from the first.</summary>
    private const int MaximumTried = 8;

    private readonly PixelFrames _frames;
    private (int Frame, ReadOnlyMemory<byte> Bytes) _decoded = (-1, default);

    private CarrierFrames(PixelDescription description, Element pixelData, PixelFrames frames)
    {
        Description = description;
        PixelData = pixelData;
        _frames = frames;
    }

    public PixelDescription Description { get; }

    /// <summary>What the frames look like to a codec.</summary>
    public FrameFormat Format => _frames.Format;

    /// <summary>The element that they are in.</summary>
    public Element PixelData { get; }

    /// <summary>Frames worth trying, in this order, by protection and revelation alike.</summary>
    public int Tried => Math.Min(MaximumTried, Description.NumberOfFrames);

    /// <summary>Opens the pixel data, or says why it cannot carry anything.</summary>
    public static (RefusalReason Reason, string Detail) TryOpen(DataSet dataSet, TransferSyntax transferSyntax, out CarrierFrames frames)
    {
        frames = null!;
        if (dataSet.Find(Tags.PixelData) is not { IsEmpty: false } pixelData)
        {
            return (RefusalReason.NoPixelData, "The object has no pixel data.");
        }

        if (PixelDescription.TryRead(dataSet, out PixelDescription description) is { } problem)
        {
            return (RefusalReason.PixelsNotDecodable, problem);
        }

        if (description.SamplesPerPixel != 1)
        {
            return (RefusalReason.PixelsNotDecodable, $"SamplesPerPixel is {description.SamplesPerPixel}: colour images cannot carry the identity in this version.");
        }

        if (pixelData.Fragments is not null && Undecodable(transferSyntax) is { } missing)
        {
            return (RefusalReason.PixelsNotDecodable, missing);
        }

        long expected = description.FrameLength * description.NumberOfFrames;
        if (pixelData.Fragments is null && pixelData.ValueLength < expected)
        {
            return (RefusalReason.MalformedDataSet, $"Pixel data has {pixelData.ValueLength} bytes, Rows, Columns and NumberOfFrames ask for {expected}.");
        }

        if (pixelData.ValueLength > expected + (expected & 1))
        {
            return (RefusalReason.MalformedDataSet,
                $"Pixel data has {pixelData.ValueLength} bytes, Rows, Columns and NumberOfFrames account for {expected}: what the rest says is not known.");
        }

        try
        {
            frames = new CarrierFrames(description, pixelData, PixelFrames.Open(dataSet, transferSyntax));
            if (frames.HaveDataOutsideBitsStored(expected))
            {
                return (RefusalReason.BurnedInIdentity,
                    $"Bits outside BitsStored ({description.BitsStored} of {description.BitsAllocated}) hold something that is no sample; it may show identity.");
            }
        }
        catch (DicomContentException e)
        {
            return (RefusalReason.MalformedDataSet, e.Message);
        }
        catch (PixelCodecRefusedException e)
        {
            return (RefusalReason.PixelsNotDecodable, e.Message);
        }

        return (RefusalReason.None, "");
    }

    /// <summary>Why no frame of the transfer syntax can be decoded here, or null.</summary>
    private static string? Undecodable(TransferSyntax transferSyntax) =>
        PixelCodecs.Find(transferSyntax) is not { } codec
            ? $"The pixel data is compressed as {transferSyntax.Name}, for which there is no decoder."
            : codec.Unavailable;

    private bool HaveDataOutsideBitsStored(long expected)
    {
        if (Description.BitsStored == Description.BitsAllocated)
        {
            return false;
        }

        if (PixelData.Fragments is null)
        {
            return HasDataOutsideBitsStored(Description, PixelData.Source.Slice(0, expected));
        }

        for (int frame = Description.NumberOfFrames - 1; frame >= 0; frame--)
        {
            if (HasDataOutsideBitsStored(Description, Bytes(frame).Span))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>True unless the bits around every sample are zero, or repeat its sign above it.</summary>
    private static bool HasDataOutsideBitsStored(PixelDescription description, ByteSource pixels)
    {
        if (pixels.TryGetMemory(out ReadOnlyMemory<byte> all))
        {
            return HasDataOutsideBitsStored(description, all.Span);
        }

        byte[] buffer = new byte[ByteSource.ChunkLength];
        for (long offset = 0; offset < pixels.Length; offset += buffer.Length)
        {
            Span<byte> chunk = buffer.AsSpan(0, (int)Math.Min(buffer.Length, pixels.Length - offset));
            pixels.Read(offset, chunk);
            if (HasDataOutsideBitsStored(description, chunk))
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasDataOutsideBitsStored(PixelDescription description, ReadOnlySpan<byte> pixels)
    {
        int below = (1 << (description.HighBit + 1 - description.BitsStored)) - 1;
        int above = ((1 << description.BitsAllocated) - 1) & ~((1 << (description.HighBit + 1)) - 1);
        int step = description.BitsAllocated / 8;
        int i = step == 2 ? ClearHead(pixels, (ushort)(below | above)) : 0;
        for (; i < pixels.Length; i += step)
        {
            int raw = step == 1 ? pixels[i] : pixels[i] | (pixels[i + 1] << 8);
            int high = raw & above;
            if ((raw & below) != 0 || (high != 0 && (high != above || (raw >> description.HighBit & 1) == 0)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>How many bytes at the head are words without any of these bits: found many at a time, as most images have none.</summary>
    private static int ClearHead(ReadOnlySpan<byte> words, ushort bits)
    {
        Vector<ushort> wanted = new(bits);
        int at = 0;
        while (words.Length - at >= Vector<byte>.Count && (MemoryMarshal.Read<Vector<ushort>>(words[at..]) & wanted) == Vector<ushort>.Zero)
        {
            at += Vector<byte>.Count;
        }

        return at;
    }

    /// <summary>One frame, uncompressed.</summary>
    /// <exception cref="DicomContentException">It is damaged, or not of the size that the data set says.</exception>
    /// <exception cref="PixelCodecRefusedException">The codec does not decode this codestream.</exception>
    public ReadOnlyMemory<byte> Bytes(int frame)
    {
        if (_decoded.Frame != frame)
        {
            ReadOnlyMemory<byte> bytes = _frames.Read(frame).Bytes;
            _decoded = bytes.Length == Description.FrameLength
                ? (frame, bytes)
                : throw new DicomContentException($"Frame {frame} has {bytes.Length} bytes, Rows and Columns ask for {Description.FrameLength}.");
        }

        return _decoded.Bytes;
    }

    /// <summary>Reads one frame as a plane of stored values.</summary>
    public PixelPlane Read(int frame) => PixelPlane.Read(Description, Bytes(frame).Span);

    /// <summary>One frame, uncompressed, with other samples; everything else, bits above BitsStored included, as it was.</summary>
    public byte[] With(int frame, PixelPlane plane)
    {
        byte[] bytes = Bytes(frame).ToArray();
        plane.Write(Description, bytes);
        return bytes;
    }

    /// <summary>The codestream of a frame as it was sent.</summary>
    public ReadOnlyMemory<byte> Codestream(int frame) => _frames.Codestream(frame);

    /// <summary>The items of encapsulated pixel data that make up a frame.</summary>
    public (int First, int Count) FragmentsOf(int frame) => _frames.FragmentsOf(frame);

    /// <summary>Native pixel data with one frame replaced: where the others are native they stay where they lie, else they are decoded as they are read.</summary>
    public Element ToNative(int frame, byte[] bytes)
    {
        Vr vr = PixelData.Fragments is null ? PixelData.Vr : Description.BitsAllocated > 8 ? Vr.OW : Vr.OB;
        ByteSource source = PixelData.Fragments is null ? PixelData.Source : new DecodedFrames(_frames, Description);
        ByteSource replaced = source.Replace(frame * Description.FrameLength, ByteSource.Of(bytes));
        return Element.Raw(PixelData.Tag, vr, (replaced.Length & 1) == 0 ? replaced : ByteSource.Join(replaced, ByteSource.Of(new byte[1])));
    }

    /// <summary>Compressed frames as the native pixel data they would be: one of them is decoded at a time, when it is read.</summary>
    private sealed class DecodedFrames(PixelFrames frames, PixelDescription description) : ByteSource
    {
        private readonly Lock _lock = new();
        private (int Frame, ReadOnlyMemory<byte> Bytes) _last = (-1, default);

        public override long Length => description.FrameLength * description.NumberOfFrames;

        protected override void ReadInside(long offset, Span<byte> destination)
        {
            lock (_lock)
            {
                while (!destination.IsEmpty)
                {
                    int frame = (int)(offset / description.FrameLength);
                    if (_last.Frame != frame)
                    {
                        _last = (frame, frames.Read(frame).Bytes);
                    }

                    ReadOnlySpan<byte> from = _last.Bytes.Span[(int)(offset % description.FrameLength)..];
                    int some = Math.Min(from.Length, destination.Length);
                    from[..some].CopyTo(destination);
                    destination = destination[some..];
                    offset += some;
                }
            }
        }
    }
}
