using System.Runtime.InteropServices;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>
/// The JPEG family of ITU-T T.81. What decodes a codestream is decided by its frame header and not by the transfer syntax,
/// since files are at hand where the two differ.
/// </summary>
internal static class JpegDecoder
{
    private const byte Baseline = 0xC0, Extended = 0xC1, Progressive = 0xC2, Lossless = 0xC3;

    /// <summary>Each scan takes time for the whole frame however short it is; libjpeg's own script has ten for colours.</summary>
    private const int MaxProgressiveScans = 64;

    /// <summary>Decodes a frame; components come as they are coded, never converted, and the format says what they are.</summary>
    public static DecodedFrame Decode(ReadOnlyMemory<byte> codestream, FrameFormat format)
    {
        format.RequireSound();
        ReadOnlySpan<byte> bytes = codestream.Span;
        JpegFrameHeader header = JpegFrameHeader.Find(bytes);
        header.Require(format);
        FrameFormat decoded = format with { IsPlanar = false };
        if (header.Process == Lossless)
        {
            return new DecodedFrame(LosslessDecoder.Decode(bytes, format), decoded with
            {
                PhotometricInterpretation = format.PhotometricInterpretation == "YBR_FULL_422" ? "YBR_FULL" : format.PhotometricInterpretation,
            });
        }

        if (header.Process is not (Baseline or Extended or Progressive))
        {
            throw PixelCodecRefusedException.NotSupported($"JPEG with the frame header SOF{header.Process & 15} (arithmetic coding, hierarchical or JPEG-LS) is not decoded here.");
        }

        if (header.Precision != 8 && (header.Precision != 12 || header.Process == Progressive))
        {
            throw PixelCodecRefusedException.NotSupported($"JPEG with SOF{header.Process & 15} and {header.Precision}-bit samples is not decoded: libjpeg-turbo 2 has 8 bits only.");
        }

        if (header.Components.Length == 4)
        {
            throw PixelCodecRefusedException.NotSupported("JPEG with four components is not decoded.");
        }

        // A block of 64 samples takes a bit at least: a frame that the codestream cannot hold is never allocated.
        int coded = EntropyCodedLength(bytes, header.Process);
        if (format.PixelCount > coded * 512L)
        {
            throw new DicomContentException($"{coded} bytes of JPEG cannot hold {format.PixelCount} pixels.");
        }

        byte[] frame = header.Precision == 12
            ? DctDecoder.Decode(bytes, header, format)
            : SampleWidth.Widen(DecodeWithTurbo(bytes, header), format, header.Precision);
        return new DecodedFrame(frame, decoded with
        {
            PhotometricInterpretation = JpegColours.Interpret(bytes, header, format.PhotometricInterpretation),
        });
    }

    /// <summary>Bytes of all scans, without the segments around them.</summary>
    /// <exception cref="DicomContentException">More scans than a progressive frame is decoded from.</exception>
    private static int EntropyCodedLength(ReadOnlySpan<byte> bytes, byte process)
    {
        int length = 0, scans = 0;
        var segments = new JpegSegments(bytes);
        while (segments.Next())
        {
            if (segments.Marker != JpegSegments.StartOfScan)
            {
                continue;
            }

            if (++scans > MaxProgressiveScans && process == Progressive)
            {
                throw new DicomContentException($"A progressive JPEG frame of more than {MaxProgressiveScans} scans is not decoded.");
            }

            int start = segments.Position, at = start;
            while (bytes[at..].IndexOf((byte)0xFF) is >= 0 and var next && at + next + 1 < bytes.Length)
            {
                at += next;
                if (bytes[at + 1] is 0 or 0xFF or (>= JpegSegments.Restart0 and <= JpegSegments.Restart7))
                {
                    at += bytes[at + 1] == 0xFF ? 1 : 2;
                    continue;
                }

                break;
            }

            // Without a marker behind it the scan is all that is left; a library judges that.
            bool isLast = bytes.Length - at < 2 || bytes[at] != 0xFF;
            length += (isLast ? bytes.Length : at) - start;
            if (isLast)
            {
                break;
            }

            segments.Position = at;
        }

        return length;
    }

    private static unsafe byte[] DecodeWithTurbo(ReadOnlySpan<byte> bytes, JpegFrameHeader header)
    {
        NativeCodecLibrary.TurboJpeg.Require();
        int colours = header.Components.Length;
        byte[] stream = JpegColours.WithoutTransform(bytes);
        byte[] samples = new byte[(long)header.Rows * header.Columns * colours];
        using TurboJpegHandle decoder = TurboJpegLibrary.CreateDecoder();
        fixed (byte* source = stream, target = samples)
        {
            int error = TurboJpegLibrary.Decode(decoder, source, new CULong((nuint)stream.Length), target, header.Columns, header.Columns * colours, header.Rows,
                colours == 1 ? TurboJpegLibrary.PixelsGray : TurboJpegLibrary.PixelsRgb, TurboJpegLibrary.AccurateTransform | TurboJpegLibrary.LimitScans
                    | (header.Process == Progressive ? TurboJpegLibrary.StopOnWarning : 0));
            if (error != 0)
            {
                string message = TurboJpegLibrary.MessageOf(decoder);

                // Bytes too many between two markers are the one thing that leaves every sample as it was coded.
                if (TurboJpegLibrary.GetErrorCode(decoder) != TurboJpegLibrary.Warning || !message.Contains("extraneous bytes before marker", StringComparison.Ordinal))
                {
                    throw new DicomContentException($"JPEG: {message}");
                }
            }
        }

        return samples;
    }
}
