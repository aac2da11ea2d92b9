namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>
/// The JPEG family of ITU-T T.81. What decodes a codestream is decided by its frame header and not by the transfer syntax,
/// since files are at hand where the two differ.
/// </summary>
/// <param name="predictor">The predictor to encode with, or null for the best of seven.</param>
internal sealed class JpegLosslessCodec(int? predictor) : IPixelCodec
{
    public string? Unavailable => null;

    public bool CanEncode => true;

    public DecodedFrame Decode(ReadOnlyMemory<byte> codestream, FrameFormat format)
    {
        format.RequireSound();
        JpegFrameHeader header = JpegFrameHeader.Find(codestream.Span);
        return header.Process == 0xC3
            ? new DecodedFrame(LosslessDecoder.Decode(codestream.Span, format), format with { IsPlanar = false })
            : throw PixelCodecRefusedException.NotSupported($"JPEG process SOF{header.Process - 0xC0} is not supported.");
    }

    public byte[] Encode(ReadOnlySpan<byte> frame, FrameFormat format) => LosslessEncoder.Encode(frame, format, predictor);
}
