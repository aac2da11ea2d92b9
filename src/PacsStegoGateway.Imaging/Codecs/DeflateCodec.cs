using System.IO.Compression;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs;

/// <summary>Deflated Image Frame Compression (PS3.5 8.2.17): each native frame is a raw deflate stream (RFC 1951) of its own.</summary>
internal sealed class DeflateCodec : IPixelCodec
{
    public string? Unavailable => null;

    public bool CanEncode => true;

    public DecodedFrame Decode(ReadOnlyMemory<byte> codestream, FrameFormat format)
    {
        format.RequireSound();

        // Deflate makes at most 1032 bytes of one: a frame that the stream cannot hold is never allocated.
        if (format.FrameLength > codestream.Length * 1032L)
        {
            throw new DicomContentException($"{codestream.Length} deflated bytes cannot hold a frame of {format.FrameLength} bytes.");
        }

        byte[] frame = new byte[format.FrameLength];
        using var deflate = new DeflateStream(new MemoryStream(codestream.ToArray()), CompressionMode.Decompress);
        try
        {
            int length = deflate.ReadAtLeast(frame, frame.Length, throwOnEndOfStream: false);
            if (length < frame.Length)
            {
                throw new DicomContentException($"The deflated frame ends after {length} of {frame.Length} bytes.");
            }
        }
        catch (InvalidDataException e)
        {
            throw new DicomContentException("The frame is no deflate stream.", e);
        }

        return new DecodedFrame(ColourOrder.ByPixel(frame, format), format with { IsPlanar = false });
    }

    public byte[] Encode(ReadOnlySpan<byte> frame, FrameFormat format)
    {
        frame = format.RequireFrame(frame);
        using var stream = new MemoryStream();
        using (var deflate = new DeflateStream(stream, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(frame);
        }

        if ((stream.Length & 1) != 0)
        {
            stream.WriteByte(0);
        }

        return stream.ToArray();
    }
}
