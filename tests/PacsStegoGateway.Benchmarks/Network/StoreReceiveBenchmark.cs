using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using BenchmarkDotNet.Attributes;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Benchmarks.Network;

/// <summary>
/// C-STORE over loopback, our requestor to our acceptor in one process, data sets dropped by the provider: what the
/// network room itself costs. 1 GiB in each invocation, so that 1 s is 1,074 MB/s. Run it with
/// <c>--filter *StoreReceive* --inProcess --warmupCount 1 --iterationCount 5 --invocationCount 1 --unrollFactor 1</c>.
/// </summary>
[MemoryDiagnoser]
public class StoreReceiveBenchmark
{
    private const long Total = 1L << 30;

    private readonly CancellationTokenSource _stop = new();
    private TcpListener _listener = null!;
    private RequestorAssociation _association = null!;
    private ReadOnlySequence<byte> _dataSet;

    /// <summary>Bytes of one object: a CT of 512 x 512, and a multi-frame.</summary>
    [Params(1 << 19, 1 << 26)]
    public int ObjectLength { get; set; }

    /// <summary>Our default, and DCMTK's.</summary>
    [Params(131_072u, 16_384u)]
    public uint MaxPduLength { get; set; }

    /// <summary>Not asynchronous: in process, nobody waits for it.</summary>
    [GlobalSetup]
    public void SetUp() => ConnectAsync().GetAwaiter().GetResult();

    [GlobalCleanup]
    public void CleanUp()
    {
        _association.ReleaseAsync(CancellationToken.None).GetAwaiter().GetResult();
        _listener.Stop();
        _stop.Cancel();
    }

    [Benchmark]
    public async Task StoreOneGibibyteAsync()
    {
        for (long sent = 0; sent < Total; sent += ObjectLength)
        {
            await _association.StoreAsync(SopClasses.CTImageStorage, "1.2.3", TransferSyntax.ExplicitVRLittleEndian.UID, _dataSet, null, CancellationToken.None);
        }
    }

    private async Task ConnectAsync()
    {
        _listener = new TcpListener(IPAddress.Loopback, 0);
        _listener.Start();
        AssociationLimits limits = AssociationLimits.Default with { MaxPduLength = MaxPduLength };
        _ = ServeAsync(limits);
        _association = await RequestorAssociation.ConnectAsync(
            new PeerAddress("127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port, "A", "B"),
            [new(SopClasses.CTImageStorage, TransferSyntax.ExplicitVRLittleEndian.UID)], limits, CancellationToken.None);
        _dataSet = new ReadOnlySequence<byte>(new byte[ObjectLength]);
    }

    private async Task ServeAsync(AssociationLimits limits)
    {
        using Socket socket = await _listener.AcceptSocketAsync();
        socket.NoDelay = true;
        await using var stream = new NetworkStream(socket);
        await AssociationLoop.RunAsync(new Duplex(stream), null, new DroppingProvider(), limits, TimeProvider.System, _stop.Token);
    }

    private sealed class Duplex(NetworkStream stream) : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 262_144, leaveOpen: true));

        public PipeWriter Output { get; } = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
    }

    private sealed class DroppingProvider : IDimseServiceProvider
    {
        public ValueTask<AssociationDecision> NegotiateAsync(AssociationRequest request, CancellationToken cancellationToken) =>
            ValueTask.FromResult(AssociationDecision.Accept);

        public ContextAnswer AcceptTransferSyntax(string abstractSyntax, IReadOnlyList<string> proposed) => ContextAnswer.Accept(proposed[0]);

        public ValueTask<DimseStatus> EchoAsync(CancellationToken cancellationToken) => ValueTask.FromResult(DimseStatus.Success);

        public async ValueTask<StoreResponse> StoreAsync(StoreRequest request, CancellationToken cancellationToken)
        {
            ReadResult result;
            do
            {
                result = await request.DataSet.ReadAsync(cancellationToken);
                request.DataSet.AdvanceTo(result.Buffer.End);
            }
            while (!result.IsCompleted);
            return StoreResponse.Success;
        }

        public IAsyncEnumerable<FindResponse> FindAsync(QueryRequest request, CancellationToken cancellationToken) => AsyncEnumerable.Empty<FindResponse>();

        public IAsyncEnumerable<MoveResponse> MoveAsync(MoveRequest request, CancellationToken cancellationToken) => AsyncEnumerable.Empty<MoveResponse>();

        public void Faulted(string operation, Exception exception) => Console.Error.WriteLine($"{operation}: {exception}");

        public ValueTask EndedAsync(AssociationEnd end) => ValueTask.CompletedTask;
    }
}
