using System.CommandLine;
using System.Globalization;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.Storage;
using Spectre.Console;

namespace PacsStegoGateway.Commands;

/// <summary>
/// <c>psg quarantine list | show | export | retry | discard</c>: what a person decides about objects that go nowhere by
/// themselves. Works beside a running gateway, which finds what was put back when it looks next, within seconds.
/// </summary>
internal static class QuarantineCommand
{
    private const int Page = 500;

    private static string ByWhom => OperatorGate.User;

    public static Command Create() => new("quarantine", "Lists quarantined objects and decides about them.")
    {
        CreateList(), CreateShow(), CreateExport(), CreateRetry(), CreateDiscard(),
    };

    private static Command CreateList()
    {
        Option<string?> config = CommonOptions.Config();
        Option<bool> json = CommonOptions.Json();
        Option<RefusalReason?> reason = Reason();
        Option<long> after = new("--after") { Description = "Only ids greater than this: to page on." };
        Option<int> limit = new("--limit") { Description = "At most this many rows, oldest first.", DefaultValueFactory = static _ => 1000 };
        var command = new Command("list", "Lists quarantined objects by pseudonym, oldest first.") { config, json, reason, after, limit };
        command.SetAction(async (result, cancellation) =>
        {
            var filter = new QuarantineFilter { Reason = result.GetValue(reason), AfterId = result.GetValue(after), Limit = result.GetValue(limit) };
            await using GatewayStore store = await OpenAsync(Load(result.GetValue(config)), cancellation).ConfigureAwait(false);
            IReadOnlyList<InstanceRow> rows = await store.QuarantinedAsync(filter, cancellation).ConfigureAwait(false);
            Print([.. rows.Select(QuarantineEntry.Of)], result.GetValue(json));
            return ExitCode.Done;
        });
        return command;
    }

    private static Command CreateShow()
    {
        Option<string?> config = CommonOptions.Config();
        Option<bool> json = CommonOptions.Json();
        Argument<long> id = new("id") { Description = "Id, as 'psg quarantine list' prints it." };
        var command = new Command("show", "Shows one quarantined object and what can be done about it.") { id, config, json };
        command.SetAction(async (result, cancellation) =>
        {
            await using GatewayStore store = await OpenAsync(Load(result.GetValue(config)), cancellation).ConfigureAwait(false);
            (IReadOnlyList<InstanceRow> rows, int missing) = await FindAsync(store, [result.GetValue(id)], cancellation).ConfigureAwait(false);
            foreach (QuarantineEntry entry in rows.Select(QuarantineEntry.Of))
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

    private static Command CreateExport()
    {
        Option<string?> config = CommonOptions.Config();
        Option<string> @out = CommonOptions.Out();
        Argument<long[]> ids = Ids(ArgumentArity.OneOrMore);
        var command = new Command("export", "Copies received objects out, identity and all; each is recorded in the audit trail first.") { ids, @out, config };
        command.SetAction(async (result, cancellation) =>
        {
            GatewayOptions options = Load(result.GetValue(config));
            string folder = result.GetRequiredValue(@out);
            KeyRing keys = ProtectionRooms.OpenKeys(options);
            Directory.CreateDirectory(folder);
            await using GatewayStore store = await OpenAsync(options, cancellation).ConfigureAwait(false);
            (IReadOnlyList<InstanceRow> rows, int failed) = await FindAsync(store, result.GetRequiredValue(ids), cancellation).ConfigureAwait(false);
            if (rows.Count > 0)
            {
                await Console.Error.WriteLineAsync("Warning: exported files are originals and hold the patient's identity in the clear. Keep them where originals may be, and delete them afterwards.").ConfigureAwait(false);
            }

            foreach (InstanceRow row in rows)
            {
                try
                {
                    Console.WriteLine(await ExportAsync(store, options, keys, row, folder).ConfigureAwait(false));
                }
                catch (FileNotFoundException)
                {
                    failed += await ComplainAsync(row.Id, "its file is missing in the spool").ConfigureAwait(false);
                }
                catch (SpoolFileException e)
                {
                    failed += await ComplainAsync(row.Id, $"its file cannot be read: {e.Message}").ConfigureAwait(false);
                }
            }

            return Code(failed);
        });
        return command;
    }

    private static Command CreateRetry()
    {
        Option<string?> config = CommonOptions.Config();
        Option<bool> all = new("--all") { Description = "Every quarantined object." };
        Option<RefusalReason?> reason = Reason();
        Argument<long[]> ids = Ids(ArgumentArity.ZeroOrMore);
        var command = new Command("retry", "Puts objects back to be protected and forwarded; a running gateway goes on with them within seconds.") { ids, all, reason, config };
        command.SetAction(async (result, cancellation) =>
        {
            long[] named = result.GetValue(ids) ?? [];
            RefusalReason? only = result.GetValue(reason);
            bool filtered = result.GetValue(all) || only is not null;
            if (filtered == named.Length > 0)
            {
                throw new CommandException("Name ids, or give --all or --reason; not both.");
            }

            await using GatewayStore store = await OpenAsync(Load(result.GetValue(config)), cancellation).ConfigureAwait(false);
            int released = 0, failed = 0;
            if (filtered)
            {
                var filter = new QuarantineFilter { Reason = only, Limit = Page };
                IReadOnlyList<InstanceRow> rows;
                // Ascending ids: what comes back to quarantine meanwhile is not taken twice.
                while ((rows = await store.QuarantinedAsync(filter, cancellation).ConfigureAwait(false)).Count > 0)
                {
                    await ReleaseAsync(rows).ConfigureAwait(false);
                    filter = filter with { AfterId = rows[^1].Id };
                }
            }
            else
            {
                (IReadOnlyList<InstanceRow> rows, failed) = await FindAsync(store, named, cancellation).ConfigureAwait(false);
                await ReleaseAsync(rows).ConfigureAwait(false);
            }

            Console.WriteLine($"{released} put back.");
            return Code(failed);

            async Task ReleaseAsync(IReadOnlyList<InstanceRow> rows)
            {
                foreach (InstanceRow row in rows)
                {
                    switch (await store.ReleaseAsync(row, ByWhom).ConfigureAwait(false))
                    {
                        case ReleaseResult.Released:
                            released++;
                            break;
                        case ReleaseResult.UidIsTaken:
                            failed += await ComplainAsync(row.Id, "another object owns its UID, and two must not leave under one").ConfigureAwait(false);
                            break;
                        default:
                            failed += await ComplainAsync(row.Id, "is no longer in quarantine").ConfigureAwait(false);
                            break;
                    }
                }
            }
        });
        return command;
    }

    private static Command CreateDiscard()
    {
        Option<string?> config = CommonOptions.Config();
        Option<bool> yes = new("--yes") { Description = "Really: the object is gone afterwards, unless the modality still has it." };
        Argument<long[]> ids = Ids(ArgumentArity.OneOrMore);
        var command = new Command("discard", "Deletes quarantined objects for good; if one is sent again it is new.") { ids, yes, config };
        command.SetAction(async (result, cancellation) =>
        {
            long[] named = result.GetRequiredValue(ids);
            if (!result.GetValue(yes))
            {
                throw new CommandException($"This deletes {named.Distinct().Count()} received objects for good: say --yes if that is meant.");
            }

            GatewayOptions options = Load(result.GetValue(config));
            await using GatewayStore store = await OpenAsync(options, cancellation).ConfigureAwait(false);
            (IReadOnlyList<InstanceRow> rows, int failed) = await FindAsync(store, named, cancellation).ConfigureAwait(false);
            int discarded = 0;
            foreach (InstanceRow row in rows)
            {
                if (!await store.DiscardAsync(row, ByWhom).ConfigureAwait(false))
                {
                    failed += await ComplainAsync(row.Id, "is no longer in quarantine").ConfigureAwait(false);
                    continue;
                }

                // The row first: a file without a row is swept up, a row without its file would be a loss.
                discarded++;
                Spool.Delete(SpoolFolder(options), row.ReceivedFile);
                if (row.ProtectedFile is { } file)
                {
                    Spool.Delete(SpoolFolder(options), file);
                }
            }

            Console.WriteLine($"{discarded} discarded.");
            return Code(failed);
        });
        return command;
    }

    private static Option<RefusalReason?> Reason() => new("--reason") { Description = "Only those quarantined for this reason." };

    private static Argument<long[]> Ids(ArgumentArity arity) => new("id") { Description = "Ids, as 'psg quarantine list' prints them.", Arity = arity };

    private static GatewayOptions Load(string? config) => ConfigurationFile.LoadSections(config, "Database", "Spool", "Keys");

    private static string SpoolFolder(GatewayOptions options) => options.InDataFolder(options.Spool.Folder);

    private static Task<GatewayStore> OpenAsync(GatewayOptions options, CancellationToken cancellation) =>
        GatewayStore.OpenAsync(StoreDialect.Of(options), ProtectionRooms.OpenKeys(options), TimeProvider.System, cancellation);

    private static int Code(int failed) => failed == 0 ? ExitCode.Done : ExitCode.SomeFailed;

    /// <summary>The rows of these ids; those that are not in quarantine are named on standard error and counted.</summary>
    private static async Task<(IReadOnlyList<InstanceRow> Rows, int Missing)> FindAsync(GatewayStore store, long[] ids, CancellationToken cancellation)
    {
        var rows = new List<InstanceRow>();
        int missing = 0;
        foreach (long[] some in ids.Distinct().Chunk(Page))
        {
            IReadOnlyList<InstanceRow> found = await store.QuarantinedAsync(new QuarantineFilter { Ids = some }, cancellation).ConfigureAwait(false);
            rows.AddRange(found);
            foreach (long id in some.Except(found.Select(static r => r.Id)))
            {
                missing += await ComplainAsync(id, "is not in quarantine").ConfigureAwait(false);
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

    /// <summary>Recorded first, then copied: nothing leaves unrecorded.</summary>
    /// <returns>The path written: complete or not there at all, readable by its owner alone.</returns>
    private static async Task<string> ExportAsync(GatewayStore store, GatewayOptions options, KeyRing keys, InstanceRow row, string folder)
    {
        using ByteSource source = Spool.Open(SpoolFolder(options), row.ReceivedFile, keys);
        await store.RecordExportAsync(row, ByWhom).ConfigureAwait(false);
        string path = Path.Combine(folder, $"quarantine-{row.Id}.dcm");
        string temporary = path + ".part";
        File.Delete(temporary);
        var creation = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            creation.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var target = new FileStream(temporary, creation))
        {
            source.CopyTo(target);
        }

        File.Move(temporary, path, overwrite: true);
        return path;
    }

    private static void Print(IReadOnlyList<QuarantineEntry> entries, bool json)
    {
        if (json)
        {
            Output.WriteJson(entries);
            return;
        }

        var table = new Table().Border(TableBorder.Simple).AddColumns("Id", "Received (UTC)", "Calling AE", "Patient", "Instance", "SOP class", "Reason", "Detail");
        foreach (QuarantineEntry entry in entries)
        {
            table.AddRow(new[]
            {
                entry.Id.ToString(CultureInfo.InvariantCulture), Text(entry.ReceivedAt), entry.CallingAE, entry.Patient, entry.SopUID,
                entry.SopClass, entry.Reason ?? "", entry.Detail ?? "",
            }.Select(Markup.Escape).ToArray());
        }

        IAnsiConsole console = AnsiConsole.Console;
        if (Console.IsOutputRedirected)
        {
            console.Profile.Width = 400;
        }

        console.Write(table);
        Console.WriteLine($"{entries.Count} in quarantine.");
    }

    private static void Show(QuarantineEntry entry)
    {
        (string Name, string Value)[] lines =
        [
            ("Id", entry.Id.ToString(CultureInfo.InvariantCulture)), ("Received (UTC)", Text(entry.ReceivedAt)),
            ("Quarantined (UTC)", Text(entry.UpdatedAt)), ("Calling AE", entry.CallingAE), ("Remote address", entry.RemoteAddress),
            ("Patient", entry.Patient), ("Study", entry.StudyUID), ("Series", entry.SeriesUID), ("Instance", entry.SopUID),
            ("SOP class", $"{entry.SopClass} ({entry.SopClassUID})"), ("Transfer syntax", entry.TransferSyntaxUID),
            ("Bytes", entry.ReceivedBytes.ToString(CultureInfo.InvariantCulture)), ("Was protected", entry.WasProtected ? "yes" : "no"),
            ("Reason", entry.Reason ?? ""), ("Detail", entry.Detail ?? ""), ("What to do", entry.Advice),
        ];
        foreach ((string name, string value) in lines)
        {
            Console.WriteLine($"{name + ":",-19}{value}");
        }
    }

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
