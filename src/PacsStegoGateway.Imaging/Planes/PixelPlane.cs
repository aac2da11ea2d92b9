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

    /// <summary>Writes the samples into a frame; bits outside BitsStored (old-style overlays) stay as they are there.</summary>
    /// <param name="description">The description the plane was read with.</param>
    /// <param name="frame">A copy of the frame that was read; changed in place.</param>
    public void Write(PixelDescription description, Span<byte> frame)
    {
        RequireGrayscaleFrame(description, frame.Length);
        int down = description.HighBit + 1 - description.BitsStored;
        int mask = ((1 << description.BitsStored) - 1) << down;
        if (description.BitsAllocated == 16)
        {
            for (int i = 0; i < Samples.Length; i++)
            {
                Span<byte> word = frame.Slice(i * 2, 2);
                int old = BinaryPrimitives.ReadUInt16LittleEndian(word);
                BinaryPrimitives.WriteUInt16LittleEndian(word, (ushort)((old & ~mask) | ((Samples[i] << down) & mask)));
            }
        }
        else
        {
            for (int i = 0; i < Samples.Length; i++)
            {
                frame[i] = (byte)((frame[i] & ~mask) | ((Samples[i] << down) & mask));
            }
        }
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
