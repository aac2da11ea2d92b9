using System.Buffers;
using PacsStegoGateway.Imaging.Codecs.Jpeg;

namespace PacsStegoGateway.Imaging.Codecs.JpegLs;

/// <summary>JPEG-LS (ITU-T T.87), decoded by own code and encoded by CharLS: lossless and near-lossless, 2 to 16 bits.</summary>
public sealed class JpegLsCodec : IPixelCodec
{
    internal const byte Process = 0xF7;

    public string? Unavailable => NativeCodecLibrary.CharLS.Missing;

    public bool CanEncode => true;

    public DecodedFrame Decode(ReadOnlyMemory<byte> codestream, FrameFormat format)
    {
        format.RequireSound();
        RequireWidth(format);
        JpegFrameHeader header = JpegFrameHeader.Find(codestream.Span);
        byte[] samples = JpegLsDecoder.Decode(codestream.Span, format, header);
        return new DecodedFrame(SampleWidth.Widen(samples, format, header.Precision), format with { IsPlanar = false });
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

    private static void CheckOurs(int error)
    {
        if (error != 0)
        {
            throw new InvalidOperationException($"CharLS does not encode this: {CharLSLibrary.MessageOf(error)}");
        }
    }
}
