namespace PacsStegoGateway.Configuration;

/// <summary>What callers with the reader role get.</summary>
public enum ReaderView
{
    /// <summary>Nothing: queries and retrievals are answered 0124 and recorded.</summary>
    Refused,

    /// <summary>Pseudonyms, and the protected objects as the PACS holds them.</summary>
    Pseudonyms,
}

/// <summary>What becomes of an image whose Encrypted Attributes the PACS has removed, when the hidden symbol still proves its pixels.</summary>
public enum SymbolAlone
{
    /// <summary>It is failed: it is not the original.</summary>
    Refuse,

    /// <summary>It is given out with original pixels and identity, and counted as a warning.</summary>
    Deliver,
}

/// <summary>C-FIND, C-MOVE and C-GET.</summary>
public sealed class RetrievalOptions
{
    /// <summary>refused or pseudonyms. Default refused: who was let in to verify the connection alone sees no more by an upgrade.</summary>
    public ReaderView Readers { get; set; } = ReaderView.Refused;

    /// <summary>refuse or deliver. Default refuse: what goes out under an original UID is the original, bit for bit.</summary>
    public SymbolAlone SymbolAlone { get; set; } = SymbolAlone.Refuse;

    /// <summary>Most answers of one query, 1 to 1000000. Default 10000; then the query ends with B001.</summary>
    public int MaxMatches { get; set; } = 10_000;

    /// <summary>Longest silence of a C-MOVE, seconds, 1 to 60. Default 5.</summary>
    public int PendingSeconds { get; set; } = 5;

    /// <summary>Longest wait for a move destination's TCP and association, seconds, 1 to 120. Default 10.</summary>
    public int ConnectTimeoutSeconds { get; set; } = 10;
}
