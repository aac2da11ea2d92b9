namespace PacsStegoGateway.Configuration;

/// <summary>How originals are fetched back: what the downstream PACS offers.</summary>
public enum RetrieveMethod
{
    /// <summary>C-GET on one association.</summary>
    Get,

    /// <summary>C-MOVE to <see cref="PacsOptions.CallingAETitle"/>, which the PACS must know at our address and port.</summary>
    Move,
}

/// <summary>The downstream PACS that holds the protected objects.</summary>
public sealed class PacsOptions : PeerOptions
{
    /// <summary>Our AE title towards the PACS. Default PSG. With Retrieve=Move it must be one of Listen.AETitles.</summary>
    public string CallingAETitle { get; set; } = "PSG";

    /// <summary>get or move. Default get.</summary>
    public RetrieveMethod Retrieve { get; set; } = RetrieveMethod.Get;

    /// <summary>Longest wait for TCP and association, seconds, 1 to 120. Default 10.</summary>
    public int ConnectTimeoutSeconds { get; set; } = 10;

    /// <summary>Longest wait for an answer, seconds, 1 to 3600. Default 120.</summary>
    public int AnswerTimeoutSeconds { get; set; } = 120;

    /// <summary>Forwarding associations kept open, 1 to 8. Default 2.</summary>
    public int Associations { get; set; } = 2;

    /// <summary>Forwarding association without work is released after, seconds, 1 to 3600. Default 20.</summary>
    public int ReleaseAfterSeconds { get; set; } = 20;
}
