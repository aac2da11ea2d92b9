using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Codecs.Jpeg2000;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

public sealed class Jpeg2000CodecTests
{
    private const string Lossless = "1.2.840.10008.1.2.4.90";
    private const string Lossy = "1.2.840.10008.1.2.4.91";

    private static Jpeg2000Codec Codec => PixelCodecs.Jpeg2000;

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
        { 64, 65, 8, 8, 3, false },
        { 64, 65, 8, 8, 3, true },
        { 20, 31, 16, 16, 3, false },
        { 30, 29, 1, 1, 1, false },
        { 96, 128, 32, 20, 1, false },
        { 96, 128, 32, 24, 1, true },
        { 96, 128, 32, 24, 1, false },
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Frames_come_back_and_other_decoders_read_them(int rows, int columns, int allocated, int stored, int samples, bool flag)
    {
        FrameFormat format = samples == 1 ? CodecFrames.Gray(rows, columns, allocated, stored, flag) : CodecFrames.Colour(rows, columns, allocated, flag);
        byte[] frame = CodecFrames.Make(format, rows + columns + stored);
        byte[] codestream = Codec.Encode(frame, format);
        (codestream.Length & 1).ShouldBe(0);
        string coded = Codec.EncodedPhotometricInterpretation(format);
        coded.ShouldBe(samples == 3 ? "YBR_RCT" : "MONOCHROME2");
        DecodedFrame decoded = Codec.Decode(codestream, format with { PhotometricInterpretation = coded });
        decoded.Bytes.ShouldBe(CodecFrames.ByPixel(format, frame));
        decoded.Format.PhotometricInterpretation.ShouldBe(format.PhotometricInterpretation);

        // GDCM knows no packed bits, refuses more than 16 of them, and writes a byte for samples of 8 bits in 16.
        if (allocated is 8 or 16 && stored > allocated - 8)
        {
            Dictionary<string, byte[]> others = OtherDecoders.DecodeFrames(Lossless, format with { IsPlanar = false, PhotometricInterpretation = coded }, codestream);
            others.Count.ShouldBe(1);
            foreach ((string name, byte[] bytes) in others)
            {
                OtherDecoders.CountDifferent(format, bytes, decoded.Bytes).ShouldBe(0, name);
            }
        }
    }

    [Theory]
    [InlineData(1, 16)]
    [InlineData(3, 8)]
    public void Lossy_codestreams_have_the_size_asked_for_and_others_decode_the_same(int samples, int bits)
    {
        FrameFormat format = samples == 1 ? CodecFrames.Gray(256, 256, bits, 12) : CodecFrames.Colour(256, 256, bits);
        byte[] frame = CodecFrames.Make(format, 4);
        byte[] codestream = Codec.Encode(frame, format, ratio: 20);
        codestream.Length.ShouldBeLessThan((int)(format.FrameLength / 20 * 1.05));
        byte[] decoded = PixelCodecs.Find(TransferSyntax.Of(Lossy))!.Decode(codestream, format).Bytes;
        decoded.ShouldNotBe(frame);
        foreach ((string name, byte[] bytes) in OtherDecoders.DecodeFrames(Lossy, format with { PhotometricInterpretation = samples == 3 ? "YBR_ICT" : "MONOCHROME2" }, codestream))
        {
            OtherDecoders.CountDifferent(format, bytes, decoded).ShouldBe(0, name);
        }
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
    public void A_codestream_in_the_boxes_of_a_JP2_file_is_found()
    {
        FrameFormat format = CodecFrames.Gray(10, 12, 8, 8);
        byte[] frame = CodecFrames.Make(format, 6);
        byte[] codestream = Codec.Encode(frame, format);
        byte[] signature = [0, 0, 0, 12, .. "jP  "u8, 0x0D, 0x0A, 0x87, 0x0A];
        byte[] type = [0, 0, 0, 20, .. "ftypjp2 "u8, 0, 0, 0, 0, .. "jp2 "u8];
        byte[] length = [0, 0, (byte)((codestream.Length + 8) >> 8), (byte)(codestream.Length + 8)];
        Codec.Decode((byte[])[.. signature, .. type, .. length, .. "jp2c"u8, .. codestream], format).Bytes.ShouldBe(frame);
        Codec.Decode((byte[])[.. signature, .. type, 0, 0, 0, 0, .. "jp2c"u8, .. codestream], format).Bytes.ShouldBe(frame);
        Should.Throw<DicomContentException>(() => Codec.Decode((byte[])[.. signature, .. type], format)).Message.ShouldContain("without a codestream");
    }

    [Fact]
    public void Damaged_codestreams_give_an_image_or_an_error()
    {
        FrameFormat format = CodecFrames.Gray(12, 20, 16, 12);
        byte[] codestream = Codec.Encode(CodecFrames.Make(format, 1), format);
        Hostile.Truncate(Codec, codestream, format);
        Hostile.FlipBits(Codec, codestream, format, 2_000);
        format = CodecFrames.Colour(12, 20, 8);
        Hostile.FlipBits(Codec, Codec.Encode(CodecFrames.Make(format, 2), format), format, 2_000);
    }

    [Fact]
    public void A_codestream_of_another_size_is_an_error()
    {
        FrameFormat format = CodecFrames.Gray(4, 6, 8, 8);
        byte[] codestream = Codec.Encode(new byte[24], format);
        Should.Throw<DicomContentException>(() => Codec.Decode(codestream, format with { Rows = 60_000, Columns = 8_000 })).Message.ShouldContain("4 rows and 6 columns");
        Should.Throw<DicomContentException>(() => Codec.Decode(codestream, CodecFrames.Colour(4, 6, 8))).Message.ShouldContain("1 components");
        byte[] wide = Codec.Encode(new byte[48], CodecFrames.Gray(4, 6, 16, 12));
        Should.Throw<DicomContentException>(() => Codec.Decode(wide, format)).Message.ShouldContain("12 bits");
    }

    [Fact]
    public void More_tiles_than_the_bytes_can_hold_are_an_error_before_anything_is_allocated()
    {
        FrameFormat format = CodecFrames.Gray(200, 200, 8, 8);
        byte[] codestream = Codec.Encode(new byte[40_000], format);
        codestream.AsSpan(24, 8).Clear();
        (codestream[27], codestream[31]) = (1, 1);
        Should.Throw<DicomContentException>(() => Codec.Decode(codestream, format)).Message.ShouldContain("cannot hold 40000 tiles");
        codestream[27] = 0;
        Should.Throw<DicomContentException>(() => Codec.Decode(codestream, format)).Message.ShouldContain("do not cover");
    }

    [Fact]
    public void More_precincts_than_the_bytes_can_hold_are_an_error()
    {
        FrameFormat format = CodecFrames.Gray(2_000, 2_000, 8, 8);
        byte[] codestream = Codec.Encode(new byte[4_000_000], format);

        // The COD segment of the encoder, made to say that every precinct is 2 x 2 (T.800 table A.21).
        int at = codestream.AsSpan().IndexOf((byte[])[0xFF, 0x52]);
        int levels = codestream[at + 9];
        byte[] precincts = new byte[levels + 1];
        Array.Fill(precincts, (byte)0x11);
        byte[] damaged = [.. codestream[..at], 0xFF, 0x52, 0, (byte)(13 + levels), 1, .. codestream[(at + 5)..(at + 14)], .. precincts, .. codestream[(at + 14)..]];
        Should.Throw<DicomContentException>(() => Codec.Decode(damaged, format)).Message.ShouldContain("precincts");
    }

    [Fact]
    public void Subsampled_components_are_refused()
    {
        FrameFormat format = CodecFrames.Colour(8, 8, 8);
        byte[] codestream = Codec.Encode(new byte[192], format);
        codestream[46] = 2;
        Should.Throw<PixelCodecRefusedException>(() => Codec.Decode(codestream, format)).Message.ShouldContain("subsampled");
    }

    [Fact]
    public void Too_many_bits_are_refused()
    {
        FrameFormat format = CodecFrames.Gray(4, 4, 32, 32);
        Should.Throw<PixelCodecRefusedException>(() => Codec.Encode(new byte[64], format)).Message.ShouldContain("at most 24 bits");
        Should.Throw<PixelCodecRefusedException>(() => PixelCodecs.Find(TransferSyntax.Of("1.2.840.10008.1.2.4.201"))!.Encode(new byte[16], CodecFrames.Gray(4, 4, 8, 8)))
            .Message.ShouldContain("High-Throughput");
    }

    [Fact]
    public void A_ratio_below_one_is_a_misuse() =>
        Should.Throw<ArgumentOutOfRangeException>(() => Codec.Encode(new byte[24], CodecFrames.Gray(4, 6, 8, 8), ratio: 0.5f));
}
