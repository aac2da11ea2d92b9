using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Configuration;

/// <summary>The DIMSE listener and what one association may ask of it.</summary>
public sealed class ListenOptions
{
    /// <summary>IP address to listen on. Default 0.0.0.0, every IPv4 interface; <c>::</c> for IPv6 and IPv4.</summary>
    public string Address { get; set; } = "0.0.0.0";

    /// <summary>TCP port, 0 to 65535; 0 lets the system choose. Default 11112 (registered for DICOM; 104 needs privileges).</summary>
    public int Port { get; set; } = 11112;

    /// <summary>Listen on Port without TLS. Default true; false only when Tls is enabled.</summary>
    public bool Plain { get; set; } = true;

    /// <summary>The same service over TLS, on a port of its own.</summary>
    public TlsListenOptions Tls { get; set; } = new();

    /// <summary>Called AE titles we answer to; any other is rejected (permanent, user, 7). Default PSG.</summary>
    [Live]
    public List<string> AETitles { get; set; } = [];

    /// <summary>Associations at a time, 1 to 10000. Default 100. One more is rejected as transient, so that the sender retries.</summary>
    [Live]
    public int MaxAssociations { get; set; } = 100;

    /// <summary>Associations at a time of one calling AE title, 1 to MaxAssociations. Default 20.</summary>
    [Live]
    public int MaxAssociationsPerAE { get; set; } = 20;

    /// <summary>
    /// Connections without an association (silent, in a TLS handshake, rejected and not yet gone), 1 to 10000. Default 64.
    /// One more closes the oldest, so that silent ones lock nobody out.
    /// </summary>
    [Live]
    public int MaxPendingConnections { get; set; } = 64;

    /// <summary>The same from one address, 1 to MaxPendingConnections. Default 16.</summary>
    [Live]
    public int MaxPendingConnectionsPerAddress { get; set; } = 16;

    /// <summary>Largest PDU we take, bytes, 4096 to 1048576. Default 131072 (the largest that DCMTK sends).</summary>
    [Live]
    public int MaxPduLength { get; set; } = 131072;

    /// <summary>PS3.8 ARTIM timer, seconds, 1 to 300. Default 30 (DCMTK's ACSE timeout).</summary>
    [Live]
    public int ArtimTimeoutSeconds { get; set; } = 30;

    /// <summary>Longest silence inside a message, seconds, 1 to 3600. Default 60.</summary>
    [Live]
    public int DimseTimeoutSeconds { get; set; } = 60;

    /// <summary>Longest silence between messages, seconds, 1 to 86400. Default 300.</summary>
    [Live]
    public int IdleTimeoutSeconds { get; set; } = 300;

    /// <summary>
    /// Transfer syntaxes that storage may use, best first. Empty: Explicit VR Little Endian, then Implicit, then every
    /// compressed one that can be decoded on this machine, lossless before lossy. What cannot be decoded can be received
    /// too, and is quarantined.
    /// </summary>
    [Live]
    public List<string> TransferSyntaxes { get; set; } = [];

    /// <summary>
    /// Storage SOP classes beyond those of the standard, by UID: private and retired ones. Their objects are received and then
    /// quarantined, because nobody knows what in them is identity. Default none: their contexts are refused.
    /// </summary>
    [Live]
    public List<string> PrivateStorageClasses { get; set; } = [];
}

/// <summary>DICOM over TLS by BCP 195 (PS3.15 B.12): versions 1.2 and 1.3. Files are read again when they change.</summary>
public sealed class TlsListenOptions
{
    /// <summary>Default false.</summary>
    public bool Enabled { get; set; }

    /// <summary>TCP port, 0 to 65535; 0 lets the system choose. Default 2762 (registered for DICOM over TLS).</summary>
    public int Port { get; set; } = 2762;

    /// <summary>Our certificate with intermediates: PEM, or PKCS #12 by the name .pfx or .p12.</summary>
    public string CertificatePath { get; set; } = "";

    /// <summary>The private key as PEM. Empty: in CertificatePath.</summary>
    public string KeyPath { get; set; } = "";

    /// <summary>Of the key or PKCS #12 file; set it by the environment variable PSG__Listen__Tls__Password, not in a file.</summary>
    [Secret]
    public string? Password { get; set; }

    /// <summary>required, optional or none. Default required.</summary>
    public ClientCertificates ClientCertificates { get; set; } = ClientCertificates.Required;

    /// <summary>Authorities that clients' certificates must lead to, PEM or DER. Needed unless ClientCertificates is none.</summary>
    public string AuthoritiesPath { get; set; } = "";

    /// <summary>Revocation lists, PEM or DER. Empty: revocation is not looked at. Else every issuer needs one that is valid.</summary>
    public string RevocationListPath { get; set; } = "";

    /// <summary>Longest handshake, seconds, 1 to 60. Default 10.</summary>
    public int HandshakeTimeoutSeconds { get; set; } = 10;

    public TlsFiles ToFiles() => new()
    {
        CertificatePath = CertificatePath.Length > 0 ? CertificatePath : null,
        KeyPath = KeyPath.Length > 0 ? KeyPath : null,
        Password = Password,
        AuthoritiesPath = ClientCertificates != ClientCertificates.None && AuthoritiesPath.Length > 0 ? AuthoritiesPath : null,
        RevocationListPath = RevocationListPath.Length > 0 ? RevocationListPath : null,
    };
}
