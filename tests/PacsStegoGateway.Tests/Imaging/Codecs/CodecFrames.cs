using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

/// <summary>Made-up frames: noise, slopes, flat areas and extremes, in any format.</summary>
internal static class CodecFrames
{
    public static FrameFormat Gray(int rows, int columns, int bitsAllocated, int bitsStored, bool isSigned = false) => new()
    {
        Rows = rows,
        Columns = columns,
        BitsAllocated = bitsAllocated,
        BitsStored = bitsStored,
        HighBit = bitsStored - 1,
        IsSigned = isSigned,
        PhotometricInterpretation = "MONOCHROME2",
    };

    public static FrameFormat Colour(int rows, int columns, int bitsAllocated, bool isPlanar = false) => new()
    {
        Rows = rows,
        Columns = columns,
        SamplesPerPixel = 3,
        BitsAllocated = bitsAllocated,
        BitsStored = bitsAllocated,
        HighBit = bitsAllocated - 1,
        IsPlanar = isPlanar,
        PhotometricInterpretation = "RGB",
    };

    /// <summary>A frame whose upper third is noise, middle third a slope with noise and lower third flat with extremes.</summary>
    public static byte[] Make(FrameFormat format, int seed)
    {
        var random = new Random(seed);
        byte[] frame = new byte[format.FrameLength];
        if (format.BitsAllocated == 1)
        {
            random.NextBytes(frame);
            frame.AsSpan(frame.Length / 2).Fill(0xFF);
            int rest = (int)(format.SampleCount & 7);
            if (rest != 0)
            {
                frame[^1] &= (byte)((1 << rest) - 1);
            }

            return frame;
        }

        long mask = (1L << format.BitsStored) - 1;
        int step = format.BitsAllocated / 8;
        for (int i = 0; i < format.SampleCount; i++)
        {
            long y = i / format.SamplesPerPixel / format.Columns;
            long value = (3 * y / format.Rows) switch
            {
                0 => random.NextInt64(),
                1 => (i * 3) + random.Next(9),
                _ => random.Next(200) == 0 ? mask : random.Next(200) == 0 ? 0 : mask / 2,
            } & mask;
            if (format.IsSigned)
            {
                value = value << (64 - format.BitsStored) >> (64 - format.BitsStored);
            }

            for (int b = 0; b < step; b++)
            {
                frame[(i * step) + b] = (byte)(value >> (8 * b));
            }
        }

        return frame;
    }

    /// <summary>The same frame with its colours by pixel, as decoders give it.</summary>
    public static byte[] ByPixel(FrameFormat format, byte[] frame)
    {
        if (!format.IsPlanar || format.SamplesPerPixel == 1)
        {
            return frame;
        }

        int step = format.BitsAllocated / 8;
        byte[] result = new byte[frame.Length];
        int pixels = (int)format.PixelCount;
        for (int i = 0; i < pixels * format.SamplesPerPixel; i++)
        {
            int sample = i / pixels, pixel = i % pixels;
            frame.AsSpan(i * step, step).CopyTo(result.AsSpan(((pixel * format.SamplesPerPixel) + sample) * step));
        }

        return result;
    }
}
