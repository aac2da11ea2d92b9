using System.Buffers.Binary;
using System.Runtime.InteropServices;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>
/// Sequential JPEG with DCT and Huffman coding for samples of 12 bits (T.81 process 4), which libjpeg-turbo 2 does not
/// decode. Components that are subsampled against each other are refused.
/// </summary>
internal sealed class DctDecoder
{
    private readonly JpegFrameHeader _header;
    private readonly FrameFormat _format;
    private readonly HuffmanCode?[] _codes = new HuffmanCode?[8];
    private readonly float[]?[] _quantization = new float[]?[4];
    private readonly byte[] _frame;
    private int _restartInterval;

    private DctDecoder(JpegFrameHeader header, FrameFormat format)
    {
        _header = header;
        _format = format;
        _frame = new byte[format.FrameLength];
    }

    /// <summary>One component in a scan, with what it is decoded by.</summary>
    private sealed record ScanComponent(int Index, DctTables Dc, DctTables Ac, float[] Quantization)
    {
        public int Prediction { get; set; }
    }

    /// <summary>Decodes a frame, colours by pixel, not converted.</summary>
    /// <exception cref="DicomContentException">Damaged.</exception>
    /// <exception cref="PixelCodecRefusedException">Subsampled components.</exception>
    public static byte[] Decode(ReadOnlySpan<byte> codestream, JpegFrameHeader header, FrameFormat format)
    {
        if (format.BitsAllocated != 16)
        {
            throw new DicomContentException($"JPEG of {header.Precision} bits does not go with {format.BitsAllocated} bits allocated.");
        }

        if (header.Components.Any(c => c.Horizontal != header.Components[0].Horizontal || c.Vertical != header.Components[0].Vertical))
        {
            throw PixelCodecRefusedException.NotSupported("JPEG with 12-bit samples and subsampled components is not decoded.");
        }

        return new DctDecoder(header, format).Decode(codestream);
    }

    private byte[] Decode(ReadOnlySpan<byte> codestream)
    {
        int missing = (1 << _header.Components.Length) - 1;
        var segments = new JpegSegments(codestream);
        while (segments.Next())
        {
            switch (segments.Marker)
            {
                case JpegSegments.HuffmanTables:
                    HuffmanCode.Read(segments.Content, _codes);
                    break;
                case JpegSegments.QuantizationTables:
                    DctTables.ReadQuantization(segments.Content, _quantization);
                    break;
                case JpegSegments.RestartInterval when segments.Content.Length == 2:
                    _restartInterval = BinaryPrimitives.ReadUInt16BigEndian(segments.Content);
                    break;
                case JpegSegments.StartOfScan:
                    segments.Position = DecodeScan(ReadScan(segments.Content, ref missing), codestream, segments.Position);
                    if (missing == 0)
                    {
                        return _frame;
                    }

                    break;
            }
        }

        throw new DicomContentException("The codestream ends before all components are there.");
    }

    private ScanComponent[] ReadScan(ReadOnlySpan<byte> content, ref int missing)
    {
        // The last three bytes must be 0, 63 and 0 here, say nothing, and are wrong in files that everybody reads.
        if (content.Length < 6 || content[0] is < 1 or > 4 || content.Length != 4 + (2 * content[0]))
        {
            throw new DicomContentException("A scan header of sequential JPEG is impossible.");
        }

        var scan = new ScanComponent[content[0]];
        for (int i = 0; i < scan.Length; i++)
        {
            byte id = content[1 + (2 * i)], slots = content[2 + (2 * i)];
            int index = Array.FindIndex(_header.Components, c => c.Id == id);
            if (index < 0 || (missing & (1 << index)) == 0)
            {
                throw new DicomContentException($"A scan names component {id}, which the frame has not or which was there already.");
            }

            missing &= ~(1 << index);
            if (_codes[(slots >> 4) & 3] is not { } dc || _codes[4 + (slots & 3)] is not { } ac || _quantization[_header.Components[index].QuantizationTable & 3] is not { } table)
            {
                throw new DicomContentException("A scan uses a table that is not defined.");
            }

            scan[i] = new ScanComponent(index, new DctTables(dc), new DctTables(ac), table);
        }

        return scan;
    }

    /// <returns>Where the marker behind the scan is.</returns>
    private int DecodeScan(ScanComponent[] scan, ReadOnlySpan<byte> codestream, int position)
    {
        int across = (_format.Columns + 7) / 8, down = (_format.Rows + 7) / 8;
        int count = across * down, interval = _restartInterval == 0 ? count : _restartInterval;
        Span<float> block = stackalloc float[64];
        for (int at = 0, restart = 0; at < count; restart++)
        {
            EntropyBits bits = EntropyBits.Take(codestream, position, out int next);
            try
            {
                foreach (ScanComponent component in scan)
                {
                    component.Prediction = 0;
                }

                for (int end = Math.Min(count, at + interval); at < end; at++)
                {
                    foreach (ScanComponent component in scan)
                    {
                        ReadBlock(ref bits, component, block);
                        InverseTransform.Apply(block);
                        Store(block, component.Index, at % across * 8, at / across * 8);
                    }
                }

                bits.RequireNotPassed();
            }
            finally
            {
                bits.Dispose();
            }

            position = next;
            if (at < count)
            {
                int expected = JpegSegments.Restart0 + (restart & 7);
                if (position + 1 >= codestream.Length || codestream[position + 1] != expected)
                {
                    throw new DicomContentException($"Restart marker {expected:X2} is missing after block {at}.", position);
                }

                position += 2;
            }
        }

        return position;
    }

    /// <summary>Reads the coefficients of a block and multiplies them by their steps (T.81 F.2.2).</summary>
    private static void ReadBlock(ref EntropyBits bits, ScanComponent component, scoped Span<float> block)
    {
        block.Clear();
        int size = component.Dc.Take(ref bits);
        if (size > 15)
        {
            throw new DicomContentException($"A DC coefficient of {size} bits is impossible.");
        }

        component.Prediction += size == 0 ? 0 : DctTables.TakeNumber(ref bits, size);
        block[0] = component.Prediction * component.Quantization[0];
        for (int k = 1; k < 64; k++)
        {
            int symbol = component.Ac.Take(ref bits);
            size = symbol & 15;
            if (size == 0)
            {
                if (symbol != 0xF0)
                {
                    return;
                }

                k += 15;
                continue;
            }

            k += symbol >> 4;
            if (k > 63)
            {
                throw new DicomContentException("A block has more than 64 coefficients.");
            }

            block[DctTables.ZigZag[k]] = DctTables.TakeNumber(ref bits, size) * component.Quantization[k];
        }
    }

    private void Store(ReadOnlySpan<float> block, int component, int left, int top)
    {
        Span<ushort> target = MemoryMarshal.Cast<byte, ushort>(_frame.AsSpan());
        int colours = _format.SamplesPerPixel, spare = 32 - _header.Precision;
        float shift = (1 << (_header.Precision - 1)) + 0.5f, most = (1 << _header.Precision) - 1;
        int width = Math.Min(8, _format.Columns - left), height = Math.Min(8, _format.Rows - top);
        for (int y = 0; y < height; y++)
        {
            int at = ((((top + y) * _format.Columns) + left) * colours) + component;
            for (int x = 0; x < width; x++, at += colours)
            {
                int sample = (int)Math.Clamp(block[(y * 8) + x] + shift, 0, most);
                target[at] = (ushort)(_format.IsSigned ? sample << spare >> spare : sample);
            }
        }
    }
}
