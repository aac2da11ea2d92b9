using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>Who a peer is by its proved certificate.</summary>
/// <param name="Subject">The distinguished name.</param>
/// <param name="Names">Common name, and the DNS names and addresses of the Subject Alternative Name.</param>
/// <param name="Fingerprint">SHA-256 of the certificate, hexadecimal.</param>
public sealed record PeerCertificate(string Subject, IReadOnlyList<string> Names, string Fingerprint)
{
    private const string FingerprintPrefix = "sha256:";

    /// <summary>True when the certificate is the one meant: <c>sha256:</c> and its fingerprint, one of its names, or its whole subject.</summary>
    public bool Is(string expected) => expected.StartsWith(FingerprintPrefix, StringComparison.OrdinalIgnoreCase)
        ? expected[FingerprintPrefix.Length..].Replace(":", "", StringComparison.Ordinal).Equals(Fingerprint, StringComparison.OrdinalIgnoreCase)
        : Names.Contains(expected, StringComparer.OrdinalIgnoreCase) || expected.Equals(Subject, StringComparison.OrdinalIgnoreCase);

    /// <summary>False for what no certificate can be: nothing, or <c>sha256:</c> without the 64 hexadecimal digits of a fingerprint.</summary>
    public static bool CanBeMeant(string expected) => expected.StartsWith(FingerprintPrefix, StringComparison.OrdinalIgnoreCase)
        ? expected[FingerprintPrefix.Length..].Replace(":", "", StringComparison.Ordinal) is { Length: 2 * SHA256.HashSizeInBytes } digits
            && digits.All(char.IsAsciiHexDigit)
        : !string.IsNullOrWhiteSpace(expected);

    internal static PeerCertificate? Of(X509Certificate2? certificate)
    {
        if (certificate is null)
        {
            return null;
        }

        List<string> names = [certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false)];
        foreach (X509SubjectAlternativeNameExtension alternative in certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>())
        {
            names.AddRange(alternative.EnumerateDnsNames());
            names.AddRange(alternative.EnumerateIPAddresses().Select(static a => a.ToString()));
        }

        return new PeerCertificate(certificate.Subject, names, Convert.ToHexString(SHA256.HashData(certificate.RawData)));
    }
}
