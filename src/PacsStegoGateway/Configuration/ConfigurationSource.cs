using System.Security.Cryptography;

namespace PacsStegoGateway.Configuration;

/// <summary>Where the configuration of a process comes from; environment variables besides.</summary>
/// <param name="File">Null: there is none.</param>
/// <param name="Switches"><c>--Section:Key=value</c>.</param>
public sealed record ConfigurationSource(string? File, IReadOnlyList<string> Switches)
{
    /// <summary>Longest configuration file, bytes: anything longer is another file.</summary>
    private const int MaxLength = 16 << 20;

    /// <summary>Reads and checks it as it is now.</summary>
    /// <exception cref="ConfigurationException">Anything is wrong; all of it is listed.</exception>
    public GatewayOptions Load() => GatewayConfiguration.Load(File, Switches);

    /// <summary>Changes when the file does, however it is replaced: its content, not its time. Empty when it cannot be read.</summary>
    public string Fingerprint()
    {
        if (File is null)
        {
            return "";
        }

        try
        {
            using FileStream file = System.IO.File.Open(File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return file.Length > MaxLength ? "" : Convert.ToHexString(SHA256.HashData(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
