using System.CommandLine;
using System.Globalization;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Storage;
using Spectre.Console;

namespace PacsStegoGateway.Commands;

/// <summary>
/// <c>psg queue list | show | retry | drop</c>: what waits for which destination, and what a person decides about it. Works beside
/// running gateways, which find what was changed when they look next, within seconds.
/// </summary>
internal static class QueueCommand
{
    private const int Page = 500;

    private static string ByWhom => OperatorGate.User;

    public static Command Create() => new("queue", "Lists what waits for destinations and decides about dead letters.")
    {
        CreateList(), CreateShow(), CreateRetry(), CreateDrop(),
    };

    private static Command CreateList()
    {
        var filter = new FilterOptions();
        Option<string?> config = CommonOptions.Config();
        Option<bool> json = CommonOptions.Json();
        Option<long> after = new("--after") { Description = "Only ids greater than this: to page on." };
        Option<int> limit = new("--limit") { Description = "At most this many rows, oldest first.", DefaultValueFactory = static _ => 100 };
        var command = new Command("list", "Lists unfinished deliveries by pseudonym, oldest first, below a summary of each destination.") { config, json, after, limit };
        filter.AddTo(command);
        command.SetAction(async (result, cancellation) =>
        {
            await using GatewayStore store = await OpenAsync(Load(result.GetValue(config)), cancellation).ConfigureAwait(false);
            IReadOnlyList<DeliverySummary> summaries = await store.SummarizeQueuesAsync(cancellation).ConfigureAwait(false);
            IReadOnlyList<DeliveryRow> rows = await store.QueuedAsync(
                filter.Read(result) with { AfterId = result.GetValue(after), Limit = result.GetValue(limit) }, cancellation).ConfigureAwait(false);
            if (result.GetValue(json))
            {
                Output.WriteJson(rows.Select(QueueEntry.Of));
            }
            else
            {
                Print(summaries, [.. rows.Select(QueueEntry.Of)]);
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static Command CreateShow()
    {
        Option<string?> config = CommonOptions.Config();
        Option<bool> json = CommonOptions.Json();
        Argument<long> id = new("id") { Description = "Id, as 'psg queue list' prints it." };
        var command = new Command("show", "Shows one delivery and what can be done about it.") { id, config, json };
        command.SetAction(async (result, cancellation) =>
        {
            await using GatewayStore store = await OpenAsync(Load(result.GetValue(config)), cancellation).ConfigureAwait(false);
            (IReadOnlyList<DeliveryRow> rows, int missing) = await FindAsync(store, [result.GetValue(id)], cancellation).ConfigureAwait(false);
            foreach (QueueEntry entry in rows.Select(QueueEntry.Of))
            {
                if (result.GetValue(json))
                {
                    Output.WriteJson(entry);
                }
                else
                {
                    Show(entry);
                }
            }

            return Code(missing);
        });
        return command;
    }

    private static Command CreateRetry()
    {
        var filter = new FilterOptions();
        Option<string?> config = CommonOptions.Config();
        Option<bool> all = new("--all") { Description = "Every dead letter." };
        Argument<long[]> ids = Ids();
        var command = new Command("retry", "Sends now what waits, and again what was refused for good. With filters and no --state: dead letters.") { ids, all, config };
        filter.AddTo(command);
        command.SetAction(async (result, cancellation) =>
        {
            GatewayOptions options = Load(result.GetValue(config));
            DeliveryFilter wanted = Wanted(result, filter, ids, all);
            await using GatewayStore store = await OpenAsync(options, cancellation).ConfigureAwait(false);
            int retried = 0;
            int failed = await EachAsync(store, wanted, "Retrying", async row =>
            {
                bool changed = await store.RetryDeliveryAsync(row, ByWhom).ConfigureAwait(false);
                retried += changed ? 1 : 0;
                return changed;
            }, cancellation).ConfigureAwait(false);
            Console.WriteLine($"{retried} to be sent; a running gateway goes on with them within seconds.");
            return Code(failed);
        });
        return command;
    }

    private static Command CreateDrop()
    {
        var filter = new FilterOptions();
        Option<string?> config = CommonOptions.Config();
        Option<bool> yes = new("--yes") { Description = "Really: the destination does not get them from us." };
        Option<bool> all = new("--all") { Description = "Every dead letter." };
        Argument<long[]> ids = Ids();
        var command = new Command("drop",
            "Gives deliveries up. An object that no destination has goes to quarantine, with its files. With filters and no --state: dead letters.") { ids, all, yes, config };
        filter.AddTo(command);
        command.SetAction(async (result, cancellation) =>
        {
            GatewayOptions options = Load(result.GetValue(config));
            DeliveryFilter wanted = Wanted(result, filter, ids, all);
            if (!result.GetValue(yes))
            {
                throw new CommandException("The destination would not get these objects from us: look with 'psg queue list', and say --yes if that is meant.");
            }

            string folder = options.InDataFolder(options.Spool.Folder);
            await using GatewayStore store = await OpenAsync(options, cancellation).ConfigureAwait(false);
            int dropped = 0, quarantined = 0;
            int failed = await EachAsync(store, wanted, "Dropping", async row =>
            {
                DropResult result = await store.DropDeliveryAsync(row, ByWhom).ConfigureAwait(false);
                dropped += result == DropResult.Gone ? 0 : 1;
                quarantined += result == DropResult.Quarantined ? 1 : 0;
                if (result == DropResult.DroppedLast)
                {
                    // The row first: a file without a row that needs it is swept up, a row without its file would be a loss.
                    Spool.Delete(folder, row.Instance.ReceivedFile);
                    Spool.Delete(folder, row.Instance.ProtectedFile!);
                }

                return result != DropResult.Gone;
            }, cancellation).ConfigureAwait(false);
            Console.WriteLine($"{dropped} dropped.");
            if (quarantined > 0)
            {
                Console.WriteLine($"{quarantined} objects are at no destination now and lie in quarantine: 'psg quarantine list'.");
            }

            return Code(failed);
        });
        return command;
    }

    private static Argument<long[]> Ids() => new("id") { Description = "Ids, as 'psg queue list' prints them.", Arity = ArgumentArity.ZeroOrMore };

    private static GatewayOptions Load(string? config) => ConfigurationFile.LoadSections(config, "Database", "Spool", "Keys");

    private static Task<GatewayStore> OpenAsync(GatewayOptions options, CancellationToken cancellation) =>
        GatewayStore.OpenAsync(StoreDialect.Of(options), ProtectionRooms.OpenKeys(options), TimeProvider.System, cancellation);

    private static int Code(int failed) => failed == 0 ? ExitCode.Done : ExitCode.SomeFailed;

    /// <summary>Ids, or a filter; never everything by leaving both out.</summary>
    private static DeliveryFilter Wanted(ParseResult result, FilterOptions filter, Argument<long[]> ids, Option<bool> all)
    {
        long[] named = result.GetValue(ids) ?? [];
        DeliveryFilter wanted = filter.Read(result);
        bool filtered = result.GetValue(all) || wanted != new DeliveryFilter();
        if (filtered == named.Length > 0)
        {
            throw new CommandException("Name ids, or give --all, --destination, --state or --older-than; not both.");
        }

        return named.Length > 0 ? wanted with { Ids = [.. named.Distinct()] } : wanted with { State = wanted.State ?? DeliveryState.Dead };
    }

    /// <summary>Page after page, with a bar; ids that are not there are named on standard error.</summary>
    /// <returns>How many were not found, or not done.</returns>
    private static async Task<int> EachAsync(
        GatewayStore store, DeliveryFilter wanted, string title, Func<DeliveryRow, Task<bool>> act, CancellationToken cancellation)
    {
        int failed = 0, done = 0;
        if (wanted.Ids is { } ids)
        {
            (IReadOnlyList<DeliveryRow> rows, failed) = await FindAsync(store, ids, cancellation).ConfigureAwait(false);
            foreach (DeliveryRow row in rows)
            {
                await ActAsync(row).ConfigureAwait(false);
            }

            return failed;
        }

        long total = (await store.SummarizeQueuesAsync(cancellation).ConfigureAwait(false))
            .Where(s => s.State == wanted.State && (wanted.Destination is null || s.Destination == wanted.Destination)).Sum(static s => s.Count);
        await ProgressBar.RunAsync(title, async bar =>
        {
            DeliveryFilter page = wanted with { Limit = Page };
            IReadOnlyList<DeliveryRow> rows;
            // Ascending ids: what dies again meanwhile is not taken twice.
            while ((rows = await store.QueuedAsync(page, cancellation).ConfigureAwait(false)).Count > 0)
            {
                foreach (DeliveryRow row in rows)
                {
                    cancellation.ThrowIfCancellationRequested();
                    await ActAsync(row).ConfigureAwait(false);
                    done++;
                }

                bar.Show(done, (int)Math.Max(0, total - done));
                page = page with { AfterId = rows[^1].Id };
            }

            bar.Show(1, 0);
        }).ConfigureAwait(false);
        return failed;

        async Task ActAsync(DeliveryRow row)
        {
            if (!await act(row).ConfigureAwait(false))
            {
                failed += await ComplainAsync(row.Id, "went on meanwhile: nothing was changed").ConfigureAwait(false);
            }
        }
    }

    private static async Task<(IReadOnlyList<DeliveryRow> Rows, int Missing)> FindAsync(GatewayStore store, IReadOnlyList<long> ids, CancellationToken cancellation)
    {
        var rows = new List<DeliveryRow>();
        int missing = 0;
        foreach (long[] some in ids.Chunk(Page))
        {
            IReadOnlyList<DeliveryRow> found = await store.QueuedAsync(new DeliveryFilter { Ids = some }, cancellation).ConfigureAwait(false);
            rows.AddRange(found);
            foreach (long id in some.Except(found.Select(static r => r.Id)))
            {
                missing += await ComplainAsync(id, "waits in no queue: it is done, or was never there").ConfigureAwait(false);
            }
        }

        return (rows, missing);
    }

    /// <returns>1, to be counted.</returns>
    private static async Task<int> ComplainAsync(long id, string what)
    {
        await Console.Error.WriteLineAsync($"{id}: {what}.").ConfigureAwait(false);
        return 1;
    }

    private static void Print(IReadOnlyList<DeliverySummary> summaries, IReadOnlyList<QueueEntry> entries)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        foreach (DeliverySummary summary in summaries)
        {
            Console.WriteLine($"{summary.Destination}: {summary.Count} {StatusReport.Words(summary.State)}, the oldest for {Age.Since(summary.OldestQueuedAt, now)}.");
        }

        Table table = new Table().Border(TableBorder.Simple).AddColumns("Id", "Age", "Destination", "State", "Attempts", "Patient", "Instance", "Detail");
        foreach (QueueEntry entry in entries)
        {
            table.AddRow(new[]
            {
                entry.Id.ToString(CultureInfo.InvariantCulture), Age.Text(now - entry.QueuedAt), entry.Destination, StatusReport.NameOf(entry.State),
                entry.Attempts.ToString(CultureInfo.InvariantCulture), entry.Patient, entry.SopUID, entry.Detail ?? "",
            }.Select(Markup.Escape).ToArray());
        }

        IAnsiConsole console = AnsiConsole.Console;
        if (Console.IsOutputRedirected)
        {
            console.Profile.Width = 400;
        }

        console.Write(table);
        Console.WriteLine($"{entries.Count} shown of {summaries.Sum(static s => s.Count)} in the queues.");
    }

    private static void Show(QueueEntry entry)
    {
        (string Name, string Value)[] lines =
        [
            ("Id", entry.Id.ToString(CultureInfo.InvariantCulture)), ("Destination", entry.Destination), ("State", $"{StatusReport.NameOf(entry.State)} ({StatusReport.Words(entry.State)})"),
            ("Queued (UTC)", Text(entry.QueuedAt)), ("Last change (UTC)", Text(entry.UpdatedAt)), ("Sent (UTC)", Text(entry.SentAt)),
            ("Attempts", entry.Attempts.ToString(CultureInfo.InvariantCulture)), ("Next not before", Text(entry.NextAttemptAt)),
            ("Gateway", entry.Node), ("Object", $"row {entry.InstanceId}, from {entry.CallingAE} to {entry.CalledAE}"), ("Patient", entry.Patient),
            ("Study", entry.StudyUID), ("Series", entry.SeriesUID), ("Instance", entry.SopUID), ("SOP class", entry.SopClass),
            ("Bytes", entry.ReceivedBytes.ToString(CultureInfo.InvariantCulture)), ("Detail", entry.Detail ?? ""), ("What to do", entry.Advice),
        ];
        foreach ((string name, string value) in lines.Where(static l => l.Value.Length > 0))
        {
            Console.WriteLine($"{name + ":",-19}{value}");
        }
    }

    private static string Text(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "";

    /// <summary>The switches that several of these verbs share.</summary>
    private sealed class FilterOptions
    {
        private readonly Option<string?> _destination = new("--destination") { Description = "Only this destination, by its name." };
        private readonly Option<DeliveryState?> _state = new("--state") { Description = "Only pending, dead, or sent (waiting for storage commitment)." };
        private readonly Option<TimeSpan?> _olderThan = Age.OlderThan();

        public void AddTo(Command command)
        {
            command.Options.Add(_destination);
            command.Options.Add(_state);
            command.Options.Add(_olderThan);
        }

        public DeliveryFilter Read(ParseResult result) => new()
        {
            Destination = result.GetValue(_destination),
            State = result.GetValue(_state),
            QueuedBefore = result.GetValue(_olderThan) is { } age ? TimeProvider.System.GetUtcNow() - age : null,
        };
    }
}
