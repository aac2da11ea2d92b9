namespace PacsStegoGateway.Security;

/// <summary>What somebody is to the gateway: a calling AE title or an account of the operating system may have several.</summary>
public enum Role
{
    /// <summary>Sends objects.</summary>
    Modality,

    /// <summary>Sees pseudonyms, never whose they are, where Retrieval:Readers lets it.</summary>
    Reader,

    /// <summary>Searches by original identifiers and gets originals.</summary>
    Reidentifier,

    /// <summary>Keeps the gateway going: queue, quarantine, status.</summary>
    Operator,

    /// <summary>Reads the audit trail, and whom an entry is about.</summary>
    Auditor,

    /// <summary>Runs and configures the gateway, and holds its keys.</summary>
    Admin,
}
