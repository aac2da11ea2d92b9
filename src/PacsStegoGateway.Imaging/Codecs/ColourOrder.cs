namespace PacsStegoGateway.Imaging.Codecs;

/// <summary>Planar configuration 1 to 0: colours that come plane by plane are put together pixel by pixel.</summary>
internal static class ColourOrder
{
    /// <summary>The frame itself when its colours are by pixel already or there is one only, else a new one.</summary>
    public static byte[] ByPixel(byte[] frame, FrameFormat format)
    {
        if (!format.IsPlanar || format.SamplesPerPixel == 1)
        {
            return frame;
        }

        byte[] result = new byte[frame.Length];
        ByPixel(frame, format, result);
        return result;
    }

    /// <param name="planes">One frame of the format, plane by plane.</param>
    /// <param name="pixels">Receives as many bytes.</param>
    public static void ByPixel(ReadOnlySpan<byte> planes, FrameFormat format, Span<byte> pixels)
    {
        int step = format.BitsAllocated / 8, colours = format.SamplesPerPixel, plane = (int)format.PixelCount * step;
        for (int colour = 0; colour < colours; colour++)
        {
            ReadOnlySpan<byte> from = planes.Slice(colour * plane, plane);
            int at = colour * step;
            for (int i = 0; i < plane; i += step, at += colours * step)
            {
                for (int b = 0; b < step; b++)
                {
                    pixels[at + b] = from[i + b];
                }
            }
        }
    }
}
