using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Codecs.Jpeg;

namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>Writes pictures as JPEG (JFIF, 8 bits), through libjpeg-turbo.</summary>
public static class JpegPictureWriter
{
    private static readonly JpegCodec Codec = new();

    /// <summary>Why no JPEG can be written on this machine (which package is missing), or null.</summary>
    public static string? Unavailable => Codec.Unavailable;

    /// <param name="picture">8 bits a sample.</param>
    /// <param name="quality">1 to 100, as libjpeg counts.</param>
    /// <exception cref="ArgumentException">16 bits a sample, or a quality out of range.</exception>
    /// <exception cref="PixelCodecRefusedException">The library is missing.</exception>
    public static void Write(RenderedFrame picture, Stream output, int quality)
    {
        if (picture.BitsPerSample != 8)
        {
            throw new ArgumentException("JPEG pictures have 8 bits a sample.", nameof(picture));
        }

        output.Write(Codec.EncodeLossy(picture.Samples, new FrameFormat
        {
            Rows = picture.Height,
            Columns = picture.Width,
            SamplesPerPixel = picture.Channels,
            BitsAllocated = 8,
            BitsStored = 8,
            HighBit = 7,
            PhotometricInterpretation = picture.Channels == 1 ? "MONOCHROME2" : "RGB",
        }, quality));
    }
}
