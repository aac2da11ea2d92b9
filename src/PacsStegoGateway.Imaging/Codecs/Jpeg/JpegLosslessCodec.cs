namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>Lossless JPEG (process 14), own code.</summary>
/// <param name="predictor">The predictor to encode with, or null for the best of seven.</param>
internal sealed class JpegLosslessCodec(int? predictor) : IPixelCodec
{
    public string? Unavailable => null;

    public bool CanEncode => true;

    public DecodedFrame Decode(ReadOnlyMemory<byte> codestream, FrameFormat format) => JpegDecoder.Decode(codestream, format);

    public byte[] Encode(ReadOnlySpan<byte> frame, FrameFormat format) => LosslessEncoder.Encode(frame, format, predictor);
}
