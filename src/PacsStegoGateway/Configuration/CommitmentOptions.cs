namespace PacsStegoGateway.Configuration;

/// <summary>How far an object must be before a modality is told that it is committed.</summary>
public enum CommitmentLevel
{
    /// <summary>On our disk and in our database. The gateway is no archive: choose this only when its spool is as safe as one.</summary>
    Received,

    /// <summary>Every destination has answered its C-STORE.</summary>
    Forwarded,

    /// <summary>Forwarded, and committed by every destination that is asked for commitment.</summary>
    Committed,
}

/// <summary>Storage commitment (PS3.4 Annex J), given to modalities and asked of destinations.</summary>
public sealed class CommitmentOptions
{
    /// <summary>received, forwarded or committed: when a modality is told that an object is committed. Default committed.</summary>
    public CommitmentLevel When { get; set; } = CommitmentLevel.Committed;

    /// <summary>After so many hours a modality is told what failed, 1 to 720. Default 24.</summary>
    public int MaxHours { get; set; } = 24;

    /// <summary>An object that never came is reported as unknown after so many minutes, 0 to 1440. Default 5: it may still be under way.</summary>
    public int UnknownMinutes { get; set; } = 5;

    /// <summary>A report that the modality does not take is tried for so many days, 1 to 365. Default 7.</summary>
    public int GiveUpDays { get; set; } = 7;

    /// <summary>Most objects in one request of a modality, 1 to 100000. Default 100000; more are refused by 0213.</summary>
    public int MaxReferences { get; set; } = 100_000;

    /// <summary>Objects sent to a destination are gathered for so many seconds before it is asked about them, 1 to 3600. Default 30.</summary>
    public int GatherSeconds { get; set; } = 30;

    /// <summary>Most objects in one request to a destination, 1 to 10000. Default 500; so many are asked about at once.</summary>
    public int MaxInstances { get; set; } = 500;

    /// <summary>A destination that has not reported after so many minutes is asked again, 1 to 10080. Default 60.</summary>
    public int ReportMinutes { get; set; } = 60;

    /// <summary>An object that a destination says it does not have is sent again so often, 0 to 100. Default 3; then it is a dead letter.</summary>
    public int MaxResends { get; set; } = 3;
}
