using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Rle;

/// <summary>
/// RLE Lossless (PS3.5 Annex G): one segment for each byte of a composite pixel code, most significant byte first, colour
/// after colour; each segment is a PackBits run-length code.
/// </summary>
internal sealed class RleCodec : IPixelCodec
{
    private const int HeaderLength = 64;
    private const int MaxSegments = 15;

    public string? Unavailable => null;

    public bool CanEncode => true;

    public DecodedFrame Decode(ReadOnlyMemory<byte> codestream, FrameFormat format)
    {
        format.RequireSound();
        ReadOnlySpan<byte> bytes = codestream.Span;
        (int planes, int planeLength) = Layout(format);
        Span<int> ends = stackalloc int[MaxSegments + 1];
        ReadHeader(bytes, planes, ends);

        // Two bytes of code give 128 at most: a frame that the codestream cannot hold is never allocated.
        if (format.FrameLength > bytes.Length * 64L)
        {
            throw new DicomContentException($"{bytes.Length} bytes of RLE cannot hold a frame of {format.FrameLength} bytes.");
        }

        byte[] frame = new byte[format.FrameLength];
        if (planes == 1)
        {
            Unpack(bytes, ends[0], ends[1], frame, 0);
            return new DecodedFrame(frame, format with { IsPlanar = false });
        }

        int bytesPerSample = Math.Max(1, format.BitsAllocated / 8);
        byte[] rented = ArrayPool<byte>.Shared.Rent(planes * planeLength);
        try
        {
            for (int plane = 0; plane < planes; plane++)
            {
                Unpack(bytes, ends[plane], ends[plane + 1], rented.AsSpan(plane * planeLength, planeLength), plane);
            }

            if (planes == 2)
            {
                Zip(rented.AsSpan(0, planeLength), rented.AsSpan(planeLength, planeLength), MemoryMarshal.Cast<byte, ushort>(frame.AsSpan()));
            }
            else
            {
                for (int plane = 0; plane < planes; plane++)
                {
                    // Segment order is colour, then byte from the most significant on; the frame is by pixel and little endian.
                    int at = (plane / bytesPerSample * bytesPerSample) + (bytesPerSample - 1 - (plane % bytesPerSample));
                    foreach (byte value in rented.AsSpan(plane * planeLength, planeLength))
                    {
                        frame[at] = value;
                        at += planes;
                    }
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return new DecodedFrame(frame, format with { IsPlanar = false });
    }

    public byte[] Encode(ReadOnlySpan<byte> frame, FrameFormat format)
    {
        frame = format.RequireFrame(frame);
        (int planes, int planeLength) = Layout(format);
        int bytesPerSample = Math.Max(1, format.BitsAllocated / 8);
        int rowLength = format.BitsAllocated == 1 ? planeLength : format.Columns;
        byte[] plane = ArrayPool<byte>.Shared.Rent(planeLength);
        byte[] code = ArrayPool<byte>.Shared.Rent(HeaderLength + (planes * (PackBits.MaxLength(rowLength) * (planeLength / rowLength) + 1)));
        try
        {
            code.AsSpan(0, HeaderLength).Clear();
            BinaryPrimitives.WriteInt32LittleEndian(code, planes);
            int at = HeaderLength;
            for (int segment = 0; segment < planes; segment++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(code.AsSpan(4 + (4 * segment)), at);
                int sample = segment / bytesPerSample;
                int little = bytesPerSample - 1 - (segment % bytesPerSample);
                int from = (format.IsPlanar ? sample * planeLength * bytesPerSample : sample * bytesPerSample) + little;
                int step = format.IsPlanar ? bytesPerSample : planes;
                for (int i = 0; i < planeLength; i++, from += step)
                {
                    plane[i] = frame[from];
                }

                // G.3.1: no run crosses the end of a row.
                for (int row = 0; row < planeLength; row += rowLength)
                {
                    at += PackBits.Pack(plane.AsSpan(row, rowLength), code.AsSpan(at));
                }

                if ((at & 1) != 0)
                {
                    code[at++] = 0;
                }
            }

            return code.AsSpan(0, at).ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(plane);
            ArrayPool<byte>.Shared.Return(code);
        }
    }

    /// <summary>How many segments there are, and how many bytes each unpacks to.</summary>
    private static (int Planes, int PlaneLength) Layout(FrameFormat format)
    {
        if (format.BitsAllocated == 1)
        {
            return (1, (int)format.FrameLength);
        }

        int planes = format.SamplesPerPixel * format.BitsAllocated / 8;
        return planes <= MaxSegments
            ? (planes, (int)format.PixelCount)
            : throw PixelCodecRefusedException.NotSupported($"RLE holds {MaxSegments} segments, this format needs {planes}.");
    }

    /// <summary>Reads where the segments begin (G.5); the last entry is the end of the codestream.</summary>
    private static void ReadHeader(ReadOnlySpan<byte> bytes, int planes, Span<int> ends)
    {
        if (bytes.Length < HeaderLength)
        {
            throw new DicomContentException($"An RLE header has {HeaderLength} bytes, here are {bytes.Length}.");
        }

        uint count = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (count != planes)
        {
            throw new DicomContentException($"The RLE header counts {count} segments, the data set's format needs {planes}.");
        }

        uint before = HeaderLength;
        for (int i = 0; i < planes; i++)
        {
            uint offset = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 + (4 * i))..]);
            if (offset < before || offset > bytes.Length)
            {
                throw new DicomContentException($"RLE segment {i + 1} of {planes} begins at {offset}, which is not between {before} and {bytes.Length}.");
            }

            ends[i] = (int)offset;
            before = offset;
        }

        ends[planes] = bytes.Length;
    }

    private static void Unpack(ReadOnlySpan<byte> bytes, int from, int to, Span<byte> plane, int segment)
    {
        int unpacked = PackBits.Unpack(bytes[from..to], plane);
        if (unpacked < plane.Length)
        {
            throw new DicomContentException($"RLE segment {segment + 1} ends after {unpacked} of {plane.Length} bytes.");
        }
    }

    /// <summary>Puts the high and low bytes of 16-bit samples together.</summary>
    private static void Zip(ReadOnlySpan<byte> high, ReadOnlySpan<byte> low, Span<ushort> samples)
    {
        int i = 0;
        for (; i <= samples.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(high[i..]), out Vector<ushort> highFirst, out Vector<ushort> highSecond);
            Vector.Widen(new Vector<byte>(low[i..]), out Vector<ushort> lowFirst, out Vector<ushort> lowSecond);
            ((highFirst << 8) | lowFirst).CopyTo(samples[i..]);
            ((highSecond << 8) | lowSecond).CopyTo(samples[(i + Vector<ushort>.Count)..]);
        }

        for (; i < samples.Length; i++)
        {
            samples[i] = (ushort)((high[i] << 8) | low[i]);
        }
    }
}
