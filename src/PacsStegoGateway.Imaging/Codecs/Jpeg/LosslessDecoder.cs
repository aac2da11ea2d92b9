using System.Buffers.Binary;
using System.Runtime.InteropServices;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>Lossless JPEG with Huffman coding (ITU-T T.81 Annex H, process 14): predictors 1 to 7, 2 to 16 bits.</summary>
internal static class LosslessDecoder
{
    /// <summary>Decodes a frame, colours by pixel.</summary>
    /// <exception cref="DicomContentException">Damaged, or not a frame of that format.</exception>
    public static byte[] Decode(ReadOnlySpan<byte> codestream, FrameFormat format)
    {
        JpegFrameHeader? header = null;
        var codes = new HuffmanCode?[8];
        int restartRows = 0;
        byte[] frame = [];
        int missing = 0;
        var segments = new JpegSegments(codestream);
        while (segments.Next())
        {
            if (segments.IsFrameHeader)
            {
                if (header is not null)
                {
                    throw new DicomContentException("The codestream has two frame headers.");
                }

                header = ReadHeader(segments.Marker, segments.Content, format, codestream.Length);
                missing = (1 << header.Components.Length) - 1;
                frame = new byte[format.FrameLength];
                continue;
            }

            switch (segments.Marker)
            {
                case JpegSegments.HuffmanTables:
                    HuffmanCode.Read(segments.Content, codes);
                    break;
                case JpegSegments.RestartInterval:
                    restartRows = ReadRestartRows(segments.Content, format);
                    break;
                case JpegSegments.StartOfScan:
                    if (header is null)
                    {
                        throw new DicomContentException("A scan begins before the frame header.");
                    }

                    LosslessScan scan = LosslessScan.Read(segments.Content, header, codes, ref missing);
                    segments.Position = DecodeScan(scan, codestream, segments.Position, restartRows, header, format, frame);
                    if (missing == 0)
                    {
                        return frame;
                    }

                    break;
            }
        }

        throw new DicomContentException(header is null ? "The codestream has no frame header." : "The codestream ends before all components are there.");
    }

    private static JpegFrameHeader ReadHeader(byte marker, ReadOnlySpan<byte> content, FrameFormat format, int codestreamLength)
    {
        JpegFrameHeader header = JpegFrameHeader.Read(marker, content);
        header.Require(format);
        if (header.Components.Any(static c => c is not { Horizontal: 1, Vertical: 1 }))
        {
            throw PixelCodecRefusedException.NotSupported("Lossless JPEG with subsampled components is not supported.");
        }

        if (header.Precision > 16 || format.BitsAllocated is not (8 or 16))
        {
            throw new DicomContentException($"Lossless JPEG of {header.Precision} bits does not go with {format.BitsAllocated} bits allocated.");
        }

        // Every sample takes a bit at least: a frame that the codestream cannot hold is never allocated.
        return format.SampleCount <= codestreamLength * 8L
            ? header
            : throw new DicomContentException($"{codestreamLength} bytes of lossless JPEG cannot hold {format.SampleCount} samples.");
    }

    private static int ReadRestartRows(ReadOnlySpan<byte> content, FrameFormat format)
    {
        if (content.Length != 2)
        {
            throw new DicomContentException($"A restart interval segment of {content.Length} bytes is impossible.");
        }

        int interval = BinaryPrimitives.ReadUInt16BigEndian(content);
        return interval % format.Columns == 0
            ? interval / format.Columns
            : throw new DicomContentException($"The restart interval {interval} is not a whole number of rows of {format.Columns} samples.");
    }

    /// <returns>Where the marker behind the scan is.</returns>
    private static int DecodeScan(LosslessScan scan, ReadOnlySpan<byte> codestream, int position, int restartRows, JpegFrameHeader header,
        FrameFormat format, byte[] frame)
    {
        int stride = scan.Tables.Length;
        ushort[] above = new ushort[format.Columns * stride];
        ushort[] current = new ushort[above.Length];
        short[] differences = new short[above.Length];
        int interval = restartRows == 0 ? format.Rows : restartRows;
        var writer = new LosslessRowWriter(frame, format, header.Precision, scan);
        for (int row = 0, restart = 0; row < format.Rows; restart++)
        {
            EntropyBits bits = EntropyBits.Take(codestream, position, out int next);
            try
            {
                int end = Math.Min(row + interval, format.Rows);
                for (int first = row; row < end; row++)
                {
                    ReadDifferences(ref bits, scan.Tables, differences);
                    LosslessPrediction.Undo(row == first ? 0 : scan.Predictor, 1 << (header.Precision - scan.PointTransform - 1), differences, above, current, stride);
                    writer.Write(current, row);
                    (above, current) = (current, above);
                }

                bits.RequireNotPassed();
            }
            finally
            {
                bits.Dispose();
            }

            position = next;
            if (row < format.Rows)
            {
                int expected = JpegSegments.Restart0 + (restart & 7);
                if (position + 1 >= codestream.Length || codestream[position + 1] != expected)
                {
                    throw new DicomContentException($"Restart marker {expected:X2} is missing after row {row}.", position);
                }

                position += 2;
            }
        }

        return position;
    }

    private static void ReadDifferences(ref EntropyBits source, LosslessTable[] tables, Span<short> differences)
    {
        if (tables.Length == 1)
        {
            ReadDifferences(ref source, tables[0], differences);
            return;
        }

        EntropyBits bits = source;
        for (int i = 0; i < differences.Length;)
        {
            foreach (LosslessTable table in tables)
            {
                bits.Refill();
                uint entry = table.Entries[bits.Bits >> (64 - LosslessTable.LookupBits)];
                int used = (int)(entry & 0xFF);
                int difference = (int)entry >> 16;
                if ((entry & LosslessTable.Incomplete) != 0)
                {
                    difference = table.Decode(bits.Bits, out used);
                }

                bits.Bits <<= used;
                bits.Count -= used;
                differences[i++] = (short)difference;
            }
        }

        source = bits;
    }

    /// <summary>The same for one component, everything in registers.</summary>
    private static void ReadDifferences(ref EntropyBits source, LosslessTable table, Span<short> differences)
    {
        ref byte data = ref MemoryMarshal.GetReference(source.Data);
        ReadOnlySpan<uint> entries = table.Entries;
        int position = source.Position, count = source.Count, limit = source.Limit;
        ulong bits = source.Bits;
        for (int i = 0; i < differences.Length; i++)
        {
            if (position > limit)
            {
                throw EntropyBits.EndsEarly();
            }

            // Safe: position is at most limit, from which there are eight bytes.
            ulong word = System.Runtime.CompilerServices.Unsafe.ReadUnaligned<ulong>(ref System.Runtime.CompilerServices.Unsafe.Add(ref data, position));
            bits |= (BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(word) : word) >> count;
            position += (63 - count) >> 3;
            count |= 56;
            uint entry = entries[(int)(bits >> (64 - LosslessTable.LookupBits))];
            int used = (int)(entry & 0xFF);
            int difference = (int)entry >> 16;
            if ((entry & LosslessTable.Incomplete) != 0)
            {
                difference = table.Decode(bits, out used);
            }

            bits <<= used;
            count -= used;
            differences[i] = (short)difference;
        }

        source.Position = position;
        source.Count = count;
        source.Bits = bits;
    }
}
