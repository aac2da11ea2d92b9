using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>How a handshake with a client ended.</summary>
public abstract record TlsOutcome
{
    private TlsOutcome()
    {
    }

    /// <summary>The line is secure. Disposing says good-bye to the peer; the host closes the connection below it afterwards.</summary>
    public sealed record Secured : TlsOutcome, IAsyncDisposable
    {
        private readonly TlsStream _stream;

        internal Secured(TlsStream stream)
        {
            _stream = stream;
            Transport = new StreamTransport(stream);
            Peer = PeerCertificate.Of(stream.RemoteCertificate as X509Certificate2);
        }

        /// <summary>What the association runs on.</summary>
        public IDuplexPipe Transport { get; }

        /// <summary>The client's proved certificate; null when it showed none and need not.</summary>
        public PeerCertificate? Peer { get; }

        /// <summary>Version and suite, for the log.</summary>
        public string Protocol => $"{_stream.SslProtocol} {_stream.NegotiatedCipherSuite}";

        public ValueTask DisposeAsync() => _stream.CloseAsync();
    }

    /// <summary>No association comes about; the host closes the connection.</summary>
    /// <param name="Detail">Why, in words, for log and audit.</param>
    public sealed record Refused(string Detail) : TlsOutcome;

    /// <summary>The client connected and left without a byte, as health checks do; or the host closed the connection.</summary>
    public sealed record NothingSaid : TlsOutcome;
}

/// <summary>Makes accepted connections secure. Thread-safe; one for each listening port.</summary>
public sealed class TlsServer(TlsCredentials credentials, ClientCertificates clients, TimeSpan handshakeTimeout, TimeProvider time)
{
    /// <summary>Shakes hands. Bounded in time by its own limit; to be called on the connection's own task, never on the one that accepts.</summary>
    /// <param name="cancellationToken">Ends with the connection or with the host.</param>
    /// <remarks>Whatever a client does is an outcome, not an exception.</remarks>
    public async Task<TlsOutcome> AuthenticateAsync(IDuplexPipe transport, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(handshakeTimeout, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        string? refused = null;
        var stream = new TlsStream(new DuplexStream(transport));
        try
        {
            if (await LookAsync(transport.Input, ended.Token).ConfigureAwait(false) is { } outcome)
            {
                return outcome;
            }

            TlsMaterial material = credentials.Current();
            await stream.AuthenticateAsServerAsync(OptionsOf(material, why => refused = why), ended.Token).ConfigureAwait(false);
            return new TlsOutcome.Secured(stream);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            return new TlsOutcome.Refused($"No TLS handshake within {handshakeTimeout}.");
        }
        catch (OperationCanceledException)
        {
            return new TlsOutcome.NothingSaid();
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            return new TlsOutcome.Refused(refused is not null
                ? $"The client's certificate is refused: {refused}."
                : $"The TLS handshake failed: {TlsProfile.Reason(e)}.");
        }
    }

    private SslServerAuthenticationOptions OptionsOf(TlsMaterial material, Action<string> refuse) => new()
    {
        ServerCertificateContext = material.Certificate,
        ClientCertificateRequired = clients != ClientCertificates.None,
        EnabledSslProtocols = TlsProfile.Protocols,
        CipherSuitesPolicy = TlsProfile.CipherSuites,
        EncryptionPolicy = EncryptionPolicy.RequireEncryption,
        AllowRenegotiation = false,

        // A resumed session would carry a certificate past a revocation or an authority that was taken away.
        AllowTlsResume = false,
        CertificateChainPolicy = TlsProfile.ChainPolicy(material, ofServer: false),
        RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
        {
            if (clients == ClientCertificates.None || (clients == ClientCertificates.Optional && certificate is null))
            {
                return true;
            }

            string? why = TlsProfile.Refuse(material, certificate, chain, errors, time.GetUtcNow());
            if (why is not null)
            {
                refuse(why);
            }

            return why is null;
        },
    };

    /// <summary>Names what is no TLS before a library has to make sense of it; takes nothing off.</summary>
    private static async Task<TlsOutcome?> LookAsync(PipeReader input, CancellationToken cancellationToken)
    {
        ReadResult first = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (first.Buffer.IsEmpty)
        {
            input.AdvanceTo(first.Buffer.Start);
            return new TlsOutcome.NothingSaid();
        }

        byte[] bytes = first.Buffer.Slice(0, Math.Min(16, first.Buffer.Length)).ToArray();
        input.AdvanceTo(first.Buffer.Start);
        return bytes[0] == FirstBytes.TlsHandshake
            ? null
            : new TlsOutcome.Refused($"The client speaks {FirstBytes.NameOf(bytes) ?? "something unknown"}, to a port where DICOM over TLS is spoken.");
    }
}

/// <summary>Pipes over a secured stream.</summary>
internal sealed class StreamTransport(Stream stream) : IDuplexPipe
{
    public PipeReader Input { get; } = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 65_536, leaveOpen: true, useZeroByteReads: false));

    public PipeWriter Output { get; } = PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: 262_144, leaveOpen: true));
}

/// <summary>What a connection begins with, by its first bytes.</summary>
internal static class FirstBytes
{
    public const string Dicom = "plain DICOM";

    /// <summary>ContentType handshake (RFC 8446 5.1).</summary>
    public const byte TlsHandshake = 0x16;

    private static readonly string[] Methods = ["GET ", "POST", "HEAD", "PUT ", "OPTI", "DELE", "CONN", "PRI "];

    /// <summary>The name of the protocol, for those that find the way to a DICOM port; else null.</summary>
    public static string? NameOf(ReadOnlySpan<byte> first)
    {
        if (first.Length > 2 && first[0] == TlsHandshake && first[1] == 0x03)
        {
            return "TLS";
        }

        if (first.Length > 1 && first[0] == PduType.AssociateRq && first[1] == 0)
        {
            return Dicom;
        }

        string text = System.Text.Encoding.Latin1.GetString(first);
        return Methods.Any(text.StartsWith) ? "HTTP" : null;
    }
}
