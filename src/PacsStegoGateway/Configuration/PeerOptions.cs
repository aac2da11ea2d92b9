using System.Text.Json.Serialization;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Configuration;

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

    /// <summary>True when it is called over TLS.</summary>
    [JsonIgnore]
    public virtual bool IsSecure => Tls.Enabled;
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

    /// <summary>What makes connections secure by these files, whether or not Enabled says so.</summary>
    /// <exception cref="TlsException">The files cannot be used.</exception>
    public TlsClient Open(Action<string>? told = null) => new(new TlsCredentials(ToFiles(), told), Verify)
    {
        ServerName = ServerName.Length > 0 ? ServerName : null,
    };
}
