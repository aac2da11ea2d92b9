using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>What a scripted PACS does with one object.</summary>
/// <param name="Status">What it answers.</param>
/// <param name="IsStored">It keeps the object.</param>
/// <param name="AbortsInside">It aborts the association when a part of the object has come.</param>
/// <param name="AbortsUnanswered">It aborts the association in place of the answer.</param>
public sealed record PacsDeed(DimseStatus Status, bool IsStored = true, bool AbortsInside = false, bool AbortsUnanswered = false)
{
    public static PacsDeed Store { get; } = new(DimseStatus.Success);

    public static PacsDeed Refuse(ushort status) => new(new DimseStatus(status), IsStored: false);
}

/// <summary>A PACS that follows a script and says no word about it: refuses, warns, hangs up in the middle, is away.</summary>
public sealed class ScriptedPacs : IAsyncDisposable
{
    private static readonly byte[] Abort = [7, 0, 0, 0, 0, 4, 0, 0, 0, 0];

    private readonly CancellationTokenSource _stop = new();
    private readonly Func<int, PacsDeed> _script;
    private TcpListener? _listener;
    private Task _accepting = Task.CompletedTask;
    private int _requests;

    /// <param name="script">What it does with the nth object that comes, counted from 0.</param>
    public ScriptedPacs(Func<int, PacsDeed>? script = null)
    {
        _script = script ?? (static _ => PacsDeed.Store);
        Start();
    }

    public int Port { get; } = FreePort.Next();

    /// <summary>SOP Instance UIDs in the order in which they were stored, one for each time.</summary>
    public ConcurrentQueue<string> Stored { get; } = new();

    /// <summary>Objects that were begun.</summary>
    public int Requests => Volatile.Read(ref _requests);

    public void Start()
    {
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
        _accepting = AcceptAsync(_listener);
    }

    /// <summary>Nobody listens any more.</summary>
    public async Task StopListening()
    {
        _listener!.Stop();
        await _accepting;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await StopListening();
        _stop.Dispose();
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptSocketAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            _ = ServeAsync(socket);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        socket.NoDelay = true;
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        await AssociationLoop.RunAsync(new Duplex(PipeReader.Create(stream), PipeWriter.Create(stream)), socket.RemoteEndPoint as IPEndPoint,
            new Provider(this, stream), AssociationLimits.Default, TimeProvider.System, _stop.Token);
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class Provider(ScriptedPacs pacs, NetworkStream stream) : IDimseServiceProvider
    {
        public ValueTask<AssociationDecision> NegotiateAsync(AssociationRequest request, CancellationToken cancellationToken) =>
            ValueTask.FromResult(AssociationDecision.Accept);

        public ContextAnswer AcceptTransferSyntax(string abstractSyntax, IReadOnlyList<string> proposed) => ContextAnswer.Accept(proposed[0]);

        public ValueTask<DimseStatus> EchoAsync(CancellationToken cancellationToken) => ValueTask.FromResult(DimseStatus.Success);

        public async ValueTask<StoreResponse> StoreAsync(StoreRequest request, CancellationToken cancellationToken)
        {
            PacsDeed deed = pacs._script(Interlocked.Increment(ref pacs._requests) - 1);
            while (true)
            {
                ReadResult read = await request.DataSet.ReadAsync(cancellationToken);
                request.DataSet.AdvanceTo(read.Buffer.End);
                if (deed.AbortsInside)
                {
                    await HangUpAsync();
                }

                if (read.IsCompleted)
                {
                    break;
                }
            }

            if (deed.IsStored)
            {
                pacs.Stored.Enqueue(request.AffectedSOPInstanceUID);
            }

            if (deed.AbortsUnanswered)
            {
                await HangUpAsync();
            }

            return new StoreResponse(deed.Status);
        }

        public IAsyncEnumerable<FindResponse> FindAsync(QueryRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public IAsyncEnumerable<MoveResponse> MoveAsync(MoveRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public void Faulted(string operation, Exception exception)
        {
        }

        public ValueTask EndedAsync(AssociationEnd end) => ValueTask.CompletedTask;

        private async Task HangUpAsync()
        {
            await stream.WriteAsync(Abort);
            stream.Close();
            throw new IOException("The script says so.");
        }
    }
}
