using PacsStegoGateway.Configuration;

namespace PacsStegoGateway.Commands;

/// <summary>Where the verbs find their configuration.</summary>
internal static class ConfigurationFile
{
    private const string EnvironmentVariable = "PSG_CONFIG";
    private const string DefaultPath = "config/gateway.json";

    /// <summary>The file to read: the one named, else by environment, else the default places; null when there is none.</summary>
    /// <exception cref="CommandException">A file was named that does not exist.</exception>
    public static string? Find(string? named)
    {
        named ??= Environment.GetEnvironmentVariable(EnvironmentVariable);
        if (named is not null)
        {
            return File.Exists(named) ? named : throw new CommandException($"{named}: no such configuration file.");
        }

        string besideProgram = Path.Combine(AppContext.BaseDirectory, DefaultPath);
        return File.Exists(DefaultPath) ? DefaultPath : File.Exists(besideProgram) ? besideProgram : null;
    }

    /// <summary>Loads and checks the configuration.</summary>
    /// <param name="named">What <c>--config</c> said, or null.</param>
    /// <param name="switches"><c>--Section:Key=value</c>.</param>
    /// <exception cref="ConfigurationException">Anything is wrong with it.</exception>
    public static GatewayOptions Load(string? named, IReadOnlyList<string> switches) =>
        GatewayConfiguration.Load(Find(named), switches);
}
