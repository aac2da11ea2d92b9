namespace PacsStegoGateway.Audit;

/// <summary>What happened. The numbers are stable: they stand in the database and in exported trails.</summary>
public enum AuditEvent
{
    ServiceStarted = 100,
    ServiceStopped = 101,

    /// <summary>The service started with another configuration than it last stopped with, or took a new one while it ran.</summary>
    ConfigurationChanged = 102,

    /// <summary>A configuration that changed while the service ran is wrong; the one before stays in effect.</summary>
    ConfigurationRefused = 103,

    /// <summary>This gateway goes on with what a dead one left.</summary>
    WorkTakenOver = 105,

    /// <summary>Entries of an earlier version, written without a chain, stand before this one.</summary>
    TrailTakenOver = 110,

    /// <summary>Somebody read the trail: listed, showed or exported it.</summary>
    TrailRead = 111,
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

    /// <summary>The PACS has taken responsibility for the object: our files of it are gone.</summary>
    Committed = 502,

    /// <summary>A modality asked us for storage commitment, or we asked a destination.</summary>
    CommitmentRequested = 510,

    /// <summary>A modality has taken our report of storage commitment, or a destination has reported to us.</summary>
    CommitmentReported = 511,

    /// <summary>An object was not committed, or a request or report of storage commitment came to nothing.</summary>
    CommitmentFailed = 512,
