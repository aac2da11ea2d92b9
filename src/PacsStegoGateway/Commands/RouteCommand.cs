using System.CommandLine;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Routing;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg route FILE...</c>: which rule an object takes and where it would go, before the rules count.</summary>
internal static class RouteCommand
{
    /// <summary>One file's way.</summary>
    /// <param name="Rule">Null when no rule holds, or there are none.</param>
    /// <param name="Outcome">sent, refused or noRoute.</param>
    public sealed record Way(string File, string Outcome, string? Rule, string? Profile, IReadOnlyList<string> Destinations);

    public static Command Create()
    {
        Argument<string[]> files = CommonOptions.Inputs("Files or folders, as modalities send them.");
        var calling = new Option<string>("--calling") { Description = "AE title of the sender. Default: none, so that rules about senders do not hold.", DefaultValueFactory = static _ => "" };
        var called = new Option<string?>("--called") { Description = "Our AE title that it calls. Default: the first of Listen:AETitles." };
        Option<string?> config = CommonOptions.Config();
        Option<string[]> set = RunCommand.Switches();
        Option<bool> json = CommonOptions.Json();
        var command = new Command("route", "Says which rule of the configuration each object takes and where it would go. Nothing is sent.")
        {
            files, calling, called, config, set, json,
        };
        command.SetAction(result =>
        {
            GatewayOptions options = ConfigurationFile.Load(result.GetValue(config), RunCommand.ToSwitches(result.GetValue(set)));
            var table = new RouteTable(options);
            string title = result.GetValue(called) ?? options.Listen.AETitles[0];
            var ways = new List<Way>();
            bool allRead = true;
            foreach ((string path, _) in InputFiles.Find(result.GetRequiredValue(files)))
            {
                try
                {
                    using FileSource source = FileSource.Open(path);
                    DicomFile file = DicomFile.Read(source, DicomReadOptions.Default with { LongestReadSource = 0 });
                    ways.Add(Describe(path, table.Decide(title, result.GetRequiredValue(calling), file.DataSet)));
                }
                catch (Exception e) when (e is DicomContentException or IOException)
                {
                    Console.Error.WriteLine($"{path}: {e.Message}");
                    allRead = false;
                }
            }

            if (result.GetValue(json))
            {
                Output.WriteJson(ways);
            }
            else
            {
                foreach (Way way in ways)
                {
                    Console.WriteLine($"{way.File}: {InWords(way)}");
                }
            }

            return allRead ? ExitCode.Done : ExitCode.SomeFailed;
        });
        return command;
    }

    internal static Way Describe(string file, RouteDecision decision) => decision switch
    {
        RouteDecision.To to => new Way(file, "sent", to.Rule, to.Profile, to.Destinations),
        RouteDecision.Refused refused => new Way(file, "refused", refused.Rule, null, []),
        _ => new Way(file, "noRoute", null, null, []),
    };

    private static string InWords(Way way) => way.Outcome switch
    {
        "sent" => $"{(way.Rule is null ? "no rules" : $"rule '{way.Rule}'")}: to {string.Join(", ", way.Destinations)} (profile {way.Profile})",
        "refused" => $"rule '{way.Rule}': refused, it would be quarantined",
        _ => "no rule holds: it would be quarantined",
    };
}
