using System.CommandLine;
using System.Globalization;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.Storage;
using Spectre.Console;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg audit</c>: who did what with whose images, by pseudonym; and whether the trail can be believed.</summary>
internal static partial class AuditCommand
{
    public static Command Create() => new("audit", "Reads, verifies and exports the audit trail.")
    {
        CreateList(), CreateShow(), CreateVerify(), CreateExport(),
    };

    private static Command CreateList()
    {
        Option<string?> config = CommonOptions.Config();
        Option<bool> json = CommonOptions.Json();
        Option<int> limit = new("--limit") { Description = "At most this many records, oldest first.", DefaultValueFactory = static _ => 1000 };
        var switches = new AuditSwitches();
        var command = new Command("list", "Lists audit records, oldest first.") { config, json, limit };
        switches.AddTo(command);
        command.SetAction(async (result, cancellation) =>
        {
            await using Opened opened = await OpenAsync(result.GetValue(config), cancellation).ConfigureAwait(false);
            AuditFilter filter = switches.Read(result, opened.Keys) with { Limit = result.GetValue(limit) };
            IReadOnlyList<AuditRecord> records = await opened.Store.QueryAuditAsync(filter, cancellation).ConfigureAwait(false);
            await RecordReadAsync(opened.Store, filter, $"{records.Count} entries listed, {AuditSwitches.Words(filter)}.").ConfigureAwait(false);
            Print(records, filter.Limit, result.GetValue(json));
            // Who asked before stands there too.
            if (records.All(static r => r.Event is AuditEvent.TrailRead) && switches.HintWithoutIssuer(result) is { } hint)
            {
                await Console.Error.WriteLineAsync(hint).ConfigureAwait(false);
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static async Task<Opened> OpenAsync(string? config, CancellationToken cancellation)
    {
        GatewayOptions options = ConfigurationFile.LoadSections(config, "Database", "Keys", "Audit");
        KeyRing keys = ProtectionRooms.OpenKeys(options);
        return new Opened(options, keys, await GatewayStore.OpenAsync(StoreDialect.Of(options), keys, TimeProvider.System, cancellation).ConfigureAwait(false));
    }

    /// <summary>Who reads the trail stands in it too, before he sees anything.</summary>
    private static Task RecordReadAsync(GatewayStore store, AuditFilter filter, string detail) => store.AppendAuditAsync(new AuditRecord(AuditEvent.TrailRead)
    {
        User = OperatorGate.User,
        Patient = filter.Patient,
        StudyUID = filter.StudyUID,
        SopUID = filter.SopUID,
        Detail = detail,
    });

    private static void Print(IReadOnlyList<AuditRecord> records, int limit, bool json)
    {
        if (json)
        {
            Output.WriteJson(records);
            return;
        }

        var table = new Table().Border(TableBorder.Simple).AddColumns("#", "Time (UTC)", "Node", "Event", "Outcome", "Calling AE", "User", "Patient", "Instance", "Reason and detail");
        foreach (AuditRecord record in records)
        {
            table.AddRow(new[]
            {
                record.Sequence.ToString(CultureInfo.InvariantCulture), Text(record.At), record.Node, record.Event.ToString(), record.Outcome.ToString(),
                record.CallingAE ?? "", record.User ?? "", record.Patient ?? "", record.SopUID ?? record.StudyUID ?? "",
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

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);

    private sealed record Opened(GatewayOptions Options, KeyRing Keys, GatewayStore Store) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Store.DisposeAsync();
    }
}
