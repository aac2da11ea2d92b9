using System.Numerics;
using System.Runtime.InteropServices;

namespace PacsStegoGateway.Imaging.Codecs;

/// <summary>How many bits of each sample a lossless encoder must keep.</summary>
internal static class SamplePrecision
{
    /// <summary>
    /// BitsStored, when the bits above can be told from the sample (zero, or its sign repeated); else BitsAllocated, so that
    /// overlays and whatever else lies there come back too.
    /// </summary>
    /// <param name="frame">One little-endian frame of 8-, 16- or 32-bit samples.</param>
    public static int Of(ReadOnlySpan<byte> frame, FrameFormat format)
    {
        int stored = format.BitsStored;
        if (format.HighBit != stored - 1 || stored == format.BitsAllocated)
        {
            return format.BitsAllocated;
        }

        bool fits = (format.BitsAllocated, format.IsSigned) switch
        {
            (8, false) => AreBelow(frame, (byte)~((1 << stored) - 1)),
            (8, true) => RepeatSign(MemoryMarshal.Cast<byte, sbyte>(frame), stored - 1),
            (16, false) => AreBelow(MemoryMarshal.Cast<byte, ushort>(frame), (ushort)~((1 << stored) - 1)),
            (16, true) => RepeatSign(MemoryMarshal.Cast<byte, short>(frame), stored - 1),
            (_, false) => AreBelow(MemoryMarshal.Cast<byte, uint>(frame), ~((1u << stored) - 1)),
            (_, true) => RepeatSign(MemoryMarshal.Cast<byte, int>(frame), stored - 1),
        };
        return fits ? stored : format.BitsAllocated;
    }

    private static bool AreBelow<T>(ReadOnlySpan<T> samples, T above)
        where T : unmanaged, IBinaryInteger<T>
    {
        int i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            var mask = new Vector<T>(above);
            for (; i <= samples.Length - Vector<T>.Count; i += Vector<T>.Count)
            {
                if ((new Vector<T>(samples[i..]) & mask) != Vector<T>.Zero)
                {
                    return false;
                }
            }
        }

        for (; i < samples.Length; i++)
        {
            if ((samples[i] & above) != T.Zero)
            {
                return false;
            }
        }

        return true;
    }

    /// <param name="down">BitsStored - 1: what is left after this shift is the sign and all bits above it.</param>
    private static bool RepeatSign<T>(ReadOnlySpan<T> samples, int down)
        where T : unmanaged, IBinaryInteger<T>
    {
        foreach (T sample in samples)
        {
            T rest = sample >> down;
            if (rest != T.Zero && rest != T.AllBitsSet)
            {
                return false;
            }
        }

        return true;
    }
}
