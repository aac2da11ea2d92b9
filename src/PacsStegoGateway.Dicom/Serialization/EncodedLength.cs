namespace PacsStegoGateway.Dicom;

/// <summary>How many bytes elements take when written.</summary>
internal static class EncodedLength
{
    /// <summary>All elements, and the bytes that trail the data set.</summary>
    public static long Of(DataSet dataSet, ElementEncoding encoding)
    {
        long length = dataSet.TrailingBytes.Length;
        foreach (Element element in dataSet.Elements)
        {
            long value = OfValue(element, encoding);
            length += HeaderSize(WrittenVr(element, value, encoding), encoding) + value;
        }

        return length;
    }

    /// <summary>The value field, with its items, fragments and delimiters.</summary>
    public static long OfValue(Element element, ElementEncoding encoding)
    {
        long length = element.HasUndefinedLength ? ElementHeader.ShortSize : 0;
        if (element.Items is { } items)
        {
            ElementEncoding inner = EncodingOfItems(element, encoding);
            foreach (DataSet item in items)
            {
                length += ElementHeader.ShortSize + Of(item, inner) + (item.HasUndefinedLength ? ElementHeader.ShortSize : 0);
            }

            return length;
        }

        if (element.Fragments is { } fragments)
        {
            return length + ((long)fragments.Count * ElementHeader.ShortSize) + fragments.TotalLength;
        }

        return element.ValueLength;
    }

    /// <summary>The items of a UN sequence are Implicit VR Little Endian whatever is around them (PS3.5 6.2.2).</summary>
    public static ElementEncoding EncodingOfItems(Element element, ElementEncoding encoding) =>
        element.Vr == Vr.UN ? ElementEncoding.ImplicitLittleEndian : encoding;

    /// <summary>The VR to write: UN where the value is too long for the 16-bit length of its own (PS3.5 6.2.2).</summary>
    public static Vr WrittenVr(Element element, long valueLength, ElementEncoding encoding) =>
        valueLength > ushort.MaxValue && encoding != ElementEncoding.ImplicitLittleEndian && !ElementHeader.HasLongHeader(element.Vr)
            ? Vr.UN
            : element.Vr;

    public static int HeaderSize(Vr vr, ElementEncoding encoding) =>
        encoding != ElementEncoding.ImplicitLittleEndian && ElementHeader.HasLongHeader(vr) ? ElementHeader.LongSize : ElementHeader.ShortSize;
}
