using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Tests.Network;

/// <summary><see cref="AssociationLoop"/> on a plain listening socket of a free port.</summary>
public sealed class TestAcceptor : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _shutdown = new();
    private readonly ConcurrentBag<Task> _associations = [];
    private readonly Task _accepting;

    private readonly TlsServer? _tls;

    public TestAcceptor(Func<IDimseServiceProvider> provider, AssociationLimits? limits = null, TimeProvider? time = null, TlsServer? tls = null)
    {
        _tls = tls;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync(provider, limits ?? AssociationLimits.Default, time ?? TimeProvider.System);
    }

    public TestAcceptor(IDimseServiceProvider provider, AssociationLimits? limits = null, TimeProvider? time = null, TlsServer? tls = null)
        : this(() => provider, limits, time, tls)
    {
    }

    public int Port { get; }

    public PeerAddress Address => new("127.0.0.1", Port, "GATEWAY", "MODALITY1");

    /// <summary>How each TLS handshake ended, in order of their ends.</summary>
    public ConcurrentQueue<TlsOutcome> Handshakes { get; } = [];

    public void ShutDown() => _shutdown.Cancel();

    public async ValueTask DisposeAsync()
    {
        await _shutdown.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_associations).WaitAsync(TimeSpan.FromSeconds(20));
        _shutdown.Dispose();
    }

    private async Task AcceptAsync(Func<IDimseServiceProvider> provider, AssociationLimits limits, TimeProvider time)
    {
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptSocketAsync(_shutdown.Token);
                _associations.Add(ServeAsync(socket, provider(), limits, time));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException && _shutdown.IsCancellationRequested)
        {
            // Stopped by the test, in the middle of a wait or between two.
        }
    }

    private async Task ServeAsync(Socket socket, IDimseServiceProvider provider, AssociationLimits limits, TimeProvider time)
    {
        socket.NoDelay = true;
        using var stream = new NetworkStream(socket, ownsSocket: true);
        IDuplexPipe transport = new Duplex(stream);
        if (_tls is null)
        {
            await AssociationLoop.RunAsync(transport, socket.RemoteEndPoint as IPEndPoint, provider, limits, time, _shutdown.Token);
            return;
        }

        TlsOutcome outcome = await _tls.AuthenticateAsync(transport, CancellationToken.None);
        Handshakes.Enqueue(outcome);
        if (outcome is TlsOutcome.Secured secured)
        {
            await using (secured)
            {
                await AssociationLoop.RunAsync(secured.Transport, socket.RemoteEndPoint as IPEndPoint, provider, limits, time, _shutdown.Token);
            }
        }
    }

    private sealed class Duplex(NetworkStream stream) : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 262_144, leaveOpen: true));

        public PipeWriter Output { get; } = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
    }
}
