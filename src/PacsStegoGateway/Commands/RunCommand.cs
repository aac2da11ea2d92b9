using System.CommandLine;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Service;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg run</c>: the gateway, in the foreground, under systemd or as a Windows service; it finds out by itself.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        Option<string?> config = CommonOptions.Config();
        Option<string[]> set = Switches();
        var command = new Command("run", "Runs the gateway until it is told to stop.") { config, set };
        command.SetAction((result, cancellation) => RunAsync(
            new ConfigurationSource(ConfigurationFile.Find(result.GetValue(config)), ToSwitches(result.GetValue(set))), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(ConfigurationSource source, CancellationToken cancellation)
    {
        if (CrashDumps.AskedForBy() is { } variable)
        {
            throw new CommandException($"{variable} has the runtime write its memory, patients and keys included, to a file when it falls: start the gateway without it.");
        }

        GatewayOptions options = source.Load();
        using ProtectionRooms rooms = ProtectionRooms.Open(options);
        return await GatewayHost.RunAsync(options, source, new ProtectionParts(rooms.Keys, rooms.Protector.Protect, rooms.Revealer.Reveal), cancellation).ConfigureAwait(false);
    }

    /// <summary>Single values over the configuration file.</summary>
    public static Option<string[]> Switches() => new("--set")
    {
        Description = "One value over the configuration, as Section:Key=value; may be repeated. Environment variables PSG__Section__Key do the same.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    /// <summary>The form that the configuration reader takes.</summary>
    public static IReadOnlyList<string> ToSwitches(string[]? set) => [.. (set ?? []).Select(static s =>
        s.Contains('=', StringComparison.Ordinal) ? "--" + s : throw new CommandException($"--set {s}: write Section:Key=value."))];
}
