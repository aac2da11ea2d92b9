using System.Net.Sockets;

namespace PacsStegoGateway.Dicom.Network;

public sealed partial class RequestorAssociation
{
    private static async Task<Socket> ConnectSocketAsync(PeerAddress peer, CancellationToken cancellationToken)
    {
        // Nagle's algorithm would hold back every small response by up to 40 ms.
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(peer.ConnectTimeout);
        try
        {
            await socket.ConnectAsync(peer.Host, peer.Port, timeout.Token).ConfigureAwait(false);
            return socket;
        }
        catch (Exception e)
        {
            socket.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw e switch
            {
                OperationCanceledException => new AssociationException(AssociationFailure.NotConnected, $"No connection within {peer.ConnectTimeout}.", e),
                SocketException s => new AssociationException(AssociationFailure.NotConnected, $"No connection: {s.SocketErrorCode}.", e),
                _ => e,
            };
        }
    }

    /// <summary>The connection as it is, or TLS over it; closed when it cannot be made secure.</summary>
    private static async Task<Stream> SecureAsync(Socket socket, PeerAddress peer, CancellationToken cancellationToken)
    {
        Stream plain = new NetworkStream(socket, ownsSocket: true);
        plain = peer.Transport?.Invoke(plain) ?? plain;
        if (peer.Tls is not { } tls)
        {
            return plain;
        }

        try
        {
            return await tls.AuthenticateAsync(plain, peer.Host, cancellationToken).ConfigureAwait(false);
        }
        catch (TlsException e)
        {
            throw new AssociationException(AssociationFailure.TlsFailed, e.Message, e);
        }
    }
}
