using System.CommandLine;
using PacsStegoGateway.Configuration;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg check-config</c>: every problem at once, or the configuration in effect.</summary>
internal static class CheckConfigCommand
{
    public static Command Create()
    {
        Option<string?> config = CommonOptions.Config();
        Option<string[]> set = RunCommand.Switches();
        var command = new Command("check-config", "Prints every problem of the configuration at once, or the one in effect without secrets.") { config, set };
        command.SetAction(result =>
        {
            GatewayOptions options = ConfigurationFile.Load(result.GetValue(config), RunCommand.ToSwitches(result.GetValue(set)));
            Console.WriteLine(GatewayConfiguration.Print(options));
            return ExitCode.Done;
        });
        return command;
    }
}
