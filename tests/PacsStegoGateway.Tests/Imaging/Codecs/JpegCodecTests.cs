using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Codecs.Jpeg;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

public sealed class JpegCodecTests
{
    private const string Baseline = "1.2.840.10008.1.2.4.50";

    private static JpegCodec Codec => PixelCodecs.Jpeg;

    [Fact]
    public void Gray_pictures_are_close_to_what_they_were_and_others_decode_the_same()
    {
        FrameFormat format = CodecFrames.Gray(50, 70, 8, 8);
        byte[] frame = Smooth(format);
        byte[] stream = Codec.EncodeLossy(frame, format, 95);
        DecodedFrame decoded = Codec.Decode(stream, format);
        Worst(decoded.Bytes, frame).ShouldBeInRange(1, 6);
        decoded.Format.ShouldBe(format);
        Dictionary<string, byte[]> others = OtherDecoders.DecodeFrames(Baseline, format, stream);
        others.Count.ShouldBe(2);
        foreach ((string name, byte[] bytes) in others)
        {
            Worst(decoded.Bytes, bytes[..frame.Length]).ShouldBeLessThanOrEqualTo(1, name);
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Colours_come_out_as_YBR_FULL_as_they_are_coded(bool subsampled, bool isPlanar)
    {
        FrameFormat format = CodecFrames.Colour(48, 64, 8, isPlanar);
        byte[] frame = Smooth(format);
        byte[] stream = Codec.EncodeLossy(frame, format, 95, subsampled);
        FrameFormat coded = format with { IsPlanar = false, PhotometricInterpretation = subsampled ? "YBR_FULL_422" : "YBR_FULL" };
        DecodedFrame decoded = Codec.Decode(stream, coded);
        decoded.Format.PhotometricInterpretation.ShouldBe("YBR_FULL");
        decoded.Format.IsPlanar.ShouldBeFalse();
        byte[] rgb = ToRgb(decoded.Bytes);
        Worst(rgb, CodecFrames.ByPixel(format, frame)).ShouldBeInRange(1, 12);

        // A data set that calls it RGB is not believed: the stream says JFIF, which is always Y, Cb, Cr.
        Codec.Decode(stream, coded with { PhotometricInterpretation = "RGB" }).Format.PhotometricInterpretation.ShouldBe("YBR_FULL");
        Worst(OtherDecoders.DecodeFrames(Baseline, coded, stream)["dcmdjpeg"][..frame.Length], decoded.Bytes).ShouldBeLessThanOrEqualTo(1);
    }

    [Fact]
    public void A_stream_that_says_RGB_is_RGB_whatever_the_data_set_says()
    {
        FrameFormat format = CodecFrames.Colour(16, 16, 8);
        byte[] stream = JpegColours.WithoutTransform(Codec.EncodeLossy(Smooth(format), format, 90));
        Codec.Decode(stream, format with { PhotometricInterpretation = "YBR_FULL" }).Format.PhotometricInterpretation.ShouldBe("RGB");
    }

    [Fact]
    public void Damaged_streams_give_an_image_or_an_error_and_truncated_ones_an_error()
    {
        FrameFormat format = CodecFrames.Colour(16, 24, 8);
        byte[] stream = Codec.EncodeLossy(CodecFrames.Make(format, 2), format, 60, subsampled: true);
        for (int length = 0; length < stream.Length - 4; length++)
        {
            Should.Throw<DicomContentException>(() => Codec.Decode(stream.AsMemory(0, length), format), $"{length} of {stream.Length}");
        }

        Hostile.FlipBits(Codec, stream, format, 3_000);
    }

    [Fact]
    public void A_stream_of_another_size_or_one_that_cannot_hold_the_frame_is_an_error()
    {
        FrameFormat format = CodecFrames.Gray(8, 16, 8, 8);
        byte[] stream = Codec.EncodeLossy(new byte[128], format, 90);
        Should.Throw<DicomContentException>(() => Codec.Decode(stream, format with { Rows = 16 })).Message.ShouldContain("8 rows and 16 columns");
        int at = stream.AsSpan().IndexOf((byte[])[0xFF, 0xC0]);
        (stream[at + 5], stream[at + 6], stream[at + 7], stream[at + 8]) = (0x4E, 0x20, 0x4E, 0x20);
        Should.Throw<DicomContentException>(() => Codec.Decode(stream, CodecFrames.Gray(20_000, 20_000, 8, 8))).Message.ShouldContain("cannot hold");
    }

    [Fact]
    public void What_is_not_decoded_is_refused_by_name()
    {
        FrameFormat format = CodecFrames.Gray(8, 16, 8, 8);
        byte[] stream = Codec.EncodeLossy(new byte[128], format, 90);
        int at = stream.AsSpan().IndexOf((byte[])[0xFF, 0xC0]);
        stream[at + 1] = 0xC9;
        Should.Throw<PixelCodecRefusedException>(() => Codec.Decode(stream, format)).Message.ShouldContain("SOF9");
        Codec.CanEncode.ShouldBeFalse();
        Should.Throw<PixelCodecRefusedException>(() => ((IPixelCodec)Codec).Encode(new byte[128], format)).Reason.ShouldBe(PixelCodecRefusal.NotSupported);
        Should.Throw<PixelCodecRefusedException>(() => Codec.EncodeLossy(new byte[256], CodecFrames.Gray(8, 16, 16, 12), 90)).Reason.ShouldBe(PixelCodecRefusal.NotSupported);
        Should.Throw<ArgumentOutOfRangeException>(() => Codec.EncodeLossy(new byte[128], format, 0));
    }

    [Fact]
    public void Twelve_bits_are_decoded_as_DCMTK_decodes_them_and_damage_is_an_error()
    {
        FrameFormat format = CodecFrames.Gray(45, 61, 16, 12);
        byte[] frame = new byte[format.FrameLength];
        for (int i = 0; i < format.SampleCount; i++)
        {
            BitConverter.TryWriteBytes(frame.AsSpan(2 * i), (ushort)(1000 + (i * 7 % 61 * 20) + (i / 61 * 30)));
        }

        byte[] stream = OtherDecoders.Encode(["dcmcjpeg", "+ee"], format, frame);
        byte[] decoded = Codec.Decode(stream, format).Bytes;
        byte[] theirs = OtherDecoders.DecodeFrames("1.2.840.10008.1.2.4.51", format, stream)["dcmdjpeg"];
        for (int i = 0; i < format.SampleCount; i++)
        {
            Math.Abs(BitConverter.ToUInt16(decoded, 2 * i) - BitConverter.ToUInt16(theirs, 2 * i)).ShouldBeLessThanOrEqualTo(1);
        }

        for (int length = 0; length < stream.Length - 4; length += 3)
        {
            Should.Throw<DicomContentException>(() => Codec.Decode(stream.AsMemory(0, length), format));
        }

        Hostile.FlipBits(Codec, stream, format, 2_000);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Eight_bits_in_32_allocated_are_widened(bool isSigned)
    {
        FrameFormat format = CodecFrames.Gray(16, 16, 8, 8);
        byte[] stream = Codec.EncodeLossy(Smooth(format) is var frame && isSigned ? [.. frame.Select(static s => (byte)(s + 100))] : frame, format, 95);
        byte[] narrow = Codec.Decode(stream, format).Bytes;
        byte[] wide = Codec.Decode(stream, CodecFrames.Gray(16, 16, 32, 8, isSigned)).Bytes;
        for (int i = 0; i < narrow.Length; i++)
        {
            BitConverter.ToInt32(wide, 4 * i).ShouldBe(isSigned ? (sbyte)narrow[i] : narrow[i]);
        }
    }

    [Fact]
    public void Application_segments_do_not_count_as_pixels()
    {
        FrameFormat format = CodecFrames.Gray(8, 16, 8, 8);
        byte[] stream = Codec.EncodeLossy(new byte[128], format, 90);
        int at = stream.AsSpan().IndexOf((byte[])[0xFF, 0xC0]);
        (stream[at + 5], stream[at + 6], stream[at + 7], stream[at + 8]) = (0x0F, 0xA0, 0x0F, 0xA0);
        byte[] padded = [.. stream[..2], 0xFF, 0xE9, 0xFF, 0xFF, .. new byte[65533], .. stream[2..]];
        Should.Throw<DicomContentException>(() => Codec.Decode(padded, CodecFrames.Gray(4000, 4000, 8, 8))).Message.ShouldContain("cannot hold 16000000 pixels");
    }

    [Fact]
    public void Progressive_streams_of_many_scans_or_with_a_warning_are_errors()
    {
        FrameFormat format = CodecFrames.Gray(8, 8, 8, 8);
        Codec.Decode(Progressive(10), format).Bytes.Length.ShouldBe(64);
        Should.Throw<DicomContentException>(() => Codec.Decode(Progressive(64), format)).Message.ShouldContain("more than 64 scans");
        byte[] damaged = Progressive(2);
        Should.Throw<DicomContentException>(() => Codec.Decode((byte[])[.. damaged[..^3], 0xFF, 0xD9], format)).Message.ShouldContain("premature end");
    }

    /// <summary>One block: a scan of its DC coefficient and then scans of its AC coefficients, codes of one bit that mean nothing.</summary>
    private static byte[] Progressive(int refinements)
    {
        byte[] code = [1, .. new byte[15], 0];
        List<byte> stream = [0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0, .. Enumerable.Repeat((byte)1, 64), 0xFF, 0xC2, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
            0xFF, 0xC4, 0, 20, 0, .. code, 0xFF, 0xC4, 0, 20, 0x10, .. code, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0, 0x7F];
        for (int i = 0; i < refinements; i++)
        {
            byte k = (byte)((i % 63) + 1);
            stream.AddRange([0xFF, 0xDA, 0, 8, 1, 1, 0, k, k, 0, 0x7F]);
        }

        return [.. stream, 0xFF, 0xD9];
    }

    private static byte[] Smooth(FrameFormat format)
    {
        byte[] frame = new byte[format.FrameLength];
        for (int i = 0; i < frame.Length; i++)
        {
            int sample = format.IsPlanar ? i / (int)format.PixelCount : i % format.SamplesPerPixel;
            int pixel = format.IsPlanar ? i % (int)format.PixelCount : i / format.SamplesPerPixel;
            int x = pixel % format.Columns, y = pixel / format.Columns;
            frame[i] = (byte)(40 + x + ((sample + 1) * y / 2));
        }

        return frame;
    }

    private static int Worst(byte[] left, byte[] right) => left.Zip(right, static (a, b) => Math.Abs(a - b)).Max();

    private static byte[] ToRgb(byte[] ycc)
    {
        byte[] rgb = new byte[ycc.Length];
        for (int i = 0; i < ycc.Length; i += 3)
        {
            double y = ycc[i], cb = ycc[i + 1] - 128, cr = ycc[i + 2] - 128;
            rgb[i] = (byte)Math.Clamp(Math.Round(y + (1.402 * cr)), 0, 255);
            rgb[i + 1] = (byte)Math.Clamp(Math.Round(y - (0.344136 * cb) - (0.714136 * cr)), 0, 255);
            rgb[i + 2] = (byte)Math.Clamp(Math.Round(y + (1.772 * cb)), 0, 255);
        }

        return rgb;
    }
}
