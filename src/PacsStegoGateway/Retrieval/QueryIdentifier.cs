using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Retrieval;

/// <summary>The identifier of a C-FIND, C-MOVE or C-GET that obeys the rules of its service (PS3.4 C.4.1.2, C.4.2.2).</summary>
public sealed class QueryIdentifier
{
    /// <summary>
    /// Characters of the longest key that is no list of UIDs: it is compared with every patient there is, and names have 5 components of 64
    /// in 3 groups at most.
    /// </summary>
    public const int LongestText = 1024;

    private readonly List<(Tag Tag, Vr Vr, string Text, QueryLevel Level)> _toMatch;

    private QueryIdentifier(QueryLevel level, DataSet keys)
    {
        Level = level;
        Keys = keys;
        _toMatch =
        [
            .. keys.Where(k => EssentialIdentity.Attributes.Contains(k.Tag) && k.Tag != Tags.SpecificCharacterSet && QueryLevels.Of(k.Tag) <= level)
                .Select(k => (k.Tag, DataDictionary.VrOf(k.Tag), keys.GetText(k.Tag) ?? "", QueryLevels.Of(k.Tag)))
                .Where(static k => !KeyMatch.IsUniversal(k.Item3)),
        ];
    }

    public QueryLevel Level { get; }

    /// <summary>As it came.</summary>
    public DataSet Keys { get; }

    /// <summary>
    /// Hierarchical rules: one value in the unique key of every level above, none in those below. With relational queries or retrieval
    /// negotiated the keys above may be left out, or be lists.
    /// </summary>
    /// <returns>The identifier, or why not in words that fit an Error Comment.</returns>
    public static (QueryIdentifier? Identifier, string Refusal) Read(QueryRequest request, bool isRetrieval)
    {
        if (QueryLevels.Of(request.Identifier, request.AffectedSOPClassUID) is not { } level)
        {
            return (null, "Query/Retrieve Level is missing or not of this model");
        }

        if (request.Identifier.Any(k => !k.Tag.IsGroupLength && DataDictionary.VrOf(k.Tag) != Vr.UI && EssentialIdentity.Attributes.Contains(k.Tag)
            && request.Identifier.GetText(k.Tag) is { Length: > LongestText }))
        {
            return (null, $"A key other than a UID is longer than {LongestText}");
        }

        bool relational = IsRelational(request);
        for (QueryLevel at = QueryLevels.IsPatientRoot(request.AffectedSOPClassUID) ? QueryLevel.Patient : QueryLevel.Study; at <= QueryLevel.Image; at++)
        {
            string key = request.Identifier.GetText(QueryLevels.UniqueKeyOf(at)) ?? "";
            bool isPlain = key.Length > 0 && (at == QueryLevel.Patient ? key.AsSpan().IndexOfAny("*?\\") < 0 : key.AsSpan().IndexOfAny("*?") < 0);
            string? wrong = at.CompareTo(level) switch
            {
                < 0 when !relational && (!isPlain || key.Contains('\\')) => "A unique key above the level is missing or not one value",
                < 0 when isRetrieval && key.Length > 0 && !isPlain => "A unique key above the level is a wildcard",
                // PS3.4 C.4.2.1.4.2: single values or lists. A wildcard would hand out everybody.
                0 when isRetrieval && !isPlain => "The unique key of the level is missing or a wildcard",
                > 0 when !KeyMatch.IsUniversal(key) => "A unique key below the level has a value",
                _ => null,
            };
            if (wrong is not null)
            {
                return (null, wrong);
            }
        }

        return (new QueryIdentifier(level, request.Identifier), "");
    }

    /// <summary>The answer to a peer that asks for relational queries or retrieval: yes to that, no to all else (PS3.4 C.5.1.1, C.5.2.1, C.5.3.1).</summary>
    public static IReadOnlyList<ExtendedNegotiation> Negotiate(AssociationRequest request) =>
    [
        .. request.ExtendedNegotiations
            .Where(static e => IsQueryRetrieve(e.SOPClassUID) && e.ApplicationInformation.Length > 0)
            .Select(static e =>
            {
                byte[] answer = new byte[e.ApplicationInformation.Length];
                answer[0] = (byte)(e.ApplicationInformation.Span[0] == 1 ? 1 : 0);
                return new ExtendedNegotiation(e.SOPClassUID, answer);
            }),
    ];

    /// <summary>The key's value when it is a single, plain one; null otherwise.</summary>
    public string? Single(Tag tag) => Keys.GetText(tag) is { Length: > 0 } text && text.AsSpan().IndexOfAny("*?\\") < 0 ? text : null;

    /// <summary>The UIDs of a key; null when any will do.</summary>
    public IReadOnlyList<string>? Uids(Tag tag) =>
        Keys.GetText(tag) is { } text && !KeyMatch.IsUniversal(text) ? [.. text.Split('\\').Select(static u => u.Trim(' ', '\0'))] : null;

    /// <summary>True when the values satisfy every key of these levels; attributes that the index has not match anything.</summary>
    public bool IsMatch(DataSet values, QueryLevel from, QueryLevel to)
    {
        foreach ((Tag tag, Vr vr, string text, QueryLevel level) in _toMatch)
        {
            if (level >= from && level <= to && !KeyMatch.IsMatch(vr, text, values.GetText(tag)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsRelational(QueryRequest request) => request.Association.ExtendedNegotiations.Any(
        e => e.SOPClassUID == request.AffectedSOPClassUID && e.ApplicationInformation is { Length: > 0 } asked && asked.Span[0] == 1);

    private static bool IsQueryRetrieve(string sopClassUID) => sopClassUID is SopClasses.PatientRootFind or SopClasses.StudyRootFind
        or SopClasses.PatientRootMove or SopClasses.StudyRootMove or SopClasses.PatientRootGet or SopClasses.StudyRootGet;
}
