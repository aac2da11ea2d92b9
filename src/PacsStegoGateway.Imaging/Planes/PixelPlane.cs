using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace PacsStegoGateway.Imaging;

/// <summary>One grayscale plane of stored values, row-major.</summary>
/// <param name="Width">Columns, in pixels.</param>
/// <param name="Height">Rows, in pixels.</param>
/// <param name="Samples">Stored values (not HU), <c>Height x Width</c>, sign extended.</param>
/// <param name="MinimumValue">Least value a sample may hold.</param>
/// <param name="MaximumValue">Greatest value a sample may hold.</param>
public sealed record PixelPlane(int Width, int Height, int[] Samples, int MinimumValue, int MaximumValue)
{
    /// <summary>Reads one uncompressed grayscale frame; bits above <c>HighBit</c> are ignored.</summary>
    /// <param name="description">SamplesPerPixel must be 1.</param>
    /// <param name="frame">Exactly one frame in little endian, <see cref="PixelDescription.FrameLength"/> bytes.</param>
    public static PixelPlane Read(PixelDescription description, ReadOnlySpan<byte> frame)
    {
        RequireGrayscaleFrame(description, frame.Length);
        int[] samples = new int[description.Rows * description.Columns];
        int down = description.HighBit + 1 - description.BitsStored;
        int up = 32 - description.BitsStored;
        if (description.BitsAllocated == 16)
        {
            ReadOnlySpan<ushort> words = Words(frame);
            if (description.IsSigned)
            {
                for (int i = 0; i < samples.Length; i++)
                {
                    samples[i] = (words[i] >> down) << up >> up;
                }
            }
            else
            {
                int mask = (1 << description.BitsStored) - 1;
                for (int i = 0; i < samples.Length; i++)
                {
                    samples[i] = (words[i] >> down) & mask;
                }
            }
        }
        else
        {
            for (int i = 0; i < samples.Length; i++)
            {
                int shifted = (frame[i] >> down) << up;
                samples[i] = description.IsSigned ? shifted >> up : (int)((uint)shifted >> up);
            }
        }

        return new PixelPlane(description.Columns, description.Rows, samples, description.MinimumValue, description.MaximumValue);
    }

    /// <summary>
    /// Writes the samples into a frame; bits outside BitsStored (old-style overlays) stay as they are there, except that a
    /// frame which repeats the sign above HighBit goes on doing so.
    /// </summary>
    /// <param name="description">The description the plane was read with.</param>
    /// <param name="frame">A copy of the frame that was read; changed in place.</param>
    public void Write(PixelDescription description, Span<byte> frame)
    {
        RequireGrayscaleFrame(description, frame.Length);
        if (description.BitsStored == 16 && BitConverter.IsLittleEndian)
        {
            // No bit is anybody else's.
            Span<ushort> words = MemoryMarshal.Cast<byte, ushort>(frame);
            for (int i = 0; i < words.Length; i++)
            {
                words[i] = (ushort)Samples[i];
            }

            return;
        }

        int down = description.HighBit + 1 - description.BitsStored;
        int mask = ((1 << description.BitsStored) - 1) << down;
        int above = ((1 << description.BitsAllocated) - 1) & ~((1 << (description.HighBit + 1)) - 1);
        bool extends = description.IsSigned && above != 0 && RepeatsSign(description, frame, above);
        if (description.BitsAllocated == 16)
        {
            for (int i = 0; i < Samples.Length; i++)
            {
                Span<byte> word = frame.Slice(i * 2, 2);
                BinaryPrimitives.WriteUInt16LittleEndian(word, (ushort)Merge(BinaryPrimitives.ReadUInt16LittleEndian(word), Samples[i]));
            }
        }
        else
        {
            for (int i = 0; i < Samples.Length; i++)
            {
                frame[i] = (byte)Merge(frame[i], Samples[i]);
            }
        }

        int Merge(int old, int sample)
        {
            int merged = (old & ~mask) | ((sample << down) & mask);
            bool wasExtended = (old & above) == ((old >> description.HighBit & 1) != 0 ? above : 0);
            return !extends || !wasExtended ? merged : sample < 0 ? merged | above : merged & ~above;
        }
    }

    /// <summary>True when some negative sample has ones in all bits above HighBit: readers that ignore BitsStored see its sign.</summary>
    private static bool RepeatsSign(PixelDescription description, ReadOnlySpan<byte> frame, int above)
    {
        int step = description.BitsAllocated / 8;
        int wanted = above | (1 << description.HighBit);
        for (int i = 0; i < frame.Length; i += step)
        {
            int raw = step == 1 ? frame[i] : frame[i] | (frame[i + 1] << 8);
            if ((raw & wanted) == wanted)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The same size and range with its own copy of the samples.</summary>
    public PixelPlane Copy() => this with { Samples = (int[])Samples.Clone() };

    private static ReadOnlySpan<ushort> Words(ReadOnlySpan<byte> frame)
    {
        if (BitConverter.IsLittleEndian)
        {
            return MemoryMarshal.Cast<byte, ushort>(frame);
        }

        ushort[] words = new ushort[frame.Length / 2];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt16LittleEndian(frame[(i * 2)..]);
        }

        return words;
    }

    private static void RequireGrayscaleFrame(PixelDescription description, int length)
    {
        if (description.SamplesPerPixel != 1)
        {
            throw new ArgumentException($"SamplesPerPixel is {description.SamplesPerPixel}, a plane has 1.", nameof(description));
        }

        ArgumentOutOfRangeException.ThrowIfNotEqual(length, description.FrameLength, nameof(length));
    }
}
