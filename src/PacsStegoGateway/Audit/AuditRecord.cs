namespace PacsStegoGateway.Audit;

/// <summary>What happened. The numbers are stable: they stand in exported trails.</summary>
public enum AuditEvent
{
    ServiceStarted = 100,
    ServiceStopped = 101,
    AssociationAccepted = 200,
    AssociationRejected = 201,
    AssociationAborted = 202,

    /// <summary>A TLS handshake came to nothing: who connects cannot prove who he is, or does not believe us.</summary>
    TlsRefused = 203,
    Received = 300,
    Duplicate = 301,
    ReceiveRefused = 302,
    Protected = 400,
    Quarantined = 401,
    QuarantineReleased = 402,
    QuarantineDiscarded = 403,
    QuarantineExported = 404,
    Forwarded = 500,
    ForwardFailed = 501,
    Query = 600,
    QueryRefused = 601,

    /// <summary>Answers to a query told who a patient is; one record for each patient and query.</summary>
    Disclosed = 602,
    Reidentified = 700,
    RetrieveFailed = 701,
    RetrieveRefused = 702,
    RetrieveCompleted = 703,
}

/// <summary>How it ended; the values are those of DICOM audit messages (PS3.15 A.5, EventOutcomeIndicator).</summary>
public enum AuditOutcome
{
    Success = 0,
    MinorFailure = 4,
    SeriousFailure = 8,
    MajorFailure = 12,
}

/// <summary>One entry of the trail. Holds pseudonyms only; <see cref="Detail"/> is our own words and numbers, never a peer's text.</summary>
public sealed record AuditRecord(AuditEvent Event, AuditOutcome Outcome = AuditOutcome.Success)
{
    /// <summary>Given by the store, ascending in the order of commitment; 0 before.</summary>
    public long Sequence { get; init; }

    /// <summary>UTC; given by the store.</summary>
    public DateTimeOffset At { get; init; }

    public string? CallingAE { get; init; }

    public string? RemoteAddress { get; init; }

    /// <summary>Pseudonym of the patient.</summary>
    public string? Patient { get; init; }

    /// <summary>Pseudonym of the Study Instance UID.</summary>
    public string? StudyUID { get; init; }

    /// <summary>Pseudonym of the SOP Instance UID.</summary>
    public string? SopUID { get; init; }

    /// <summary>A <c>RefusalReason</c> by name, or null.</summary>
    public string? Reason { get; init; }

    public string? Detail { get; init; }
}

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

    /// <summary>Pseudonym; for an original Patient ID ask the pseudonymizer first.</summary>
    public string? Patient { get; init; }

    public string? StudyUID { get; init; }

    public string? SopUID { get; init; }

    /// <summary>Entries after this sequence number only: to page on.</summary>
    public long AfterSequence { get; init; }

    /// <summary>Most entries, 1 to 100000. Default 1000.</summary>
    public int Limit { get; init; } = 1000;
}
