namespace PacsStegoGateway.Configuration;

/// <summary>Who this gateway is among those that share its database and spool.</summary>
public sealed class NodeOptions
{
    public const string DefaultName = "gateway";

    /// <summary>
    /// Name of this gateway, 3 to 32 of the letters a to z, digits and hyphens, beginning with a letter. Default gateway. Gateways that
    /// share one PostgreSQL need one each; a gateway keeps its name when it is started again.
    /// </summary>
    public string Name { get; set; } = DefaultName;

    /// <summary>
    /// So long after its last sign of life a gateway counts as dead, and another takes over its rows. Seconds, 1 to 3600, default 15.
    /// It gives a sign of life every third of this.
    /// </summary>
    public int LeaseSeconds { get; set; } = 15;
}
