namespace PacsStegoGateway.Security;

/// <summary>Everything that somebody can ask of the gateway, by whatever way.</summary>
public enum Operation
{
    /// <summary>C-ECHO.</summary>
    Echo,

    /// <summary>C-STORE, STOW-RS.</summary>
    Store,

    /// <summary>C-FIND by pseudonyms, answered by pseudonyms.</summary>
    QueryPseudonyms,

    /// <summary>C-FIND by original identifiers, answered by them.</summary>
    QueryOriginals,

    /// <summary>C-MOVE and C-GET of objects as the PACS holds them.</summary>
    RetrievePseudonyms,

    /// <summary>C-MOVE and C-GET of originals.</summary>
    RetrieveOriginals,

    /// <summary>N-ACTION of storage commitment. A caller may ask for objects that another title sent: consoles often ask for their scanners.</summary>
    RequestCommitment,

    /// <summary>How many objects are in which state, how old the oldest is.</summary>
    ReadStatus,

    /// <summary>What waits for which destination, by pseudonym.</summary>
    ReadQueue,

    /// <summary>Sends again, or gives up.</summary>
    ChangeQueue,

    /// <summary>What is quarantined and why, by pseudonym.</summary>
    ReadQuarantine,

    /// <summary>Puts objects back, or discards them.</summary>
    ChangeQuarantine,

    /// <summary>Copies quarantined originals out.</summary>
    ExportQuarantined,

    /// <summary>Audit entries by pseudonym, and whether the chain is whole.</summary>
    ReadAudit,

    /// <summary>The trail out of the gateway, by pseudonym.</summary>
    ExportAudit,

    /// <summary>Whom an audit entry is about; entries by original identifiers.</summary>
    ReadAuditIdentity,

    /// <summary>Ids and states of keys, never their secrets.</summary>
    ReadKeys,

    /// <summary>Makes, rotates and retires keys.</summary>
    ChangeKeys,

    /// <summary>Protects files with the key ring.</summary>
    ProtectFiles,

    /// <summary>What is hidden in a file and how well, without identity.</summary>
    InspectFiles,

    /// <summary>Restores originals from files, or prints their identity.</summary>
    RevealFiles,

    /// <summary>Runs the service, installs and removes it.</summary>
    RunService,
}
