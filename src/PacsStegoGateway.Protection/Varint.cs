using System.Buffers;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Protection;

/// <summary>Numbers from 0 to 2^31 - 1 in as few bytes as they need: seven bits a byte, the low ones first, the high bit set on all but the last.</summary>
internal static class Varint
{
    public static void Write(ArrayBufferWriter<byte> writer, int value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            writer.Write([(byte)(value | 0x80)]);
        }

        writer.Write([(byte)value]);
    }

    /// <exception cref="DicomContentException">Cut short, or too large.</exception>
    public static int Read(ReadOnlySpan<byte> bytes, ref int position)
    {
        long value = 0;
        for (int shift = 0; shift < 35 && position < bytes.Length; shift += 7)
        {
            byte next = bytes[position++];
            value |= (long)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value <= int.MaxValue ? (int)value : throw Damaged();
            }
        }

        throw Damaged();
    }

    public static DicomContentException Damaged() => new("The record of the original codestreams is damaged.");
}
