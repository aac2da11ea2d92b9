using System.Buffers;
using System.Buffers.Binary;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>
/// One presentation data value item (PS3.8 9.3.5.1) and its message control header (PS3.8 E.2):
/// <code>
///  1-4     Item-length    bytes after this field
///  5       Presentation-context-ID
///  6       Message Control Header   bit 0: 1 command, 0 data set   bit 1: 1 last fragment
///  7-xxx   fragment
/// </code>
/// </summary>
/// <param name="Fragment">A view on the receive buffer.</param>
public readonly record struct PresentationDataValue(byte ContextID, bool IsCommand, bool IsLast, ReadOnlySequence<byte> Fragment)
{
    internal const int HeaderLength = 6;
    internal const byte CommandBit = 1;
    internal const byte LastBit = 2;

    /// <summary>Takes the next item off <paramref name="items"/>; false when none is left.</summary>
    /// <exception cref="DimseProtocolException">The item runs past the PDU, or is too short for its own header.</exception>
    public static bool TryTake(ref ReadOnlySequence<byte> items, out PresentationDataValue value)
    {
        value = default;
        if (items.IsEmpty)
        {
            return false;
        }

        Span<byte> header = stackalloc byte[HeaderLength];
        if (items.Length < HeaderLength)
        {
            throw new DimseProtocolException($"{items.Length} bytes at the end of a P-DATA-TF PDU are no presentation data value.",
                AbortReason.InvalidPduParameterValue);
        }

        items.Slice(0, HeaderLength).CopyTo(header);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(header);
        if (length < 2 || length > items.Length - 4)
        {
            throw new DimseProtocolException($"A presentation data value of {length} bytes in a place for 2 to {items.Length - 4}.",
                AbortReason.InvalidPduParameterValue);
        }

        value = new PresentationDataValue(header[4], (header[5] & CommandBit) != 0, (header[5] & LastBit) != 0,
            items.Slice(HeaderLength, length - 2));
        items = items.Slice(4L + length);
        return true;
    }
}
