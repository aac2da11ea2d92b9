using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Tests.Network;

/// <summary>A certificate authority for tests: issues what a site's would, and what it should not have.</summary>
public sealed class TestAuthority : IDisposable
{
    public const string ServerPurpose = "1.3.6.1.5.5.7.3.1";
    public const string ClientPurpose = "1.3.6.1.5.5.7.3.2";

    // Made once: an RSA key takes long. Every certificate of a test may have the same key.
    private static readonly RSA AuthorityKey = RSA.Create(2048);
    private static readonly RSA LeafKey = RSA.Create(2048);
    private static int _serial;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("psg-ca-");
    private readonly X509Certificate2 _certificate;

    public TestAuthority(string name = "Test Authority")
    {
        var request = new CertificateRequest($"CN={name}", AuthorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(10));
        AuthoritiesPath = Write("ca.pem", _certificate.ExportCertificatePem());
    }

    public string AuthoritiesPath { get; }

    public string At(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>A certificate and its key as two PEM files: <c>NAME.pem</c>, <c>NAME.key</c>.</summary>
    public X509Certificate2 Issue(string name, string[]? alternativeNames = null, string purpose = ClientPurpose, int days = 5, string? alsoFor = null)
    {
        var request = new CertificateRequest($"CN={name}", LeafKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(alsoFor is null ? [new Oid(purpose)] : [new Oid(purpose), new Oid(alsoFor)], false));
        if (alternativeNames is not null)
        {
            var builder = new SubjectAlternativeNameBuilder();
            foreach (string alternative in alternativeNames)
            {
                if (IPAddress.TryParse(alternative, out IPAddress? address))
                {
                    builder.AddIpAddress(address);
                }
                else
                {
                    builder.AddDnsName(alternative);
                }
            }

            request.CertificateExtensions.Add(builder.Build());
        }

        byte[] serial = BitConverter.GetBytes(IPAddress.HostToNetworkOrder(0x4000_0000 + Interlocked.Increment(ref _serial)));
        DateTimeOffset end = DateTimeOffset.UtcNow.AddDays(days);
        X509Certificate2 certificate = request.Create(_certificate, end.AddDays(days < 0 ? -1 : -days - 1), end, serial);
        Write(name + ".pem", certificate.ExportCertificatePem());
        Write(name + ".key", LeafKey.ExportPkcs8PrivateKeyPem());
        return certificate;
    }

    /// <summary>The server's usual certificate: for 127.0.0.1 and localhost.</summary>
    public TlsFiles Server(string name = "server", string[]? names = null, int days = 5)
    {
        Issue(name, names ?? ["127.0.0.1", "localhost"], ServerPurpose, days);
        return Files(name);
    }

    public TlsFiles Client(string name = "client", int days = 5, string[]? names = null)
    {
        Issue(name, names, ClientPurpose, days);
        return Files(name);
    }

    public TlsFiles Files(string name) => new() { CertificatePath = At(name + ".pem"), KeyPath = At(name + ".key"), AuthoritiesPath = AuthoritiesPath };

    /// <summary>A revocation list as PEM.</summary>
    public string Revoke(int days, params X509Certificate2[] revoked)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (X509Certificate2 certificate in revoked)
        {
            builder.AddEntry(certificate);
        }

        DateTimeOffset next = DateTimeOffset.UtcNow.AddDays(days);
        byte[] der = builder.Build(_certificate, 1, next, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1, next.AddDays(-3));
        return Write($"crl{Guid.NewGuid():N}.pem", PemEncoding.WriteString("X509 CRL", der));
    }

    public string Write(string name, string text)
    {
        string path = At(name);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _folder.Delete(recursive: true);
    }
}
