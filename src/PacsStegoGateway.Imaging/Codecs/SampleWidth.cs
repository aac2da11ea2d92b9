using System.Runtime.InteropServices;

namespace PacsStegoGateway.Imaging.Codecs;

/// <summary>
/// Between frames and what JPEG-family codecs work on: unsigned samples of a precision, one byte each up to 8 bits and two
/// above, whatever is allocated for them in the data set.
/// </summary>
internal static class SampleWidth
{
    /// <summary>Bytes that a codec uses for a sample of this many bits.</summary>
    public static int BytesOf(int precision) => precision <= 8 ? 1 : 2;

    /// <summary>Writes the frame's samples as the codec wants them: by pixel, bits above the precision cleared.</summary>
    /// <param name="frame">A frame of 8- or 16-bit samples.</param>
    /// <param name="target">Receives <see cref="FrameFormat.SampleCount"/> samples.</param>
    public static void Narrow(ReadOnlySpan<byte> frame, FrameFormat format, int precision, Span<byte> target)
    {
        if (format.IsPlanar && format.SamplesPerPixel > 1)
        {
            byte[] pixels = new byte[frame.Length];
            ColourOrder.ByPixel(frame, format, pixels);
            frame = pixels;
        }

        int mask = (1 << precision) - 1;
        if (precision == format.BitsAllocated)
        {
            frame.CopyTo(target);
        }
        else if (format.BitsAllocated == 8)
        {
            for (int i = 0; i < frame.Length; i++)
            {
                target[i] = (byte)(frame[i] & mask);
            }
        }
        else
        {
            ReadOnlySpan<ushort> words = MemoryMarshal.Cast<byte, ushort>(frame);
            if (BytesOf(precision) == 1)
            {
                for (int i = 0; i < words.Length; i++)
                {
                    target[i] = (byte)(words[i] & mask);
                }
            }
            else
            {
                Span<ushort> wide = MemoryMarshal.Cast<byte, ushort>(target);
                for (int i = 0; i < words.Length; i++)
                {
                    wide[i] = (ushort)(words[i] & mask);
                }
            }
        }
    }

    /// <summary>Makes a frame of what a codec decoded; signed samples get their sign repeated above the precision.</summary>
    /// <param name="samples">By pixel; may be returned itself.</param>
    public static byte[] Widen(byte[] samples, FrameFormat format, int precision)
    {
        int spare = 32 - precision;
        if (format.BitsAllocated == 32)
        {
            byte[] wide = new byte[format.FrameLength];
            Span<int> all = MemoryMarshal.Cast<byte, int>(wide.AsSpan());
            ReadOnlySpan<ushort> pairs = BytesOf(precision) == 2 ? MemoryMarshal.Cast<byte, ushort>(samples) : default;
            for (int i = 0; i < all.Length; i++)
            {
                int sample = pairs.IsEmpty ? samples[i] : pairs[i];
                all[i] = format.IsSigned ? sample << spare >> spare : sample;
            }

            return wide;
        }

        if (format.BitsAllocated == 8 || BytesOf(precision) == 2)
        {
            if (!format.IsSigned || precision == format.BitsAllocated)
            {
                return samples;
            }

            if (format.BitsAllocated == 8)
            {
                for (int i = 0; i < samples.Length; i++)
                {
                    samples[i] = (byte)(samples[i] << spare >> spare);
                }
            }
            else
            {
                foreach (ref short sample in MemoryMarshal.Cast<byte, short>(samples.AsSpan()))
                {
                    sample = (short)(sample << spare >> spare);
                }
            }

            return samples;
        }

        byte[] frame = new byte[format.FrameLength];
        Span<short> words = MemoryMarshal.Cast<byte, short>(frame.AsSpan());
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = format.IsSigned ? (short)(samples[i] << spare >> spare) : samples[i];
        }

        return frame;
    }
}
