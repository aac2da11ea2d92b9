using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace PacsStegoGateway.Dicom;

/// <summary>Puts an encoded data set together: headers and short values are gathered, long values stay where they are.</summary>
internal ref struct ElementEmitter
{
    /// <summary>Values up to so many bytes are copied.</summary>
    private const int LongestGathered = 1024;

    private const int BufferLength = 16 * 1024;

    private readonly List<ByteSource> _parts = [];
    private readonly long _expected;
    private byte[] _buffer;
    private int _start;
    private int _used;

    /// <param name="expected">How many bytes will be written.</param>
    public ElementEmitter(long expected)
    {
        _expected = expected;
        _buffer = GC.AllocateUninitializedArray<byte>((int)Math.Min(expected + ElementHeader.LongSize, BufferLength));
    }

    /// <summary>What was written.</summary>
    /// <exception cref="InvalidOperationException">More or fewer bytes were written than had been counted.</exception>
    public ByteSource Complete()
    {
        EndGathering();
        ByteSource whole = ByteSource.Join(CollectionsMarshal.AsSpan(_parts));
        return whole.Length == _expected
            ? whole
            : throw new InvalidOperationException($"{whole.Length} bytes were written where {_expected} had been counted.");
    }

    public void WriteElements(DataSet dataSet, ElementEncoding encoding)
    {
        foreach (Element element in dataSet.Elements)
        {
            WriteElement(element, encoding);
        }

        WriteValue(dataSet.TrailingBytes, 1);
    }

    private void WriteElement(Element element, ElementEncoding encoding)
    {
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
            for (int i = 0; i < fragments.Count; i++)
            {
                WriteHeader(ElementHeader.Item, default, Counted(fragments.LengthOf(i), element.Tag), encoding);
                WriteValue(fragments.SourceOf(i), 1);
            }
        }
        else
        {
            WriteValue(element, encoding == ElementEncoding.ExplicitBigEndian ? vr.SwapUnit() : 1);
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

    private void WriteValue(Element element, int unit)
    {
        if (element.IsDeferred)
        {
            WriteValue(element.Source, unit);
        }
        else
        {
            WriteValue(element.Value, unit);
        }
    }

    private void WriteValue(ReadOnlyMemory<byte> value, int unit)
    {
        if (value.Length <= LongestGathered)
        {
            ByteOrder.Swap(value.Span, unit, Reserve(value.Length)[..value.Length]);
            _used += value.Length;
        }
        else
        {
            WriteValue(ByteSource.Of(value), unit);
        }
    }

    private void WriteValue(ByteSource value, int unit)
    {
        value = unit > 1 ? SwappedSource.Of(value, unit) : value;
        if (value.Length <= LongestGathered)
        {
            value.Read(0, Reserve((int)value.Length)[..(int)value.Length]);
            _used += (int)value.Length;
        }
        else
        {
            EndGathering();
            _parts.Add(value);
        }
    }

    private void EndGathering()
    {
        if (_used > _start)
        {
            _parts.Add(ByteSource.Of(_buffer.AsMemory(_start, _used - _start)));
            _start = _used;
        }
    }

    /// <summary>At least so many bytes to write to, up to <see cref="LongestGathered"/>.</summary>
    private Span<byte> Reserve(int count)
    {
        if (_buffer.Length - _used < count)
        {
            EndGathering();
            _buffer = GC.AllocateUninitializedArray<byte>(BufferLength);
            _start = _used = 0;
        }

        return _buffer.AsSpan(_used);
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
