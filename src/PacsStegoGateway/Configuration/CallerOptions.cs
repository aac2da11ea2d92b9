using PacsStegoGateway.Security;

namespace PacsStegoGateway.Configuration;

/// <summary>One calling AE title.</summary>
public sealed class CallerOptions
{
    /// <summary>Calling AE title, 1 to 16 characters, without leading or trailing spaces.</summary>
    public string AETitle { get; set; } = "";

    /// <summary>At least one of modality, reader, reidentifier, operator, auditor, admin; what each may do stands in <see cref="AccessTable"/>.</summary>
    public List<Role> Roles { get; set; } = [];

    /// <summary>Addresses (<c>10.1.2.3</c>) or ranges (<c>10.1.0.0/16</c>) it may call from. Empty: any.</summary>
    public List<string> Addresses { get; set; } = [];

    /// <summary>
    /// Client certificates it must show, any of them: a DNS name, address or common name in it, its whole subject, or
    /// <c>sha256:</c> and its fingerprint. Then it may call over TLS only. Empty: any certificate that is trusted, or none
    /// where none is asked for.
    /// </summary>
    public List<string> Certificates { get; set; } = [];

    /// <summary>
    /// Users of whom one must be named in the association (PS3.7 D.3.3.7, types 1 and 2); else it is rejected. Empty: nobody is asked
    /// for. The name stands in the audit trail.
    /// </summary>
    public List<CallerUserOptions> Users { get; set; } = [];

    /// <summary>Which of MoveDestinations its C-MOVE may send to, by AE title; any other is answered 0124. Empty: all.</summary>
    public List<string> MoveDestinations { get; set; } = [];

    /// <summary>
    /// What it uses patients' data for, recorded with each of its queries and retrievals: a code of HL7 v3 PurposeOfUse, such as TREAT,
    /// PATRQT or HRESCH. Empty: none is recorded.
    /// </summary>
    public string PurposeOfUse { get; set; } = "";

    /// <summary>
    /// Where a modality takes the results of the storage commitments it asks for. Without Host: on the association on which it
    /// asked, for as long as that is open. AETitle empty: that of the caller.
    /// </summary>
    public PeerOptions Commitment { get; set; } = new();
}

/// <summary>Somebody who works at a caller.</summary>
public sealed class CallerUserOptions
{
    /// <summary>Stands for any name; it is recorded as stated, and proves nothing.</summary>
    public const string Anybody = "*";

    /// <summary>1 to 64 characters, or <c>*</c> for any name, which needs Passcode none.</summary>
    public string Name { get; set; } = "";

    /// <summary>What <c>psg user hash</c> printed for the passcode; or none: the name is enough.</summary>
    [Secret]
    public string? Passcode { get; set; }
}
