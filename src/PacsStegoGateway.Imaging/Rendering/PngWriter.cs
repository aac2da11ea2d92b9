using System.Buffers.Binary;
using System.IO.Compression;

namespace PacsStegoGateway.Imaging;

/// <summary>Writes a picture as PNG (ISO/IEC 15948): RGB, 8 bits, no interlace.</summary>
/// <remarks>
/// <code>
/// signature 8 | chunk IHDR | chunk IDAT | chunk IEND;   chunk = length 4, type 4, data, CRC-32 of type and data
/// </code>
/// No image library can be had that restores; a PNG of raw pixels is a zlib stream with a frame around it.
/// </remarks>
public static class PngWriter
{
    private static readonly uint[] CrcTable = MakeCrcTable();

    public static void Write(Picture picture, Stream output)
    {
        output.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, picture.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), picture.Height);
        header[8] = 8; // bits a sample
        header[9] = 2; // colour type: truecolour
        WriteChunk(output, "IHDR"u8, header);

        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.Optimal, leaveOpen: true))
        {
            int stride = picture.Width * 3;
            for (int y = 0; y < picture.Height; y++)
            {
                zlib.WriteByte(0); // filter type: none
                zlib.Write(picture.Rgb, y * stride, stride);
            }
        }

        WriteChunk(output, "IDAT"u8, data.GetBuffer().AsSpan(0, (int)data.Length));
        WriteChunk(output, "IEND"u8, []);
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
