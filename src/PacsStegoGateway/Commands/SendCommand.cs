using System.CommandLine;
using System.Diagnostics;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using Spectre.Console;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg send PEER IN...</c>: C-STORE of files, folders, media and zip archives, each object in its own transfer syntax if the peer takes it.</summary>
internal static class SendCommand
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var command = new Command("send", "Sends files, folders, media (DICOMDIR) and zip archives by C-STORE.");
        var peer = new PeerSwitches(command);
        Argument<string[]> inputs = CommonOptions.Inputs("DICOM files, folders, DICOMDIR files or zip archives to send.");
        var parallel = new Option<int>("--parallel") { Description = "Associations at a time, 1 to 16.", DefaultValueFactory = static _ => 1 };
        var retries = new Option<int>("--retries") { Description = "Further attempts after a failure that may pass, 0 to 20; waits 1, 2, 4 s and so on.", DefaultValueFactory = static _ => 3 };
        Option<bool> json = CommonOptions.Json();
        command.Add(inputs);
        command.Add(parallel);
        command.Add(retries);
        command.Add(json);
        command.SetAction((result, cancellation) =>
        {
            int associations = Within(result.GetValue(parallel), 1, 16, parallel.Name);
            int attempts = Within(result.GetValue(retries), 0, 20, retries.Name);
            (PeerAddress address, AssociationLimits limits) = peer.Read(result);
            return RunAsync(new Sending(address, limits, associations, attempts, FirstWait), address, result.GetRequiredValue(inputs), result.GetValue(json), cancellation);
        });
        return command;
    }

    private static int Within(int value, int least, int most, string name) =>
        value >= least && value <= most ? value : throw new CommandException($"{name} must be {least} to {most}.");

    private static async Task<int> RunAsync(Sending sending, PeerAddress peer, string[] inputs, bool json, CancellationToken cancellation)
    {
        using SendSources sources = SendSources.Find(inputs);
        IReadOnlyCollection<Sent> sent = [];
        long start = Stopwatch.GetTimestamp();
        await ProgressBar.RunAsync($"to {peer.CalledAETitle}", async bar =>
        {
            bar.MaxValue = Math.Max(1, sources.Items.Count);
            sent = await sending.RunAsync(sources.Items, _ => bar.Increment(1), cancellation).ConfigureAwait(false);
        }).ConfigureAwait(false);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        (string Name, string Why)[] failures = [.. sources.Refused, .. sent.Where(static s => !s.IsStored).Select(static s => (s.Item.Name, s.Why!))];
        if (json)
        {
            Output.WriteJson(new
            {
                Stored = sent.Count(static s => s.IsStored),
                Warnings = sent.Count(static s => s.IsStored && s.Status!.Value.IsWarning),
                Failed = failures.Length,
                Bytes = sent.Where(static s => s.IsStored).Sum(static s => s.Item.Length),
                Seconds = Math.Round(seconds, 3),
                Failures = failures.Select(static f => new { f.Name, f.Why }),
            });
        }
        else
        {
            foreach ((string name, string why) in failures)
            {
                await Console.Error.WriteLineAsync($"{MatchText.Printable(name)}: {why}").ConfigureAwait(false);
            }

            WriteTable(sent, sources.Refused.Count, seconds);
        }

        return failures.Length == 0 && sent.Count > 0 ? ExitCode.Done : ExitCode.SomeFailed;
    }

    private static void WriteTable(IReadOnlyCollection<Sent> sent, int unread, double seconds)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("SOP class", "stored", "with warning", "failed", "MB");
        foreach (IGrouping<string, Sent> kind in sent.GroupBy(static s => s.Item.SOPClassUID).OrderBy(static g => g.Key, StringComparer.Ordinal))
        {
            table.AddRow(Markup.Escape(MatchText.Printable(SopClasses.NameOf(kind.Key) ?? kind.Key)), Number(kind.Count(static s => s.IsStored)),
                Number(kind.Count(static s => s.IsStored && s.Status!.Value.IsWarning)), Number(kind.Count(static s => !s.IsStored)), Megabytes(kind));
        }

        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        console.Write(table);
        Console.WriteLine(string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"{sent.Count(static s => s.IsStored)} stored, {sent.Count(static s => !s.IsStored) + unread} failed, {Megabytes(sent)} MB in {seconds:0.0} s."));

        static string Number(int count) => count.ToString(System.Globalization.CultureInfo.InvariantCulture);
        static string Megabytes(IEnumerable<Sent> some) =>
            (some.Where(static s => s.IsStored).Sum(static s => s.Item.Length) / 1e6).ToString("0.0", System.Globalization.CultureInfo.InvariantCulture);
    }
}
