using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>What <see cref="TlsFiles"/> held when they were read. Not disposed of: handshakes may still use it.</summary>
internal sealed record TlsMaterial(
    SslStreamCertificateContext? Certificate, X509Certificate2Collection? Authorities, IReadOnlyList<RevocationList>? RevocationLists)
{
    /// <exception cref="TlsException">A file is not what it should be; the message names it.</exception>
    public static TlsMaterial Of(TlsFiles files, TlsContents contents) => new(
        contents.Certificate is null ? null : Read(files.CertificatePath!, () => CertificateOf(files, contents)),
        contents.Authorities is null ? null : Read(files.AuthoritiesPath!, () => AuthoritiesOf(contents.Authorities)),
        contents.RevocationLists is null ? null : Read(files.RevocationListPath!, () => RevocationList.ReadAll(contents.RevocationLists)));

    private static SslStreamCertificateContext CertificateOf(TlsFiles files, TlsContents contents)
    {
        if (IsPkcs12(files.CertificatePath!))
        {
            X509Certificate2Collection all = X509CertificateLoader.LoadPkcs12Collection(contents.Certificate!, files.Password);
            X509Certificate2 own = all.FirstOrDefault(static c => c.HasPrivateKey) ?? throw new CryptographicException("It holds no private key.");
            all.Remove(own);
            return SslStreamCertificateContext.Create(own, all, offline: true);
        }

        string pem = Text(contents.Certificate!);
        string key = contents.Key is null ? pem : Text(contents.Key);
        using X509Certificate2 certificate = files.Password is { } password && key.Contains("ENCRYPTED PRIVATE KEY", StringComparison.Ordinal)
            ? X509Certificate2.CreateFromEncryptedPem(pem, key, password)
            : X509Certificate2.CreateFromPem(pem, key);

        // Through PKCS #12 once: Windows does not use a key for TLS that came from PEM.
        X509Certificate2 usable = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(pem);
        chain.RemoveAt(0);
        return SslStreamCertificateContext.Create(usable, chain, offline: true);
    }

    /// <summary>Our certificate itself, without a look at a PEM key.</summary>
    internal static X509Certificate2 TargetOf(string path, byte[] bytes, string? password)
    {
        if (!IsPkcs12(path))
        {
            return X509Certificate2.CreateFromPem(Text(bytes));
        }

        X509Certificate2Collection all = X509CertificateLoader.LoadPkcs12Collection(bytes, password);
        return all.FirstOrDefault(static c => c.HasPrivateKey) ?? throw new CryptographicException("It holds no private key.");
    }

    private static X509Certificate2Collection AuthoritiesOf(byte[] bytes)
    {
        var authorities = new X509Certificate2Collection();
        if (bytes.AsSpan().IndexOf("-----BEGIN"u8) >= 0)
        {
            authorities.ImportFromPem(Text(bytes));
        }
        else
        {
            authorities.Add(X509CertificateLoader.LoadCertificate(bytes));
        }

        return authorities.Count > 0 ? authorities : throw new CryptographicException("It holds no certificate.");
    }

    private static T Read<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or FormatException)
        {
            throw new TlsException($"{path} cannot be used: {e.Message}", e);
        }
    }

    private static bool IsPkcs12(string path) =>
        path.EndsWith(".pfx", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".p12", StringComparison.OrdinalIgnoreCase);

    private static string Text(byte[] bytes) => System.Text.Encoding.UTF8.GetString(bytes);
}

/// <summary>The bytes of the files, to see whether they changed.</summary>
internal sealed record TlsContents(byte[]? Certificate, byte[]? Key, byte[]? Authorities, byte[]? RevocationLists)
{
    private const int MaxLength = 1 << 24;

    /// <exception cref="TlsException">A file cannot be read.</exception>
    public static TlsContents Read(TlsFiles files) => new(
        Bytes(files.CertificatePath), Bytes(files.KeyPath), Bytes(files.AuthoritiesPath), Bytes(files.RevocationListPath));

    public bool IsSame(TlsContents other) =>
        Same(Certificate, other.Certificate) && Same(Key, other.Key) && Same(Authorities, other.Authorities)
        && Same(RevocationLists, other.RevocationLists);

    private static bool Same(byte[]? one, byte[]? other) => one is null ? other is null : other is not null && one.AsSpan().SequenceEqual(other);

    private static byte[]? Bytes(string? path)
    {
        if (path is null)
        {
            return null;
        }

        try
        {
            return new FileInfo(path).Length <= MaxLength
                ? File.ReadAllBytes(path)
                : throw new TlsException($"{path} is longer than {MaxLength} bytes.");
        }
        catch (Exception e) when (e is (IOException and not TlsException) or UnauthorizedAccessException)
        {
            throw new TlsException($"{path} cannot be read: {e.Message}", e);
        }
    }
}
