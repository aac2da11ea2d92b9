namespace PacsStegoGateway.Dicom.Network;

/// <summary>Where one end of TLS keeps what it proves itself with and whom it trusts.</summary>
public sealed record TlsFiles
{
    /// <summary>
    /// Our certificate, intermediates after it: PEM, or PKCS #12 when the name ends in .pfx or .p12. Null: none, which only
    /// a client may.
    /// </summary>
    public string? CertificatePath { get; init; }

    /// <summary>The private key as PEM; null when it stands in the certificate's file.</summary>
    public string? KeyPath { get; init; }

    /// <summary>Of an encrypted key or a PKCS #12 file.</summary>
    public string? Password { get; init; }

    /// <summary>Authorities that a peer's certificate must lead to, PEM or DER; null: those of the operating system.</summary>
    public string? AuthoritiesPath { get; init; }

    /// <summary>
    /// Revocation lists (RFC 5280 5), PEM or DER. When given, every certificate of a peer's chain needs a list of its issuer
    /// that is still valid; null: revocation is not looked at.
    /// </summary>
    public string? RevocationListPath { get; init; }

    /// <summary>Without the password.</summary>
    public override string ToString() => $"{CertificatePath}, {KeyPath}, {AuthoritiesPath}, {RevocationListPath}";
}

/// <summary>How much a client asks of a server's certificate.</summary>
public enum TlsVerification
{
    /// <summary>A trusted authority, valid today, and the host's name or address in it.</summary>
    Full,

    /// <summary>The same without the name: many certificates of devices carry none.</summary>
    Authority,

    /// <summary>Nothing: the line cannot be read, but anybody may be at its end. For trials.</summary>
    None,
}

/// <summary>Whether a server asks for the client's certificate.</summary>
public enum ClientCertificates
{
    Required,

    /// <summary>Asked for and checked when it comes.</summary>
    Optional,

    /// <summary>Not asked for: encryption without knowing the peer.</summary>
    None,
}
