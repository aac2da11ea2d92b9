using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

public sealed class RleCodecTests
{
    private const string RleLossless = "1.2.840.10008.1.2.5";

    private static IPixelCodec Codec => PixelCodecs.Find(TransferSyntax.Of(RleLossless))!;

    public static TheoryData<int, int, int, int, bool> Formats => new()
    {
        { 1, 1, 8, 1, false },
        { 33, 47, 8, 1, false },
        { 40, 300, 16, 1, true },
        { 17, 129, 32, 1, false },
        { 33, 47, 8, 3, false },
        { 33, 47, 8, 3, true },
        { 9, 128, 16, 3, false },
        { 9, 128, 16, 3, true },
        { 9, 31, 32, 3, false },
        { 21, 13, 1, 1, false },
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Frames_come_back_and_other_decoders_read_them(int rows, int columns, int bits, int samples, bool flag)
    {
        FrameFormat format = samples == 1 ? CodecFrames.Gray(rows, columns, bits, bits, flag) : CodecFrames.Colour(rows, columns, bits, flag);
        byte[] frame = CodecFrames.Make(format, rows + columns);
        byte[] codestream = Codec.Encode(frame, format);
        (codestream.Length & 1).ShouldBe(0);

        DecodedFrame decoded = Codec.Decode(codestream, format);
        decoded.Format.IsPlanar.ShouldBeFalse();
        decoded.Bytes.ShouldBe(CodecFrames.ByPixel(format, frame));

        // GDCM 3.0.21 puts the segments of colours wider than 8 bits in a wrong order, DCMTK does not; neither of them knows
        // packed bits: there the round trip must do.
        if (bits > 1)
        {
            Dictionary<string, byte[]> others = OtherDecoders.DecodeFrames(RleLossless, format with { IsPlanar = false }, codestream);
            others.ShouldContainKey("dcmdrle");
            if (samples > 1 && bits > 8)
            {
                others.Remove("gdcmconv");
            }

            foreach ((string name, byte[] bytes) in others)
            {
                bytes.AsSpan(0, frame.Length).SequenceEqual(decoded.Bytes).ShouldBeTrue(name);
            }
        }
    }

    [Fact]
    public void A_truncated_codestream_is_an_error_at_every_length()
    {
        FrameFormat format = CodecFrames.Gray(12, 20, 16, 16);
        byte[] frame = CodecFrames.Make(format, 1);
        byte[] codestream = Codec.Encode(frame, format);
        for (int length = 0; length < codestream.Length - 2; length++)
        {
            Should.Throw<DicomContentException>(() => Codec.Decode(codestream.AsMemory(0, length), format));
        }
    }

    [Fact]
    public void Flipped_bits_give_an_image_or_an_error()
    {
        FrameFormat format = CodecFrames.Colour(12, 20, 8);
        byte[] codestream = Codec.Encode(CodecFrames.Make(format, 2), format);
        Hostile.FlipBits(Codec, codestream, format, 2_000);
    }

    [Fact]
    public void A_frame_that_the_codestream_cannot_hold_is_not_allocated()
    {
        FrameFormat format = CodecFrames.Gray(20_000, 20_000, 8, 8);
        byte[] codestream = new byte[100];
        codestream[0] = 1;
        codestream[4] = 64;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Should.Throw<DicomContentException>(() => Codec.Decode(codestream, format)).Message.ShouldContain("cannot hold");
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(100_000);
    }

    [Theory]
    [InlineData(2, 64, "counts 2 segments")]
    [InlineData(1, 63, "begins at 63")]
    [InlineData(1, 101, "begins at 101")]
    public void A_header_that_does_not_fit_is_an_error(byte segments, byte offset, string message)
    {
        byte[] codestream = new byte[100];
        codestream[0] = segments;
        codestream[4] = offset;
        Should.Throw<DicomContentException>(() => Codec.Decode(codestream, CodecFrames.Gray(4, 4, 8, 8))).Message.ShouldContain(message);
    }

    [Fact]
    public void More_than_fifteen_segments_are_refused()
    {
        FrameFormat format = CodecFrames.Colour(2, 2, 32) with { SamplesPerPixel = 4 };
        Should.Throw<PixelCodecRefusedException>(() => Codec.Encode(new byte[64], format)).Reason.ShouldBe(PixelCodecRefusal.NotSupported);
        Should.Throw<PixelCodecRefusedException>(() => Codec.Decode(new byte[640], format)).Reason.ShouldBe(PixelCodecRefusal.NotSupported);
    }

    [Theory]
    [InlineData(0, 1, 8, 8, 1)]
    [InlineData(1, 65536, 8, 8, 1)]
    [InlineData(1, 1, 12, 12, 1)]
    [InlineData(1, 1, 16, 17, 1)]
    [InlineData(1, 1, 8, 8, 2)]
    [InlineData(65535, 65535, 8, 8, 1)]
    public void A_format_that_is_none_is_refused_before_anything_is_read(int rows, int columns, int allocated, int stored, int samples)
    {
        FrameFormat format = CodecFrames.Gray(rows, columns, allocated, stored) with { SamplesPerPixel = samples };
        format.Fault.ShouldNotBeNull();
        Should.Throw<ArgumentException>(() => Codec.Decode(new byte[100], format));
    }
}
