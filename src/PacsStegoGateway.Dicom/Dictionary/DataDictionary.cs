namespace PacsStegoGateway.Dicom;

/// <summary>What PS3.6 says of one attribute.</summary>
/// <param name="Vr">The VR to read it by when the transfer syntax does not tell.</param>
/// <param name="AlternativeVr">The second VR where the standard allows two (US or SS, OB or OW), otherwise null.</param>
/// <param name="Keyword">The keyword, such as <c>PatientName</c>.</param>
/// <param name="Multiplicity">The value multiplicity as the standard writes it, such as <c>1-n</c>.</param>
/// <param name="Retired">True when the attribute is retired.</param>
public readonly record struct DictionaryEntry(Vr Vr, Vr? AlternativeVr, string Keyword, string Multiplicity, bool Retired);

/// <summary>The data dictionary (PS3.6, command elements of PS3.7), generated: see the edition in the generated part.</summary>
/// <remarks>The tables are constant data of the assembly: nothing is built at start, a look-up is a binary search.</remarks>
public static partial class DataDictionary
{
    private static readonly Lazy<Dictionary<string, Tag>> TagsByKeyword = new(static () =>
    {
        var byKeyword = new Dictionary<string, Tag>(Keys.Length, StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < Keys.Length; i++)
        {
            byKeyword.TryAdd(KeywordAt(i), new Tag(Keys[i]));
        }

        return byKeyword;
    });

    /// <summary>The entry for a tag, repeating groups included, or null: private, unknown, group length.</summary>
    public static DictionaryEntry? Find(Tag tag)
    {
        int index = Keys.BinarySearch(tag.Value);
        if (index >= 0)
        {
            return new DictionaryEntry((Vr)Vrs[index], AlternativeVrs[index] == 0 ? null : (Vr)AlternativeVrs[index],
                KeywordAt(index), Multiplicities[MultiplicityIndexes[index]], RetiredFlags[index] != 0);
        }

        if (tag.IsPrivate)
        {
            return null;
        }

        foreach (var range in Ranges)
        {
            if (tag.Group >= range.FirstGroup && tag.Group <= range.LastGroup
                && tag.Element >= range.FirstElement && tag.Element <= range.LastElement)
            {
                return new DictionaryEntry(range.Vr, range.Alternative, range.Keyword, range.Multiplicity, range.Retired);
            }
        }

        return null;
    }

    /// <summary>
    /// The VR by which an element of an Implicit VR data set is read: the dictionary's, UL for group lengths,
    /// LO for private creators (PS3.5 7.8.1), otherwise UN.
    /// </summary>
    public static Vr VrOf(Tag tag) => VrOf(tag, out _);

    /// <param name="tag">The tag.</param>
    /// <param name="alternative">The second VR that the standard allows, 0 where there is none.</param>
    public static Vr VrOf(Tag tag, out Vr alternative)
    {
        int index = Keys.BinarySearch(tag.Value);
        if (index >= 0)
        {
            alternative = (Vr)AlternativeVrs[index];
            return (Vr)Vrs[index];
        }

        alternative = 0;
        if (tag.IsGroupLength)
        {
            return Vr.UL;
        }

        if (tag.IsPrivateCreator)
        {
            return Vr.LO;
        }

        if (Find(tag) is not { } entry)
        {
            return Vr.UN;
        }

        alternative = entry.AlternativeVr ?? 0;
        return entry.Vr;
    }

    /// <summary>The tag of a keyword (letter case does not matter), of repeating groups the first.</summary>
    public static bool TryFindKeyword(string keyword, out Tag tag)
    {
        if (TagsByKeyword.Value.TryGetValue(keyword, out tag))
        {
            return true;
        }

        foreach (var range in Ranges)
        {
            if (range.Keyword.Equals(keyword, StringComparison.OrdinalIgnoreCase))
            {
                tag = new Tag(range.FirstGroup, range.FirstElement);
                return true;
            }
        }

        return false;
    }

    private static string KeywordAt(int index) => Keywords[KeywordOffsets[index]..KeywordOffsets[index + 1]];
}
