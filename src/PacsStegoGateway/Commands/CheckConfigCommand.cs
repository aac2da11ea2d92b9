using System.CommandLine;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg check-config</c>: every problem at once, or the configuration in effect.</summary>
internal static class CheckConfigCommand
{
    public static Command Create()
    {
        Option<string?> config = CommonOptions.Config();
        Option<string[]> set = RunCommand.Switches();
        Option<bool> against = new("--against-running")
        {
            Description = "Instead of everything prints what is different from the configuration that the gateway last took, and what of it waits for a restart.",
        };
        var command = new Command("check-config",
            "Prints every problem of the configuration at once, or the one in effect without secrets. Also opens what it names: key ring, segmenter, certificates, folders, database.")
        {
            config, set, against,
        };
        command.SetAction((result, cancellation) => RunAsync(
            ConfigurationFile.Find(result.GetValue(config)), RunCommand.ToSwitches(result.GetValue(set)), result.GetValue(against), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string? file, IReadOnlyList<string> switches, bool againstRunning, CancellationToken cancellation)
    {
        var problems = new List<ConfigurationProblem>();
        GatewayOptions options = GatewayConfiguration.Read(file, switches, problems) ?? throw new ConfigurationException(problems);
        problems.AddRange(GatewayOptionsValidator.Validate(options));
        await OpenAllAsync(options, problems, cancellation).ConfigureAwait(false);
        if (problems.Count > 0)
        {
            throw new ConfigurationException(file is null ? [ConfigurationFile.NotFound, .. problems] : problems);
        }

        foreach (string warning in KeyPlace.Warnings(options))
        {
            await Console.Error.WriteLineAsync($"Warning: {warning}").ConfigureAwait(false);
        }

        Console.WriteLine(againstRunning ? Differences(options) : GatewayConfiguration.Print(options));
        return ExitCode.Done;
    }

    /// <summary>Secrets are in no file of the gateway, so that they cannot be compared.</summary>
    private static string Differences(GatewayOptions options)
    {
        string path = LastGoodConfiguration.PathOf(options);
        if (!File.Exists(path))
        {
            throw new CommandException($"{path}: there is no such file. The gateway has not run in this data folder, or runs in another.");
        }

        var problems = new List<ConfigurationProblem>();
        GatewayOptions running = GatewayConfiguration.Read(path, problems) ?? throw new ConfigurationException(problems);
        string[] lines = [.. ConfigurationDifference.Between(running, options).Where(static d => d.Before != "(secret)" && d.After != "(secret)")
            .Select(static d => $"{(d.IsLive ? "at once       " : "at a restart  ")}{d}")];
        // What was kept without its secrets may miss them: that is no problem of the change.
        IReadOnlyList<ConfigurationProblem> before = GatewayOptionsValidator.Validate(running);
        ConfigurationProblem[] unfit = [.. GatewayOptionsValidator.Validate(ConfigurationDifference.TakeLive(running, options)).Except(before)];
        return lines.Length == 0 ? "No difference."
            : string.Join(Environment.NewLine, [.. lines, .. unfit.Length == 0 ? (string[])[]
                : ["The running gateway refuses all of it until a restart, because with what waits for one the rest does not fit:", .. unfit.Select(static p => "  " + p)]]);
    }

    /// <summary>Opens what is named, except where the name itself is already a problem: the same would be said twice.</summary>
    private static async Task OpenAllAsync(GatewayOptions options, List<ConfigurationProblem> problems, CancellationToken cancellation)
    {
        HashSet<string> wrong = [.. problems.Select(static p => p.Path)];
        bool hasFolder = !wrong.Contains("DataFolder");
        KeyRing? keys = null;
        if (hasFolder && !wrong.Contains("Keys:RingPath"))
        {
            CheckOpens("Keys:RingPath", () => keys = ProtectionRooms.OpenKeys(options), problems);
        }

        if (!wrong.Any(static p => p.StartsWith("Segmentation:", StringComparison.Ordinal)))
        {
            CheckOpens("Segmentation", () => (ProtectionRooms.OpenSegmenter(options) as IDisposable)?.Dispose(), problems);
        }

        CheckCertificates(options, problems);
        if (!options.Spool.Encrypt)
        {
            await Console.Error.WriteLineAsync("Warning: Spool:Encrypt is false: patients' identity lies on the disk in the clear until the PACS has the protected object.").ConfigureAwait(false);
        }

        if (hasFolder && !wrong.Contains("Spool:Folder"))
        {
            CheckFolder("Spool:Folder", options.InDataFolder(options.Spool.Folder), problems);
        }

        if (hasFolder && !wrong.Any(static p => p.StartsWith("Database:", StringComparison.Ordinal)))
        {
            await CheckDatabaseAsync(options, keys, problems, cancellation).ConfigureAwait(false);
        }
    }

    private static void CheckOpens(string path, Action open, List<ConfigurationProblem> problems)
    {
        try
        {
            open();
        }
        catch (Exception e) when (CommandLine.IsMisuse(e) || e is IOException or UnauthorizedAccessException)
        {
            problems.Add(new ConfigurationProblem(path, e.Message));
        }
    }

    private static void CheckCertificates(GatewayOptions options, List<ConfigurationProblem> problems)
    {
        try
        {
            _ = new GatewayTls(options, static _ => { });
        }
        catch (ConfigurationException e)
        {
            problems.AddRange(e.Problems);
        }

        problems.AddRange(GatewayTls.Unsound(options, DateTimeOffset.UtcNow));
    }

    /// <summary>The folder is made when the service starts: here it is only tried, and what was made is taken away again.</summary>
    private static void CheckFolder(string path, string folder, List<ConfigurationProblem> problems)
    {
        try
        {
            bool isNew = !Directory.Exists(folder);
            Directory.CreateDirectory(folder);
            string probe = Path.Combine(folder, $".check-{Guid.NewGuid():N}");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
            if (isNew)
            {
                Directory.Delete(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add(new ConfigurationProblem(path, $"cannot be written: {e.Message}"));
        }
    }

    private static async Task CheckDatabaseAsync(GatewayOptions options, KeyRing? keys, List<ConfigurationProblem> problems, CancellationToken cancellation)
    {
        if (options.Database.Kind == DatabaseKind.Sqlite)
        {
            CheckFolder("Database:Path", Path.GetDirectoryName(options.InDataFolder(options.Database.Path))!, problems);
            return;
        }

        if (keys is null)
        {
            // Said already; and without a key nothing is opened.
            return;
        }

        try
        {
            await using GatewayStore store = await GatewayStore.OpenAsync(StoreDialect.Of(options), keys, TimeProvider.System, cancellation).ConfigureAwait(false);
        }
        catch (ConfigurationException e)
        {
            problems.AddRange(e.Problems);
        }
        catch (StoreUnavailableException)
        {
            await Console.Error.WriteLineAsync("Note: the database cannot be reached now. The service would wait for it.").ConfigureAwait(false);
        }
    }
}
