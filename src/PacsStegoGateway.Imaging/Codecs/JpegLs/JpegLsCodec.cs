using System.Buffers;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs.Jpeg;

namespace PacsStegoGateway.Imaging.Codecs.JpegLs;

/// <summary>JPEG-LS (ITU-T T.87) through CharLS: lossless and near-lossless, 2 to 16 bits.</summary>
public sealed class JpegLsCodec : IPixelCodec
{
    internal const byte Process = 0xF7;

    public string? Unavailable => NativeCodecLibrary.CharLS.Missing;

    public bool CanEncode => true;

    public DecodedFrame Decode(ReadOnlyMemory<byte> codestream, FrameFormat format)
    {
        format.RequireSound();
        NativeCodecLibrary.CharLS.Require();
        RequireWidth(format);
        try
        {
            return DecodeOnce(codestream, format);
        }
        catch (PaddedScanException e)
        {
            // There are encoders that end a scan with a zero byte too many, which CharLS takes for a missing marker.
            ReadOnlySpan<byte> bytes = codestream.Span.TrimEnd((byte)0);
            ReadOnlySpan<byte> end = [0xFF, JpegSegments.EndOfImage];
            if (!bytes.EndsWith(end) || bytes[^3] != 0)
            {
                throw new DicomContentException(e.Message);
            }

            byte[] trimmed = [.. bytes[..^2].TrimEnd((byte)0), .. end];
            try
            {
                return DecodeOnce(trimmed, format);
            }
            catch (PaddedScanException)
            {
                throw new DicomContentException(e.Message);
            }
        }
    }

    private static unsafe DecodedFrame DecodeOnce(ReadOnlyMemory<byte> codestream, FrameFormat format)
    {
        JpegFrameHeader header = JpegFrameHeader.Find(codestream.Span);
        if (header.Process != Process)
        {
            throw new DicomContentException($"The codestream is no JPEG-LS: its frame header is {header.Process:X2}.");
        }

        header.Require(format);
        int precision = header.Precision;
        using CharLSDecoder decoder = CharLSLibrary.CreateDecoder();
        fixed (byte* source = codestream.Span)
        {
            Check(CharLSLibrary.SetSourceBuffer(decoder, source, (nuint)codestream.Length));
            Check(CharLSLibrary.ReadHeader(decoder));
            Check(CharLSLibrary.GetFrameInfo(decoder, out CharLSFrameInfo info));
            Check(CharLSLibrary.GetInterleaveMode(decoder, out CharLSInterleaveMode mode));
            Check(CharLSLibrary.GetDestinationSize(decoder, 0, out nuint length));
            if (info.Width != format.Columns || info.Height != format.Rows || info.ComponentCount != format.SamplesPerPixel
                || info.BitsPerSample != precision || (long)length != format.SampleCount * SampleWidth.BytesOf(precision))
            {
                throw new DicomContentException("The codestream changes the size of the image after its frame header.");
            }

            byte[] samples = new byte[length];
            fixed (byte* target = samples)
            {
                int error = CharLSLibrary.DecodeToBuffer(decoder, target, length, 0);
                if (error == CharLSLibrary.MarkerNotFound)
                {
                    throw new PaddedScanException($"JPEG-LS: {CharLSLibrary.MessageOf(error)}");
                }

                Check(error);
            }

            FrameFormat decoded = format with { IsPlanar = mode == CharLSInterleaveMode.None && format.SamplesPerPixel > 1 };
            samples = ColourOrder.ByPixel(samples, decoded with { BitsAllocated = 8 * SampleWidth.BytesOf(precision) });
            return new DecodedFrame(SampleWidth.Widen(samples, format, precision), format with { IsPlanar = false });
        }
    }

    public byte[] Encode(ReadOnlySpan<byte> frame, FrameFormat format) => Encode(frame, format, near: 0);

    /// <summary>Compresses so that no sample changes by more than <paramref name="near"/>; 0 is lossless.</summary>
    /// <param name="near">0 to 255, and at most half of the greatest sample value.</param>
    /// <exception cref="PixelCodecRefusedException">The library is missing, or the format has no samples of 2 to 16 bits.</exception>
    public unsafe byte[] Encode(ReadOnlySpan<byte> frame, FrameFormat format, int near)
    {
        frame = format.RequireFrame(frame);
        NativeCodecLibrary.CharLS.Require();
        RequireWidth(format);

        // Two bytes a sample with 8 bits of precision is what neither GDCM nor DCMTK decodes: 9 bits are the least there.
        int precision = Math.Max(format.BitsAllocated == 16 ? 9 : 2, SamplePrecision.Of(frame, format));
        ArgumentOutOfRangeException.ThrowIfNegative(near);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(near, Math.Min(255, ((1 << precision) - 1) / 2));
        using CharLSEncoder encoder = CharLSLibrary.CreateEncoder();
        var info = new CharLSFrameInfo
        {
            Width = (uint)format.Columns,
            Height = (uint)format.Rows,
            BitsPerSample = precision,
            ComponentCount = format.SamplesPerPixel,
        };
        CheckOurs(CharLSLibrary.SetFrameInfo(encoder, info));
        CheckOurs(CharLSLibrary.SetNearLossless(encoder, near));
        CheckOurs(CharLSLibrary.SetInterleaveMode(encoder, format.SamplesPerPixel == 1 ? CharLSInterleaveMode.None : CharLSInterleaveMode.Line));
        CheckOurs(CharLSLibrary.GetEstimatedDestinationSize(encoder, out nuint estimate));
        int sampleLength = (int)format.SampleCount * SampleWidth.BytesOf(precision);

        // The estimate leaves no room for noise that grows: half as much again is more than JPEG-LS can make of any samples.
        byte[] samples = ArrayPool<byte>.Shared.Rent(sampleLength);
        byte[] rented = ArrayPool<byte>.Shared.Rent((int)Math.Min((ulong)Array.MaxLength, (ulong)estimate + ((ulong)estimate / 2) + 1024));
        try
        {
            SampleWidth.Narrow(frame, format, precision, samples);
            fixed (byte* source = samples, target = rented)
            {
                CheckOurs(CharLSLibrary.SetDestinationBuffer(encoder, target, (nuint)rented.Length));
                CheckOurs(CharLSLibrary.EncodeFromBuffer(encoder, source, (nuint)sampleLength, 0));
                CheckOurs(CharLSLibrary.GetBytesWritten(encoder, out nuint written));
                byte[] codestream = new byte[((int)written + 1) & ~1];
                rented.AsSpan(0, (int)written).CopyTo(codestream);
                return codestream;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(samples);
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static void RequireWidth(FrameFormat format)
    {
        if (format.BitsAllocated is not (8 or 16))
        {
            throw PixelCodecRefusedException.NotSupported($"JPEG-LS holds samples of 2 to 16 bits, here {format.BitsAllocated} are allocated.");
        }
    }

    private static void Check(int error)
    {
        if (error != 0)
        {
            throw new DicomContentException($"JPEG-LS: {CharLSLibrary.MessageOf(error)}");
        }
    }

    private static void CheckOurs(int error)
    {
        if (error != 0)
        {
            throw new InvalidOperationException($"CharLS does not encode this: {CharLSLibrary.MessageOf(error)}");
        }
    }

    /// <summary>The scan was decoded, and no marker stands behind it.</summary>
    private sealed class PaddedScanException(string message) : Exception(message);
}
