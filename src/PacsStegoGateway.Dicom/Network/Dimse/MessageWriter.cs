using System.Buffers;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>Cuts command and data sets into P-DATA-TF PDUs of one presentation data value each.</summary>
internal static class MessageWriter
{
    /// <summary>Longest PDU we send to a peer that takes any length: what a larger one would save is not measurable.</summary>
    public const int MostUseful = 131_072 - PresentationDataValue.HeaderLength;

    /// <summary>Writes all fragments; the caller flushes.</summary>
    public static void Write(IBufferWriter<byte> output, byte contextID, bool isCommand, ReadOnlyMemory<byte> bytes, int fragmentLength)
    {
        do
        {
            ReadOnlyMemory<byte> fragment = bytes[..Math.Min(fragmentLength, bytes.Length)];
            bytes = bytes[fragment.Length..];
            WriteFragment(output, contextID, isCommand, bytes.IsEmpty, new ReadOnlySequence<byte>(fragment));
        }
        while (!bytes.IsEmpty);
    }

    /// <summary>Writes one PDU.</summary>
    public static void WriteFragment(IBufferWriter<byte> output, byte contextID, bool isCommand, bool isLast, in ReadOnlySequence<byte> fragment)
    {
        int length = (int)fragment.Length;
        Span<byte> span = output.GetSpan(PduWriter.PDataHeaderLength + length);
        PduWriter.WritePDataHeader(span, contextID, isCommand, isLast, length);
        fragment.CopyTo(span[PduWriter.PDataHeaderLength..]);
        output.Advance(PduWriter.PDataHeaderLength + length);
    }

    /// <summary>Writes one PDU with a part of a data set, read straight into it.</summary>
    /// <returns>The length of the part.</returns>
    public static int WriteFragment(IBufferWriter<byte> output, byte contextID, bool isLast, ByteSource dataSet, long offset, int length)
    {
        Span<byte> span = output.GetSpan(PduWriter.PDataHeaderLength + length);
        PduWriter.WritePDataHeader(span, contextID, isCommand: false, isLast, length);
        dataSet.Read(offset, span.Slice(PduWriter.PDataHeaderLength, length));
        output.Advance(PduWriter.PDataHeaderLength + length);
        return length;
    }
}
