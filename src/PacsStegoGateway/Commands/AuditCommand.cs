using System.CommandLine;
using System.Globalization;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Storage;
using Spectre.Console;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg audit list</c>: who did what with whose images, by pseudonym.</summary>
internal static class AuditCommand
{
    public static Command Create() => new("audit", "Reads the audit trail.") { CreateList() };

    private static Command CreateList()
    {
        Option<string?> config = CommonOptions.Config();
        Option<bool> json = CommonOptions.Json();
        Option<DateTimeOffset?> from = new("--from") { Description = "Not before this time (ISO 8601; UTC unless a zone is given)." };
        Option<DateTimeOffset?> until = new("--until") { Description = "Before this time." };
        Option<AuditEvent[]> events = new("--event") { Description = $"Only these events: {string.Join(", ", Enum.GetNames<AuditEvent>())}.", AllowMultipleArgumentsPerToken = true };
        Option<AuditOutcome?> outcome = new("--outcome") { Description = $"Only this outcome: {string.Join(", ", Enum.GetNames<AuditOutcome>())}." };
        Option<string?> callingAE = new("--ae") { Description = "Only this calling AE title." };
        Option<string?> patient = new("--patient") { Description = "Only this patient, by pseudonym." };
        Option<string?> originalPatient = new("--original-patient") { Description = "Only this patient, by original Patient ID (ISSUER^ID where there is an issuer); needs the key ring." };
        Option<string?> study = new("--study") { Description = "Only this study, by the UID that the PACS knows." };
        Option<string?> originalStudy = new("--original-study") { Description = "Only this study, by original UID; needs the key ring." };
        Option<string?> instance = new("--instance") { Description = "Only this instance, by the UID that the PACS knows." };
        Option<string?> originalInstance = new("--original-instance") { Description = "Only this instance, by original UID; needs the key ring." };
        Option<int> limit = new("--limit") { Description = "At most this many records, oldest first.", DefaultValueFactory = static _ => 1000 };
        var command = new Command("list", "Lists audit records, oldest first.")
        {
            config, json, from, until, events, outcome, callingAE, patient, originalPatient, study, originalStudy, instance, originalInstance, limit,
        };
        command.SetAction(async (result, cancellation) =>
        {
            GatewayOptions options = ConfigurationFile.LoadSections(result.GetValue(config), "Database", "Keys");
            // Auditors need no keys unless they ask by original identifiers.
            var pseudonyms = new Lazy<Pseudonymizer>(() => new Pseudonymizer(ProtectionRooms.OpenKeys(options).PseudonymKey));
            var filter = new AuditFilter
            {
                From = result.GetValue(from),
                Until = result.GetValue(until),
                Events = result.GetValue(events) is { Length: > 0 } some ? some : null,
                Outcome = result.GetValue(outcome),
                CallingAE = result.GetValue(callingAE),
                Patient = result.GetValue(originalPatient) is { } original ? MapPatient(pseudonyms.Value, original) : result.GetValue(patient),
                StudyUID = result.GetValue(originalStudy) is { } uid ? pseudonyms.Value.MapUID(uid) : result.GetValue(study),
                SopUID = result.GetValue(originalInstance) is { } sop ? pseudonyms.Value.MapUID(sop) : result.GetValue(instance),
                Limit = result.GetValue(limit),
            };
            await using GatewayStore store = await GatewayStore.OpenAsync(StoreDialect.Of(options), ProtectionRooms.OpenKeys(options), TimeProvider.System, cancellation).ConfigureAwait(false);
            Print(await store.QueryAuditAsync(filter, cancellation).ConfigureAwait(false), filter.Limit, result.GetValue(json));
            return ExitCode.Done;
        });
        return command;
    }

    private static string MapPatient(Pseudonymizer pseudonyms, string original)
    {
        int caret = original.IndexOf('^', StringComparison.Ordinal);
        return caret < 0 ? pseudonyms.MapPatientID(null, original) : pseudonyms.MapPatientID(original[..caret], original[(caret + 1)..]);
    }

    private static void Print(IReadOnlyList<AuditRecord> records, int limit, bool json)
    {
        if (json)
        {
            Output.WriteJson(records);
            return;
        }

        var table = new Table().Border(TableBorder.Simple).AddColumns("#", "Time (UTC)", "Event", "Outcome", "Calling AE", "Patient", "Instance", "Reason and detail");
        foreach (AuditRecord record in records)
        {
            table.AddRow(new[]
            {
                record.Sequence.ToString(CultureInfo.InvariantCulture),
                record.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture),
                record.Event.ToString(),
                record.Outcome.ToString(),
                record.CallingAE ?? "",
                record.Patient ?? "",
                record.SopUID ?? record.StudyUID ?? "",
                string.Join(": ", new[] { record.Reason, record.Detail }.Where(static t => !string.IsNullOrEmpty(t))),
            }.Select(Markup.Escape).ToArray());
        }

        IAnsiConsole console = AnsiConsole.Console;
        if (Console.IsOutputRedirected)
        {
            console.Profile.Width = 400;
        }

        console.Write(table);
        Console.WriteLine(records.Count == limit ? $"{records.Count} records; there may be more: raise --limit or narrow the time." : $"{records.Count} records.");
    }
}
