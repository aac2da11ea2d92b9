namespace PacsStegoGateway.Storage;

/// <summary>Where an object is on its way: received, protected, forwarded, committed; or quarantined.</summary>
public enum InstanceState
{
    /// <summary>On our disk, acknowledged, not yet protected.</summary>
    Received,

    /// <summary>The protected object is on our disk too; some destination does not have it yet.</summary>
    Protected,

    /// <summary>Every destination has it. Our files are gone unless a destination has still to commit itself to keep it.</summary>
    Forwarded,

    /// <summary>Every destination that was asked has committed itself to keep it; our files are gone.</summary>
    Committed,

    /// <summary>Goes nowhere by itself; the received file is kept, the reason is in the row.</summary>
    Quarantined,
}

/// <summary>One received object. Identity stands here only as pseudonyms and inside <see cref="Essentials"/>, sealed.</summary>
/// <remarks>Times are Unix milliseconds, UTC.</remarks>
public sealed class InstanceRow
{
    public long Id { get; init; }

    /// <summary>Pseudonym of the SOP Instance UID: the UID that the protected object bears.</summary>
    public string SopUID { get; init; } = "";

    /// <summary>Pseudonym of the Study Instance UID.</summary>
    public string StudyUID { get; init; } = "";

    /// <summary>Pseudonym of the Series Instance UID.</summary>
    public string SeriesUID { get; init; } = "";

    /// <summary>Pseudonym of the patient (issuer and Patient ID).</summary>
    public string Patient { get; init; } = "";

    /// <summary>Pseudonym of the Patient ID alone, whoever issued it: what a query without issuer asks for. Empty without an ID.</summary>
    public string PatientIndex { get; init; } = "";

    /// <summary>Pseudonym of the Accession Number. Empty without one.</summary>
    public string AccessionIndex { get; init; } = "";

    public string SopClassUID { get; init; } = "";

    /// <summary>Transfer syntax as received; the protected object keeps it.</summary>
    public string TransferSyntaxUID { get; init; } = "";

    /// <summary>The sealed index entry (an <c>EssentialIdentity</c>).</summary>
    public byte[] Essentials { get; init; } = [];

    /// <summary>Keyed hash of transfer syntax and data set bytes: tells a resend from a conflict.</summary>
    public byte[] ContentHash { get; init; } = [];

    public string CallingAE { get; init; } = "";

    /// <summary>The title that was called; empty in rows of earlier versions.</summary>
    public string CalledAE { get; init; } = "";

    public string RemoteAddress { get; init; } = "";

    /// <summary>The gateway that works on it: given by the store.</summary>
    public string Node { get; init; } = "";

    public InstanceState State { get; init; }

    /// <summary>The <c>RefusalReason</c> by name when quarantined, or of the last failed attempt.</summary>
    public string? Reason { get; init; }

    public string? Detail { get; init; }

    /// <summary>Failed attempts in this state.</summary>
    public int Attempts { get; init; }

    public long NextAttemptAt { get; init; }

    public long ReceivedAt { get; init; }

    public long UpdatedAt { get; init; }

    /// <summary>Spool file of the received object.</summary>
    public string ReceivedFile { get; init; } = "";

    public long ReceivedBytes { get; init; }

    /// <summary>Spool file of the protected object, once there is one.</summary>
    public string? ProtectedFile { get; init; }
}
