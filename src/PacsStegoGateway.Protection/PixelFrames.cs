using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Protection;

/// <summary>The frames of one data set's uncompressed grayscale pixel data: views, each read when it is asked for.</summary>
internal sealed class PixelFrames
{
    /// <summary>A symbol is hidden in, and looked for in, at most this many frames from the first.</summary>
    private const int MaximumTried = 8;

    private readonly Element _pixelData;

    private PixelFrames(PixelDescription description, Element pixelData)
    {
        Description = description;
        _pixelData = pixelData;
    }

    public PixelDescription Description { get; }

    /// <summary>Frames worth trying, in this order, by protection and revelation alike.</summary>
    public int Tried => Math.Min(MaximumTried, Description.NumberOfFrames);

    /// <summary>Opens the pixel data, or says why it cannot carry anything.</summary>
    public static (RefusalReason Reason, string Detail) TryOpen(DataSet dataSet, out PixelFrames frames)
    {
        frames = null!;
        if (dataSet.Find(Tags.PixelData) is not { IsEmpty: false } pixelData)
        {
            return (RefusalReason.NoPixelData, "The object has no pixel data.");
        }

        if (pixelData.Fragments is not null)
        {
            return (RefusalReason.PixelsNotDecodable, "The pixel data is compressed; only uncompressed images can carry the identity in this version.");
        }

        if (PixelDescription.TryRead(dataSet, out PixelDescription description) is { } problem)
        {
            return (RefusalReason.PixelsNotDecodable, problem);
        }

        if (description.SamplesPerPixel != 1)
        {
            return (RefusalReason.PixelsNotDecodable, $"SamplesPerPixel is {description.SamplesPerPixel}: colour images cannot carry the identity in this version.");
        }

        long expected = description.FrameLength * description.NumberOfFrames;
        if (pixelData.ValueLength < expected)
        {
            return (RefusalReason.MalformedDataSet, $"Pixel data has {pixelData.ValueLength} bytes, Rows, Columns and NumberOfFrames ask for {expected}.");
        }

        if (pixelData.ValueLength > expected + (expected & 1))
        {
            return (RefusalReason.MalformedDataSet,
                $"Pixel data has {pixelData.ValueLength} bytes, Rows, Columns and NumberOfFrames account for {expected}: what the rest says is not known.");
        }

        if (HasDataOutsideBitsStored(description, pixelData.Source.Slice(0, expected)))
        {
            return (RefusalReason.BurnedInIdentity,
                $"Bits outside BitsStored ({description.BitsStored} of {description.BitsAllocated}) hold something that is no sample; it may show identity.");
        }

        frames = new PixelFrames(description, pixelData);
        return (RefusalReason.None, "");
    }

    /// <summary>True unless the bits around every sample are zero, or repeat its sign above it.</summary>
    private static bool HasDataOutsideBitsStored(PixelDescription description, ByteSource pixels)
    {
        if (description.BitsStored == description.BitsAllocated)
        {
            return false;
        }

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
        for (int i = 0; i < pixels.Length; i += step)
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

    /// <summary>Reads one frame as a plane of stored values.</summary>
    public PixelPlane Read(int frame) => PixelPlane.Read(Description, FrameOf(frame).Load().Span);

    /// <summary>The pixel data element with one frame replaced; everything else, bits above BitsStored included, as it was and where it lies.</summary>
    public Element With(int frame, PixelPlane plane)
    {
        byte[] bytes = FrameOf(frame).ToArray();
        plane.Write(Description, bytes);
        return Element.Raw(_pixelData.Tag, _pixelData.Vr, _pixelData.Source.Replace(frame * Description.FrameLength, ByteSource.Of(bytes)));
    }

    private ByteSource FrameOf(int frame) => _pixelData.Source.Slice(frame * Description.FrameLength, Description.FrameLength);
}
