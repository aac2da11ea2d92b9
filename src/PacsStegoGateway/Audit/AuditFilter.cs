namespace PacsStegoGateway.Audit;

/// <summary>Which entries to list; null means any. All given conditions must hold.</summary>
public sealed record AuditFilter
{
    /// <summary>Not before, inclusive.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Not at or after, exclusive.</summary>
    public DateTimeOffset? Until { get; init; }

    public IReadOnlyList<AuditEvent>? Events { get; init; }

    public AuditOutcome? Outcome { get; init; }

    public string? CallingAE { get; init; }

    public string? User { get; init; }

    public string? Node { get; init; }

    /// <summary>Pseudonym; for an original Patient ID ask the pseudonymizer first.</summary>
    public string? Patient { get; init; }

    public string? StudyUID { get; init; }

    public string? SopUID { get; init; }

    /// <summary>Entries after this sequence number only.</summary>
    public long AfterSequence { get; init; }

    /// <summary>Most entries, 1 to 100000. Default 1000.</summary>
    public int Limit { get; init; } = 1000;
}
