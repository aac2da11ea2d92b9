using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Frames;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Tests.Protection;

public sealed class CodestreamContentTests
{
    private static readonly FrameFormat Format = new()
    {
        Rows = 40, Columns = 50, BitsAllocated = 16, BitsStored = 12, HighBit = 11, PhotometricInterpretation = "MONOCHROME2",
    };

    private static ReadOnlyMemory<byte> Empty() => new byte[Format.FrameLength];

    [Theory]
    [InlineData("1.2.840.10008.1.2.5")]
    [InlineData("1.2.840.10008.1.2.4.70")]
    [InlineData("1.2.840.10008.1.2.4.57")]
    public void What_encoders_write_is_pixels_alone_until_something_is_put_behind_or_into_it(string uid)
    {
        IPixelCodec codec = PixelCodecs.Find(TransferSyntax.Of(uid))!;
        byte[] frame = new byte[Format.FrameLength];
        for (int i = 0; i < frame.Length; i += 2)
        {
            frame[i] = (byte)(i * i / 7);
            frame[i + 1] = (byte)(i / 2 % 13);
        }

        byte[] codestream = codec.Encode(frame, Format);
        CodestreamContent.IsPixelsAlone(codestream, Format, () => frame).ShouldBeTrue();
        CodestreamContent.IsPixelsAlone((byte[])[.. codestream, .. "Secret^Name 1951"u8], Format, () => frame).ShouldBeFalse();
        CodestreamContent.IsPixelsAlone(codestream.AsSpan(0, codestream.Length / 2), Format, () => frame).ShouldBeFalse();
    }

    [Fact]
    public void Segments_that_can_hold_text_are_found_wherever_they_stand()
    {
        byte[] jpeg = PixelCodecs.Find(TransferSyntax.Of("1.2.840.10008.1.2.4.70"))!.Encode(new byte[Format.FrameLength], Format);
        With(0xFE, "Secret^Name"u8).ShouldBeFalse();
        With(0xFE, "LEAD Technologies 1.01"u8).ShouldBeFalse("digits can be a date of birth");
        With(0xFE, new byte[200]).ShouldBeFalse();
        With(0xE1, "Exif"u8).ShouldBeFalse();
        With(0xE0, [.. "JFIF\0"u8, 1, 2, 0, 0, 1, 0, 1, 0, 0]).ShouldBeTrue();
        With(0xE0, [.. "JFIF\0"u8, 1, 2, 1, 7, 1, 9, 1, 0, 0]).ShouldBeFalse("a density has four bytes to choose");
        With(0xE0, [.. "JFIF\0"u8, 1, 2, 0, 0, 1, 0, 1, 1, 1, 9, 9, 9]).ShouldBeFalse("a thumbnail");
        With(0xEE, [.. "Adobe"u8, 0, 100, 0, 0, 0, 0, 0]).ShouldBeFalse();
        With(0xEE, "Adobe and a name"u8).ShouldBeFalse();
        CodestreamContent.IsPixelsAlone([1, 2, 3, 4], Format, Empty).ShouldBeFalse("what is not known is not let through");

        bool With(byte marker, ReadOnlySpan<byte> content) =>
            CodestreamContent.IsPixelsAlone((byte[])[0xFF, 0xD8, 0xFF, marker, 0, (byte)(content.Length + 2), .. content, .. jpeg.AsSpan(2)], Format, Empty);
    }

    [Fact]
    public void Bytes_between_or_behind_the_segments_of_RLE_are_found()
    {
        byte[] rle = PixelCodecs.Find(TransferSyntax.Of("1.2.840.10008.1.2.5"))!.Encode(new byte[Format.FrameLength], Format);
        CodestreamContent.IsPixelsAlone(rle, Format, Empty).ShouldBeTrue();
        byte[] inHeader = (byte[])rle.Clone();
        inHeader[40] = (byte)'S';
        CodestreamContent.IsPixelsAlone(inHeader, Format, Empty).ShouldBeFalse();
        int second = BitConverter.ToInt32(rle, 8);
        byte[] between = [.. rle.AsSpan(0, second), .. "Name"u8, .. rle.AsSpan(second)];
        BitConverter.TryWriteBytes(between.AsSpan(8), second + 4);
        CodestreamContent.IsPixelsAlone(between, Format, Empty).ShouldBeFalse();
        CodestreamContent.IsPixelsAlone(rle, Format with { Rows = 41 }, Empty).ShouldBeFalse();
    }

    [Fact]
    public void No_bytes_make_it_fail()
    {
        var random = new Random(12);
        foreach (string uid in (string[])["1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70"])
        {
            byte[] codestream = PixelCodecs.Find(TransferSyntax.Of(uid))!.Encode(new byte[Format.FrameLength], Format);
            for (int round = 0; round < 5000; round++)
            {
                byte[] damaged = codestream[..random.Next(codestream.Length + 1)];
                for (int i = random.Next(4); i > 0 && damaged.Length > 0; i--)
                {
                    damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                }

                _ = CodestreamContent.IsPixelsAlone(damaged, Format, Empty);
            }
        }
    }

    [Fact]
    public void Most_real_codestreams_of_lossless_JPEG_and_RLE_hold_pixels_alone()
    {
        int plain = 0, all = 0;
        foreach (string path in Directory.EnumerateFiles(SharedData.Require("data/conformance"), "*", SearchOption.AllDirectories))
        {
            try
            {
                DicomFile file = DicomFile.Read(File.ReadAllBytes(path));
                if (file.DataSet.Find(Tags.PixelData)?.Fragments is not null
                    && file.TransferSyntax.UID is "1.2.840.10008.1.2.5" or "1.2.840.10008.1.2.4.57" or "1.2.840.10008.1.2.4.70")
                {
                    var frames = PixelFrames.Open(file.DataSet, file.TransferSyntax);
                    ReadOnlyMemory<byte> samples = frames.Read(0).Bytes;
                    all += frames.Format.SamplesPerPixel == 1 ? 1 : 0;
                    plain += frames.Format.SamplesPerPixel == 1 && CodestreamContent.IsPixelsAlone(frames.Codestream(0).Span, frames.Format, () => samples) ? 1 : 0;
                }
            }
            catch (Exception e) when (e is DicomContentException or PixelCodecRefusedException)
            {
                // Not an image, or damaged on purpose.
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{plain} of {all}");
        plain.ShouldBeGreaterThan(all / 2);
    }
}
