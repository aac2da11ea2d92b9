namespace PacsStegoGateway.Configuration;

/// <summary>How often somebody may come and ask. Every count is over a minute, and as many may come at once.</summary>
public sealed class LimitOptions
{
    /// <summary>Associations asked for from one address (IPv6: one /64), 0 to 1000000. Default 6000; 0: no limit. One more is rejected as transient.</summary>
    public int AssociationsPerMinutePerAddress { get; set; } = 6000;

    /// <summary>Associations of one caller, 0 to 1000000. Default 3000; 0: no limit. One more is rejected as transient.</summary>
    public int AssociationsPerMinutePerAE { get; set; } = 3000;

    /// <summary>C-FIND of one caller, 0 to 1000000. Default 600; 0: no limit. One more is answered A700.</summary>
    public int QueriesPerMinute { get; set; } = 600;

    /// <summary>C-MOVE and C-GET of one caller, 0 to 1000000. Default 600; 0: no limit. One more is answered A701.</summary>
    public int RetrievalsPerMinute { get; set; } = 600;

    /// <summary>
    /// Rejected associations of one title from one address after which it has to wait, 1 to 1000. Default 5. The wait begins with a
    /// second and doubles with each further rejection; another title or address does not wait.
    /// </summary>
    public int RejectionsBeforePause { get; set; } = 5;

    /// <summary>Longest of these waits, seconds, 1 to 3600. Default 60. After so long without a rejection all is forgotten, too.</summary>
    public int LongestPauseSeconds { get; set; } = 60;

    /// <summary>Associations above Listen:MaxAssociations for verification alone (C-ECHO), 1 to 100. Default 2.</summary>
    public int VerificationReserve { get; set; } = 2;
}
