using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>
/// The secure transport connection profile of BCP 195 (PS3.15 B.12, RFC 8996, RFC 9325): TLS 1.2 and 1.3, suites with
/// forward secrecy and authenticated encryption only.
/// </summary>
internal static class TlsProfile
{
    public const SslProtocols Protocols = SslProtocols.Tls12 | SslProtocols.Tls13;

    private const string ServerPurpose = "1.3.6.1.5.5.7.3.1";
    private const string ClientPurpose = "1.3.6.1.5.5.7.3.2";

    private static readonly TlsCipherSuite[] Suites =
    [
        TlsCipherSuite.TLS_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ];

    /// <summary>Null on Windows, where the system's policy decides and its defaults since Server 2022 are these.</summary>
    public static CipherSuitesPolicy? CipherSuites { get; } = OperatingSystem.IsWindows() ? null : new CipherSuitesPolicy(Suites);

    /// <summary>Null: the operating system's authorities.</summary>
    public static X509ChainPolicy? ChainPolicy(TlsMaterial material, bool ofServer)
    {
        if (material.Authorities is null)
        {
            return null;
        }

        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(material.Authorities);
        policy.ApplicationPolicy.Add(new Oid(ofServer ? ServerPurpose : ClientPurpose));
        return policy;
    }

    /// <summary>Why a peer's certificate is not good enough, or null.</summary>
    public static string? Refuse(TlsMaterial material, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, DateTimeOffset now)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            return "there is none";
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) || chain is null)
        {
            X509ChainStatusFlags flags = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, s) => all | s.Status) ?? X509ChainStatusFlags.PartialChain;
            return flags.HasFlag(X509ChainStatusFlags.NotTimeValid) ? "it is expired or not yet valid"
                : flags.HasFlag(X509ChainStatusFlags.UntrustedRoot) || flags.HasFlag(X509ChainStatusFlags.PartialChain) ? "no trusted authority issued it"
                : flags.HasFlag(X509ChainStatusFlags.NotValidForUsage) ? "it is for another purpose"
                : $"its chain is wrong ({flags})";
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return "it is for another name";
        }

        return material.RevocationLists is { } lists ? RevocationList.Refuse(lists, chain, now) : null;
    }

    /// <summary>The words of a failed handshake: what the library at the bottom says, such as the alert that the peer sent.</summary>
    public static string Reason(Exception e) => e.GetBaseException().Message.TrimEnd('.');
}
