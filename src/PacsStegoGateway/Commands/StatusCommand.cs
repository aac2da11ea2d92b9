using System.CommandLine;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg status</c>: how things stand, and what a person has to do about it.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        Option<string?> config = CommonOptions.Config();
        Option<bool> json = CommonOptions.Json();
        Option<bool> check = new("--check") { Description = "End with 1 when something has to be looked at: for monitoring." };
        var command = new Command("status", "Shows gateways, objects on their way, queues and the disk, and what has to be looked at.") { config, json, check };
        command.SetAction(async (result, cancellation) =>
        {
            GatewayOptions options = ConfigurationFile.LoadSections(result.GetValue(config), "Database", "Spool", "Keys", "Work");
            await using GatewayStore store = await GatewayStore.OpenAsync(
                StoreDialect.Of(options), ProtectionRooms.OpenKeys(options), TimeProvider.System, cancellation, node: "").ConfigureAwait(false);
            StatusReport report = await StatusReport.MakeAsync(store, options, TimeProvider.System, cancellation).ConfigureAwait(false);
            if (result.GetValue(json))
            {
                Output.WriteJson(report);
            }
            else
            {
                report.Print();
            }

            return result.GetValue(check) && report.Attention.Count > 0 ? ExitCode.SomeFailed : ExitCode.Done;
        });
        return command;
    }
}
