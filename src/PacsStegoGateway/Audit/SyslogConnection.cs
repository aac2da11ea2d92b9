using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Audit;

/// <summary>A way to the receiver: a stream of octet-counted messages with or without TLS, or a datagram a message.</summary>
/// <remarks>Syslog has no answers: that the receiver is there is seen only by the connection that it does not close.</remarks>
internal sealed class SyslogConnection : IAsyncDisposable
{
    private readonly SyslogOptions _options;
    private readonly Socket _socket;
    private readonly Stream? _stream;
    private readonly Task _untilClosed;

    private SyslogConnection(SyslogOptions options, Socket socket, Stream? stream)
    {
        _options = options;
        _socket = socket;
        _stream = stream;
        _untilClosed = stream is null ? Task.Delay(Timeout.Infinite) : DrainAsync(stream);
    }

    /// <summary>True when what was sent can only have been lost without a trace: there is nobody to tell.</summary>
    public bool IsDatagram => _stream is null;

    public bool IsOpen => !_untilClosed.IsCompleted;

    /// <exception cref="IOException">Nobody is there, or he is not to be trusted.</exception>
    public static async Task<SyslogConnection> OpenAsync(SyslogOptions options, TlsClient? tls, CancellationToken cancellationToken)
    {
        bool isDatagram = options.Transport == SyslogTransport.Udp;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(options.TimeoutSeconds));
        var socket = new Socket(isDatagram ? SocketType.Dgram : SocketType.Stream, isDatagram ? ProtocolType.Udp : ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(options.Host, options.Port, limit.Token);
            Stream? stream = isDatagram ? null : new NetworkStream(socket, ownsSocket: false);
            if (stream is not null && tls is not null)
            {
                stream = await tls.AuthenticateAsync(stream, options.Host, limit.Token);
            }

            return new SyslogConnection(options, socket, stream);
        }
        catch (Exception e)
        {
            socket.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw e is IOException ? e : new IOException("The syslog receiver cannot be reached.", e);
        }
    }

    /// <exception cref="IOException">The connection is gone, or the receiver takes nothing any more.</exception>
    public async Task SendAsync(AuditRecord record, CancellationToken cancellationToken)
    {
        if (!IsOpen)
        {
            throw new IOException("The syslog receiver closed the connection.");
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(_options.TimeoutSeconds));
        try
        {
            if (_stream is null)
            {
                await _socket.SendAsync(SyslogMessage.Of(record), SocketFlags.None, limit.Token);
            }
            else
            {
                await _stream.WriteAsync(SyslogMessage.Framed(record), limit.Token);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException && !cancellationToken.IsCancellationRequested)
        {
            throw new IOException("The syslog receiver takes nothing any more.", e);
        }
    }

    /// <summary>Ends the stream and waits until the receiver has ended it too: then it has read everything.</summary>
    /// <returns>False when that took too long, or the connection broke.</returns>
    public async Task<bool> CloseAsync()
    {
        if (_stream is null || !IsOpen)
        {
            return false;
        }

        try
        {
            var limit = TimeSpan.FromSeconds(_options.TimeoutSeconds);
            if (_stream is SslStream secure)
            {
                await secure.ShutdownAsync().WaitAsync(limit);
            }

            _socket.Shutdown(SocketShutdown.Send);
            await _untilClosed.WaitAsync(limit);
            return true;
        }
        catch (Exception e) when (e is IOException or SocketException or TimeoutException or InvalidOperationException or AuthenticationException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_stream is not null)
        {
            await _stream.DisposeAsync();
        }

        _socket.Dispose();
        if (_stream is not null)
        {
            await _untilClosed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>A receiver says nothing; what it says all the same is of no interest, only that it ends.</summary>
    private static async Task DrainAsync(Stream stream)
    {
        byte[] buffer = new byte[256];
        while (await stream.ReadAsync(buffer) > 0)
        {
            // Go on until it closes.
        }
    }
}
