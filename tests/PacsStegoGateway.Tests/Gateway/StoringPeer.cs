using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>A PACS or workstation in this process: stores what comes, answers as told, moves what it has.</summary>
public sealed class StoringPeer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private TcpListener? _listener;
    private Task _accepting = Task.CompletedTask;

    public StoringPeer(int port = 0)
    {
        Port = port;
        Start();
    }

    public int Port { get; private set; }

    public ConcurrentDictionary<string, byte[]> Stored { get; } = new();

    public ConcurrentQueue<StoreRequest> Requests { get; } = new();

    /// <summary>Answer to the nth store, counted from 0; success by default.</summary>
    public Func<int, DimseStatus> Answer { get; set; } = static _ => DimseStatus.Success;

    /// <summary>Transfer syntaxes accepted for storage; null: any.</summary>
    public IReadOnlyList<string>? StorageSyntaxes { get; set; }

    /// <summary>Where a C-MOVE to any destination goes.</summary>
    public PeerAddress? MoveTo { get; set; }

    /// <summary>Answers N-ACTION; null: 0123.</summary>
    public Func<ActionRequest, Task<NormalizedResponse>>? OnAction { get; set; }

    /// <summary>Answers N-EVENT-REPORT; null: 0113.</summary>
    public Func<EventReportRequest, Task<NormalizedResponse>>? OnEventReport { get; set; }

    public void Start()
    {
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync(_listener);
    }

    /// <summary>Nobody is there any more; open associations go on.</summary>
    public async Task StopAsync()
    {
        _listener!.Stop();
        await _accepting;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await StopAsync();
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
            new Provider(this), AssociationLimits.Default, TimeProvider.System, _stop.Token);
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class Provider(StoringPeer peer) : IDimseServiceProvider
    {
        public ValueTask<AssociationDecision> NegotiateAsync(AssociationRequest request, CancellationToken cancellationToken) =>
            ValueTask.FromResult(AssociationDecision.Accept);

        public ContextAnswer AcceptTransferSyntax(string abstractSyntax, IReadOnlyList<string> proposed) =>
            peer.StorageSyntaxes is { } only && SopClasses.IsStandardStorage(abstractSyntax) ? ContextAnswer.FirstOf(only, proposed) : ContextAnswer.Accept(proposed[0]);

        public ValueTask<DimseStatus> EchoAsync(CancellationToken cancellationToken) => ValueTask.FromResult(DimseStatus.Success);

        public async ValueTask<StoreResponse> StoreAsync(StoreRequest request, CancellationToken cancellationToken)
        {
            var bytes = new ArrayBufferWriter<byte>();
            ReadResult read;
            do
            {
                read = await request.DataSet.ReadAsync(cancellationToken);
                foreach (ReadOnlyMemory<byte> segment in read.Buffer)
                {
                    bytes.Write(segment.Span);
                }

                request.DataSet.AdvanceTo(read.Buffer.End);
            }
            while (!read.IsCompleted);

            int number = peer.Requests.Count;
            peer.Requests.Enqueue(request);
            DimseStatus status = peer.Answer(number);
            if (!status.IsFailure)
            {
                peer.Stored[request.AffectedSOPInstanceUID] = bytes.WrittenSpan.ToArray();
            }

            return new StoreResponse(status);
        }

        public IAsyncEnumerable<FindResponse> FindAsync(QueryRequest request, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public async IAsyncEnumerable<MoveResponse> MoveAsync(MoveRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(
                peer.MoveTo!, [new ProposedContext(SopClasses.CTImageStorage, TransferSyntax.ExplicitVRLittleEndian.UID)], AssociationLimits.Default, cancellationToken);
            int completed = 0;
            foreach (string uid in request.Identifier.GetTexts(Tags.SOPInstanceUID))
            {
                if (peer.Stored.TryGetValue(uid, out byte[]? bytes))
                {
                    await association.StoreAsync(SopClasses.CTImageStorage, uid, TransferSyntax.ExplicitVRLittleEndian.UID,
                        new ReadOnlySequence<byte>(bytes), null, cancellationToken);
                    completed++;
                }
            }

            await association.ReleaseAsync(cancellationToken);
            yield return new MoveResponse(DimseStatus.Success) { Completed = completed };
        }

        public async ValueTask<NormalizedResponse> ActionAsync(ActionRequest request, CancellationToken cancellationToken) =>
            peer.OnAction is { } answer ? await answer(request) : new NormalizedResponse(DimseStatus.NoSuchAction);

        public async ValueTask<NormalizedResponse> EventReportAsync(EventReportRequest request, CancellationToken cancellationToken) =>
            peer.OnEventReport is { } answer ? await answer(request) : new NormalizedResponse(DimseStatus.NoSuchEventType);

        public RoleSelection AcceptRole(RoleSelection proposed) => proposed;

        public void Faulted(string operation, Exception exception)
        {
        }

        public ValueTask EndedAsync(AssociationEnd end) => ValueTask.CompletedTask;
    }
}
