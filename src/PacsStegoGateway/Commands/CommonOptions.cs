using System.CommandLine;

namespace PacsStegoGateway.Commands;

/// <summary>Options that several verbs share, spelled alike everywhere.</summary>
internal static class CommonOptions
{
    /// <summary>The configuration file; null means the default place or none.</summary>
    public static Option<string?> Config() => new("--config")
    {
        Description = "Configuration file. Default: PSG_CONFIG, else config/gateway.json in the working folder or beside the program.",
    };

    /// <summary>Machine-readable output.</summary>
    public static Option<bool> Json() => new("--json") { Description = "Machine-readable output." };

    /// <summary>Files or folders to work on.</summary>
    public static Argument<string[]> Inputs(string description) => new("in")
    {
        Description = description,
        Arity = ArgumentArity.OneOrMore,
    };

    /// <summary>Where results go; created when missing.</summary>
    public static Option<string> Out() => new("--out") { Description = "Folder for the results; created when missing.", Required = true };

    /// <summary>A peer as <c>AETITLE@HOST:PORT</c>.</summary>
    public static Argument<string> Peer() => new("peer") { Description = "The peer as AETITLE@HOST:PORT, for example ORTHANC@127.0.0.1:4242." };

    /// <summary>Our own title.</summary>
    public static Option<string> Calling() => new("--calling")
    {
        Description = "Our AE title.",
        DefaultValueFactory = static _ => "PSG",
    };
}
