using System.Buffers.Binary;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Codecs.Jpeg;

namespace PacsStegoGateway.Protection;

/// <summary>
/// Says of a codestream that every byte of it follows from its pixels and a few header fields that have no room for text. A
/// frame that goes out as its sender wrote it must not take a name along. Only what is listed here is let through: lossless
/// JPEG and RLE, whose every byte can be accounted for.
/// </summary>
internal static class CodestreamContent
{
    /// <summary>The only application segments let through: JFIF 1.1 and 1.2 with square pixels and no thumbnail, which say nothing.</summary>
    private static readonly byte[][] Jfif = [.. new byte[] { 1, 2 }.Select(static minor => (byte[])[.. "JFIF\0"u8, 1, minor, 0, 0, 1, 0, 1, 0, 0])];

    /// <summary>Categories of a difference, 0 to 16 (ITU-T T.81 table H.2): a table has a code for each at most.</summary>
    private const int Categories = 17;

    /// <summary>True when nothing is there but what makes the pixels; false also for what cannot be told.</summary>
    /// <param name="codestream">All fragments of one frame.</param>
    /// <param name="format">Its format.</param>
    /// <param name="samples">The frame, decoded; asked for only when its codestream's headers are plain.</param>
    public static bool IsPixelsAlone(ReadOnlySpan<byte> codestream, FrameFormat format, Func<ReadOnlyMemory<byte>> samples) => codestream switch
    {
        [0xFF, 0xD8, 0xFF, ..] => LengthOfPlainHeaders(codestream) is > 0 and var headers && IsReplica(codestream, headers, format, samples),
        [>= 1 and <= 15, 0, 0, 0, 64, 0, 0, 0, ..] => IsPlainRle(codestream, format),
        _ => false,
    };

    /// <summary>
    /// Bytes from the start of image to the entropy-coded data (T.81 B.2) when these are one frame header, one table, at most
    /// one restart interval and one scan header, with no field free to choose beyond what the standard lets an encoder; else 0.
    /// </summary>
    private static int LengthOfPlainHeaders(ReadOnlySpan<byte> bytes)
    {
        int component = -1, table = -1;
        bool hasInterval = false;
        for (int at = 2; at + 4 <= bytes.Length && bytes[at] == 0xFF;)
        {
            byte marker = bytes[at + 1];
            int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]);
            if (length < 2 || length > bytes.Length - at - 2)
            {
                return 0;
            }

            ReadOnlySpan<byte> content = bytes.Slice(at + 4, length - 2);
            bool isFirst = at == 2;
            at += 2 + length;
            switch (marker)
            {
                case 0xE0 when isFirst && (content.SequenceEqual(Jfif[0]) || content.SequenceEqual(Jfif[1])):
                    break;
                case 0xC3 when component < 0 && content is [>= 2 and <= 16, _, _, _, _, 1, <= 1, 0x11, 0]:
                    component = content[6];
                    break;
                case 0xC4 when table < 0 && IsPlainTable(content):
                    table = content[0];
                    break;
                case 0xDD when !hasInterval && content.Length == 2:
                    hasInterval = true;
                    break;
                case 0xDA when component >= 0 && table >= 0 && content is [1, _, _, >= 1 and <= 7, 0, 0]
                    && content[1] == component && content[2] == table << 4:
                    return at;
                default:
                    return 0;
            }
        }

        return 0;
    }

    /// <summary>One table of lossless JPEG (T.81 B.2.4.2), with one code at most for each category and none for anything else.</summary>
    private static bool IsPlainTable(ReadOnlySpan<byte> content)
    {
        if (content.Length is < 18 or > 17 + Categories || content[0] > 3)
        {
            return false;
        }

        int codes = 0, seen = 0;
        foreach (byte count in content.Slice(1, 16))
        {
            codes += count;
        }

        foreach (byte category in content[17..])
        {
            if (category >= Categories || (seen & (1 << category)) != 0)
            {
                return false;
            }

            seen |= 1 << category;
        }

        return codes == content.Length - 17;
    }

    /// <summary>True when the samples under these headers give these bytes, up to the end of image and nothing behind it.</summary>
    private static bool IsReplica(ReadOnlySpan<byte> codestream, int headers, FrameFormat format, Func<ReadOnlyMemory<byte>> samples)
    {
        ReadOnlySpan<byte> replica = JpegLosslessReplica.TryEncode(codestream[..headers], samples().Span, format);
        replica = replica is [.., 0] ? replica[..^1] : replica;
        return !replica.IsEmpty && codestream.StartsWith(replica) && IsPadding(codestream[replica.Length..]);
    }

    /// <summary>PS3.5 Annex G: as many segments as a sample has bytes, each as long as its code.</summary>
    private static bool IsPlainRle(ReadOnlySpan<byte> bytes, FrameFormat format)
    {
        int segments = (int)BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (bytes.Length < 64 || segments != format.BitsAllocated / 8 * format.SamplesPerPixel || bytes[(4 + (4 * segments))..64].ContainsAnyExcept((byte)0))
        {
            return false;
        }

        for (int segment = 0; segment < segments; segment++)
        {
            uint from = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 + (4 * segment))..]);
            uint to = segment + 1 < segments ? BinaryPrimitives.ReadUInt32LittleEndian(bytes[(8 + (4 * segment))..]) : (uint)bytes.Length;
            if (from < 64 || to > bytes.Length || from > to || !EndsWithItsCode(bytes[(int)from..(int)to], format.PixelCount))
            {
                return false;
            }
        }

        return true;
    }

    private static bool EndsWithItsCode(ReadOnlySpan<byte> segment, long wanted)
    {
        int at = 0;
        long made = 0;
        while (made < wanted && at < segment.Length)
        {
            int count = (sbyte)segment[at];
            made += count >= 0 ? count + 1 : count == -128 ? 0 : 1 - count;
            at += count >= 0 ? count + 2 : count == -128 ? 1 : 2;
        }

        return made == wanted && at <= segment.Length && IsPadding(segment[at..]);
    }

    /// <summary>One byte or none, to an even length, and it is empty.</summary>
    private static bool IsPadding(ReadOnlySpan<byte> rest) => rest.IsEmpty || (rest.Length == 1 && rest[0] is 0 or 0xFF);
}
