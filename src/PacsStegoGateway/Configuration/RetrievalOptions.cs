namespace PacsStegoGateway.Configuration;

/// <summary>C-FIND and C-MOVE of callers with the re-identification role.</summary>
public sealed class RetrievalOptions
{
    /// <summary>Most answers of one query, 1 to 1000000. Default 10000; then the query ends with B001.</summary>
    public int MaxMatches { get; set; } = 10_000;

    /// <summary>Longest silence of a C-MOVE, seconds, 1 to 60. Default 5.</summary>
    public int PendingSeconds { get; set; } = 5;

    /// <summary>Longest wait for a move destination's TCP and association, seconds, 1 to 120. Default 10.</summary>
    public int ConnectTimeoutSeconds { get; set; } = 10;
}
