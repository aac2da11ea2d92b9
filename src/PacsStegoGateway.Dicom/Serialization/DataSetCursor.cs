namespace PacsStegoGateway.Dicom;

/// <summary>A place in the bytes of a data set, and the counts that bound what is made of them.</summary>
/// <remarks>Every length is compared with the bytes that are there before anything is allocated for it.</remarks>
internal ref partial struct DataSetCursor
{
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly ReadOnlySpan<byte> _span;
    private readonly DicomReadOptions _options;
    private int _position;
    private int _items;
    private int _elements;
    private bool _ranPastEnd;

    /// <param name="bytes">The input; offsets in exceptions count from its start.</param>
    /// <param name="position">Where reading starts.</param>
    /// <param name="options">Strictness and limits.</param>
    public DataSetCursor(ReadOnlyMemory<byte> bytes, int position, DicomReadOptions options)
    {
        _bytes = bytes;
        _span = bytes.Span;
        _position = position;
        _options = options;
    }

    public readonly int Position => _position;

    public DataSet ReadDataSet(ElementEncoding encoding)
    {
        var dataSet = new DataSet(new List<Element>(64));
        ReadElements(dataSet, encoding, _span.Length, new Place(0, false, false));
        return dataSet;
    }

    /// <summary>The complete elements at the head; a cut one ends the reading.</summary>
    public DataSet ReadHead(ElementEncoding encoding)
    {
        var dataSet = new DataSet(new List<Element>(32));
        try
        {
            ReadElements(dataSet, encoding, _span.Length, new Place(0, false, false));
        }
        catch (DicomContentException) when (_ranPastEnd)
        {
            dataSet.Arrange();
        }

        return dataSet;
    }

    /// <summary>
    /// The elements of group 0002, always Explicit VR Little Endian (PS3.10 7.1). The group length is not needed to
    /// find their end: a deflated data set that follows does not look like one more of them.
    /// </summary>
    public DataSet ReadFileMeta()
    {
        int end = _position;
        while (ElementHeader.TryRead(_span[end..], ElementEncoding.ExplicitLittleEndian, out ElementHeader header)
            && header.Tag.Group == 0x0002 && ElementHeader.AreLetters(header.Vr))
        {
            end += header.Size;
            end += LengthWithin(header, end, _span.Length);
        }

        var meta = new DataSet(new List<Element>(12));
        ReadElements(meta, ElementEncoding.ExplicitLittleEndian, end, new Place(0, false, false));
        return meta;
    }

    /// <param name="set">Filled with the elements.</param>
    /// <param name="encoding">How they are laid out.</param>
    /// <param name="end">Where they end at the latest; exactly there when they are not delimited.</param>
    /// <param name="place">Where the data set stands.</param>
    private void ReadElements(DataSet set, ElementEncoding encoding, int end, Place place)
    {
        bool ordered = true;
        Tag last = default;
        while (_position < end)
        {
            int start = _position;
            if (!ElementHeader.TryRead(_span[start..end], encoding, out ElementHeader header))
            {
                if (place.Depth == 0 && IsPadding(start, set))
                {
                    break;
                }

                throw PastEnd($"{end - start} bytes are left, too few for an element header", start, null, end);
            }

            if (header.Tag.Group == 0xFFFE)
            {
                if (header.Tag != ElementHeader.ItemDelimitation || !place.IsDelimited)
                {
                    throw new DicomContentException("This tag does not belong between elements.", start, header.Tag);
                }

                EndDelimited(header);
                Finish(set, ordered);
                return;
            }

            if (place.Depth == 0)
            {
                if (_options.StopBefore is { } stop && header.Tag >= stop)
                {
                    break;
                }

                if (header.Tag.Value == 0 && header.Length == 0 && IsPadding(start, set))
                {
                    break;
                }
            }

            if (set.Count > 0 && header.Tag <= last)
            {
                if (header.Tag == last || _options.Strict)
                {
                    throw new DicomContentException(
                        header.Tag == last ? "The tag stands twice." : $"The element stands after {last}.", start, header.Tag);
                }

                ordered = false;
            }

            last = header.Tag;
            if (++_elements > _options.MaxElements)
            {
                throw new DicomContentException($"More than {_options.MaxElements} elements.", start, header.Tag);
            }

            _position += header.Size;
            Element element = ReadContent(set, header, encoding, start, end, place);
            set.Append(element);
            if (element.Tag.Value == 0x00280103 && element.Value.Length == 2)
            {
                place = place with { IsSigned = element.Value.Span[0] == 1 };
            }
        }

        if (place.IsDelimited)
        {
            throw PastEnd("The item has no Item Delimitation Item", _position, ElementHeader.ItemDelimitation, end);
        }

        Finish(set, ordered);
    }

    private Element ReadContent(DataSet set, ElementHeader header, ElementEncoding encoding, int start, int end, Place place)
    {
        bool isImplicit = encoding == ElementEncoding.ImplicitLittleEndian;
        Vr vr = isImplicit ? ImplicitVr(header.Tag, place.IsSigned) : header.Vr;
        if (!isImplicit)
        {
            CheckExplicit(header, start);
        }

        if (header.IsUndefined)
        {
            if (vr is Vr.OB or Vr.OW || (vr == Vr.UN && header.Tag == Tags.PixelData))
            {
                return Element.Encapsulated(header.Tag, vr, ReadFragments(header.Tag, encoding, end));
            }

            if (vr == Vr.UN)
            {
                // PS3.5 6.2.2: a UN sequence of undefined length holds Implicit VR Little Endian. Where the data set
                // is implicit itself no VR is written, and the element is what it shows to be: a sequence.
                return ReadSequence(set, header.Tag, isImplicit ? Vr.SQ : Vr.UN, ElementEncoding.ImplicitLittleEndian, null, end, place);
            }

            if (vr != Vr.SQ && !isImplicit)
            {
                throw new DicomContentException($"VR {vr.Letters()} cannot have undefined length.", start, header.Tag);
            }

            return ReadSequence(set, header.Tag, Vr.SQ, encoding, null, end, place);
        }

        int length = LengthWithin(header, _position, end);
        if (vr == Vr.SQ)
        {
            if (!isImplicit || _options.Strict || length == 0 || StartsWithItem(_position, length))
            {
                return ReadSequence(set, header.Tag, Vr.SQ, encoding, length, end, place);
            }

            // The dictionary's VR is a guess: retired editions gave some tags another one.
            vr = Vr.UN;
        }

        if ((length & 1) != 0 && _options.Strict)
        {
            throw new DicomContentException($"The length {length} is odd.", start, header.Tag);
        }

        ReadOnlyMemory<byte> value = _bytes.Slice(_position, length);
        _position += length;
        if (encoding == ElementEncoding.ExplicitBigEndian && vr.SwapUnit() is > 1 and var unit)
        {
            byte[] swapped = GC.AllocateUninitializedArray<byte>(length);
            ByteOrder.Swap(value.Span, unit, swapped);
            value = swapped;
        }

        return Element.Raw(header.Tag, vr, value);
    }

    private readonly bool StartsWithItem(int position, int length) =>
        ElementHeader.TryRead(_span.Slice(position, length), ElementEncoding.ImplicitLittleEndian, out ElementHeader first)
        && first.Tag == ElementHeader.Item;

    /// <summary>The value's length, once it is known to be there and allowed.</summary>
    private int LengthWithin(in ElementHeader header, int valueStart, int end)
    {
        if (header.IsUndefined)
        {
            throw new DicomContentException("The length is undefined where it must be counted.", valueStart - header.Size, header.Tag);
        }

        if (header.Length > (uint)(end - valueStart))
        {
            throw PastEnd($"The length {header.Length} is more than the {end - valueStart} bytes that are left", valueStart - header.Size, header.Tag, end);
        }

        if (header.Length > _options.MaxValueLength)
        {
            throw new DicomContentException(
                $"The length {header.Length} is more than the allowed {_options.MaxValueLength}.", valueStart - header.Size, header.Tag);
        }

        return (int)header.Length;
    }

    private readonly void CheckExplicit(in ElementHeader header, int start)
    {
        if (_options.Strict && !header.Vr.IsKnown())
        {
            throw new DicomContentException($"0x{(ushort)header.Vr:X4} is no VR.", start, header.Tag);
        }

        if (_options.Strict && header.Reserved != 0)
        {
            throw new DicomContentException($"The reserved bytes are 0x{header.Reserved:X4}, not zero.", start, header.Tag);
        }
    }

    /// <summary>The dictionary's VR; where it allows US or SS, what Pixel Representation says (PS3.5 A.1).</summary>
    private static Vr ImplicitVr(Tag tag, bool isSigned)
    {
        Vr vr = DataDictionary.VrOf(tag, out Vr alternative);
        return isSigned && vr == Vr.US && alternative == Vr.SS ? Vr.SS : vr;
    }

    /// <summary>Takes what is left as padding after a data set: zero bytes only, and only when not strict.</summary>
    private bool IsPadding(int start, DataSet set)
    {
        if (_options.Strict || _span[start..].ContainsAnyExcept((byte)0))
        {
            return false;
        }

        set.TrailingBytes = _bytes[start..];
        _position = _span.Length;
        return true;
    }

    private static void Finish(DataSet set, bool ordered)
    {
        if (!ordered)
        {
            set.Arrange();
        }
    }

    private DicomContentException PastEnd(string what, int offset, Tag? tag, int end)
    {
        _ranPastEnd = end == _span.Length;
        return new DicomContentException($"{what}.", offset, tag);
    }

    /// <param name="Depth">Sequences around the data set; 0 at the top.</param>
    /// <param name="IsDelimited">True in an item of undefined length.</param>
    /// <param name="IsSigned">True when the nearest (0028,0103) Pixel Representation before here says signed.</param>
    private readonly record struct Place(int Depth, bool IsDelimited, bool IsSigned);
}
