using System.CommandLine;
using PacsStegoGateway.Audit;

namespace PacsStegoGateway.Commands;

internal static partial class AuditCommand
{
    private static Command CreateVerify()
    {
        Option<string?> config = CommonOptions.Config();
        Option<bool> json = CommonOptions.Json();
        Option<string[]> files = new("--checkpoints") { Description = "Files of checkpoints to hold the trail against. Default: the one of the configuration, if it is there." };
        var command = new Command("verify",
            "Proves that no entry was changed, removed, added or moved; names the first that was. Ends with 0 when the trail is genuine, with 1 when it is not.")
        {
            config, json, files,
        };
        command.SetAction(async (result, cancellation) =>
        {
            await using Opened opened = await OpenAsync(result.GetValue(config), cancellation).ConfigureAwait(false);
            string configured = opened.Options.InDataFolder(opened.Options.Audit.CheckpointPath);
            string[] paths = result.GetValue(files) is { Length: > 0 } named ? named
                : opened.Options.Audit.CheckpointPath.Length > 0 && File.Exists(configured) ? [configured] : [];
            AuditCheckpoints checkpoints = AuditCheckpoints.Read(new AuditChain(opened.Keys), paths);
            AuditVerdict? verdict = null;
            await ProgressBar.RunAsync("Verifying", async bar => verdict = await opened.Store.ReadTrailAsync(
                (head, entries) =>
                {
                    bar.MaxValue = Math.Max(1, head?.Sequence ?? 1);
                    return new AuditVerifier(opened.Keys).VerifyAsync(head, entries, checkpoints, done => bar.Value = done, cancellation);
                }, cancellation).ConfigureAwait(false)).ConfigureAwait(false);
            Print(verdict!, result.GetValue(json));
            return verdict!.IsGenuine ? ExitCode.Done : ExitCode.SomeFailed;
        });
        return command;
    }

    private static void Print(AuditVerdict verdict, bool json)
    {
        if (json)
        {
            Output.WriteJson(verdict);
            return;
        }

        if (verdict.IsGenuine)
        {
            Console.WriteLine($"Genuine: {verdict.Entries} entries, the last is {verdict.Last}; {verdict.Checkpoints} checkpoints agree.");
            return;
        }

        Console.WriteLine($"NOT GENUINE. First: {verdict.First!.Fault}{(verdict.First.Sequence > 0 ? $" at entry {verdict.First.Sequence}" : "")}.");
        foreach (AuditFinding finding in verdict.Findings)
        {
            Console.WriteLine($"  {finding.Words}");
        }

        Console.WriteLine($"{verdict.Count} findings{(verdict.Count > verdict.Findings.Count ? ", the first of which are above" : "")}; {verdict.Entries} entries, the last is {verdict.Last}; {verdict.Checkpoints} checkpoints agree.");
    }
}
