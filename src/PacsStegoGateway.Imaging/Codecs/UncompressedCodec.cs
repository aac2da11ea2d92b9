using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs;

/// <summary>Encapsulated Uncompressed Explicit VR Little Endian (PS3.5 A.4.11): fragments that hold native frames.</summary>
internal sealed class UncompressedCodec : IPixelCodec
{
    public string? Unavailable => null;

    public bool CanEncode => true;

    public DecodedFrame Decode(ReadOnlyMemory<byte> codestream, FrameFormat format)
    {
        format.RequireSound();
        if (codestream.Length != format.FrameLength && codestream.Length != format.FrameLength + 1)
        {
            throw new DicomContentException($"An uncompressed frame has {codestream.Length} bytes, its format says {format.FrameLength}.");
        }

        byte[] frame = codestream[..(int)format.FrameLength].ToArray();
        return new DecodedFrame(ColourOrder.ByPixel(frame, format), format with { IsPlanar = false });
    }

    public byte[] Encode(ReadOnlySpan<byte> frame, FrameFormat format)
    {
        frame = format.RequireFrame(frame);
        byte[] even = new byte[(frame.Length + 1) & ~1];
        frame.CopyTo(even);
        return even;
    }
}
