using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg2000;

/// <summary>JPEG 2000 (ITU-T T.800) through OpenJPEG, and the decoding of High-Throughput JPEG 2000 (T.814) where it can.</summary>
/// <remarks>
/// The colour transforms RCT and ICT are undone by the library, so that YBR_RCT and YBR_ICT come out as RGB. Samples are
/// one component after the other in 32 bits there, whatever the frame is.
/// </remarks>
public sealed class Jpeg2000Codec : IPixelCodec
{
    /// <summary>Greatest precision that OpenJPEG codes without loss.</summary>
    internal const int MaxEncodedPrecision = 24;

    private static readonly Version FirstWithHighThroughput = new(2, 5);

    private readonly bool _isHighThroughput;

    internal Jpeg2000Codec(bool isHighThroughput) => _isHighThroughput = isHighThroughput;

    public string? Unavailable => NativeCodecLibrary.OpenJpeg.Missing ?? (_isHighThroughput ? TooOld() : null);

    public bool CanEncode => !_isHighThroughput;

    /// <summary>RGB is coded with the reversible colour transform.</summary>
    public string EncodedPhotometricInterpretation(FrameFormat format) => IsTransformed(format) ? "YBR_RCT" : format.PhotometricInterpretation;

    public unsafe DecodedFrame Decode(ReadOnlyMemory<byte> codestream, FrameFormat format)
    {
        format.RequireSound();
        NativeCodecLibrary.OpenJpeg.Require();
        Jpeg2000Header header = Jpeg2000Header.Read(codestream, format);
        if (header.IsHighThroughput && TooOld() is { } reason)
        {
            throw PixelCodecRefusedException.NotSupported(reason);
        }

        byte* parameters = stackalloc byte[OpenJpegLibrary.DecoderParametersLength];
        fixed (byte* source = header.Codestream.Span)
        {
            var bytes = new OpenJpegBytes(source, header.Codestream.Length);
            OpenJpegImage* image = null;
            using OpenJpegCodecHandle codec = OpenJpegLibrary.CreateDecoder(OpenJpegLibrary.BareCodestream);
            using OpenJpegStream stream = OpenJpegLibrary.CreateStream(65536, isInput: 1);
            OpenJpegBytes.Connect(stream, &bytes, isInput: true);
            OpenJpegBytes.CollectErrors(codec, &bytes);
            try
            {
                OpenJpegLibrary.SetDefaultDecoderParameters(parameters);
                if (OpenJpegLibrary.SetUpDecoder(codec, parameters) == 0 || OpenJpegLibrary.ReadHeader(stream, codec, &image) == 0
                    || !IsAsExpected(image, format, header) || OpenJpegLibrary.Decode(codec, stream, image) == 0 || !IsAsExpected(image, format, header))
                {
                    throw new DicomContentException($"JPEG 2000: {bytes.Message}");
                }

                return new DecodedFrame(Interleave(image, format, header), format with
                {
                    IsPlanar = false,
                    PhotometricInterpretation = format.PhotometricInterpretation switch
                    {
                        "YBR_RCT" or "YBR_ICT" => "RGB",
                        "YBR_FULL_422" or "YBR_PARTIAL_420" or "YBR_PARTIAL_422" => "YBR_FULL",
                        string same => same,
                    },
                });
            }
            finally
            {
                if (image != null)
                {
                    OpenJpegLibrary.DestroyImage(image);
                }
            }
        }
    }

    public byte[] Encode(ReadOnlySpan<byte> frame, FrameFormat format) => Encode(frame, format, ratio: 0);

    /// <summary>Compresses to about this ratio with the irreversible wavelet and colour transform (YBR_ICT); 0 is lossless.</summary>
    /// <param name="ratio">Size of the samples to size of the codestream, above 1; or 0.</param>
    /// <exception cref="PixelCodecRefusedException">The library is missing, or the samples have too many bits.</exception>
    public unsafe byte[] Encode(ReadOnlySpan<byte> frame, FrameFormat format, float ratio)
    {
        frame = format.RequireFrame(frame);
        NativeCodecLibrary.OpenJpeg.Require();
        if (!CanEncode)
        {
            throw PixelCodecRefusedException.NotSupported("OpenJPEG does not encode High-Throughput JPEG 2000.");
        }

        if (ratio is not (0 or > 1 and <= 10_000))
        {
            throw new ArgumentOutOfRangeException(nameof(ratio), ratio, "0, or above 1 and at most 10000.");
        }

        int precision = format.BitsAllocated == 1 ? 1 : SamplePrecision.Of(frame, format);
        if (precision > MaxEncodedPrecision)
        {
            throw PixelCodecRefusedException.NotSupported($"OpenJPEG encodes samples of at most {MaxEncodedPrecision} bits without loss, these have {precision}.");
        }

        byte[] parameters = new byte[OpenJpegEncoderParameters.Length];
        OpenJpegComponentParameters* components = stackalloc OpenJpegComponentParameters[format.SamplesPerPixel];
        for (int i = 0; i < format.SamplesPerPixel; i++)
        {
            components[i] = new OpenJpegComponentParameters
            {
                Dx = 1,
                Dy = 1,
                Width = (uint)format.Columns,
                Height = (uint)format.Rows,
                Precision = (uint)precision,
                BitsPerPixel = (uint)precision,
                IsSigned = format.IsSigned ? 1u : 0,
            };
        }

        var bytes = default(OpenJpegBytes);
        using OpenJpegCodecHandle codec = OpenJpegLibrary.CreateEncoder(OpenJpegLibrary.BareCodestream);
        using OpenJpegStream stream = OpenJpegLibrary.CreateStream(65536, isInput: 0);
        OpenJpegBytes.Connect(stream, &bytes, isInput: false);
        OpenJpegBytes.CollectErrors(codec, &bytes);
        OpenJpegImage* image = OpenJpegLibrary.CreateImage((uint)format.SamplesPerPixel, components,
            format.SamplesPerPixel == 1 ? OpenJpegLibrary.ColourGray : OpenJpegLibrary.ColourRgb);
        try
        {
            if (image == null)
            {
                throw new InvalidOperationException("OpenJPEG has no memory for the image.");
            }

            (image->X1, image->Y1) = ((uint)format.Columns, (uint)format.Rows);
            Split(frame, format, precision, image);
            fixed (byte* at = parameters)
            {
                OpenJpegLibrary.SetDefaultEncoderParameters(at);
                SetParameters(at, format, ratio);
                if (OpenJpegLibrary.SetUpEncoder(codec, at, image) == 0 || OpenJpegLibrary.StartEncoding(codec, image, stream) == 0
                    || OpenJpegLibrary.Encode(codec, stream) == 0 || OpenJpegLibrary.EndEncoding(codec, stream) == 0)
                {
                    throw new InvalidOperationException($"OpenJPEG does not encode this: {bytes.Message}");
                }
            }

            ReadOnlySpan<byte> written = bytes.Written;
            byte[] codestream = new byte[(written.Length + 1) & ~1];
            written.CopyTo(codestream);
            return codestream;
        }
        finally
        {
            OpenJpegLibrary.DestroyImage(image);
            bytes.FreeWritten();
        }
    }

    private static bool IsTransformed(FrameFormat format) => format is { SamplesPerPixel: 3, PhotometricInterpretation: "RGB" };

    private static unsafe void SetParameters(byte* parameters, FrameFormat format, float ratio)
    {
        // Five decompositions as far as the image is large enough for them.
        int resolutions = 6;
        while (resolutions > 1 && 1 << (resolutions - 1) > Math.Min(format.Rows, format.Columns))
        {
            resolutions--;
        }

        *(int*)(parameters + OpenJpegEncoderParameters.AllocateByRate) = 1;
        *(int*)(parameters + OpenJpegEncoderParameters.Layers) = 1;
        *(float*)(parameters + OpenJpegEncoderParameters.Rates) = ratio;
        *(int*)(parameters + OpenJpegEncoderParameters.Resolutions) = resolutions;
        *(int*)(parameters + OpenJpegEncoderParameters.Irreversible) = ratio > 0 ? 1 : 0;
        parameters[OpenJpegEncoderParameters.ColourTransform] = IsTransformed(format) ? (byte)1 : (byte)0;
    }

    private static string? TooOld() => OpenJpegLibrary.Version is var version && version < FirstWithHighThroughput
        ? $"High-Throughput JPEG 2000 needs OpenJPEG 2.5 or newer, this is {version}."
        : null;

    private static unsafe bool IsAsExpected(OpenJpegImage* image, FrameFormat format, Jpeg2000Header header)
    {
        if (image == null || image->ComponentCount != format.SamplesPerPixel)
        {
            return false;
        }

        for (int i = 0; i < format.SamplesPerPixel; i++)
        {
            OpenJpegComponent component = image->Components[i];
            if (component.Width != format.Columns || component.Height != format.Rows || component.Precision != header.Precision)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Puts the components together. Samples that lack the sign which the data set gives them get it by their highest bit.</summary>
    private static unsafe byte[] Interleave(OpenJpegImage* image, FrameFormat format, Jpeg2000Header header)
    {
        byte[] frame = new byte[format.FrameLength];
        int colours = format.SamplesPerPixel, pixels = (int)format.PixelCount, spare = 32 - header.Precision;
        for (int colour = 0; colour < colours; colour++)
        {
            int* data = image->Components[colour].Data;
            if (data == null)
            {
                throw new DicomContentException($"JPEG 2000: component {colour + 1} was not decoded.");
            }

            var samples = new ReadOnlySpan<int>(data, pixels);
            switch (format.BitsAllocated)
            {
                case 1:
                    for (int i = 0; i < pixels; i++)
                    {
                        frame[i >> 3] |= (byte)((samples[i] & 1) << (i & 7));
                    }

                    break;
                case 8:
                    Copy(samples, frame.AsSpan(), colour, colours, format.IsSigned, spare);
                    break;
                case 16:
                    Copy(samples, MemoryMarshal.Cast<byte, ushort>(frame.AsSpan()), colour, colours, format.IsSigned, spare);
                    break;
                default:
                    Copy(samples, MemoryMarshal.Cast<byte, uint>(frame.AsSpan()), colour, colours, format.IsSigned, spare);
                    break;
            }
        }

        return frame;
    }

    private static void Copy<T>(ReadOnlySpan<int> samples, Span<T> target, int first, int step, bool isSigned, int spare)
        where T : unmanaged
    {
        for (int i = 0, at = first; i < samples.Length; i++, at += step)
        {
            int left = samples[i] << spare;
            int value = isSigned ? left >> spare : (int)((uint)left >> spare);
            target[at] = Unsafe.As<int, T>(ref value);
        }
    }

    private static unsafe void Split(ReadOnlySpan<byte> frame, FrameFormat format, int precision, OpenJpegImage* image)
    {
        int colours = format.SamplesPerPixel, pixels = (int)format.PixelCount, spare = 32 - precision, width = format.BitsAllocated / 8;
        for (int colour = 0; colour < colours; colour++)
        {
            var samples = new Span<int>(image->Components[colour].Data, pixels);
            int at = format.IsPlanar ? colour * pixels : colour, step = format.IsPlanar ? 1 : colours;
            for (int i = 0; i < pixels; i++, at += step)
            {
                int left = (width switch
                {
                    0 => (frame[i >> 3] >> (i & 7)) & 1,
                    1 => frame[at],
                    2 => MemoryMarshal.Cast<byte, ushort>(frame)[at],
                    _ => MemoryMarshal.Cast<byte, int>(frame)[at],
                }) << spare;
                samples[i] = format.IsSigned ? left >> spare : (int)((uint)left >> spare);
            }
        }
    }
}
