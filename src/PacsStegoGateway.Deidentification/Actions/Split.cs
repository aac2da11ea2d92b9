using System.Collections.Frozen;
using System.Text;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>One object being de-identified: applies the profile at every depth and notes what it did.</summary>
internal sealed class Split
{
    /// <summary>The rule of a change by the last look over kept text.</summary>
    internal const string RepeatsRemovedValue = "repeats a removed value";

    /// <summary>Coding schemes of the standard and of international bodies (PS3.16 8): their meanings are no free text.</summary>
    private static readonly FrozenSet<string> StandardSchemes = new[]
    {
        "DCM", "SCT", "SRT", "SNM3", "99SDM", "UCUM", "LN", "FMA", "MA", "NCIt", "RADLEX", "UMLS", "RXNORM", "I10", "I11", "ISO3166_1",
    }.ToFrozenSet();

    private readonly Pseudonymizer _pseudonyms;
    private readonly CompositeActions.IodKind _kind;
    private readonly RemovedValues _removed = new();

    internal Split(Pseudonymizer pseudonyms, DataSet original)
    {
        _pseudonyms = pseudonyms;
        _kind = CompositeActions.KindOf(TextOf(original.Find(Tags.SOPClassUID), null));
        string unknown = TextOf(original.Find(Tags.StudyInstanceUID), null) is { Length: > 0 } study
            ? study
            : TextOf(original.Find(Tags.SOPInstanceUID), null) ?? "";
        Clean = Walk(original, "", new Patient("", pseudonyms.MapUnknownPatient(unknown)), atTopLevel: true);
        Sweep(Clean, "");
    }

    internal DataSet Clean { get; }

    internal List<AttributeChange> Changes { get; } = [];

    /// <summary>Whose data the attributes at hand are: the issuer for IDs below, and the pseudonym for name and ID.</summary>
    private readonly record struct Patient(string Issuer, string Pseudonym);

    /// <summary>Depth first; builds new data sets all the way down, so that the original's items keep their parents.</summary>
    private DataSet Walk(DataSet source, string path, Patient patient, bool atTopLevel)
    {
        patient = PatientOf(source, patient);
        var clean = new DataSet { HasUndefinedLength = source.HasUndefinedLength };
        foreach (Element element in source)
        {
            if (Treat(UnknownVr.Resolve(element), path, patient, atTopLevel) is { } kept)
            {
                clean.Set(kept);
            }
        }

        return clean;
    }

    /// <summary>What stands for the element in the clean set: itself, another one, or null for nothing.</summary>
    private Element? Treat(Element element, string path, Patient patient, bool atTopLevel)
    {
        Tag tag = element.Tag;
        if (ProfileTable.Find(tag) is not { } row)
        {
            return TreatWithoutRow(element, path, patient);
        }

        // (0010,0010), (0010,0020): Z, D and the choice between them are all served by the pseudonym.
        if ((tag == Tags.PatientName || tag == Tags.PatientID) && element.Items is null)
        {
            _removed.Add(element, row);
            Note(path, ProfileAction.Dummy, row.Id, element);
            return Element.Text(tag, DataDictionary.VrOf(tag), patient.Pseudonym);
        }

        switch (CompositeActions.Resolve(tag, row.Action, _kind, atTopLevel))
        {
            case ProfileAction.Zero when element.IsEmpty:
            case ProfileAction.Dummy when element.IsEmpty:
            case ProfileAction.MapUID when element.IsEmpty:
                return element;

            case ProfileAction.Zero:
                _removed.Add(element, row);
                Note(path, ProfileAction.Zero, row.Id, element);
                return element.Items is not null || DataDictionary.VrOf(tag) == Vr.SQ
                    ? Element.Sequence(tag, [])
                    : Element.Raw(tag, element.Vr, default);

            // A reference to a performed procedure step is two UIDs: with both kept legal it is its own dummy.
            case ProfileAction.Dummy when tag == Tags.ReferencedPerformedProcedureStepSequence && element.Items is not null:
                return Recurse(element, path, patient);

            case ProfileAction.Dummy when DataDictionary.VrOf(tag) != Vr.UI:
                _removed.Add(element, row);
                Note(path, ProfileAction.Dummy, row.Id, element);
                return Dummies.Of(element);

            case ProfileAction.MapUID or ProfileAction.Dummy:
                return MapUIDs(element, path, row.Id, row);

            case ProfileAction.Keep or ProfileAction.Clean when element.Items is not null:
                return Recurse(element, path, patient);

            default:
                return Remove(element, path, row.Id, row);
        }
    }

    /// <summary>
    /// Attributes on which the table is silent. They stay only when the table's edition knew them, so that its silence
    /// means something, and when neither their VR nor their form can hide an identity (PS3.15 E.1.1, notes on dates).
    /// </summary>
    private Element? TreatWithoutRow(Element element, string path, Patient patient)
    {
        Tag tag = element.Tag;
        Vr meant = DataDictionary.VrOf(tag);
        string? reason = tag switch
        {
            { Element: 0 } => "group length",
            { Group: <= 0x0006 } => "command, file meta or directory element",
            { Group: >= 0x5000 and <= 0x50FF } => "curve",
            { Group: >= 0x6000 and <= 0x60FF } => "overlay",
            { Group: 0x4FFE } => "digital signature",
            _ when tag == Tags.IssuerOfPatientIDQualifiersSequence || tag == Tags.IssuerOfAccessionNumberSequence =>
                "issuer of a removed identifier",
            _ when !KnownAttributes.Contains(tag) => $"not in DICOM {ProfileTable.Edition}",
            _ when IsDateTimeOrName(meant) || IsDateTimeOrName(element.Vr) => $"VR {(IsDateTimeOrName(meant) ? meant : element.Vr).Letters()}",
            _ => null,
        };
        if (reason is not null)
        {
            return Remove(element, path, reason, null);
        }

        if (element.IsEmpty)
        {
            return element;
        }

        if (meant == Vr.SQ || element.Items is not null)
        {
            // Bytes where items belong (VR UN), or items where bytes belong: nobody can tell what is in them.
            return meant == Vr.SQ && element.Items is not null
                ? Recurse(element, path, patient)
                : Remove(element, path, "sequence in disguise", null);
        }

        if (meant == Vr.UI || element.Vr == Vr.UI)
        {
            if (meant != Vr.UI)
            {
                return Remove(element, path, "UID in another attribute", null);
            }

            if (!StructuralUIDs.Contains(tag))
            {
                return MapUIDs(element, path, "UID without a row", null);
            }
        }

        return ValueForm.Objection(element) is { } objection ? Remove(element, path, objection, null) : element;
    }

    private Element Recurse(Element sequence, string path, Patient patient)
    {
        IReadOnlyList<DataSet> items = sequence.Items!;
        var clean = new DataSet[items.Count];
        for (int i = 0; i < clean.Length; i++)
        {
            clean[i] = Walk(items[i], $"{path}{sequence.Tag}[{i + 1}]/", patient, atTopLevel: false);
        }

        return Element.Sequence(sequence.Tag, clean, sequence.HasUndefinedLength);
    }

    private Element? Remove(Element element, string path, string rule, ProfileRow? row)
    {
        _removed.Add(element, row);
        Note(path, ProfileAction.Remove, rule, element);
        return null;
    }

    private Element? MapUIDs(Element element, string path, string rule, ProfileRow? row)
    {
        if (TextOf(element, null) is not { } text)
        {
            return Remove(element, path, rule, row);
        }

        string mapped = text.Contains('\\')
            ? string.Join('\\', text.Split('\\').Select(_pseudonyms.MapUID))
            : _pseudonyms.MapUID(text);
        if (mapped == text)
        {
            return element;
        }

        _removed.Add(element, row);
        Note(path, ProfileAction.MapUID, rule, element);
        return Element.Text(element.Tag, Vr.UI, mapped);
    }

    /// <summary>
    /// The last look: kept text that repeats an identifying value is replaced too. A dummy, because whatever the
    /// attribute's Type, a legal non-empty text is right.
    /// </summary>
    private void Sweep(DataSet clean, string path)
    {
        bool standardCode = TextOf(clean.Find(Tags.CodingSchemeDesignator), null) is { } scheme && StandardSchemes.Contains(scheme);
        List<Element>? repeated = null;
        foreach (Element element in clean)
        {
            if (element.Items is { } items)
            {
                for (int i = 0; i < items.Count; i++)
                {
                    Sweep(items[i], $"{path}{element.Tag}[{i + 1}]/");
                }
            }
            else if (element.ValueLength >= RemovedValues.Shortest && ((MayRepeat(element) && _removed.OccursIn(element.Value.Span, identifiersOnly: standardCode || element.Vr == Vr.IS))
                    || (element.Vr == Vr.CS && _removed.HoldsIdentifier(element.Value.Span)))
                && ProfileTable.Find(element.Tag) is null)
            {
                (repeated ??= []).Add(element);
            }
        }

        foreach (Element element in repeated ?? [])
        {
            Note(path, ProfileAction.Clean, RepeatsRemovedValue, element);
            clean.Set(element.Vr == Vr.CS ? Element.Raw(element.Tag, Vr.CS, default) : Dummies.Of(element));
        }
    }

    private void Note(string path, ProfileAction action, string rule, Element original) =>
        Changes.Add(new AttributeChange($"{path}{original.Tag}", action, rule, original));

    private Patient PatientOf(DataSet source, Patient around)
    {
        Element? id = source.Find(Tags.PatientID);
        Element? issuer = source.Find(Tags.IssuerOfPatientID);
        if (id is null && issuer is null)
        {
            return around;
        }

        Encoding encoding = source.Encoding;
        string issuerText = TextOf(issuer, encoding) is { Length: > 0 } own ? own : around.Issuer;
        return TextOf(id, encoding) is { Length: > 0 } patientID
            ? new Patient(issuerText, _pseudonyms.MapPatientID(issuerText, patientID))
            : around with { Issuer = issuerText };
    }

    private static string? TextOf(Element? element, Encoding? encoding) => element switch
    {
        null or { Items: not null } or { Fragments: not null } => null,
        _ when element.Vr.IsText() => element.ToText(encoding)!.Trim(' ', '\0'),
        _ => (encoding ?? CharacterSets.Default).GetString(element.Value.Span).Trim(' ', '\0'),
    };

    private static bool IsDateTimeOrName(Vr vr) => vr is Vr.DA or Vr.TM or Vr.DT or Vr.PN;

    /// <summary>
    /// Text a person may have typed. A CS is a term of the standard, unless it breaks the repertoire of CS (lower case):
    /// then somebody typed it, too. An IS counts when it is long enough to be a number of a person or an order.
    /// </summary>
    private static bool MayRepeat(Element element) => element.Vr switch
    {
        Vr.AE or Vr.LO or Vr.LT or Vr.SH or Vr.ST or Vr.UC or Vr.UR or Vr.UT => true,
        Vr.CS => element.Value.Span.ContainsAnyInRange((byte)'a', (byte)'z'),
        Vr.IS => element.ValueLength >= 6,
        _ => false,
    };
}
