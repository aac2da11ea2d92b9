using System.Buffers.Binary;
using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Protection;

/// <summary>
/// Says whether a codestream holds anything beside pixels: comments, application data, thumbnails, bytes behind its end. A
/// frame that goes out as its sender wrote it must not take a name along there.
/// </summary>
internal static class CodestreamContent
{
    /// <summary>Comments that well-known encoders leave, and nothing else.</summary>
    private static readonly string[] Encoders = ["Created by OpenJPEG version ", "Kakadu-", "LEAD Technologies", "CREATOR: IJG"];

    private const int LongestEncoder = 64;

    /// <summary>True when nothing is there but what makes the pixels; false also for what cannot be told.</summary>
    /// <param name="codestream">All fragments of one frame.</param>
    /// <param name="format">Its format.</param>
    public static bool IsPixelsAlone(ReadOnlySpan<byte> codestream, FrameFormat format) => codestream switch
    {
        [0xFF, 0xD8, 0xFF, ..] => IsPlainJpeg(codestream),
        [0xFF, 0x4F, 0xFF, 0x51, ..] => IsPlainJpeg2000(codestream),
        [>= 1 and <= 15, 0, 0, 0, 64, 0, 0, 0, ..] => IsPlainRle(codestream, format),
        _ => false,
    };

    /// <summary>ITU-T T.81 B.1 and T.87 C: marker segments, entropy-coded data after each scan header.</summary>
    private static bool IsPlainJpeg(ReadOnlySpan<byte> bytes)
    {
        for (int at = 2; at + 1 < bytes.Length;)
        {
            if (bytes[at] != 0xFF)
            {
                return false;
            }

            byte marker = bytes[at + 1];
            at += 2;
            if (marker == 0xD9)
            {
                return IsPadding(bytes[at..]);
            }

            if (marker is 0xFF or (>= 0xD0 and <= 0xD7))
            {
                at -= marker == 0xFF ? 1 : 0;
                continue;
            }

            int length = at + 2 <= bytes.Length ? BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]) : 0;
            if (length < 2 || length > bytes.Length - at || !IsPlainSegment(marker, bytes.Slice(at + 2, length - 2)))
            {
                return false;
            }

            at += length;
            if (marker == 0xDA)
            {
                // Entropy-coded: up to FF with a marker behind it. JPEG stuffs a zero byte, JPEG-LS a zero bit.
                while (at + 1 < bytes.Length && (bytes[at] != 0xFF || bytes[at + 1] < 0x80 || bytes[at + 1] is >= 0xD0 and <= 0xD7))
                {
                    at++;
                }
            }
        }

        return false;
    }

    private static bool IsPlainSegment(byte marker, ReadOnlySpan<byte> content) => marker switch
    {
        0xFE => IsEncoder(content),
        0xE0 => content.Length == 14 && content.StartsWith("JFIF\0"u8) && content is [.., 0, 0], // no thumbnail
        0xEE => content.Length == 12 && content.StartsWith("Adobe"u8),
        0xE8 => content.Length == 5 && content.StartsWith("mrfx"u8), // HP colour transform of JPEG-LS
        >= 0xE0 and <= 0xEF => false,
        _ => true,
    };

    /// <summary>ISO/IEC 15444-1 A: main header, then tile-parts, whose lengths lead to the end of codestream.</summary>
    private static bool IsPlainJpeg2000(ReadOnlySpan<byte> bytes)
    {
        for (int at = 2; at + 4 <= bytes.Length;)
        {
            int marker = BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
            if (marker == 0xFFD9)
            {
                return IsPadding(bytes[(at + 2)..]);
            }

            int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]);
            if (length < 2 || length > bytes.Length - at - 2)
            {
                return false;
            }

            ReadOnlySpan<byte> content = bytes.Slice(at + 4, length - 2);
            if (marker == 0xFF64 && !(content.Length > 2 && IsEncoder(content[2..])))
            {
                return false;
            }

            if (marker == 0xFF90)
            {
                // SOT: tile, Psot, part, parts. A comment in a tile-part's own header begins with FF64 before SOD.
                uint part = content.Length == 8 ? BinaryPrimitives.ReadUInt32BigEndian(content[2..]) : 0;
                if (part < 14 || part > bytes.Length - at || !HasPlainTileHeader(bytes.Slice(at + 12, (int)part - 12)))
                {
                    return false;
                }

                at += (int)part;
                if (bytes[at..] is [0xFF, 0xD9, .. var rest])
                {
                    return IsPadding(rest);
                }
            }
            else
            {
                at += 2 + length;
            }
        }

        return false;
    }

    private static bool HasPlainTileHeader(ReadOnlySpan<byte> part)
    {
        for (int at = 0; at + 2 <= part.Length;)
        {
            int marker = BinaryPrimitives.ReadUInt16BigEndian(part[at..]);
            if (marker == 0xFF93)
            {
                return true;
            }

            int length = at + 4 <= part.Length ? BinaryPrimitives.ReadUInt16BigEndian(part[(at + 2)..]) : 0;
            if (length < 2 || marker == 0xFF64)
            {
                return false;
            }

            at += 2 + length;
        }

        return false;
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

    private static bool IsEncoder(ReadOnlySpan<byte> comment)
    {
        if (comment.Length > LongestEncoder)
        {
            return false;
        }

        string text = System.Text.Encoding.ASCII.GetString(comment);
        return Encoders.Any(e => text.StartsWith(e, StringComparison.Ordinal)
            && text.AsSpan(e.Length).ContainsAnyExcept("0123456789.,- vV\0") is false);
    }

    /// <summary>One byte or none, to an even length, and it is empty.</summary>
    private static bool IsPadding(ReadOnlySpan<byte> rest) => rest.IsEmpty || (rest.Length == 1 && rest[0] is 0 or 0xFF);
}
