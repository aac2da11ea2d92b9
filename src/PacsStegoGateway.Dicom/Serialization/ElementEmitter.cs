using System.Buffers;
using System.Buffers.Binary;

namespace PacsStegoGateway.Dicom;

/// <summary>Writes elements into a buffer writer: headers and small values gathered, large values handed on whole.</summary>
internal ref struct ElementEmitter
{
    private const int Gathered = 4096;

    private readonly IBufferWriter<byte> _destination;
    private Span<byte> _buffer;
    private int _used;

    public ElementEmitter(IBufferWriter<byte> destination) => _destination = destination;

    public void WriteElements(DataSet dataSet, ElementEncoding encoding)
    {
        foreach (Element element in dataSet.Elements)
        {
            WriteElement(element, encoding);
        }

        WriteBytes(dataSet.TrailingBytes.Span);
    }

    /// <summary>Hands on what is gathered; to be called at the end.</summary>
    public void Flush()
    {
        if (_used > 0)
        {
            _destination.Advance(_used);
        }

        _buffer = default;
        _used = 0;
    }

    private void WriteElement(Element element, ElementEncoding encoding)
    {
        bool bigEndian = encoding == ElementEncoding.ExplicitBigEndian;
        long valueLength = EncodedLength.OfValue(element, encoding);
        Vr vr = EncodedLength.WrittenVr(element, valueLength, encoding);
        WriteHeader(element.Tag, vr, element.HasUndefinedLength ? ElementHeader.UndefinedLength : Counted(valueLength, element.Tag), encoding);
        if (element.Items is { } items)
        {
            ElementEncoding inner = EncodedLength.EncodingOfItems(element, encoding);
            foreach (DataSet item in items)
            {
                WriteItem(item, element.Tag, inner);
            }
        }
        else if (element.Fragments is { } fragments)
        {
            foreach (ReadOnlyMemory<byte> fragment in fragments)
            {
                WriteHeader(ElementHeader.Item, default, (uint)fragment.Length, encoding);
                WriteBytes(fragment.Span);
            }
        }
        else if (bigEndian && vr.SwapUnit() is > 1 and var unit)
        {
            WriteSwapped(element.Value.Span, unit);
        }
        else
        {
            WriteBytes(element.Value.Span);
        }

        if (element.HasUndefinedLength)
        {
            WriteHeader(ElementHeader.SequenceDelimitation, default, 0, element.Items is null ? encoding : EncodedLength.EncodingOfItems(element, encoding));
        }
    }

    private void WriteItem(DataSet item, Tag sequence, ElementEncoding encoding)
    {
        uint length = item.HasUndefinedLength ? ElementHeader.UndefinedLength : Counted(EncodedLength.Of(item, encoding), sequence);
        WriteHeader(ElementHeader.Item, default, length, encoding);
        WriteElements(item, encoding);
        if (item.HasUndefinedLength)
        {
            WriteHeader(ElementHeader.ItemDelimitation, default, 0, encoding);
        }
    }

    private static uint Counted(long length, Tag tag) => length < ElementHeader.UndefinedLength
        ? (uint)length
        : throw new ArgumentException($"{tag}: {length} bytes are more than a length field counts.");

    private void WriteHeader(Tag tag, Vr vr, uint length, ElementEncoding encoding)
    {
        Span<byte> header = Reserve(ElementHeader.LongSize);
        bool bigEndian = encoding == ElementEncoding.ExplicitBigEndian;
        WriteUInt16(header, tag.Group, bigEndian);
        WriteUInt16(header[2..], tag.Element, bigEndian);
        if (encoding == ElementEncoding.ImplicitLittleEndian || tag.Group == 0xFFFE)
        {
            WriteUInt32(header[4..], length, bigEndian);
            _used += ElementHeader.ShortSize;
            return;
        }

        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)vr);
        if (!ElementHeader.HasLongHeader(vr))
        {
            WriteUInt16(header[6..], (ushort)length, bigEndian);
            _used += ElementHeader.ShortSize;
            return;
        }

        header[6..8].Clear();
        WriteUInt32(header[8..], length, bigEndian);
        _used += ElementHeader.LongSize;
    }

    private void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= Gathered / 4)
        {
            bytes.CopyTo(Reserve(bytes.Length));
            _used += bytes.Length;
            return;
        }

        Flush();
        _destination.Write(bytes);
    }

    private void WriteSwapped(ReadOnlySpan<byte> value, int unit)
    {
        while (!value.IsEmpty)
        {
            ReadOnlySpan<byte> part = value[..Math.Min(value.Length, Gathered)];
            ByteOrder.Swap(part, unit, Reserve(part.Length));
            _used += part.Length;
            value = value[part.Length..];
        }
    }

    /// <summary>At least so many bytes to write to, up to <see cref="Gathered"/>.</summary>
    private Span<byte> Reserve(int count)
    {
        if (_buffer.Length - _used < count)
        {
            Flush();
            _buffer = _destination.GetSpan(Gathered);
        }

        return _buffer[_used..];
    }

    private static void WriteUInt16(Span<byte> bytes, ushort value, bool bigEndian)
    {
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        }
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        }
    }

    private static void WriteUInt32(Span<byte> bytes, uint value, bool bigEndian)
    {
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        }
    }
}
