using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>What three components of a JPEG stream are, told by the stream itself before the data set is believed.</summary>
internal static class JpegColours
{
    /// <summary>YBR_FULL or RGB, or the data set's own word for one component.</summary>
    /// <remarks>
    /// An Adobe segment says it, then a JFIF segment (always Y, Cb, Cr), then components named R, G and B. A stream without
    /// any of these is what the data set says, except that subsampled components are never RGB.
    /// </remarks>
    public static string Interpret(ReadOnlySpan<byte> codestream, JpegFrameHeader header, string photometricInterpretation)
    {
        if (header.Components.Length != 3)
        {
            return photometricInterpretation;
        }

        int? adobe = null;
        bool isJfif = false;
        var segments = new JpegSegments(codestream);
        while (segments.Next() && segments.Marker != JpegSegments.StartOfScan)
        {
            if (segments.Marker == JpegSegments.App14 && segments.Content.Length >= 12 && segments.Content.StartsWith("Adobe"u8))
            {
                adobe = segments.Content[11];
            }

            isJfif |= segments.Marker == JpegSegments.App0 && segments.Content.StartsWith("JFIF\0"u8);
        }

        bool isSubsampled = header.Components.Any(c => c.Horizontal != header.Components[0].Horizontal || c.Vertical != header.Components[0].Vertical);
        bool isRgb = !isSubsampled && (adobe is { } transform ? transform == 0
            : !isJfif && (header.Components is [{ Id: (byte)'R' }, { Id: (byte)'G' }, { Id: (byte)'B' }]
                || !photometricInterpretation.StartsWith("YBR", StringComparison.Ordinal)));
        return isRgb ? "RGB" : "YBR_FULL";
    }

    /// <summary>
    /// The stream with its APP segments replaced by an Adobe segment that says "no transform": a library then gives the
    /// components as they are coded, upsampled but not converted.
    /// </summary>
    public static byte[] WithoutTransform(ReadOnlySpan<byte> codestream)
    {
        ReadOnlySpan<byte> adobe = [0xFF, JpegSegments.App14, 0, 14, .. "Adobe"u8, 0, 100, 0, 0, 0, 0, 0];
        byte[] result = new byte[codestream.Length + adobe.Length];
        result[0] = 0xFF;
        result[1] = JpegSegments.StartOfImage;
        adobe.CopyTo(result.AsSpan(2));
        int at = 2 + adobe.Length;
        var segments = new JpegSegments(codestream);
        while (segments.Next() && segments.Marker != JpegSegments.StartOfScan)
        {
            if (segments.Marker is < JpegSegments.App0 or > JpegSegments.App15)
            {
                ReadOnlySpan<byte> segment = codestream[segments.Start..segments.Position];
                segment.CopyTo(result.AsSpan(at));
                at += segment.Length;
            }
        }

        if (segments.Marker != JpegSegments.StartOfScan)
        {
            throw new DicomContentException("The JPEG stream has no scan.");
        }

        ReadOnlySpan<byte> rest = codestream[segments.Start..];
        rest.CopyTo(result.AsSpan(at));
        return result[..(at + rest.Length)];
    }
}
