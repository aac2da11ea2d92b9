using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>
/// Writes a lossless JPEG again as another encoder wrote it: once its headers are known (predictor, Huffman tables, restart
/// interval), its samples leave no choice for the entropy-coded data (ITU-T T.81 H.1.2). A codestream is thus kept as its
/// headers, some hundred bytes, beside samples that are kept anyway.
/// </summary>
/// <remarks>For codestreams of one scan and one component without point transform; others are not replicated.</remarks>
public static class JpegLosslessReplica
{
    /// <summary>Headers longer than this are not worth keeping apart.</summary>
    private const int MostHeaders = 4096;

    /// <summary>
    /// The part of a codestream before its entropy-coded data, or empty when it is none that can be replicated.
    /// </summary>
    public static ReadOnlyMemory<byte> HeadersOf(ReadOnlyMemory<byte> codestream)
    {
        try
        {
            var segments = new JpegSegments(codestream.Span);
            while (segments.Next())
            {
                if (segments.Marker == JpegSegments.StartOfScan)
                {
                    return segments.Position <= MostHeaders ? codestream[..segments.Position] : default;
                }
            }
        }
        catch (DicomContentException)
        {
            // No JPEG: nothing to replicate.
        }

        return default;
    }

    /// <summary>Headers, entropy-coded data of the frame and an end of image; null when the frame does not go with the headers.</summary>
    /// <param name="headers">From <see cref="HeadersOf"/>.</param>
    /// <param name="frame">One frame of the format.</param>
    /// <param name="format">One sample a pixel, 8 or 16 bits allocated.</param>
    public static byte[]? TryEncode(ReadOnlySpan<byte> headers, ReadOnlySpan<byte> frame, FrameFormat format)
    {
        if (format is not { SamplesPerPixel: 1, BitsAllocated: 8 or 16 } || frame.Length < format.FrameLength
            || Read(headers, format) is not { } scan)
        {
            return null;
        }

        int count = (int)format.SampleCount;
        ushort[] samples = ArrayPool<ushort>.Shared.Rent(count);
        short[] differences = ArrayPool<short>.Shared.Rent(count);
        try
        {
            int mask = (1 << scan.Precision) - 1;
            for (int i = 0; i < count; i++)
            {
                int sample = format.BitsAllocated == 8 ? frame[i] : BinaryPrimitives.ReadUInt16LittleEndian(frame[(i * 2)..]);
                samples[i] = (ushort)(sample & mask);
            }

            for (int row = 0; row < format.Rows; row++)
            {
                int at = row * format.Columns;
                bool isFirst = row % scan.RestartRows == 0;
                LosslessPrediction.Do(isFirst ? 0 : scan.Predictor, 1 << (scan.Precision - 1),
                    samples.AsSpan(isFirst ? at : at - format.Columns, format.Columns), samples.AsSpan(at, format.Columns),
                    differences.AsSpan(at, format.Columns), 1);
            }

            return Write(headers, differences.AsSpan(0, count), format, scan);
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(samples);
            ArrayPool<short>.Shared.Return(differences);
        }
    }

    private static Scan? Read(ReadOnlySpan<byte> headers, FrameFormat format)
    {
        try
        {
            JpegFrameHeader? header = null;
            var codes = new HuffmanCode?[8];
            int restartRows = 0;
            int missing = 1;
            var segments = new JpegSegments(headers);
            while (segments.Next())
            {
                switch (segments.Marker)
                {
                    case JpegSegments.HuffmanTables:
                        HuffmanCode.Read(segments.Content, codes);
                        break;
                    case JpegSegments.RestartInterval when segments.Content.Length == 2:
                        int interval = BinaryPrimitives.ReadUInt16BigEndian(segments.Content);
                        if (interval % format.Columns != 0)
                        {
                            return null;
                        }

                        restartRows = interval / format.Columns;
                        break;
                    case JpegSegments.StartOfScan when header is { Process: 0xC3, Components.Length: 1 }:
                        LosslessScan scan = LosslessScan.Read(segments.Content, header, codes, ref missing);
                        return scan.PointTransform == 0 && header.Rows == format.Rows && header.Columns == format.Columns && header.Precision is >= 2 and <= 16
                            ? new Scan(header.Precision, scan.Predictor, restartRows == 0 ? format.Rows : restartRows, scan.Tables[0].Code)
                            : null;
                    default:
                        if (segments.IsFrameHeader)
                        {
                            header = JpegFrameHeader.Read(segments.Marker, segments.Content);
                        }

                        break;
                }
            }
        }
        catch (DicomContentException)
        {
            // Headers that are none.
        }

        return null;
    }

    private static byte[]? Write(ReadOnlySpan<byte> headers, ReadOnlySpan<short> differences, FrameFormat format, Scan scan)
    {
        var codes = new (uint Code, int Length)[17];
        for (int i = 0; i < scan.Code.Values.Length; i++)
        {
            codes[scan.Code.Values[i]] = (scan.Code.Codes[i], scan.Code.Lengths[i]);
        }

        long bits = 0;
        foreach (short difference in differences)
        {
            int size = Size(difference);
            if (codes[size].Length == 0)
            {
                return null;
            }

            bits += codes[size].Length + (size & 15);
        }

        // Stuffed zeros at most double the data; a restart marker and its filling take three bytes.
        long most = (bits / 4) + headers.Length + (4L * format.Rows) + 64;
        if (most > Array.MaxLength)
        {
            return null;
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent((int)most);
        try
        {
            headers.CopyTo(rented);
            var writer = new JpegWriter(rented.AsSpan(headers.Length));
            for (int row = 0; row < format.Rows; row++)
            {
                if (row > 0 && row % scan.RestartRows == 0)
                {
                    writer.Flush();
                    writer.Marker((byte)(JpegSegments.Restart0 + (((row / scan.RestartRows) - 1) & 7)));
                }

                foreach (short difference in differences.Slice(row * format.Columns, format.Columns))
                {
                    int size = Size(difference);
                    int extra = size & 15;
                    (uint prefix, int length) = codes[size];
                    uint rest = (uint)(difference + (difference >> 31)) & ((1u << extra) - 1);
                    writer.Bits((prefix << extra) | rest, length + extra);
                }
            }

            writer.Flush();
            writer.Marker(JpegSegments.EndOfImage);
            byte[] data = writer.ToEvenArray();
            return [.. headers, .. data];
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static int Size(int difference) => 32 - BitOperations.LeadingZeroCount((uint)Math.Abs(difference));

    private sealed record Scan(int Precision, int Predictor, int RestartRows, HuffmanCode Code);
}
