namespace PacsStegoGateway.Configuration;

/// <summary>Where the key ring comes from: a file, or a store of secrets that the gateway asks at its start. The first that is set counts: Ring, Command, RingPath.</summary>
public sealed class KeyOptions
{
    /// <summary>
    /// The key ring file, readable by the service account only. Default <c>keyring.json</c> (below DataFolder); better a folder that no
    /// backup of the data holds.
    /// </summary>
    public string RingPath { get; set; } = "keyring.json";

    /// <summary>
    /// A program and its arguments, without a shell, that prints the key ring on its standard output, such as the client of a store of
    /// secrets. Empty: none.
    /// </summary>
    public List<string> Command { get; set; } = [];

    /// <summary>Longest time that Command may take, seconds, 1 to 300. Default 30.</summary>
    public int CommandTimeoutSeconds { get; set; } = 30;

    /// <summary>The key ring itself; set it by the environment variable PSG__Keys__Ring, not in a file.</summary>
    [Secret]
    public string? Ring { get; set; }

    /// <summary>True when the ring is a file, which can be rotated.</summary>
    internal bool IsFile => Ring is null && Command.Count == 0;
}
