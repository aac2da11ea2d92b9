using System.Net.Security;
using System.Security.Authentication;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>Makes connections that we open secure. Thread-safe; one for each destination.</summary>
public sealed class TlsClient(TlsCredentials credentials, TlsVerification verification)
{
    /// <summary>The name that the server's certificate must carry; null: the host that is connected to.</summary>
    public string? ServerName { get; init; }

    /// <summary>Longest handshake. Default 10 s.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Makes a connection secure.</summary>
    /// <param name="connection">Just opened; owned by the stream that is returned, closed when this fails.</param>
    /// <param name="host">Who was connected to.</param>
    /// <exception cref="TlsException">The server is not to be trusted, does not trust us, or does not speak TLS.</exception>
    public async Task<Stream> AuthenticateAsync(Stream connection, string host, CancellationToken cancellationToken)
    {
        TlsMaterial material = credentials.Current();
        string? refused = null;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(HandshakeTimeout);
        var stream = new TlsStream(connection);
        try
        {
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = ServerName ?? host,
                    ClientCertificateContext = material.Certificate,
                    EnabledSslProtocols = TlsProfile.Protocols,
                    CipherSuitesPolicy = TlsProfile.CipherSuites,
                    EncryptionPolicy = EncryptionPolicy.RequireEncryption,
                    AllowRenegotiation = false,
                    CertificateChainPolicy = TlsProfile.ChainPolicy(material, ofServer: true),
                    RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                    {
                        if (verification == TlsVerification.Authority)
                        {
                            errors &= ~SslPolicyErrors.RemoteCertificateNameMismatch;
                        }

                        refused = verification == TlsVerification.None ? null
                            : TlsProfile.Refuse(material, certificate, chain, errors, DateTimeOffset.UtcNow);
                        return refused is null;
                    },
                }, timeout.Token).ConfigureAwait(false);
            return stream;
        }
        catch (Exception e)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            throw e switch
            {
                _ when refused is not null => new TlsException($"The server's certificate is refused: {refused}.", e),
                OperationCanceledException => new TlsException($"No TLS handshake within {HandshakeTimeout}.", e),
                AuthenticationException or IOException => new TlsException($"The TLS handshake failed: {TlsProfile.Reason(e)}.", e),
                _ => e,
            };
        }
    }
}
