using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Configuration;

/// <summary>
/// Everything that can be set, as one tree. Read from <c>config/gateway.json</c> (comments allowed), then environment
/// variables <c>PSG__Section__Key</c>, then switches <c>--Section:Key=value</c>; the later one wins.
/// </summary>
/// <remarks>
/// Every unit is in the name. Zero and null mean what each comment says, nothing else. Wrong values stop the start, all of
/// them listed at once (<see cref="GatewayOptionsValidator"/>).
/// </remarks>
public sealed class GatewayOptions
{
    /// <summary>Folder that relative paths of Spool, Database and Keys start from. Default <c>data</c>, in the working folder.</summary>
    public string DataFolder { get; set; } = "data";

    public ListenOptions Listen { get; set; } = new();

    /// <summary>Who may call. Everybody else is rejected at association (permanent, user, 3). None by default: nobody.</summary>
    public List<CallerOptions> Callers { get; set; } = [];

    /// <summary>Where a C-MOVE may send to; any other destination is A801.</summary>
    public List<PeerOptions> MoveDestinations { get; set; } = [];

    public PacsOptions Pacs { get; set; } = new();

    public SpoolOptions Spool { get; set; } = new();

    public DatabaseOptions Database { get; set; } = new();

    public KeyOptions Keys { get; set; } = new();

    public SegmentationOptions Segmentation { get; set; } = new();

    public EmbeddingSettings Embedding { get; set; } = new();

    public WorkOptions Work { get; set; } = new();

    public RetrievalOptions Retrieval { get; set; } = new();

    /// <summary>The path as it stands if absolute, else below <see cref="DataFolder"/>.</summary>
    public string InDataFolder(string path) => Path.GetFullPath(Path.Combine(DataFolder, path));
}

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
    public List<string> AETitles { get; set; } = [];

    /// <summary>Associations at a time, 1 to 10000. Default 100. One more is rejected as transient, so that the sender retries.</summary>
    public int MaxAssociations { get; set; } = 100;

    /// <summary>Associations at a time of one calling AE title, 1 to MaxAssociations. Default 20.</summary>
    public int MaxAssociationsPerAE { get; set; } = 20;

    /// <summary>
    /// Connections without an association (silent, in a TLS handshake, rejected and not yet gone), 1 to 10000. Default 64.
    /// One more closes the oldest, so that silent ones lock nobody out.
    /// </summary>
    public int MaxPendingConnections { get; set; } = 64;

    /// <summary>The same from one address, 1 to MaxPendingConnections. Default 16.</summary>
    public int MaxPendingConnectionsPerAddress { get; set; } = 16;

    /// <summary>Largest PDU we take, bytes, 4096 to 1048576. Default 131072 (the largest that DCMTK sends).</summary>
    public int MaxPduLength { get; set; } = 131072;

    /// <summary>PS3.8 ARTIM timer, seconds, 1 to 300. Default 30 (DCMTK's ACSE timeout).</summary>
    public int ArtimTimeoutSeconds { get; set; } = 30;

    /// <summary>Longest silence inside a message, seconds, 1 to 3600. Default 60.</summary>
    public int DimseTimeoutSeconds { get; set; } = 60;

    /// <summary>Longest silence between messages, seconds, 1 to 86400. Default 300.</summary>
    public int IdleTimeoutSeconds { get; set; } = 300;

    /// <summary>
    /// Transfer syntaxes that storage may use, best first. Empty: Explicit VR Little Endian, then Implicit, then every
    /// compressed one that can be decoded on this machine, lossless before lossy. What cannot be decoded can be received
    /// too, and is quarantined.
    /// </summary>
    public List<string> TransferSyntaxes { get; set; } = [];

    /// <summary>
    /// Storage SOP classes beyond those of the standard, by UID: private and retired ones. Their objects are received and then
    /// quarantined, because nobody knows what in them is identity. Default none: their contexts are refused.
    /// </summary>
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

/// <summary>What a calling AE may do.</summary>
public enum CallerRole
{
    /// <summary>C-ECHO and C-STORE.</summary>
    Modality,

    /// <summary>C-ECHO only: a reader asks the PACS for protected images, not the gateway. Queries are refused and audited.</summary>
    Reader,

    /// <summary>C-FIND and C-MOVE of originals.</summary>
    Reidentifier,
}

/// <summary>One calling AE title.</summary>
public sealed class CallerOptions
{
    /// <summary>Calling AE title, 1 to 16 characters, without leading or trailing spaces.</summary>
    public string AETitle { get; set; } = "";

    /// <summary>At least one of modality, reader, reidentifier.</summary>
    public List<CallerRole> Roles { get; set; } = [];

    /// <summary>Addresses (<c>10.1.2.3</c>) or ranges (<c>10.1.0.0/16</c>) it may call from. Empty: any.</summary>
    public List<string> Addresses { get; set; } = [];

    /// <summary>
    /// Client certificates it must show, any of them: a DNS name, address or common name in it, its whole subject, or
    /// <c>sha256:</c> and its fingerprint. Then it may call over TLS only. Empty: any certificate that is trusted, or none
    /// where none is asked for.
    /// </summary>
    public List<string> Certificates { get; set; } = [];
}

/// <summary>An AE that we call.</summary>
public class PeerOptions
{
    /// <summary>Called AE title, 1 to 16 characters.</summary>
    public string AETitle { get; set; } = "";

    /// <summary>Host name or address.</summary>
    public string Host { get; set; } = "";

    /// <summary>TCP port, 1 to 65535. Default 104.</summary>
    public int Port { get; set; } = 104;

    public TlsPeerOptions Tls { get; set; } = new();
}

/// <summary>TLS towards an AE that we call.</summary>
public sealed class TlsPeerOptions
{
    /// <summary>Default false: plain.</summary>
    public bool Enabled { get; set; }

    /// <summary>Our certificate as client: PEM, or PKCS #12 by the name .pfx or .p12. Empty: none is shown.</summary>
    public string CertificatePath { get; set; } = "";

    /// <summary>The private key as PEM. Empty: in CertificatePath.</summary>
    public string KeyPath { get; set; } = "";

    /// <summary>Of the key or PKCS #12 file; set it by an environment variable, not in a file.</summary>
    [Secret]
    public string? Password { get; set; }

    /// <summary>Authorities that the peer's certificate must lead to, PEM or DER. Empty: those of the operating system.</summary>
    public string AuthoritiesPath { get; set; } = "";

    /// <summary>Revocation lists, PEM or DER. Empty: revocation is not looked at.</summary>
    public string RevocationListPath { get; set; } = "";

    /// <summary>full, authority (without the name) or none (trials only). Default full.</summary>
    public TlsVerification Verify { get; set; } = TlsVerification.Full;

    /// <summary>The name that the peer's certificate must carry. Empty: Host.</summary>
    public string ServerName { get; set; } = "";

    public TlsFiles ToFiles() => new()
    {
        CertificatePath = CertificatePath.Length > 0 ? CertificatePath : null,
        KeyPath = KeyPath.Length > 0 ? KeyPath : null,
        Password = Password,
        AuthoritiesPath = AuthoritiesPath.Length > 0 ? AuthoritiesPath : null,
        RevocationListPath = RevocationListPath.Length > 0 ? RevocationListPath : null,
    };

    /// <summary>Null when TLS is not enabled.</summary>
    /// <exception cref="TlsException">The files cannot be used.</exception>
    public TlsClient? ToClient(Action<string>? told = null) => !Enabled ? null : new TlsClient(
        new TlsCredentials(ToFiles(), told), Verify)
    {
        ServerName = ServerName.Length > 0 ? ServerName : null,
    };
}

/// <summary>How originals are fetched back: what the downstream PACS offers.</summary>
public enum RetrieveMethod
{
    /// <summary>C-GET on one association.</summary>
    Get,

    /// <summary>C-MOVE to <see cref="PacsOptions.CallingAETitle"/>, which the PACS must know at our address and port.</summary>
    Move,
}

/// <summary>The downstream PACS that holds the protected objects.</summary>
public sealed class PacsOptions : PeerOptions
{
    /// <summary>Our AE title towards the PACS. Default PSG. With Retrieve=Move it must be one of Listen.AETitles.</summary>
    public string CallingAETitle { get; set; } = "PSG";

    /// <summary>get or move. Default get.</summary>
    public RetrieveMethod Retrieve { get; set; } = RetrieveMethod.Get;

    /// <summary>Longest wait for TCP and association, seconds, 1 to 120. Default 10.</summary>
    public int ConnectTimeoutSeconds { get; set; } = 10;

    /// <summary>Longest wait for an answer, seconds, 1 to 3600. Default 120.</summary>
    public int AnswerTimeoutSeconds { get; set; } = 120;

    /// <summary>Forwarding associations kept open, 1 to 8. Default 2.</summary>
    public int Associations { get; set; } = 2;

    /// <summary>Forwarding association without work is released after, seconds, 1 to 3600. Default 20.</summary>
    public int ReleaseAfterSeconds { get; set; } = 20;
}

/// <summary>The folder that holds every object from receipt until the PACS has it.</summary>
public sealed class SpoolOptions
{
    /// <summary>Folder on a local disk. Default <c>spool</c> (below DataFolder).</summary>
    public string Folder { get; set; } = "spool";

    /// <summary>Free space on that disk below which nothing is accepted (A700), MiB, 0 to 1048576. Default 1024; 0: no watermark.</summary>
    public long MinFreeMegabytes { get; set; } = 1024;

    /// <summary>Most that the spool may hold, MiB. Default 0: no quota, the watermark alone decides.</summary>
    public long QuotaMegabytes { get; set; }

    /// <summary>
    /// Largest object that is accepted, MiB, 1 to 1048576. Default 16384. It takes that much of the disk twice until the
    /// PACS has it, but not of the memory: long values are read in parts.
    /// </summary>
    public int MaxObjectMegabytes { get; set; } = 16384;
}

public enum DatabaseKind
{
    Sqlite,
    PostgreSql,
}

/// <summary>Rows of instances and the audit trail.</summary>
public sealed class DatabaseOptions
{
    /// <summary>sqlite or postgresql. Default sqlite.</summary>
    public DatabaseKind Kind { get; set; } = DatabaseKind.Sqlite;

    /// <summary>SQLite file. Default <c>gateway.db</c> (below DataFolder).</summary>
    public string Path { get; set; } = "gateway.db";

    /// <summary>PostgreSQL connection string without a password: <c>Host=...;Database=...;Username=...</c>.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>PostgreSQL password; set it by the environment variable PSG__Database__Password, not in a file.</summary>
    [Secret]
    public string? Password { get; set; }

    /// <summary>Longest wait for a connection or a statement, seconds, 1 to 300. Default 10.</summary>
    public int TimeoutSeconds { get; set; } = 10;
}

public sealed class KeyOptions
{
    /// <summary>The key ring file, readable by the service account only. Default <c>keyring.json</c> (below DataFolder).</summary>
    public string RingPath { get; set; } = "keyring.json";
}

public enum SegmenterKind
{
    MaskRcnn,
    Threshold,
}

/// <summary>Who decides what is background.</summary>
public sealed class SegmentationOptions
{
    /// <summary>maskrcnn or threshold. Default maskrcnn.</summary>
    public SegmenterKind Kind { get; set; } = SegmenterKind.MaskRcnn;

    /// <summary>The ONNX file of maskrcnn. Default <c>models/mask-rcnn.onnx</c>; relative to the working folder, else to the program's.</summary>
    public string ModelPath { get; set; } = "models/mask-rcnn.onnx";

    /// <summary>The ONNX Runtime library. Empty: looked for beside the program.</summary>
    public string LibraryPath { get; set; } = "";
}

/// <summary>How strongly the symbol is embedded; the room of steganography documents what each value does.</summary>
public sealed class EmbeddingSettings
{
    /// <summary>Largest change of a background sample, in stored values, 1 to 255. Default 0: 6, or as much as 1.5 standard deviations of a noisier background.</summary>
    public int MaximumChange { get; set; }
}

/// <summary>Protecting and forwarding.</summary>
public sealed class WorkOptions
{
    /// <summary>Instances protected at a time, 0 to 256. Default 0: one per core.</summary>
    public int Workers { get; set; }

    /// <summary>Rows taken into memory ahead of the workers, 1 to 10000. Default 64.</summary>
    public int QueueLength { get; set; } = 64;

    /// <summary>Wait before the first retry, seconds, 1 to 3600. Default 5. Each further wait doubles, with jitter.</summary>
    public int RetryFirstSeconds { get; set; } = 5;

    /// <summary>Longest wait between retries, seconds, RetryFirstSeconds to 86400. Default 600. Retries never end by themselves.</summary>
    public int RetryMaxSeconds { get; set; } = 600;
}

/// <summary>C-FIND and C-MOVE of callers with the re-identification role.</summary>
public sealed class RetrievalOptions
{
    /// <summary>Most answers of one query, 1 to 1000000. Default 10000; then the query ends with B001.</summary>
    public int MaxMatches { get; set; } = 10_000;

    /// <summary>Longest silence of a C-MOVE, seconds, 1 to 60. Default 5.</summary>
    public int PendingSeconds { get; set; } = 5;

    /// <summary>Longest wait for a move destination's TCP and association, seconds, 1 to 120. Default 10.</summary>
    public int ConnectTimeoutSeconds { get; set; } = 10;
}

/// <summary>Marks a value that is never printed.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretAttribute : Attribute;
