using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

/// <summary>Damages codestreams: the answer must be an image or a typed error, and never anything else.</summary>
internal static class Hostile
{
    /// <summary>Decodes the codestream with one to eight bits flipped, again and again from a pinned seed.</summary>
    public static void FlipBits(IPixelCodec codec, byte[] codestream, FrameFormat format, int rounds)
    {
        var random = new Random(8_151_623);
        for (int round = 0; round < rounds; round++)
        {
            byte[] damaged = (byte[])codestream.Clone();
            for (int flips = random.Next(1, 9); flips > 0; flips--)
            {
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            }

            Decode(codec, damaged, format, $"round {round}");
        }
    }

    /// <summary>Decodes every beginning of the codestream.</summary>
    public static void Truncate(IPixelCodec codec, byte[] codestream, FrameFormat format)
    {
        for (int length = 0; length < codestream.Length; length++)
        {
            Decode(codec, codestream.AsMemory(0, length), format, $"length {length}");
        }
    }

    private static void Decode(IPixelCodec codec, ReadOnlyMemory<byte> codestream, FrameFormat format, string what)
    {
        try
        {
            codec.Decode(codestream, format).Bytes.Length.ShouldBe((int)format.FrameLength, what);
        }
        catch (Exception e) when (e is DicomContentException or PixelCodecRefusedException)
        {
            // What a damaged codestream is meant to give.
        }
    }
}
