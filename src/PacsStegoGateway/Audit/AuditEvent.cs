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

    /// <summary>The end of the trail was not where a gateway had left it: somebody without the key has set it, or put back an old one.</summary>
    TrailBroken = 112,

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

    /// <summary>A destination refused an object for good: a dead letter.</summary>
    DeliveryDead = 503,

    /// <summary>A person wants an object sent to a destination now, or again.</summary>
    DeliveryRetried = 504,

    /// <summary>A person decided that an object is not sent to a destination.</summary>
    DeliveryDropped = 505,

    /// <summary>A modality asked us for storage commitment, or we asked a destination.</summary>
    CommitmentRequested = 510,

    /// <summary>A modality has taken our report of storage commitment, or a destination has reported to us.</summary>
    CommitmentReported = 511,

    /// <summary>An object was not committed, or a request or report of storage commitment came to nothing.</summary>
    CommitmentFailed = 512,
    Query = 600,
    QueryRefused = 601,

    /// <summary>Answers to a query told who a patient is; one record for each patient and query.</summary>
    Disclosed = 602,
    Reidentified = 700,
    RetrieveFailed = 701,
    RetrieveRefused = 702,
    RetrieveCompleted = 703,

    /// <summary>Somebody asked for what no role of his allows.</summary>
    Denied = 800,

    /// <summary>A key of the ring opened or sealed something outside the paths that have an entry of their own.</summary>
    KeyUsed = 900,

    /// <summary>A key was made, made active or retired.</summary>
    KeyChanged = 901,
}
