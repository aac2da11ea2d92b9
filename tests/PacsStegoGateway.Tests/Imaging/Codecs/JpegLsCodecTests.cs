using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Codecs.JpegLs;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

public sealed class JpegLsCodecTests
{
    private const string Lossless = "1.2.840.10008.1.2.4.80";
    private const string NearLossless = "1.2.840.10008.1.2.4.81";

    private static JpegLsCodec Codec => PixelCodecs.JpegLs;

    public static TheoryData<int, int, int, int, int, bool> Formats => new()
    {
        { 1, 1, 8, 8, 1, false },
        { 64, 65, 8, 8, 1, false },
        { 64, 65, 8, 5, 1, true },
        { 96, 128, 16, 16, 1, false },
        { 96, 128, 16, 16, 1, true },
        { 96, 128, 16, 12, 1, false },
        { 96, 128, 16, 12, 1, true },
        { 33, 300, 16, 8, 1, false },
        { 33, 300, 16, 7, 1, true },
        { 64, 65, 8, 8, 3, false },
        { 64, 65, 8, 8, 3, true },
        { 20, 31, 16, 16, 3, false },
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Frames_come_back_and_other_decoders_read_them(int rows, int columns, int allocated, int stored, int samples, bool flag)
    {
        FrameFormat format = samples == 1 ? CodecFrames.Gray(rows, columns, allocated, stored, flag) : CodecFrames.Colour(rows, columns, allocated, flag);
        byte[] frame = CodecFrames.Make(format, rows + columns + stored);
        byte[] codestream = Codec.Encode(frame, format);
        (codestream.Length & 1).ShouldBe(0);
        byte[] decoded = Codec.Decode(codestream, format).Bytes;
        decoded.ShouldBe(CodecFrames.ByPixel(format, frame));

        Dictionary<string, byte[]> others = OtherDecoders.DecodeFrames(Lossless, format with { IsPlanar = false }, codestream);
        if (columns > 1)
        {
            others.ShouldNotBeEmpty();
        }

        foreach ((string name, byte[] bytes) in others)
        {
            OtherDecoders.CountDifferent(format, bytes, decoded).ShouldBe(0, name);
        }
    }

    [Theory]
    [InlineData(8, 8, 3)]
    [InlineData(16, 12, 10)]
    [InlineData(16, 16, 2)]
    public void Near_lossless_changes_no_sample_by_more_than_it_may(int allocated, int stored, int near)
    {
        FrameFormat format = CodecFrames.Gray(60, 60, allocated, stored);
        byte[] frame = CodecFrames.Make(format, 9);
        byte[] codestream = Codec.Encode(frame, format, near);
        byte[] decoded = PixelCodecs.Find(TransferSyntax.Of(NearLossless))!.Decode(codestream, format).Bytes;
        int worst = 0;
        for (int i = 0; i < format.SampleCount; i++)
        {
            worst = Math.Max(worst, Math.Abs(Sample(frame, i) - Sample(decoded, i)));
        }

        worst.ShouldBe(near);
        foreach ((string name, byte[] bytes) in OtherDecoders.DecodeFrames(NearLossless, format, codestream))
        {
            OtherDecoders.CountDifferent(format, bytes, decoded).ShouldBe(0, name);
        }

        int Sample(byte[] bytes, int i) => allocated == 8 ? bytes[i] : BitConverter.ToUInt16(bytes, 2 * i);
    }

    [Fact]
    public void Bits_above_the_samples_come_back_too()
    {
        FrameFormat format = CodecFrames.Gray(40, 40, 16, 12);
        byte[] frame = CodecFrames.Make(format, 5);
        frame[77] |= 0x80;
        Codec.Decode(Codec.Encode(frame, format), format).Bytes.ShouldBe(frame);
    }

    [Fact]
    public void Noise_that_grows_still_finds_room()
    {
        FrameFormat format = CodecFrames.Gray(200, 200, 16, 16);
        byte[] frame = new byte[format.FrameLength];
        new Random(1).NextBytes(frame);
        Codec.Decode(Codec.Encode(frame, format), format).Bytes.ShouldBe(frame);
    }

    [Fact]
    public void A_scan_that_ends_with_a_zero_too_many_is_decoded_all_the_same()
    {
        FrameFormat format = CodecFrames.Gray(30, 40, 16, 12);
        byte[] frame = CodecFrames.Make(format, 3);
        ReadOnlySpan<byte> codestream = Codec.Encode(frame, format).AsSpan().TrimEnd((byte)0);
        byte[] padded = [.. codestream[..^2], 0, .. codestream[^2..]];
        Codec.Decode(padded, format).Bytes.ShouldBe(frame);
        padded[^3] = 7;
        Should.Throw<DicomContentException>(() => Codec.Decode(padded, format));
    }

    [Fact]
    public void Damaged_codestreams_give_an_image_or_an_error()
    {
        FrameFormat format = CodecFrames.Gray(12, 20, 16, 12);
        byte[] codestream = Codec.Encode(CodecFrames.Make(format, 1), format);
        Hostile.Truncate(Codec, codestream, format);
        Hostile.FlipBits(Codec, codestream, format, 3_000);
        format = CodecFrames.Colour(12, 20, 8);
        Hostile.FlipBits(Codec, Codec.Encode(CodecFrames.Make(format, 2), format), format, 3_000);
        Should.Throw<DicomContentException>(() => Codec.Decode(codestream.AsMemory(0, codestream.Length / 2), format));
    }

    [Fact]
    public void A_codestream_of_another_size_or_process_is_an_error()
    {
        FrameFormat format = CodecFrames.Gray(4, 6, 8, 8);
        byte[] codestream = Codec.Encode(new byte[24], format);
        Should.Throw<DicomContentException>(() => Codec.Decode(codestream, format with { Rows = 60_000, Columns = 8_000 })).Message.ShouldContain("4 rows and 6 columns");
        codestream[3] = 0xC3;
        Should.Throw<DicomContentException>(() => Codec.Decode(codestream, format)).Message.ShouldContain("no JPEG-LS");
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(128)]
    public void A_nearness_that_the_standard_has_not_is_a_misuse(int near) =>
        Should.Throw<ArgumentOutOfRangeException>(() => Codec.Encode(new byte[24], CodecFrames.Gray(4, 6, 8, 8), near));

    [Fact]
    public void Samples_of_1_or_32_bits_are_refused()
    {
        Should.Throw<PixelCodecRefusedException>(() => Codec.Encode(new byte[64], CodecFrames.Gray(4, 4, 32, 32))).Reason.ShouldBe(PixelCodecRefusal.NotSupported);
        Should.Throw<PixelCodecRefusedException>(() => Codec.Encode(new byte[2], CodecFrames.Gray(4, 4, 1, 1))).Reason.ShouldBe(PixelCodecRefusal.NotSupported);
    }

    [Fact]
    public void A_stream_without_its_end_is_an_error()
    {
        FrameFormat format = CodecFrames.Gray(12, 20, 16, 12);
        ReadOnlyMemory<byte> codestream = Codec.Encode(CodecFrames.Make(format, 1), format).AsMemory().TrimEnd((byte)0);
        Should.Throw<DicomContentException>(() => Codec.Decode(codestream[..^2], format)).Message.ShouldContain("no end of image");
        Should.Throw<DicomContentException>(() => Codec.Decode((byte[])[.. codestream[..^2].Span, 0xFF, 0xD9, 1, 1], format)).Message.ShouldContain("no end of image");
        Codec.Decode((byte[])[.. codestream.Span, 0, 0], format).Bytes.Length.ShouldBe(480);
    }

    [Fact]
    public void Scans_cut_short_filled_with_zeros_or_noise_end_at_once()
    {
        FrameFormat format = CodecFrames.Gray(64, 64, 16, 16);
        byte[] codestream = Codec.Encode(CodecFrames.Make(format, 1), format).AsSpan().TrimEnd((byte)0).ToArray();
        int start = codestream.AsSpan().IndexOf((byte[])[0xFF, 0xDA]) + 10;
        var random = new Random(5);
        for (int round = 0; round < 3_000; round++)
        {
            byte[] damaged = (byte[])codestream.Clone();
            int from = random.Next(start, damaged.Length - 2);
            Span<byte> rest = damaged.AsSpan(from..^2);
            if (round % 3 == 0)
            {
                rest.Clear();
            }
            else if (round % 3 == 1)
            {
                for (int i = 0; i < rest.Length; i++)
                {
                    rest[i] = (byte)(random.Next(5) == 0 ? random.Next(128) : 0);
                }
            }
            else
            {
                damaged = [.. damaged[..from], 0xFF, 0xD9];
            }

            var watch = System.Diagnostics.Stopwatch.StartNew();
            try
            {
                Codec.Decode(damaged, format);
            }
            catch (DicomContentException)
            {
                // What a damaged scan is meant to give.
            }

            watch.ElapsedMilliseconds.ShouldBeLessThan(2_000);
        }
    }

    [Fact]
    public void What_only_other_encoders_write_is_refused_by_name()
    {
        FrameFormat format = CodecFrames.Gray(8, 8, 8, 8);
        byte[] codestream = Codec.Encode(new byte[64], format);
        foreach (byte[] segment in (byte[][])[[0xFF, 0xF8, 0, 5, 2, 1, 1], [0xFF, 0xE8, 0, 7, .. "mrfx"u8, 1], [0xFF, 0xDD, 0, 4, 0, 8]])
        {
            Should.Throw<PixelCodecRefusedException>(() => Codec.Decode((byte[])[.. codestream[..2], .. segment, .. codestream[2..]], format)).Reason.ShouldBe(PixelCodecRefusal.NotSupported);
        }
    }
}
