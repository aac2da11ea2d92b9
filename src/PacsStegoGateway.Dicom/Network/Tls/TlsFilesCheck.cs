using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>What is wrong with the files of one end, all of it: opening them for use stops at the first.</summary>
public static class TlsFilesCheck
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>Why the files cannot be used, a sentence for each; empty when they can.</summary>
    public static IReadOnlyList<string> Unusable(TlsFiles files)
    {
        var found = new List<string>();
        bool hasCertificate = Try(found, files with { KeyPath = null, AuthoritiesPath = null, RevocationListPath = null }, isUsed: false);
        bool hasKey = Try(found, new TlsFiles { KeyPath = files.KeyPath }, isUsed: false);
        if (hasCertificate && hasKey)
        {
            Try(found, files with { AuthoritiesPath = null, RevocationListPath = null }, isUsed: true);
        }

        Try(found, new TlsFiles { AuthoritiesPath = files.AuthoritiesPath }, isUsed: true);
        Try(found, new TlsFiles { RevocationListPath = files.RevocationListPath }, isUsed: true);
        return found;
    }

    /// <summary>
    /// What can be used and should not be: a certificate of ours outside its validity, which every peer refuses, and, on
    /// Unix, a private key that group or others may use.
    /// </summary>
    public static IReadOnlyList<string> Unsound(TlsFiles files, DateTimeOffset now)
    {
        var found = new List<string>();
        if (files.CertificatePath is not { } path)
        {
            return found;
        }

        try
        {
            using X509Certificate2? certificate = TlsContents.Read(new TlsFiles { CertificatePath = path }).Certificate is { } bytes
                ? TlsMaterial.TargetOf(path, bytes, files.Password)
                : null;
            if (certificate is not null && certificate.NotAfter.ToUniversalTime() < now)
            {
                found.Add($"{path}: the certificate expired on {Date(certificate.NotAfter)}.");
            }
            else if (certificate is not null && certificate.NotBefore.ToUniversalTime() > now)
            {
                found.Add($"{path}: the certificate is not valid before {Date(certificate.NotBefore)}.");
            }
        }
        catch (Exception e) when (e is TlsException or CryptographicException or ArgumentException or FormatException)
        {
            // Unusable says so.
        }

        string key = files.KeyPath ?? path;
        if (!OperatingSystem.IsWindows() && File.Exists(key) && (File.GetUnixFileMode(key) & Others) != 0)
        {
            found.Add($"Group or others may use the private key {key}; run: chmod 600 {key}");
        }

        return found;
    }

    private static string Date(DateTime time) =>
        time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    private static bool Try(List<string> found, TlsFiles files, bool isUsed)
    {
        try
        {
            TlsContents contents = TlsContents.Read(files);
            if (isUsed)
            {
                _ = TlsMaterial.Of(files, contents);
            }

            return true;
        }
        catch (TlsException e)
        {
            found.Add(e.Message);
            return false;
        }
    }
}
