using System.CommandLine;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Commands;

/// <summary>Which entries of the trail: the same switches for listing and exporting.</summary>
internal sealed class AuditSwitches
{
    private readonly Option<DateTimeOffset?> _from = new("--from") { Description = "Not before this time (ISO 8601; UTC unless a zone is given)." };
    private readonly Option<DateTimeOffset?> _until = new("--until") { Description = "Before this time." };
    private readonly Option<AuditEvent[]> _events = new("--event") { Description = $"Only these events: {string.Join(", ", Enum.GetNames<AuditEvent>())}.", AllowMultipleArgumentsPerToken = true };
    private readonly Option<AuditOutcome?> _outcome = new("--outcome") { Description = $"Only this outcome: {string.Join(", ", Enum.GetNames<AuditOutcome>())}." };
    private readonly Option<string?> _callingAE = new("--ae") { Description = "Only this calling AE title." };
    private readonly Option<string?> _user = new("--user") { Description = "Only this user: as negotiated by the association, or the account at the command line." };
    private readonly Option<string?> _node = new("--node") { Description = "Only entries of the gateway of this name." };
    private readonly Option<string?> _patient = new("--patient") { Description = "Only this patient, by pseudonym." };
    private readonly Option<string?> _originalPatient = new("--original-patient") { Description = "Only this patient, by original Patient ID (ISSUER^ID where there is an issuer)." };
    private readonly Option<string?> _study = new("--study") { Description = "Only this study, by the UID that the PACS knows." };
    private readonly Option<string?> _originalStudy = new("--original-study") { Description = "Only this study, by original UID." };
    private readonly Option<string?> _instance = new("--instance") { Description = "Only this instance, by the UID that the PACS knows." };
    private readonly Option<string?> _originalInstance = new("--original-instance") { Description = "Only this instance, by original UID." };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])
            [_from, _until, _events, _outcome, _callingAE, _user, _node, _patient, _originalPatient, _study, _originalStudy, _instance, _originalInstance])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>True when somebody asks by who a patient is.</summary>
    public bool AskByOriginal(ParseResult result) =>
        (result.GetValue(_originalPatient) ?? result.GetValue(_originalStudy) ?? result.GetValue(_originalInstance)) is not null;

    /// <summary>
    /// What to say when nothing was found and a Patient ID was given without issuer: with one it is another pseudonym, and nothing
    /// found must not be taken for nothing done. Null otherwise.
    /// </summary>
    public string? HintWithoutIssuer(ParseResult result) =>
        result.GetValue(_originalPatient) is { } original && !original.Contains('^', StringComparison.Ordinal)
            ? "--original-patient names no issuer: a patient whose objects have Issuer of Patient ID (0010,0021) is found as ISSUER^ID only."
            : null;

    /// <summary>What was asked for; original identifiers become the pseudonyms that the trail holds.</summary>
    public AuditFilter Read(ParseResult result, KeyRing keys)
    {
        var pseudonyms = new Pseudonymizer(keys.PseudonymKey);
        return new AuditFilter
        {
            From = result.GetValue(_from),
            Until = result.GetValue(_until),
            Events = result.GetValue(_events) is { Length: > 0 } some ? some : null,
            Outcome = result.GetValue(_outcome),
            CallingAE = result.GetValue(_callingAE),
            User = result.GetValue(_user),
            Node = result.GetValue(_node),
            Patient = result.GetValue(_originalPatient) is { } original ? MapPatient(pseudonyms, original) : result.GetValue(_patient),
            StudyUID = result.GetValue(_originalStudy) is { } uid ? pseudonyms.MapUID(uid) : result.GetValue(_study),
            SopUID = result.GetValue(_originalInstance) is { } sop ? pseudonyms.MapUID(sop) : result.GetValue(_instance),
        };
    }

    /// <summary>The conditions by name, for the entry that tells that the trail was read; their values could be identity.</summary>
    public static string Words(AuditFilter filter)
    {
        string[] conditions =
        [
            .. (IEnumerable<string>)
            [
                .. Given(filter.From is not null || filter.Until is not null, "time"), .. Given(filter.Events is not null, "event"),
                .. Given(filter.Outcome is not null, "outcome"), .. Given(filter.CallingAE is not null, "AE"), .. Given(filter.User is not null, "user"),
                .. Given(filter.Node is not null, "node"), .. Given(filter.Patient is not null, "patient"), .. Given(filter.StudyUID is not null, "study"),
                .. Given(filter.SopUID is not null, "instance"),
            ],
        ];
        return conditions.Length == 0 ? "everything" : $"by {string.Join(", ", conditions)}";

        static string[] Given(bool given, string name) => given ? [name] : [];
    }

    private static string MapPatient(Pseudonymizer pseudonyms, string original)
    {
        int caret = original.IndexOf('^', StringComparison.Ordinal);
        return caret < 0 ? pseudonyms.MapPatientID(null, original) : pseudonyms.MapPatientID(original[..caret], original[(caret + 1)..]);
    }
}
