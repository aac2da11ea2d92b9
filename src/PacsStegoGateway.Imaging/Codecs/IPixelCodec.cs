using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs;

/// <summary>One frame, uncompressed.</summary>
/// <param name="Bytes">Exactly <see cref="FrameFormat.FrameLength"/> bytes of <paramref name="Format"/>.</param>
/// <param name="Format">
/// The format asked for, with what the bytes really are: colours always by pixel (<see cref="FrameFormat.IsPlanar"/> false),
/// and the photometric interpretation after decoding (YBR_RCT and YBR_ICT have become RGB, YBR_FULL_422 has become YBR_FULL).
/// </param>
public sealed record DecodedFrame(byte[] Bytes, FrameFormat Format);

/// <summary>Uncompresses, and where it can compresses, frames of one or more transfer syntaxes. Safe to use from any thread.</summary>
public interface IPixelCodec
{
    /// <summary>Why it cannot work on this machine (which package is missing), or null when it can.</summary>
    string? Unavailable { get; }

    /// <summary>True when <see cref="Encode"/> makes codestreams of this transfer syntax.</summary>
    bool CanEncode { get; }

    /// <summary>Uncompresses one frame.</summary>
    /// <param name="codestream">All fragments of the frame, put together; a pad byte at the end does no harm.</param>
    /// <param name="format">As the data set says.</param>
    /// <exception cref="DicomContentException">The codestream is damaged, or is not a frame of that format.</exception>
    /// <exception cref="PixelCodecRefusedException">The library is missing, or this variant of the codestream is not supported.</exception>
    DecodedFrame Decode(ReadOnlyMemory<byte> codestream, FrameFormat format);

    /// <summary>Compresses one frame so that <see cref="Decode"/> gives back every bit of it.</summary>
    /// <param name="frame">One frame of the format, with or without a pad byte.</param>
    /// <param name="format">What the frame is; the photometric interpretation of the result is <see cref="EncodedPhotometricInterpretation"/>.</param>
    /// <returns>The codestream, of even length.</returns>
    /// <exception cref="PixelCodecRefusedException">The library is missing, or the transfer syntax cannot hold this format.</exception>
    byte[] Encode(ReadOnlySpan<byte> frame, FrameFormat format);

    /// <summary>The photometric interpretation to be written beside what <see cref="Encode"/> makes of the format.</summary>
    string EncodedPhotometricInterpretation(FrameFormat format) => format.PhotometricInterpretation;
}
