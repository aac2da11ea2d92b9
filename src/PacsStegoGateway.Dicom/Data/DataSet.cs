using System.Collections;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace PacsStegoGateway.Dicom;

/// <summary>
/// A data set or an item: elements ordered by tag. Reading a well-formed one and writing it again gives the same bytes.
/// </summary>
/// <remarks>Not thread-safe. Lookup is a binary search; elements of a malformed, unordered input are sorted (stably) by
/// the reader or refused there, by its strictness.</remarks>
public sealed class DataSet : IEnumerable<Element>
{
    private readonly List<Element> _elements;

    public DataSet() => _elements = [];

    /// <param name="elements">Ordered by tag, each tag once; the list is taken over.</param>
    internal DataSet(List<Element> elements) => _elements = elements;

    public int Count => _elements.Count;

    /// <summary>For an item of a sequence: true when it is closed by an Item Delimitation Item (PS3.5 7.5.1).</summary>
    public bool HasUndefinedLength { get; init; }

    /// <summary>
    /// Zero bytes that stood after the last element of a top-level data set, beyond what PS3.5 allows; empty for most.
    /// Written again as they came.
    /// </summary>
    public ReadOnlyMemory<byte> TrailingBytes { get; set; }

    /// <summary>The data set that holds the sequence this item is in, whose character set holds here too unless replaced.</summary>
    public DataSet? Parent { get; set; }

    /// <summary>The encoding of text here, by (0008,0005) of this item or of those around it (PS3.3 C.12.1.1.2).</summary>
    public Encoding Encoding =>
        Find(Tags.SpecificCharacterSet) is { IsEmpty: false } own
            ? CharacterSets.Find(Meant(own).ToText())
            : Parent?.Encoding ?? CharacterSets.Default;

    /// <summary>The elements in order, for loops that allocate nothing; valid until the next change.</summary>
    public ReadOnlySpan<Element> Elements => CollectionsMarshal.AsSpan(_elements);

    /// <summary>The element, or null.</summary>
    public Element? Find(Tag tag)
    {
        int index = IndexOf(tag);
        return index >= 0 ? _elements[index] : null;
    }

    public bool Contains(Tag tag) => IndexOf(tag) >= 0;

    /// <summary>Adds the element at its place, or replaces the one with the same tag. Items get this set as parent.</summary>
    public void Set(Element element)
    {
        if (element.Items is { } items)
        {
            foreach (DataSet item in items)
            {
                item.Parent = this;
            }
        }

        if (_elements.Count == 0 || _elements[^1].Tag < element.Tag)
        {
            _elements.Add(element);
            return;
        }

        int index = IndexOf(element.Tag);
        if (index >= 0)
        {
            _elements[index] = element;
        }
        else
        {
            _elements.Insert(~index, element);
        }
    }

    public bool Remove(Tag tag)
    {
        int index = IndexOf(tag);
        if (index < 0)
        {
            return false;
        }

        _elements.RemoveAt(index);
        return true;
    }

    /// <summary>Sets a text value with the VR of the dictionary, in this data set's encoding.</summary>
    /// <exception cref="ArgumentException">The tag is not in the dictionary or has no text VR.</exception>
    public void SetText(Tag tag, string text)
    {
        Vr vr = DataDictionary.Find(tag)?.Vr ?? throw new ArgumentException($"{tag} is not in the dictionary.", nameof(tag));
        Set(Element.Text(tag, vr, text, vr.IsAffectedByCharacterSet() ? Encoding : null));
    }

    /// <summary>
    /// All values as one text, or null when absent or not textual; empty when present with zero length. A value that came
    /// as UN is seen by the VR of the dictionary (PS3.5 6.2.2), and stays UN.
    /// </summary>
    public string? GetText(Tag tag) => Find(tag) is { } element ? Meant(element).ToText(Encoding) : null;

    /// <summary>The values of a multi-valued element; none when absent or empty.</summary>
    public IReadOnlyList<string> GetTexts(Tag tag) => GetText(tag) is { Length: > 0 } text ? text.Split('\\') : [];

    /// <summary>The first value as an integer (US, SS, UL, SL, IS, DS without fraction), or null when absent or no such number.</summary>
    public int? GetInt32(Tag tag) =>
        GetTexts(tag) is [var first, ..] && int.TryParse(first, NumberStyles.Integer, CultureInfo.InvariantCulture, out int value)
            ? value
            : null;

    /// <summary>The first value as a number, or null when absent or not a number.</summary>
    public double? GetDouble(Tag tag) =>
        GetTexts(tag) is [var first, ..] && double.TryParse(first, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            ? value
            : null;

    /// <summary>A copy whose list of elements, and that of every item below, is its own; value bytes are shared.</summary>
    public DataSet Clone()
    {
        var copy = new DataSet(new List<Element>(_elements.Count))
        {
            HasUndefinedLength = HasUndefinedLength,
            TrailingBytes = TrailingBytes,
        };
        foreach (Element element in _elements)
        {
            copy.Set(element.Items is { } items
                ? Element.Sequence(element.Tag, items.Select(static i => i.Clone()).ToList(), element.HasUndefinedLength, element.Vr)
                : element);
        }

        return copy;
    }

    public IEnumerator<Element> GetEnumerator() => _elements.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Puts the element last whatever its tag: <see cref="Arrange"/> must follow when that breaks the order.</summary>
    internal void Append(Element element) => _elements.Add(element);

    /// <summary>Sorts elements that were appended out of order.</summary>
    /// <exception cref="DicomContentException">A tag stands twice.</exception>
    internal void Arrange()
    {
        List<Element> sorted = [.. _elements.OrderBy(static e => e.Tag.Value)];
        for (int i = 1; i < sorted.Count; i++)
        {
            if (sorted[i].Tag == sorted[i - 1].Tag)
            {
                throw new DicomContentException($"{sorted[i].Tag} stands twice in a data set whose elements are not in order.");
            }
        }

        _elements.Clear();
        _elements.AddRange(sorted);
    }

    /// <summary>A UN value is in little endian, as if Implicit VR: the dictionary says what it is, where it knows.</summary>
    private static Element Meant(Element element) => element is { Vr: Vr.UN, Items: null, Fragments: null, Tag.IsPrivate: false }
        && DataDictionary.VrOf(element.Tag) is var vr and not (Vr.UN or Vr.SQ)
            ? Element.Raw(element.Tag, vr, element.Source)
            : element;

    /// <summary>The position of the tag, or the complement of where it would stand.</summary>
    private int IndexOf(Tag tag)
    {
        int low = 0;
        int high = _elements.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            int order = _elements[middle].Tag.CompareTo(tag);
            if (order == 0)
            {
                return middle;
            }

            if (order < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return ~low;
    }
}
