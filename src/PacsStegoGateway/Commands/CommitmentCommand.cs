using System.CommandLine;
using System.Globalization;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Storage;
using Spectre.Console;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg commitment list</c>: who owes whom a word about which objects.</summary>
internal static class CommitmentCommand
{
    public static Command Create() => new("commitment", "Shows storage commitment: asked by modalities, and of destinations.") { CreateList() };

    private static Command CreateList()
    {
        Option<string?> config = CommonOptions.Config();
        Option<bool> json = CommonOptions.Json();
        Option<bool> all = new("--all") { Description = "Also what is over; it is remembered for 30 days." };
        Option<int> limit = new("--limit") { Description = "At most this many of each kind, newest first, 1 to 100000.", DefaultValueFactory = static _ => 1000 };
        var command = new Command("list", "Lists what is under way: requests of modalities, transactions with destinations.") { config, json, all, limit };
        command.SetAction(async (result, cancellation) =>
        {
            GatewayOptions options = ConfigurationFile.LoadSections(result.GetValue(config), "Database", "Keys");
            int most = Math.Clamp(result.GetValue(limit), 1, 100_000);
            await using GatewayStore store = await GatewayStore.OpenAsync(StoreDialect.Of(options), ProtectionRooms.OpenKeys(options), TimeProvider.System, cancellation).ConfigureAwait(false);
            IReadOnlyList<CommitmentEntry> entries =
            [
                .. (await store.ListCommitRequestsAsync(result.GetValue(all), most, cancellation).ConfigureAwait(false)).Select(CommitmentEntry.Of),
                .. (await store.ListCommitTransactionsAsync(result.GetValue(all), most, cancellation).ConfigureAwait(false)).Select(CommitmentEntry.Of),
            ];
            Print(entries, result.GetValue(json));
            return ExitCode.Done;
        });
        return command;
    }

    private static void Print(IReadOnlyList<CommitmentEntry> entries, bool json)
    {
        if (json)
        {
            Output.WriteJson(entries);
            return;
        }

        var table = new Table().Border(TableBorder.Simple).AddColumns("Asked by", "Of", "Id", "State", "Objects", "Failed", "Since (UTC)", "Next (UTC)", "Node", "Detail");
        foreach (CommitmentEntry entry in entries)
        {
            table.AddRow(new[]
            {
                entry.AskedBy, entry.AskedOf, entry.Id, entry.State, entry.Objects.ToString(CultureInfo.InvariantCulture),
                entry.Failed.ToString(CultureInfo.InvariantCulture), Text(entry.Since), entry.Next is { } next ? Text(next) : "", entry.Node, entry.Detail ?? "",
            }.Select(Markup.Escape).ToArray());
        }

        IAnsiConsole console = AnsiConsole.Console;
        if (Console.IsOutputRedirected)
        {
            console.Profile.Width = 400;
        }

        console.Write(table);
        Console.WriteLine($"{entries.Count(static e => e.AskedOf == CommitmentEntry.Us)} requests of modalities, {entries.Count(static e => e.AskedBy == CommitmentEntry.Us)} transactions with destinations.");
    }

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
