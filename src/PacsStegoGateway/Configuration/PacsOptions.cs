namespace PacsStegoGateway.Configuration;

/// <summary>How originals are fetched back: what the downstream PACS offers.</summary>
public enum RetrieveMethod
{
    /// <summary>C-GET on one association.</summary>
    Get,

    /// <summary>C-MOVE to <see cref="DestinationOptions.CallingAETitle"/>, which the PACS must know at our address and port.</summary>
    Move,
}

/// <summary>
/// The downstream PACS that holds the protected objects: the destination that originals are fetched back from, by DIMSE. With
/// Retrieve=Move its CallingAETitle must be one of Listen.AETitles.
/// </summary>
public sealed class PacsOptions : DestinationOptions
{
    /// <summary>get or move. Default get.</summary>
    public RetrieveMethod Retrieve { get; set; } = RetrieveMethod.Get;
}
