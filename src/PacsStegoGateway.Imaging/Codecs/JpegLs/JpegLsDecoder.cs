using System.Runtime.InteropServices;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs.Jpeg;

namespace PacsStegoGateway.Imaging.Codecs.JpegLs;

/// <summary>
/// Decodes JPEG-LS (ITU-T T.87). Own code, since CharLS 2 loops for ever on some damaged scans: the sum of errors at the
/// end of runs overflows there, and no check of the stream from outside can tell.
/// </summary>
internal static class JpegLsDecoder
{
    private const byte Presets = 0xF8, App8 = 0xE8;

    /// <summary>Decodes the samples, colours by pixel, one or two bytes each by the precision.</summary>
    /// <exception cref="DicomContentException">Damaged, not terminated, or not a frame of that format.</exception>
    /// <exception cref="PixelCodecRefusedException">Mapping tables, point transforms, colour transforms of HP, restart intervals.</exception>
    public static byte[] Decode(ReadOnlySpan<byte> codestream, FrameFormat format, JpegFrameHeader header)
    {
        if (header.Process != JpegLsCodec.Process)
        {
            throw new DicomContentException($"The codestream is no JPEG-LS: its frame header is {header.Process:X2}.");
        }

        header.Require(format);
        RequireEnd(codestream);
        byte[] samples = new byte[format.SampleCount * SampleWidth.BytesOf(header.Precision)];
        ReadOnlySpan<byte> preset = default;
        int missing = (1 << header.Components.Length) - 1;
        bool hasFrame = false;
        var segments = new JpegSegments(codestream);
        while (missing != 0 && segments.Next())
        {
            ReadOnlySpan<byte> content = segments.Content;
            switch (segments.Marker)
            {
                case JpegLsCodec.Process when hasFrame:
                    throw new DicomContentException("The codestream changes the size of the image after its frame header.");
                case JpegLsCodec.Process:
                    hasFrame = true;
                    break;
                case Presets when content is [1, ..] && content.Length == 11:
                    preset = content;
                    break;
                case Presets:
                    throw PixelCodecRefusedException.NotSupported("JPEG-LS with mapping tables or extended sizes is not decoded.");
                case App8 when content.StartsWith("mrfx"u8) && content.Length > 4 && content[4] != 0:
                    throw PixelCodecRefusedException.NotSupported("JPEG-LS with a colour transform of HP is not decoded.");
                case JpegSegments.RestartInterval when content.ContainsAnyExcept((byte)0):
                    throw PixelCodecRefusedException.NotSupported("JPEG-LS with restart intervals is not decoded.");
                case JpegSegments.StartOfScan:
                    segments.Position = DecodeScan(codestream, segments.Position, content, preset, header, samples, ref missing);
                    break;
            }
        }

        return missing == 0 ? samples : throw new DicomContentException("The codestream ends before all components are there.");
    }

    /// <summary>Throws unless the stream is terminated, nothing but pad bytes behind its end.</summary>
    private static void RequireEnd(ReadOnlySpan<byte> codestream)
    {
        ReadOnlySpan<byte> end = [0xFF, JpegSegments.EndOfImage];
        if (!codestream.TrimEnd((byte)0).EndsWith(end) && !(codestream.Length > 2 && codestream[..^1].EndsWith(end)))
        {
            throw new DicomContentException("The JPEG-LS stream is cut short: it has no end of image.");
        }
    }

    private static int DecodeScan(ReadOnlySpan<byte> codestream, int start, ReadOnlySpan<byte> scan, ReadOnlySpan<byte> preset, JpegFrameHeader header, byte[] samples, ref int missing)
    {
        int count = scan.IsEmpty ? 0 : scan[0];
        if (count < 1 || scan.Length != 4 + (2 * count) || scan[^2] > 2 || (scan[^2] == 0) != (count == 1))
        {
            throw new DicomContentException($"A JPEG-LS scan header of {scan.Length} bytes with {count} components is impossible.");
        }

        int[] targets = new int[count];
        bool isPlain = scan[^1] == 0;
        for (int i = 0; i < count; i++)
        {
            byte id = scan[1 + (2 * i)];
            targets[i] = Array.FindIndex(header.Components, c => c.Id == id);
            if (targets[i] < 0 || (missing & (1 << targets[i])) == 0)
            {
                throw new DicomContentException($"A JPEG-LS scan has component {id}, which is not there or was decoded before.");
            }

            missing &= ~(1 << targets[i]);
            isPlain &= scan[2 + (2 * i)] == 0 && header.Components[targets[i]] is { Horizontal: 1, Vertical: 1 };
        }

        if (!isPlain)
        {
            throw PixelCodecRefusedException.NotSupported("JPEG-LS with mapping tables, a point transform or subsampled components is not decoded.");
        }

        int end = start;
        while (codestream[end] != 0xFF || codestream[end + 1] < 0x80)
        {
            end++;
        }

        var lines = new JpegLsScan(codestream[start..end], JpegLsParameters.Of(preset, header.Precision, scan[^3]), header.Columns, count);
        for (int y = 0; y < header.Rows; y++)
        {
            lines.ReadLine(isMixed: scan[^2] == 2);
            for (int i = 0; i < count; i++)
            {
                Store(lines.Line(i), samples, (y * header.Columns * header.Components.Length) + targets[i], header.Components.Length, header.Precision);
            }
        }

        // There are encoders that end a scan with a zero byte too many.
        return !lines.Unread.ContainsAnyExcept((byte)0)
            ? end
            : throw new DicomContentException($"JPEG-LS: {lines.Unread.Length} bytes of a scan are left over.");
    }

    private static void Store(ReadOnlySpan<int> line, byte[] samples, int at, int step, int precision)
    {
        if (precision <= 8)
        {
            foreach (int sample in line)
            {
                samples[at] = (byte)sample;
                at += step;
            }

            return;
        }

        Span<ushort> words = MemoryMarshal.Cast<byte, ushort>(samples.AsSpan());
        foreach (int sample in line)
        {
            words[at] = (ushort)sample;
            at += step;
        }
    }
}
