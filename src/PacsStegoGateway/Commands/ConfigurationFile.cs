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

    /// <summary>Said before all else when something is wrong and no file was found: what is wrong is only that nothing was read.</summary>
    public static ConfigurationProblem NotFound => new(DefaultPath,
        $"no such file in the working folder or beside the program; name it by --config or {EnvironmentVariable}. Only environment variables, switches and defaults hold.");

    /// <summary>Loads and checks the configuration.</summary>
    /// <param name="named">What <c>--config</c> said, or null.</param>
    /// <param name="switches"><c>--Section:Key=value</c>.</param>
    /// <exception cref="ConfigurationException">Anything is wrong with it.</exception>
    public static GatewayOptions Load(string? named, IReadOnlyList<string> switches)
    {
        string? file = Find(named);
        try
        {
            return GatewayConfiguration.Load(file, switches);
        }
        catch (ConfigurationException e) when (file is null)
        {
            throw new ConfigurationException([NotFound, .. e.Problems]);
        }
    }

    /// <summary>Loads what a verb needs that works without the service: problems of other sections do not concern it.</summary>
    /// <param name="named">What <c>--config</c> said, or null; with no file at all the defaults hold.</param>
    /// <param name="sections">The sections that must be right.</param>
    /// <exception cref="ConfigurationException">Anything is wrong with these sections, or the file cannot be read.</exception>
    public static GatewayOptions LoadSections(string? named, params ReadOnlySpan<string> sections)
    {
        var problems = new List<ConfigurationProblem>();
        GatewayOptions options = GatewayConfiguration.Read(Find(named), [], problems) ?? throw new ConfigurationException(problems);
        foreach (ConfigurationProblem problem in GatewayOptionsValidator.Validate(options))
        {
            foreach (string section in sections)
            {
                if (problem.Path.StartsWith(section + ":", StringComparison.Ordinal))
                {
                    problems.Add(problem);
                }
            }
        }

        return problems.Count == 0 ? options : throw new ConfigurationException(problems);
    }
}
