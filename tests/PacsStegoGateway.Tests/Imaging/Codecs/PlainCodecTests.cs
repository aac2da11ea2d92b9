using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

/// <summary>Encapsulated uncompressed and deflated frames.</summary>
public sealed class PlainCodecTests
{
    private const string Uncompressed = "1.2.840.10008.1.2.1.98";
    private const string Deflated = "1.2.840.10008.1.2.8.1";

    [Theory]
    [InlineData(Uncompressed)]
    [InlineData(Deflated)]
    public void Frames_come_back(string uid)
    {
        IPixelCodec codec = PixelCodecs.Find(TransferSyntax.Of(uid))!;
        foreach (FrameFormat format in (FrameFormat[])[CodecFrames.Gray(7, 9, 8, 8), CodecFrames.Gray(7, 9, 1, 1), CodecFrames.Colour(7, 9, 16, isPlanar: true)])
        {
            byte[] frame = CodecFrames.Make(format, 4);
            byte[] codestream = codec.Encode(frame, format);
            (codestream.Length & 1).ShouldBe(0);
            codec.Decode(codestream, format).Bytes.ShouldBe(CodecFrames.ByPixel(format, frame));
            for (int length = 0; length < codestream.Length - 2; length++)
            {
                Should.Throw<DicomContentException>(() => codec.Decode(codestream.AsMemory(0, length), format));
            }

            Hostile.FlipBits(codec, codestream, format, 200);
        }
    }

    [Fact]
    public void A_frame_that_deflated_bytes_cannot_hold_is_not_allocated() =>
        Should.Throw<DicomContentException>(() => PixelCodecs.Find(TransferSyntax.Of(Deflated))!.Decode(new byte[50], CodecFrames.Gray(20_000, 20_000, 8, 8)))
            .Message.ShouldContain("cannot hold");

    [Fact]
    public void The_same_mask_of_bits_is_decoded_from_deflate_RLE_and_JPEG_2000()
    {
        CompressedFile[] files = [.. CompressedFile.All(Deflated, "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90")];
        foreach (string name in (string[])["liver", "liver_nonbyte_aligned"])
        {
            byte[] deflated = Decode($"{name}_deflate.dcm"), rle = Decode($"{name}_rle.dcm");
            deflated.ShouldBe(rle, name);
            deflated.ShouldBe(Decode($"{name}_j2k.dcm"), name);
            deflated.ShouldContain((byte)0xFF);
        }

        byte[] Decode(string name)
        {
            CompressedFile file = files.Single(f => f.Name == name);
            return [.. file.Frames.SelectMany(f => PixelCodecs.Find(file.TransferSyntax)!.Decode(f, file.Format).Bytes)];
        }
    }
}
