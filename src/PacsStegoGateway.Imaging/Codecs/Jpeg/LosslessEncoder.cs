using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>Writes lossless JPEG (T.81 process 14): one scan, a best Huffman table for each component.</summary>
internal static class LosslessEncoder
{
    /// <summary>A row out of this many is looked at when the predictor is chosen.</summary>
    private const int RowsPerProbe = 8;

    /// <param name="predictor">1 to 7 of table H.1, or null for the one that suits the frame best.</param>
    /// <returns>The codestream, of even length.</returns>
    public static byte[] Encode(ReadOnlySpan<byte> frame, FrameFormat format, int? predictor)
    {
        frame = format.RequireFrame(frame);
        if (format.BitsAllocated is not (8 or 16))
        {
            throw PixelCodecRefusedException.NotSupported($"Lossless JPEG holds samples of 2 to 16 bits, these have {format.BitsAllocated}.");
        }

        int precision = Math.Max(2, SamplePrecision.Of(frame, format));
        int stride = format.SamplesPerPixel, rowLength = format.Columns * stride, count = (int)format.SampleCount;
        ushort[] samples = ArrayPool<ushort>.Shared.Rent(count);
        short[] differences = ArrayPool<short>.Shared.Rent(count);
        try
        {
            Span<ushort> all = samples.AsSpan(0, count);
            Load(frame, format, (ushort)((1 << precision) - 1), all);
            int chosen = predictor ?? Choose(all, rowLength, stride);
            long[][] frequencies = new long[stride][];
            for (int c = 0; c < stride; c++)
            {
                frequencies[c] = new long[17];
            }

            for (int row = 0, at = 0; row < format.Rows; row++, at += rowLength)
            {
                Span<short> target = differences.AsSpan(at, rowLength);
                LosslessPrediction.Do(row == 0 ? 0 : chosen, 1 << (precision - 1), all.Slice(row == 0 ? 0 : at - rowLength, rowLength), all.Slice(at, rowLength), target, stride);
                for (int i = 0; i < target.Length;)
                {
                    for (int c = 0; c < stride; c++)
                    {
                        frequencies[c][Size(target[i++])]++;
                    }
                }
            }

            return Write(differences.AsSpan(0, count), format, precision, chosen, frequencies);
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(samples);
            ArrayPool<short>.Shared.Return(differences);
        }
    }

    /// <summary>The samples as they are coded: by pixel, bits above the precision cleared.</summary>
    private static void Load(ReadOnlySpan<byte> frame, FrameFormat format, ushort mask, Span<ushort> samples)
    {
        int pixels = (int)format.PixelCount;
        int colours = format.IsPlanar ? format.SamplesPerPixel : 1;
        int inner = samples.Length / colours;
        ReadOnlySpan<ushort> words = format.BitsAllocated == 16 ? MemoryMarshal.Cast<byte, ushort>(frame) : default;
        for (int colour = 0; colour < colours; colour++)
        {
            for (int i = 0, at = colour; i < inner; i++, at += colours)
            {
                int from = (colour * pixels) + i;
                samples[at] = (ushort)((words.IsEmpty ? frame[from] : words[from]) & mask);
            }
        }
    }

    private static int Choose(ReadOnlySpan<ushort> samples, int rowLength, int stride)
    {
        short[] differences = new short[rowLength];
        int best = 1;
        long least = long.MaxValue;
        for (int predictor = 1; predictor <= 7; predictor++)
        {
            long bits = 0;
            for (int at = rowLength; at < samples.Length; at += rowLength * RowsPerProbe)
            {
                LosslessPrediction.Do(predictor, 0, samples.Slice(at - rowLength, rowLength), samples.Slice(at, rowLength), differences, stride);
                foreach (short difference in differences)
                {
                    bits += Size(difference);
                }
            }

            if (bits < least)
            {
                (best, least) = (predictor, bits);
            }
        }

        return best;
    }

    private static byte[] Write(ReadOnlySpan<short> differences, FrameFormat format, int precision, int predictor, long[][] frequencies)
    {
        int stride = format.SamplesPerPixel;
        var codes = new (uint Code, int Length)[stride][];
        var tables = new (byte[] Counts, byte[] Values)[stride];
        long bits = 0;
        for (int c = 0; c < stride; c++)
        {
            tables[c] = HuffmanCode.Optimize(frequencies[c]);
            var code = HuffmanCode.Create(tables[c].Counts, tables[c].Values);
            codes[c] = new (uint, int)[17];
            for (int i = 0; i < code.Values.Length; i++)
            {
                int size = code.Values[i];
                codes[c][size] = (code.Codes[i], code.Lengths[i]);
                bits += frequencies[c][size] * (code.Lengths[i] + (size & 15));
            }
        }

        // Stuffed zeros at most double the data; 1 KiB is more than all headers.
        byte[] rented = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, (bits / 4) + 1024));
        try
        {
            var writer = new JpegWriter(rented);
            writer.Marker(JpegSegments.StartOfImage);
            writer.FrameHeader(0xC3, precision, format.Rows, format.Columns, stride);
            for (int c = 0; c < stride; c++)
            {
                writer.HuffmanTable(c, tables[c].Counts, tables[c].Values);
            }

            writer.ScanHeader(stride, predictor);
            for (int i = 0; i < differences.Length;)
            {
                foreach ((uint Code, int Length)[] code in codes)
                {
                    int difference = differences[i++];
                    int size = Size(difference);
                    int extra = size & 15;
                    (uint prefix, int length) = code[size];

                    // Table H.2: negative values are coded as one less, in as many bits.
                    uint rest = (uint)(difference + (difference >> 31)) & ((1u << extra) - 1);
                    writer.Bits((prefix << extra) | rest, length + extra);
                }
            }

            writer.Flush();
            writer.Marker(JpegSegments.EndOfImage);
            return writer.ToEvenArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>SSSS of table H.2: bits of the absolute value; 16 stands for -32768 alone, which has no more bits.</summary>
    private static int Size(int difference) => 32 - BitOperations.LeadingZeroCount((uint)Math.Abs(difference));
}
