using PacsStegoGateway.Dicom;
using PacsStegoGateway.Retrieval;
using RouteOptions = PacsStegoGateway.Configuration.RouteOptions;

namespace PacsStegoGateway.Routing;

/// <summary>The conditions of one rule, all of which must hold. Thread-safe.</summary>
public sealed class RouteCondition
{
    private readonly string[] _called;
    private readonly string[] _calling;
    private readonly string[] _modalities;
    private readonly (Tag Tag, string Pattern)[] _tags;

    public RouteCondition(RouteOptions rule)
    {
        _called = [.. rule.CalledAETitles];
        _calling = [.. rule.CallingAETitles];
        _modalities = [.. rule.Modalities];
        _tags = [.. rule.Tags.Select(static t => (TryFindTag(t.Key, out Tag tag)
            ? tag
            : throw new ArgumentException($"{t.Key} is neither keyword nor tag.", nameof(rule)), t.Value))];
    }

    /// <summary>The attributes that are looked at.</summary>
    public IEnumerable<Tag> Tags => _tags.Select(static t => t.Tag).Concat(_modalities.Length > 0 ? [Dicom.Tags.Modality] : []);

    /// <summary>A keyword of the standard, or <c>ggggeeee</c>.</summary>
    public static bool TryFindTag(string name, out Tag tag) => DataDictionary.TryFindKeyword(name, out tag) || Tag.TryParse(name, out tag);

    /// <summary>True when its values can be seen as text; of a private attribute nobody knows, so it may be.</summary>
    public static bool HasText(Tag tag) => DataDictionary.Find(tag) is not { } entry
        ? tag.IsPrivate
        : entry.Vr is not (Vr.SQ or Vr.OB or Vr.OD or Vr.OF or Vr.OL or Vr.OV or Vr.OW or Vr.UN);

    /// <param name="calledAE">Our AE title that the sender called.</param>
    /// <param name="callingAE">The sender's.</param>
    /// <param name="dataSet">The received object, at least as far as <see cref="Tags"/> reach.</param>
    public bool Holds(string calledAE, string callingAE, DataSet dataSet) =>
        IsAny(_called, calledAE) && IsAny(_calling, callingAE)
        && (_modalities.Length == 0 || _modalities.Contains(dataSet.GetText(Dicom.Tags.Modality) ?? "", StringComparer.Ordinal))
        && Array.TrueForAll(_tags, t => IsMatch(dataSet, t.Tag, t.Pattern));

    private static bool IsAny(string[] patterns, string title) =>
        patterns.Length == 0 || Array.Exists(patterns, p => KeyMatch.IsLike(p, title));

    private static bool IsMatch(DataSet dataSet, Tag tag, string pattern)
    {
        Vr vr = DataDictionary.Find(tag)?.Vr ?? dataSet.Find(tag)?.Vr ?? Vr.LO;
        IReadOnlyList<string> values = vr.IsText() && !vr.AllowsMultipleText() ? [dataSet.GetText(tag) ?? ""] : dataSet.GetTexts(tag);
        return values.Count == 0
            ? KeyMatch.IsMatch(vr, pattern, null)
            : values.Any(v => KeyMatch.IsMatch(vr, pattern, v));
    }
}
