using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Tests.Network;

/// <summary>A provider whose answers a test sets, and which remembers what it was asked.</summary>
public sealed class RecordingProvider : IDimseServiceProvider
{
    private readonly TaskCompletionSource<AssociationEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Func<AssociationRequest, AssociationDecision> OnNegotiate { get; set; } = static _ => AssociationDecision.Accept;

    public Func<string, IReadOnlyList<string>, ContextAnswer> OnContext { get; set; } = static (_, proposed) => ContextAnswer.Accept(proposed[0]);

    public Func<RoleSelection, RoleSelection> OnRole { get; set; } = static proposed => proposed with { ScpRole = false };

    public Func<CancellationToken, ValueTask<DimseStatus>> OnEcho { get; set; } = static _ => ValueTask.FromResult(DimseStatus.Success);

    public Func<StoreRequest, CancellationToken, ValueTask<StoreResponse>>? OnStore { get; set; }

    public Func<QueryRequest, CancellationToken, IAsyncEnumerable<FindResponse>> OnFind { get; set; } = static (_, _) => AsyncEnumerable.Empty<FindResponse>();

    public Func<MoveRequest, CancellationToken, IAsyncEnumerable<MoveResponse>> OnMove { get; set; } = static (_, _) => AsyncEnumerable.Empty<MoveResponse>();

    public Func<GetRequest, CancellationToken, IAsyncEnumerable<MoveResponse>> OnGet { get; set; } = static (_, _) => AsyncEnumerable.Empty<MoveResponse>();

    public Func<ActionRequest, NormalizedResponse> OnAction { get; set; } = static _ => NormalizedResponse.Success;

    public Func<EventReportRequest, NormalizedResponse> OnEventReport { get; set; } = static _ => NormalizedResponse.Success;

    public ConcurrentQueue<(StoreRequest Request, byte[] DataSet)> Stored { get; } = [];

    public ConcurrentQueue<(string Operation, Exception Exception)> Faults { get; } = [];

    public Task<AssociationEnd> Ended => _ended.Task.WaitAsync(TimeSpan.FromSeconds(20));

    public ValueTask<AssociationDecision> NegotiateAsync(AssociationRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(OnNegotiate(request));

    public ContextAnswer AcceptTransferSyntax(string abstractSyntax, IReadOnlyList<string> proposed) => OnContext(abstractSyntax, proposed);

    public RoleSelection AcceptRole(RoleSelection proposed) => OnRole(proposed);

    public ValueTask<DimseStatus> EchoAsync(CancellationToken cancellationToken) => OnEcho(cancellationToken);

    public async ValueTask<StoreResponse> StoreAsync(StoreRequest request, CancellationToken cancellationToken)
    {
        if (OnStore is not null)
        {
            return await OnStore(request, cancellationToken);
        }

        Stored.Enqueue((request, await ReadAllAsync(request.DataSet, cancellationToken)));
        return StoreResponse.Success;
    }

    public IAsyncEnumerable<FindResponse> FindAsync(QueryRequest request, CancellationToken cancellationToken) => OnFind(request, cancellationToken);

    public IAsyncEnumerable<MoveResponse> MoveAsync(MoveRequest request, CancellationToken cancellationToken) => OnMove(request, cancellationToken);

    public IAsyncEnumerable<MoveResponse> GetAsync(GetRequest request, CancellationToken cancellationToken) => OnGet(request, cancellationToken);

    public ValueTask<NormalizedResponse> ActionAsync(ActionRequest request, CancellationToken cancellationToken) => ValueTask.FromResult(OnAction(request));

    public ValueTask<NormalizedResponse> EventReportAsync(EventReportRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(OnEventReport(request));

    public void Faulted(string operation, Exception exception) => Faults.Enqueue((operation, exception));

    public ValueTask EndedAsync(AssociationEnd end)
    {
        _ended.TrySetResult(end);
        return ValueTask.CompletedTask;
    }

    public static async Task<byte[]> ReadAllAsync(PipeReader reader, CancellationToken cancellationToken)
    {
        var bytes = new ArrayBufferWriter<byte>();
        while (true)
        {
            ReadResult result = await reader.ReadAsync(cancellationToken);
            foreach (ReadOnlyMemory<byte> part in result.Buffer)
            {
                bytes.Write(part.Span);
            }

            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                await reader.CompleteAsync();
                return bytes.WrittenSpan.ToArray();
            }
        }
    }
}
