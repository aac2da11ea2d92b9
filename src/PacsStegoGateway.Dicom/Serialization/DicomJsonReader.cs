using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PacsStegoGateway.Dicom;

/// <summary>A place in DICOM JSON, the way to it from the outermost object, and the counts that bound what is made of it.</summary>
/// <remarks>
/// <code>
/// data set  := { "ggggeeee": attribute, ... }
/// attribute := { "vr": "XX" }                                 empty (PS3.18 F.2.5)
///            | { "vr": "XX", "Value": [ value, ... ] }        null for an empty value among others
///            | { "vr": "XX", "InlineBinary": base64 }         the value field in little endian (F.2.7)
///            | { "vr": "XX", "BulkDataURI": string }          the value field is elsewhere (F.2.6)
/// </code>
/// </remarks>
internal ref partial struct DicomJsonReader
{
    private readonly DicomReadOptions _options;
    private readonly Func<Tag, Vr, string, Element?>? _bulkData;
    private readonly List<string> _path = [];
    private Utf8JsonReader _json;
    private int _items;
    private int _elements;

    public DicomJsonReader(ReadOnlySpan<byte> utf8, Func<Tag, Vr, string, Element?>? bulkData, DicomReadOptions options)
    {
        // A level of sequences is three of JSON: the data set, the attribute, its array of items.
        _json = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = (3 * (options.MaxSequenceDepth + 1)) + 2 });
        _bulkData = bulkData;
        _options = options;
    }

    /// <summary>One data set that is the whole input, or each of an array of them.</summary>
    public List<DataSet> ReadAll(bool isArray)
    {
        try
        {
            List<DataSet> all = [];
            Next();
            if (!isArray)
            {
                all.Add(ReadTop());
            }
            else
            {
                Expect(JsonTokenType.StartArray, "an array of data sets");
                for (Next(); _json.TokenType != JsonTokenType.EndArray; Next())
                {
                    CountItem();
                    _path.Add(all.Count.ToString(CultureInfo.InvariantCulture));
                    all.Add(ReadTop());
                    _path.Clear();
                }
            }

            if (_json.Read())
            {
                throw Wrong("Something follows the data set.");
            }

            return all;
        }
        catch (JsonException failure)
        {
            throw new DicomContentException(Pointer(), _json.BytesConsumed, "This is no JSON.", failure);
        }
    }

    private DataSet ReadTop()
    {
        DataSet set = ReadDataSet(null, 0);
        if (LacksCharacterSet(set))
        {
            set.SetText(Tags.SpecificCharacterSet, DicomJson.Utf8Term);
        }

        return set;
    }

    private DataSet ReadDataSet(DataSet? parent, int depth)
    {
        Expect(JsonTokenType.StartObject, "a data set");
        var set = new DataSet { Parent = parent };
        bool isOrdered = true;
        Tag last = default;
        for (Next(); _json.TokenType != JsonTokenType.EndObject; Next())
        {
            Tag tag = ReadTag();
            if (++_elements > _options.MaxElements)
            {
                throw Wrong($"More than {_options.MaxElements} attributes.");
            }

            Next();
            Element? element = ReadAttribute(set, tag, depth);
            _path.RemoveAt(_path.Count - 1);

            // Group lengths count bytes of an encoding that JSON has not (F.2.2).
            if (element is null || tag.IsGroupLength)
            {
                continue;
            }

            isOrdered &= set.Count == 0 || last < tag;
            last = tag;
            set.Append(element);
        }

        if (!isOrdered)
        {
            try
            {
                set.Arrange();
            }
            catch (DicomContentException failure)
            {
                throw new DicomContentException(Pointer(), _json.BytesConsumed, "An attribute stands twice.", failure);
            }
        }

        return set;
    }

    private Tag ReadTag()
    {
        bool isTag = Tag.TryParse(_json.ValueSpan.Length == 8 ? Encoding.ASCII.GetString(_json.ValueSpan) : null, out Tag tag);
        if (!isTag || tag.Group == 0xFFFE)
        {
            throw Wrong("The name of an attribute is eight hexadecimal digits, and not of group FFFE.");
        }

        _path.Add(tag.Value.ToString("X8", CultureInfo.InvariantCulture));
        return tag;
    }

    private Element? ReadAttribute(DataSet set, Tag tag, int depth)
    {
        Expect(JsonTokenType.StartObject, "an attribute");
        Vr vr = FindVr();
        Element? element = null;
        for (Next(); _json.TokenType != JsonTokenType.EndObject; Next())
        {
            bool isValue = _json.ValueTextEquals("Value"u8), isInline = _json.ValueTextEquals("InlineBinary"u8), isUri = _json.ValueTextEquals("BulkDataURI"u8);
            Next();
            if (!isValue && !isInline && !isUri)
            {
                _json.Skip();
                continue;
            }

            if (element is not null)
            {
                throw Wrong("More than one of Value, InlineBinary and BulkDataURI.");
            }

            element = isValue ? ReadValues(set, tag, vr, depth) : isInline ? ReadInline(tag, vr) : ReadElsewhere(tag, vr);
            if (element.ValueLength > _options.MaxValueLength)
            {
                throw Wrong($"{element.ValueLength} bytes are more than the allowed {_options.MaxValueLength}.");
            }
        }

        if (tag == Tags.SpecificCharacterSet)
        {
            // Whatever it was: the text read here is encoded in UTF-8.
            return Element.Text(tag, Vr.CS, element is null or { IsEmpty: true } ? "" : DicomJson.Utf8Term);
        }

        return element ?? (vr == Vr.SQ ? Element.Sequence(tag, []) : Element.Raw(tag, vr, default(ReadOnlyMemory<byte>)));
    }

    /// <summary>The VR may stand anywhere among the attribute's members.</summary>
    private readonly Vr FindVr()
    {
        Utf8JsonReader ahead = _json;
        while (ahead.Read() && ahead.TokenType == JsonTokenType.PropertyName)
        {
            bool isVr = ahead.ValueTextEquals("vr"u8);
            ahead.Read();
            if (!isVr)
            {
                ahead.Skip();
            }
            else if (ahead.TokenType == JsonTokenType.String && ahead.ValueSpan is [var first, var second] && ((Vr)((first << 8) | second)).IsKnown())
            {
                return (Vr)((first << 8) | second);
            }
            else
            {
                break;
            }
        }

        throw Wrong("The attribute has no vr that the standard knows.");
    }

    private Element ReadInline(Tag tag, Vr vr)
    {
        // Reading the text first finds escape sequences that are no Unicode, which the decoder of base64 does not expect.
        if (vr == Vr.SQ || _json.TokenType != JsonTokenType.String || (_json.ValueIsEscaped && ReadString().Length == 0)
            || !_json.TryGetBytesFromBase64(out byte[]? bytes))
        {
            throw Wrong("InlineBinary is no text of base64, or stands for a sequence.");
        }

        return Element.Raw(tag, vr, DicomJson.Even(bytes, vr));
    }

    private Element ReadElsewhere(Tag tag, Vr vr)
    {
        Expect(JsonTokenType.String, "a URI");
        return _bulkData?.Invoke(tag, vr, ReadString()) is { } element && element.Tag == tag
            ? element
            : throw Wrong("The value is named by a URI that nobody resolves.");
    }

    private Element ReadValues(DataSet set, Tag tag, Vr vr, int depth)
    {
        Expect(JsonTokenType.StartArray, "an array");
        if (vr == Vr.SQ)
        {
            return Element.Sequence(tag, ReadItems(set, depth + 1));
        }

        if (vr is Vr.OB or Vr.OD or Vr.OF or Vr.OL or Vr.OV or Vr.OW or Vr.UN)
        {
            throw Wrong($"A VR of {vr.Letters()} has InlineBinary or BulkDataURI, no Value.");
        }

        return vr.IsText() ? ReadTexts(tag, vr) : Element.Raw(tag, vr, ReadNumbers(vr));
    }

    private List<DataSet> ReadItems(DataSet parent, int depth)
    {
        if (depth > _options.MaxSequenceDepth)
        {
            throw Wrong($"Sequences are nested deeper than {_options.MaxSequenceDepth}.");
        }

        List<DataSet> items = [];
        for (Next(); _json.TokenType != JsonTokenType.EndArray; Next())
        {
            CountItem();
            _path.Add("Value/" + items.Count.ToString(CultureInfo.InvariantCulture));
            items.Add(_json.TokenType == JsonTokenType.Null ? new DataSet { Parent = parent } : ReadDataSet(parent, depth));
            _path.RemoveAt(_path.Count - 1);
        }

        return items;
    }

    private string ReadString()
    {
        try
        {
            return _json.GetString()!;
        }
        catch (InvalidOperationException failure)
        {
            throw new DicomContentException(Pointer(), _json.BytesConsumed, "The text is no Unicode.", failure);
        }
    }

    private void CountItem()
    {
        if (++_items > _options.MaxItems)
        {
            throw Wrong($"More than {_options.MaxItems} items.");
        }
    }

    private void Next()
    {
        if (!_json.Read())
        {
            throw Wrong("The text ends too early.");
        }
    }

    private readonly void Expect(JsonTokenType type, string what)
    {
        if (_json.TokenType != type)
        {
            throw Wrong($"Here must stand {what}.");
        }
    }

    private readonly string Pointer() => "/" + string.Join('/', _path);

    private readonly DicomContentException Wrong(string message) => new(Pointer(), _json.BytesConsumed, message, null);

    /// <summary>True when text beyond ASCII stands where neither this data set nor an item on the way names a character set.</summary>
    private static bool LacksCharacterSet(DataSet set)
    {
        if (set.Find(Tags.SpecificCharacterSet) is { IsEmpty: false })
        {
            return false;
        }

        foreach (Element element in set.Elements)
        {
            if (element.Items?.Any(LacksCharacterSet) ?? (element.Vr.IsAffectedByCharacterSet() && element.Value.Span.ContainsAnyExceptInRange((byte)0, (byte)0x7F)))
            {
                return true;
            }
        }

        return false;
    }
}
