namespace PacsStegoGateway.Configuration;

public sealed class KeyOptions
{
    /// <summary>The key ring file, readable by the service account only. Default <c>keyring.json</c> (below DataFolder).</summary>
    public string RingPath { get; set; } = "keyring.json";
}
