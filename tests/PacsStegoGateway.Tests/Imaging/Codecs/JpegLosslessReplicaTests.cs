using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Codecs.Jpeg;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

public sealed class JpegLosslessReplicaTests
{
    private static IPixelCodec Codec => PixelCodecs.Find(TransferSyntax.Of("1.2.840.10008.1.2.4.57"))!;

    [Fact]
    public void Codestreams_of_other_encoders_are_written_again_byte_for_byte_but_for_what_follows_their_end()
    {
        int replicated = 0;
        foreach (CompressedFile file in CompressedFile.All("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"))
        {
            ReadOnlyMemory<byte> headers = JpegLosslessReplica.HeadersOf(file.Frames[0]);
            DecodedFrame decoded;
            try
            {
                decoded = Codec.Decode(file.Frames[0], file.Format);
            }
            catch (Exception e) when (e is DicomContentException or PixelCodecRefusedException)
            {
                continue;
            }

            if (JpegLosslessReplica.TryEncode(headers.Span, decoded.Bytes, decoded.Format) is not { } replica)
            {
                // Colour, or headers too long to be kept apart.
                (file.Format.SamplesPerPixel > 1 || headers.IsEmpty).ShouldBeTrue(file.Name);
                continue;
            }

            ReadOnlySpan<byte> original = file.Frames[0].Span;
            int same = original.CommonPrefixLength(replica);
            (replica.Length - same).ShouldBeLessThan(8, file.Name);
            replicated++;
        }

        replicated.ShouldBeGreaterThan(30);
    }

    [Theory]
    [InlineData(8, 8, 1)]
    [InlineData(16, 12, 2)]
    [InlineData(16, 16, 3)]
    public void Restart_intervals_of_the_headers_are_kept(int allocated, int stored, int rows)
    {
        FrameFormat format = CodecFrames.Gray(21, 17, allocated, stored);
        byte[] frame = CodecFrames.Make(format, 5);
        ReadOnlySpan<byte> headers = JpegLosslessReplica.HeadersOf(Codec.Encode(frame, format)).Span;
        int interval = rows * format.Columns;
        byte[] withRestarts = [0xFF, 0xD8, 0xFF, 0xDD, 0, 4, (byte)(interval >> 8), (byte)interval, .. headers[2..]];

        // The first rows of intervals are predicted otherwise, so that a difference may occur that has no code: then none is made.
        if (JpegLosslessReplica.TryEncode(withRestarts, frame, format) is { } replica)
        {
            Codec.Decode(replica, format).Bytes.ShouldBe(frame);
            JpegLosslessReplica.HeadersOf(replica).Length.ShouldBe(withRestarts.Length);
        }
        else
        {
            stored.ShouldBe(16);
        }
    }

    [Fact]
    public void Headers_that_do_not_go_with_the_frame_give_nothing()
    {
        FrameFormat format = CodecFrames.Gray(9, 9, 16, 12);
        byte[] frame = CodecFrames.Make(format, 6);
        byte[] headers = JpegLosslessReplica.HeadersOf(Codec.Encode(frame, format)).ToArray();
        JpegLosslessReplica.TryEncode(headers, frame, format).ShouldNotBeNull();
        JpegLosslessReplica.TryEncode(headers, frame.AsSpan(2), format).ShouldBeNull();
        JpegLosslessReplica.TryEncode(headers, frame, format with { Columns = 8 }).ShouldBeNull();
        JpegLosslessReplica.TryEncode([], frame, format).ShouldBeNull();
        JpegLosslessReplica.HeadersOf(new byte[] { 1, 2, 3, 4, 5 }).IsEmpty.ShouldBeTrue();
        JpegLosslessReplica.HeadersOf(new byte[] { 0xFF, 0xD8, 0xFF, 0xD9 }).IsEmpty.ShouldBeTrue();
        byte[] longHeaders = [0xFF, 0xD8, 0xFF, 0xFE, 0x20, 0, .. new byte[0x1FFE], .. headers[2..]];
        JpegLosslessReplica.HeadersOf(longHeaders).IsEmpty.ShouldBeTrue("headers above the limit are kept with the codestream");
        var random = new Random(8);
        for (int round = 0; round < 2000; round++)
        {
            byte[] damaged = (byte[])headers.Clone();
            damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            _ = JpegLosslessReplica.TryEncode(damaged, frame, format);
        }
    }
}
