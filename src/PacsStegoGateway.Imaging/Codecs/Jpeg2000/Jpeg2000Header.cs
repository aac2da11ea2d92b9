using System.Buffers.Binary;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg2000;

/// <summary>The SIZ segment of a JPEG 2000 codestream (ITU-T T.800 A.5.1), read and judged before a library sees the bytes.</summary>
/// <param name="Codestream">The codestream itself, without the boxes of a JP2 file around it.</param>
/// <param name="Precision">Bits of a sample, the same in all components.</param>
/// <param name="IsSigned">Whether samples are two's complement.</param>
/// <param name="IsHighThroughput">Whether it may use the block coder of Part 15.</param>
internal sealed record Jpeg2000Header(ReadOnlyMemory<byte> Codestream, int Precision, bool IsSigned, bool IsHighThroughput)
{
    /// <summary>Bytes of an empty tile: start of tile-part, start of data.</summary>
    private const int LeastTileLength = 14;

    private static ReadOnlySpan<byte> Jp2Signature => [0, 0, 0, 12, (byte)'j', (byte)'P', (byte)' ', (byte)' '];

    /// <summary>Reads the header of a frame.</summary>
    /// <exception cref="DicomContentException">Damaged, or not a frame of that format.</exception>
    /// <exception cref="PixelCodecRefusedException">Subsampled components, or components that differ.</exception>
    public static Jpeg2000Header Read(ReadOnlyMemory<byte> bytes, FrameFormat format)
    {
        ReadOnlyMemory<byte> codestream = Unbox(bytes);
        ReadOnlySpan<byte> span = codestream.Span;
        if (span.Length < 45 || span[0] != 0xFF || span[1] != 0x4F || span[2] != 0xFF || span[3] != 0x51)
        {
            throw new DicomContentException("The bytes are no JPEG 2000 codestream.");
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(span[4..]);
        int components = BinaryPrimitives.ReadUInt16BigEndian(span[40..]);
        if (length != 38 + (3 * components) || span.Length < 4 + length)
        {
            throw new DicomContentException($"A SIZ segment of {length} bytes does not hold {components} components.");
        }

        long width = Field(span, 8) - (long)Field(span, 16), height = Field(span, 12) - (long)Field(span, 20);
        if (height != format.Rows || width != format.Columns)
        {
            throw new DicomContentException($"The codestream has {height} rows and {width} columns, the data set says {format.Rows} and {format.Columns}.");
        }

        if (components != format.SamplesPerPixel)
        {
            throw new DicomContentException($"The codestream has {components} components, the data set says {format.SamplesPerPixel}.");
        }

        RequireTiles(span);
        for (int i = 0; i < components; i++)
        {
            if (span[42 + (3 * i)] != span[42] || span[43 + (3 * i)] != 1 || span[44 + (3 * i)] != 1)
            {
                throw PixelCodecRefusedException.NotSupported("JPEG 2000 with subsampled components, or components of different depth, is not supported.");
            }
        }

        Jpeg2000Cost.Require(span);
        int precision = (span[42] & 0x7F) + 1;
        return precision <= format.BitsAllocated
            ? new Jpeg2000Header(codestream, precision, (span[42] & 0x80) != 0, (BinaryPrimitives.ReadUInt16BigEndian(span[6..]) & 0x4000) != 0)
            : throw new DicomContentException($"The codestream has samples of {precision} bits, the data set allocates {format.BitsAllocated}.");
    }

    /// <summary>Throws unless the tiles are possible and no more than the bytes can hold: a library keeps kilobytes for each.</summary>
    private static void RequireTiles(ReadOnlySpan<byte> span)
    {
        long tileWidth = Field(span, 24), tileHeight = Field(span, 28), tileX = Field(span, 32), tileY = Field(span, 36);
        long x = Field(span, 16), y = Field(span, 20);
        if (tileWidth == 0 || tileHeight == 0 || tileX > x || tileY > y || tileX + tileWidth <= x || tileY + tileHeight <= y)
        {
            throw new DicomContentException("The tiles of the codestream do not cover the image.");
        }

        long tiles = Count(Field(span, 8) - tileX, tileWidth) * Count(Field(span, 12) - tileY, tileHeight);
        if (tiles > 65535 || tiles * LeastTileLength > span.Length)
        {
            throw new DicomContentException($"{span.Length} bytes of JPEG 2000 cannot hold {tiles} tiles.");
        }

        static long Count(long length, long tile) => (length + tile - 1) / tile;
    }

    /// <summary>DICOM wants a bare codestream (PS3.5 A.4.4), and some files hold a JP2 file (T.800 I) all the same.</summary>
    private static ReadOnlyMemory<byte> Unbox(ReadOnlyMemory<byte> bytes)
    {
        if (!bytes.Span.StartsWith(Jp2Signature))
        {
            return bytes;
        }

        ReadOnlySpan<byte> span = bytes.Span;
        long at = 0;
        while (span.Length - at >= 8)
        {
            ulong length = BinaryPrimitives.ReadUInt32BigEndian(span[(int)at..]);
            int header = 8;
            if (length == 1 && span.Length - at >= 16)
            {
                length = BinaryPrimitives.ReadUInt64BigEndian(span[((int)at + 8)..]);
                header = 16;
            }

            ulong left = (ulong)(span.Length - at);
            length = length == 0 ? left : length;
            if (span.Slice((int)at + 4, 4).SequenceEqual("jp2c"u8))
            {
                // A pad byte may have been counted, or not: what is left is the codestream.
                return bytes.Slice((int)at + header, (int)(Math.Min(left, Math.Max(length, (ulong)header)) - (ulong)header));
            }

            if (length < (ulong)header || length > left)
            {
                break;
            }

            at += (long)length;
        }

        throw new DicomContentException("The bytes are a JP2 file without a codestream.");
    }

    private static uint Field(ReadOnlySpan<byte> span, int at) => BinaryPrimitives.ReadUInt32BigEndian(span[at..]);
}
