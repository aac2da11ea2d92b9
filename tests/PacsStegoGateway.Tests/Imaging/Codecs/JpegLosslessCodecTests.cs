using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Codecs.Jpeg;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

public sealed class JpegLosslessCodecTests
{
    private const string Process14 = "1.2.840.10008.1.2.4.57";
    private const string FirstOrder = "1.2.840.10008.1.2.4.70";

    private static IPixelCodec Codec => PixelCodecs.Find(TransferSyntax.Of(FirstOrder))!;

    public static TheoryData<string, int, int, int, int, int, bool> Formats => new()
    {
        { FirstOrder, 1, 1, 8, 8, 1, false },
        { FirstOrder, 64, 65, 8, 8, 1, false },
        { FirstOrder, 64, 65, 8, 7, 1, false },
        { FirstOrder, 96, 128, 16, 16, 1, false },
        { FirstOrder, 96, 128, 16, 16, 1, true },
        { FirstOrder, 96, 128, 16, 12, 1, false },
        { FirstOrder, 33, 300, 16, 10, 1, false },
        { FirstOrder, 64, 65, 8, 8, 3, false },
        { FirstOrder, 64, 65, 8, 8, 3, true },
        { Process14, 96, 128, 16, 16, 1, false },
        { Process14, 64, 65, 8, 8, 3, false },
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Frames_come_back_and_other_decoders_read_them(string uid, int rows, int columns, int allocated, int stored, int samples, bool flag)
    {
        FrameFormat format = samples == 1 ? CodecFrames.Gray(rows, columns, allocated, stored, flag) : CodecFrames.Colour(rows, columns, allocated, flag);
        byte[] frame = CodecFrames.Make(format, rows + columns + stored);
        IPixelCodec codec = PixelCodecs.Find(TransferSyntax.Of(uid))!;
        byte[] codestream = codec.Encode(frame, format);
        (codestream.Length & 1).ShouldBe(0);
        byte[] decoded = codec.Decode(codestream, format).Bytes;
        decoded.ShouldBe(CodecFrames.ByPixel(format, frame));

        Dictionary<string, byte[]> others = OtherDecoders.DecodeFrames(uid, format with { IsPlanar = false }, codestream);

        // GDCM does not decode samples of 7 bits; DCMTK decodes all of these.
        others.ShouldContainKey("dcmdjpeg");
        others.Count.ShouldBe(stored == 7 ? 1 : 2);
        foreach ((string name, byte[] bytes) in others)
        {
            bytes.AsSpan(0, frame.Length).SequenceEqual(decoded).ShouldBeTrue(name);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public void Every_predictor_works_and_other_decoders_read_it(int predictor)
    {
        foreach (FrameFormat format in (FrameFormat[])[CodecFrames.Gray(50, 70, 16, 12), CodecFrames.Gray(50, 70, 16, 16), CodecFrames.Colour(50, 70, 8)])
        {
            byte[] frame = CodecFrames.Make(format, predictor);
            byte[] codestream = LosslessEncoder.Encode(frame, format, predictor);
            Codec.Decode(codestream, format).Bytes.ShouldBe(frame);
            Dictionary<string, byte[]> others = OtherDecoders.DecodeFrames(Process14, format, codestream);
            foreach ((string name, byte[] bytes) in others)
            {
                bytes.AsSpan(0, frame.Length).SequenceEqual(frame).ShouldBeTrue($"{name}, {format.BitsStored} bits");
            }
        }
    }

    [Theory]
    [InlineData(8, 1)]
    [InlineData(8, 5)]
    [InlineData(16, 2)]
    [InlineData(16, 9)]
    [InlineData(16, 15)]
    public void Every_number_of_bits_comes_back(int allocated, int stored)
    {
        foreach (bool isSigned in (bool[])[false, true])
        {
            FrameFormat format = CodecFrames.Gray(40, 40, allocated, stored, isSigned && stored > 1);
            byte[] frame = CodecFrames.Make(format, stored);
            Codec.Decode(Codec.Encode(frame, format), format).Bytes.ShouldBe(frame);
        }
    }

    [Fact]
    public void Components_in_scans_of_their_own_are_put_together()
    {
        FrameFormat gray = CodecFrames.Gray(20, 30, 8, 8), colour = CodecFrames.Colour(20, 30, 8);
        byte[][] planes = [.. Enumerable.Range(1, 3).Select(seed => CodecFrames.Make(gray, seed))];
        var stream = new List<byte> { 0xFF, 0xD8, 0xFF, 0xC3, 0, 17, 8, 0, 20, 0, 30, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0 };
        for (int c = 0; c < 3; c++)
        {
            (byte[] tables, byte[] data) = Parts(Codec.Encode(planes[c], gray));
            stream.AddRange([.. tables, 0xFF, 0xDA, 0, 8, 1, (byte)(c + 1), 0, 1, 0, 0, .. data]);
        }

        byte[] decoded = Codec.Decode((byte[])[.. stream, 0xFF, 0xD9], colour).Bytes;
        decoded.ShouldBe(CodecFrames.ByPixel(colour with { IsPlanar = true }, [.. planes.SelectMany(static p => p)]));
        Should.Throw<DicomContentException>(() => Codec.Decode((byte[])[.. stream[..^60]], colour));
    }

    [Fact]
    public void Restart_intervals_begin_anew()
    {
        FrameFormat half = CodecFrames.Gray(20, 30, 16, 16), whole = half with { Rows = 40 };
        byte[] frame = CodecFrames.Make(half, 8);
        (byte[] tables, byte[] data) = Parts(Codec.Encode(frame, half));
        byte[] stream =
        [
            0xFF, 0xD8, 0xFF, 0xC3, 0, 11, 16, 0, 40, 0, 30, 1, 1, 0x11, 0, .. tables, 0xFF, 0xDD, 0, 4, 600 >> 8, 600 & 0xFF,
            0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 0, 0, .. data, 0xFF, 0xD0, .. data, 0xFF, 0xD9,
        ];
        Codec.Decode(stream, whole).Bytes.ShouldBe([.. frame, .. frame]);

        int marker = stream.AsSpan().IndexOf((byte[])[0xFF, 0xD0]);
        stream[marker + 1] = 0xD1;
        Should.Throw<DicomContentException>(() => Codec.Decode(stream, whole)).Message.ShouldContain("Restart marker D0");
        stream[marker + 1] = 0xD0;
        stream[stream.AsSpan().IndexOf((byte[])[0xFF, 0xDD]) + 5] = 0x59;
        Should.Throw<DicomContentException>(() => Codec.Decode(stream, whole)).Message.ShouldContain("whole number of rows");
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(6, 3)]
    public void A_point_transform_is_undone_as_DCMTK_undoes_it(int predictor, int pointTransform)
    {
        FrameFormat format = CodecFrames.Gray(33, 40, 16, 12);
        byte[] stream = OtherDecoders.Encode(["dcmcjpeg", "+el", "+sv", $"{predictor}", "+pt", $"{pointTransform}"], format, CodecFrames.Make(format, 12));
        byte[] decoded = Codec.Decode(stream, format).Bytes;
        OtherDecoders.CountDifferent(format, OtherDecoders.DecodeFrames(Process14, format, stream)["dcmdjpeg"], decoded).ShouldBe(0);
    }

    /// <summary>The table segment and the entropy-coded data of a stream with one component.</summary>
    private static (byte[] Tables, byte[] Data) Parts(byte[] stream)
    {
        int tables = stream.AsSpan().IndexOf((byte[])[0xFF, 0xC4]), scan = stream.AsSpan().IndexOf((byte[])[0xFF, 0xDA]), end = stream.AsSpan().LastIndexOf((byte[])[0xFF, 0xD9]);
        return (stream[tables..scan], stream[(scan + 10)..end]);
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
    public void A_truncated_codestream_is_an_error_at_every_length()
    {
        FrameFormat format = CodecFrames.Gray(12, 20, 16, 16);
        byte[] codestream = Codec.Encode(CodecFrames.Make(format, 1), format);
        for (int length = 0; length < codestream.Length - 4; length++)
        {
            Should.Throw<DicomContentException>(() => Codec.Decode(codestream.AsMemory(0, length), format), $"{length}");
        }
    }

    [Fact]
    public void Flipped_bits_give_an_image_or_an_error()
    {
        FrameFormat format = CodecFrames.Colour(12, 20, 8);
        Hostile.FlipBits(Codec, Codec.Encode(CodecFrames.Make(format, 2), format), format, 1_000);
        format = CodecFrames.Gray(30, 20, 16, 12);
        Hostile.FlipBits(Codec, Codec.Encode(CodecFrames.Make(format, 3), format), format, 1_000);
    }

    [Fact]
    public void A_frame_that_the_codestream_cannot_hold_is_not_allocated()
    {
        FrameFormat small = CodecFrames.Gray(4, 4, 8, 8);
        byte[] codestream = Codec.Encode(new byte[16], small);
        (codestream[7], codestream[8], codestream[9], codestream[10]) = (0x4E, 0x20, 0x4E, 0x20);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Should.Throw<DicomContentException>(() => Codec.Decode(codestream, CodecFrames.Gray(20_000, 20_000, 8, 8))).Message.ShouldContain("cannot hold");
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(100_000);
    }

    [Fact]
    public void A_codestream_of_another_size_is_an_error()
    {
        FrameFormat format = CodecFrames.Gray(4, 6, 8, 8);
        byte[] codestream = Codec.Encode(new byte[24], format);
        Should.Throw<DicomContentException>(() => Codec.Decode(codestream, format with { Rows = 6, Columns = 4 })).Message.ShouldContain("4 rows and 6 columns");
        Should.Throw<DicomContentException>(() => Codec.Decode(codestream, CodecFrames.Colour(4, 6, 8))).Message.ShouldContain("1 components");
        byte[] wide = Codec.Encode(new byte[48], CodecFrames.Gray(4, 6, 16, 12));
        Should.Throw<DicomContentException>(() => Codec.Decode(wide, format)).Message.ShouldContain("12 bits");
    }

    [Fact]
    public void Samples_of_32_bits_are_refused() =>
        Should.Throw<PixelCodecRefusedException>(() => Codec.Encode(new byte[64], CodecFrames.Gray(4, 4, 32, 32))).Reason.ShouldBe(PixelCodecRefusal.NotSupported);
}
