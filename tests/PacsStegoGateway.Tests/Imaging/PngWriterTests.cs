using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Tests.Imaging;

public sealed class PngWriterTests
{
    [Fact]
    public void A_picture_comes_back_pixel_for_pixel()
    {
        var picture = new Picture(13, 7);
        for (int i = 0; i < picture.Rgb.Length; i++)
        {
            picture.Rgb[i] = (byte)(i * 31);
        }

        using var stream = new MemoryStream();
        PngWriter.Write(picture, stream);
        byte[] png = stream.ToArray();
        png.AsSpan(0, 8).ToArray().ShouldBe([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);

        // The CRC of an empty IEND chunk is a constant of the standard's: it holds our CRC-32 to an outside truth.
        png.AsSpan(png.Length - 12).ToArray().ShouldBe([0, 0, 0, 0, (byte)'I', (byte)'E', (byte)'N', (byte)'D', 0xAE, 0x42, 0x60, 0x82]);

        int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(33));
        Encoding.ASCII.GetString(png, 37, 4).ShouldBe("IDAT");
        using var zlib = new ZLibStream(new MemoryStream(png, 41, length), CompressionMode.Decompress);
        byte[] rows = new byte[7 * ((13 * 3) + 1)];
        zlib.ReadExactly(rows);
        for (int y = 0; y < 7; y++)
        {
            rows[y * 40].ShouldBe((byte)2, "the filter that says: difference from the row above");
            for (int i = 1; i < 40; i++)
            {
                rows[(y * 40) + i] += y == 0 ? (byte)0 : rows[((y - 1) * 40) + i];
            }

            rows.AsSpan((y * 40) + 1, 39).ToArray().ShouldBe(picture.Rgb.AsSpan(y * 39, 39).ToArray());
        }
    }

    [Fact]
    public void Captions_stay_inside_the_picture()
    {
        var picture = new Picture(20, 8);
        Caption.Draw(picture, "a caption that is far too long for it, ü included", 0, 0, 2);
        picture.Rgb.ShouldContain((byte)255);
    }
}
