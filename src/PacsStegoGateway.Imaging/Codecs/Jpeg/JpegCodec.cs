using System.Runtime.InteropServices;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>JPEG baseline, extended and progressive with 8-bit samples through libjpeg-turbo; extended with 12 bits, own code.</summary>
/// <remarks>
/// Decoding gives components as they are coded, chroma upsampled: YBR_FULL for nearly every colour image, RGB where the
/// stream says so. To RGB is the renderer's business; what goes on as DICOM needs no conversion.
/// </remarks>
public sealed class JpegCodec : IPixelCodec
{
    public string? Unavailable => NativeCodecLibrary.TurboJpeg.Missing;

    /// <summary>False: nothing here is lossless.</summary>
    public bool CanEncode => false;

    public DecodedFrame Decode(ReadOnlyMemory<byte> codestream, FrameFormat format) => JpegDecoder.Decode(codestream, format);

    byte[] IPixelCodec.Encode(ReadOnlySpan<byte> frame, FrameFormat format) =>
        throw PixelCodecRefusedException.NotSupported("JPEG with DCT cannot hold samples without loss.");

    /// <summary>Compresses 8-bit gray or RGB to a JFIF stream: gray, or Y, Cb and Cr.</summary>
    /// <param name="frame">One frame of the format.</param>
    /// <param name="format">8 bits allocated; one sample per pixel, or RGB.</param>
    /// <param name="quality">1 to 100, as libjpeg counts.</param>
    /// <param name="subsampled">True for chroma of half the width (YBR_FULL_422), false for all of it (YBR_FULL).</param>
    /// <returns>The stream, of even length.</returns>
    /// <exception cref="PixelCodecRefusedException">The library is missing, or the format is another.</exception>
    public unsafe byte[] EncodeLossy(ReadOnlySpan<byte> frame, FrameFormat format, int quality, bool subsampled = false)
    {
        frame = format.RequireFrame(frame);
        NativeCodecLibrary.TurboJpeg.Require();
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        if (format.BitsAllocated != 8 || !(format.SamplesPerPixel == 1 || format is { SamplesPerPixel: 3, PhotometricInterpretation: "RGB" }))
        {
            throw PixelCodecRefusedException.NotSupported("Only 8-bit gray and RGB are encoded as JPEG.");
        }

        int subsampling = format.SamplesPerPixel == 1 ? TurboJpegLibrary.GrayOnly
            : subsampled ? TurboJpegLibrary.HalfWidthChroma : TurboJpegLibrary.NoSubsampling;
        byte[] pixels = new byte[format.FrameLength];
        SampleWidth.Narrow(frame, format, 8, pixels);
        byte[] buffer = new byte[TurboJpegLibrary.BufferLength(format.Columns, format.Rows, subsampling).Value];
        using TurboJpegHandle encoder = TurboJpegLibrary.CreateEncoder();
        fixed (byte* source = pixels, target = buffer)
        {
            byte* at = target;
            var length = new CULong((nuint)buffer.Length);
            int error = TurboJpegLibrary.Encode(encoder, source, format.Columns, format.Columns * format.SamplesPerPixel, format.Rows,
                format.SamplesPerPixel == 1 ? TurboJpegLibrary.PixelsGray : TurboJpegLibrary.PixelsRgb, &at, &length, subsampling, quality,
                TurboJpegLibrary.NoReallocation | TurboJpegLibrary.AccurateTransform);
            if (error != 0)
            {
                throw new InvalidOperationException($"libjpeg-turbo does not encode this: {TurboJpegLibrary.MessageOf(encoder)}");
            }

            byte[] stream = new byte[((int)length.Value + 1) & ~1];
            buffer.AsSpan(0, (int)length.Value).CopyTo(stream);
            return stream;
        }
    }
}
