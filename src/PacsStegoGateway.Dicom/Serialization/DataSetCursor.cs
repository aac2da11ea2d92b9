namespace PacsStegoGateway.Dicom;

/// <summary>A place in the bytes of a data set, and the counts that bound what is made of them.</summary>
/// <remarks>
/// Every length is compared with the bytes that are there before anything is allocated for it. The bytes are seen through
/// a window: of an input in memory it is everything, of another the part around the position, where long values are
/// stepped over.
/// </remarks>
internal ref partial struct DataSetCursor
{
    /// <summary>Bytes of values that are copied out of a window; beyond, only those of <see cref="ShortValue"/> are.</summary>
    private const long MostCopied = 32 << 20;

    private const int ShortValue = 256;

    /// <summary>Bytes of <see cref="Ahead"/>, and of padding after a data set of which not everything is in memory.</summary>
    private const int AheadLength = 64 * 1024;

    /// <summary>A window is as long as the longest value that is read, and at least this.</summary>
    private const int ShortestWindow = 64;

    private readonly DicomReadOptions _options;
    private readonly ByteSource _source;
    private readonly long _length;
    private readonly bool _isInMemory;
    private ReadOnlyMemory<byte> _window;
    private ReadOnlySpan<byte> _windowSpan;
    private long _windowStart;
    private byte[]? _buffer;
    private long _copied;
    private long _position;
    private int _items;
    private int _elements;
    private bool _ranPastEnd;

    /// <param name="source">The input; offsets in exceptions count from its start.</param>
    /// <param name="position">Where reading starts.</param>
    /// <param name="options">Strictness, limits, and which inputs are read into memory.</param>
    public DataSetCursor(ByteSource source, long position, DicomReadOptions options)
    {
        _isInMemory = source.TryGetMemory(out _window);
        if (!_isInMemory && source.Length <= options.LongestReadSource)
        {
            _window = source.ToArray();
            source = ByteSource.Of(_window);
            _isInMemory = true;
        }

        _source = source;
        _windowSpan = _window.Span;
        _length = source.Length;
        _position = position;
        _options = options;
    }

    public readonly long Position => _position;

    /// <summary>The bytes from the position on: all of them, or at least <see cref="AheadLength"/>.</summary>
    public ReadOnlySpan<byte> Ahead => Peek(AheadLength, _length);

    public DataSet ReadDataSet(ElementEncoding encoding)
    {
        var dataSet = new DataSet(new List<Element>(64));
        ReadElements(dataSet, encoding, _length, new Place(0, false, false));
        return dataSet;
    }

    /// <summary>The complete elements at the head; a cut one ends the reading.</summary>
    public DataSet ReadHead(ElementEncoding encoding)
    {
        var dataSet = new DataSet(new List<Element>(32));
        try
        {
            ReadElements(dataSet, encoding, _length, new Place(0, false, false));
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
        long start = _position;
        while (ElementHeader.TryRead(Peek(ElementHeader.LongSize, _length), ElementEncoding.ExplicitLittleEndian, out ElementHeader header)
            && header.Tag.Group == 0x0002 && ElementHeader.AreLetters(header.Vr))
        {
            _position += header.Size;
            _position += LengthWithin(header, _position, _length);
        }

        long end = _position;
        _position = start;
        var meta = new DataSet(new List<Element>(12));
        ReadElements(meta, ElementEncoding.ExplicitLittleEndian, end, new Place(0, false, false));
        return meta;
    }

    /// <param name="set">Filled with the elements.</param>
    /// <param name="encoding">How they are laid out.</param>
    /// <param name="end">Where they end at the latest; exactly there when they are not delimited.</param>
    /// <param name="place">Where the data set stands.</param>
    private void ReadElements(DataSet set, ElementEncoding encoding, long end, Place place)
    {
        bool ordered = true;
        Tag last = default;
        while (_position < end)
        {
            long start = _position;
            if (!ElementHeader.TryRead(Peek(ElementHeader.LongSize, end), encoding, out ElementHeader header))
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

                if (set.Count > 0 && (header.Tag.Group == 0x0002) != (last.Group == 0x0002))
                {
                    // Behind a meta group it would be read as part of it, and could name another transfer syntax. A meta
                    // group by itself is read.
                    throw new DicomContentException("File Meta Information stands in the data set.", start, header.Tag);
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
            if (element.Tag.Value == 0x00280103 && element.ValueLength == 2)
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

    private Element ReadContent(DataSet set, ElementHeader header, ElementEncoding encoding, long start, long end, Place place)
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

        long length = LengthWithin(header, _position, end);
        if (vr == Vr.SQ)
        {
            if (!isImplicit || _options.Strict || length == 0 || StartsWithItem(length))
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

        int unit = encoding == ElementEncoding.ExplicitBigEndian ? vr.SwapUnit() : 1;
        if (!_isInMemory && length > (_copied < MostCopied ? _options.LongestReadValue : ShortValue))
        {
            ByteSource deferred = _source.Slice(_position, length);
            _position += length;
            return Element.Raw(header.Tag, vr, unit > 1 ? SwappedSource.Of(deferred, unit) : deferred);
        }

        ReadOnlyMemory<byte> value = Take((int)length);
        if (unit > 1)
        {
            byte[] swapped = GC.AllocateUninitializedArray<byte>(value.Length);
            ByteOrder.Swap(value.Span, unit, swapped);
            value = swapped;
        }

        return Element.Raw(header.Tag, vr, value);
    }

    private bool StartsWithItem(long length) =>
        ElementHeader.TryRead(Peek(ElementHeader.ShortSize, _position + length), ElementEncoding.ImplicitLittleEndian, out ElementHeader first)
        && first.Tag == ElementHeader.Item;

    /// <summary>The bytes from the position on that are in the window, moved on where it shows too few of those before the end.</summary>
    /// <param name="wanted">How many there will be, unless the end comes before.</param>
    /// <param name="end">Bytes from here on are not shown.</param>
    private ReadOnlySpan<byte> Peek(int wanted, long end)
    {
        long left = end - _position;
        long at = _position - _windowStart;
        if (!_isInMemory && (at < 0 || _windowSpan.Length - at < Math.Min(wanted, left)))
        {
            MoveWindow(wanted);
            at = _position - _windowStart;
        }

        return _windowSpan.Slice((int)at, (int)Math.Min(left, _windowSpan.Length - at));
    }

    /// <summary>The bytes at the position, which are there: a slice of the input in memory, else a copy. Moves the position after them.</summary>
    private ReadOnlyMemory<byte> Take(int length)
    {
        ReadOnlyMemory<byte> bytes = default;
        if (length > 0)
        {
            ReadOnlySpan<byte> seen = Peek(length, _position + length);
            bytes = _isInMemory ? _window.Slice((int)_position, length) : seen.ToArray();
            _copied += length;
        }

        _position += length;
        return bytes;
    }

    private void MoveWindow(int wanted)
    {
        if (_buffer is null || _buffer.Length < Math.Min(wanted, _length))
        {
            _buffer = GC.AllocateUninitializedArray<byte>((int)Math.Min(_length, Math.Max(wanted, Math.Max(_options.LongestReadValue, ShortestWindow))));
        }

        _windowStart = Math.Min(_position, _length - _buffer.Length);
        _windowSpan = _buffer;
        _source.Read(_windowStart, _buffer);
    }

    /// <summary>The value's length, once it is known to be there and allowed.</summary>
    private long LengthWithin(in ElementHeader header, long valueStart, long end)
    {
        if (header.IsUndefined)
        {
            throw new DicomContentException("The length is undefined where it must be counted.", valueStart - header.Size, header.Tag);
        }

        if (header.Length > end - valueStart)
        {
            throw PastEnd($"The length {header.Length} is more than the {end - valueStart} bytes that are left", valueStart - header.Size, header.Tag, end);
        }

        if (header.Length > _options.MaxValueLength)
        {
            throw new DicomContentException(
                $"The length {header.Length} is more than the allowed {_options.MaxValueLength}.", valueStart - header.Size, header.Tag);
        }

        return header.Length;
    }

    private readonly void CheckExplicit(in ElementHeader header, long start)
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
    private bool IsPadding(long start, DataSet set)
    {
        _position = start;
        ReadOnlySpan<byte> rest = Ahead;
        if (_options.Strict || rest.Length < _length - start || rest.ContainsAnyExcept((byte)0))
        {
            return false;
        }

        set.TrailingBytes = Take(rest.Length);
        return true;
    }

    private static void Finish(DataSet set, bool ordered)
    {
        if (!ordered)
        {
            set.Arrange();
        }
    }

    private DicomContentException PastEnd(string what, long offset, Tag? tag, long end)
    {
        _ranPastEnd = end == _length;
        return new DicomContentException($"{what}.", offset, tag);
    }

    /// <param name="Depth">Sequences around the data set; 0 at the top.</param>
    /// <param name="IsDelimited">True in an item of undefined length.</param>
    /// <param name="IsSigned">True when the nearest (0028,0103) Pixel Representation before here says signed.</param>
    private readonly record struct Place(int Depth, bool IsDelimited, bool IsSigned);
}
