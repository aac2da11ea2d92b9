namespace PacsStegoGateway.Dicom;

/// <summary>Sequences of items (PS3.5 7.5) and encapsulated fragments (PS3.5 A.4).</summary>
/// <remarks>
/// <code>
/// sequence := items                        value length counted
///           | items FFFE,E0DD 00000000     value length undefined
/// item     := FFFE,E000 length elements
///           | FFFE,E000 FFFFFFFF elements FFFE,E00D 00000000
/// pixels   := FFFE,E000 length offsets (FFFE,E000 length fragment)* FFFE,E0DD 00000000
/// </code>
/// </remarks>
internal ref partial struct DataSetCursor
{
    /// <param name="parent">The data set the sequence is in.</param>
    /// <param name="tag">Its tag.</param>
    /// <param name="vr">SQ or UN.</param>
    /// <param name="encoding">How its items are laid out.</param>
    /// <param name="length">The counted value length, checked, or null when delimited.</param>
    /// <param name="outerEnd">Where the data set around it ends.</param>
    /// <param name="place">Where the data set around it stands.</param>
    private Element ReadSequence(DataSet parent, Tag tag, Vr vr, ElementEncoding encoding, long? length, long outerEnd, Place place)
    {
        int depth = place.Depth + 1;
        if (depth > _options.MaxSequenceDepth)
        {
            throw new DicomContentException($"Sequences are nested deeper than {_options.MaxSequenceDepth}.", _position, tag);
        }

        long end = length is { } counted ? _position + counted : outerEnd;
        List<DataSet> items = [];
        while (length is null || _position < end)
        {
            if (ReadItemHeader(tag, encoding, end, length is null) is not { } header)
            {
                break;
            }

            long itemEnd = header.IsUndefined ? end : _position + LengthWithin(header, _position, end);
            var item = new DataSet(new List<Element>(8)) { HasUndefinedLength = header.IsUndefined, Parent = parent };
            ReadElements(item, encoding, itemEnd, new Place(depth, header.IsUndefined, place.IsSigned));
            items.Add(item);
        }

        return Element.Sequence(tag, items, length is null, vr);
    }

    private Fragments ReadFragments(Tag tag, ElementEncoding encoding, long end)
    {
        var fragments = new Fragments();
        while (ReadItemHeader(tag, encoding, end, isDelimited: true) is { } header)
        {
            long length = LengthWithin(header, _position, end);
            fragments.Add(_source, _position, length);
            _position += length;
        }

        return fragments;
    }

    /// <summary>The header of the next item, or null after the Sequence Delimitation Item.</summary>
    private ElementHeader? ReadItemHeader(Tag sequence, ElementEncoding encoding, long end, bool isDelimited)
    {
        if (!ElementHeader.TryRead(Peek(ElementHeader.LongSize, end), encoding, out ElementHeader header))
        {
            throw PastEnd($"{end - _position} bytes are left, too few for an item or its delimiter", _position, sequence, end);
        }

        if (isDelimited && header.Tag == ElementHeader.SequenceDelimitation)
        {
            EndDelimited(header);
            return null;
        }

        if (header.Tag != ElementHeader.Item)
        {
            throw new DicomContentException($"{header.Tag} stands where an item must.", _position, sequence);
        }

        if (++_items > _options.MaxItems)
        {
            throw new DicomContentException($"More than {_options.MaxItems} items.", _position, sequence);
        }

        _position += header.Size;
        return header;
    }

    /// <summary>Steps over a delimiter; its length must be zero, and what a lenient reader finds instead means nothing.</summary>
    private void EndDelimited(in ElementHeader header)
    {
        if (_options.Strict && header.Length != 0)
        {
            throw new DicomContentException($"The delimiter's length is {header.Length}, not zero.", _position, header.Tag);
        }

        _position += header.Size;
    }
}
