using System.Buffers.Binary;
using System.IO.Compression;
using PacsStegoGateway.Imaging.Rendering;

namespace PacsStegoGateway.Imaging;

/// <summary>Writes pictures as PNG (ISO/IEC 15948), no interlace.</summary>
/// <remarks>
/// <code>
/// signature 8 | chunk IHDR | chunk IDAT | chunk IEND;   chunk = length 4, type 4, data, CRC-32 of type and data
/// </code>
/// No image library can be had that restores; a PNG of raw pixels is a zlib stream with a frame around it.
/// </remarks>
public static class PngWriter
{
    private static readonly uint[] CrcTable = MakeCrcTable();

    public static void Write(Picture picture, Stream output) =>
        Write(new RenderedFrame(picture.Width, picture.Height, 3, 8, picture.Rgb, null), output);

    /// <summary>Writes gray or RGB of 8 or 16 bits.</summary>
    public static void Write(RenderedFrame picture, Stream output)
    {
        output.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, picture.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), picture.Height);
        header[8] = (byte)picture.BitsPerSample;
        header[9] = (byte)(picture.Channels == 1 ? 0 : 2); // colour type: grayscale or truecolour
        WriteChunk(output, "IHDR"u8, header);

        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.Optimal, leaveOpen: true))
        {
            WriteRows(picture, zlib);
        }

        WriteChunk(output, "IDAT"u8, data.GetBuffer().AsSpan(0, (int)data.Length));
        WriteChunk(output, "IEND"u8, []);
    }

    /// <summary>Every row as its difference from the row above (filter type 2): what images of bodies shrink best with, for its cost.</summary>
    private static void WriteRows(RenderedFrame picture, Stream output)
    {
        int stride = picture.Width * picture.Channels * picture.BitsPerSample / 8;
        byte[] filtered = new byte[stride + 1];
        filtered[0] = 2;
        for (int y = 0; y < picture.Height; y++)
        {
            ReadOnlySpan<byte> row = picture.Samples.AsSpan(y * stride, stride);
            ReadOnlySpan<byte> above = y == 0 ? new byte[stride] : picture.Samples.AsSpan((y - 1) * stride, stride);
            for (int i = 0; i < stride; i++)
            {
                filtered[i + 1] = (byte)(row[i] - above[i]);
            }

            output.Write(filtered);
        }
    }

    private static void WriteChunk(Stream output, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        output.Write(number);
        output.Write(type);
        output.Write(data);
        uint crc = ~Crc(Crc(0xFFFFFFFF, type), data);
        BinaryPrimitives.WriteUInt32BigEndian(number, crc);
        output.Write(number);
    }

    private static uint Crc(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (byte b in data)
        {
            crc = CrcTable[(crc ^ b) & 0xFF] ^ (crc >> 8);
        }

        return crc;
    }

    private static uint[] MakeCrcTable()
    {
        uint[] table = new uint[256];
        for (uint n = 0; n < 256; n++)
        {
            uint c = n;
            for (int k = 0; k < 8; k++)
            {
                c = (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
            }

            table[n] = c;
        }

        return table;
    }
}
