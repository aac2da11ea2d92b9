namespace PacsStegoGateway.Dicom.Network;

/// <summary>What an acceptor does with what it is asked. One object per association; calls never overlap.</summary>
/// <remarks>
/// Tokens end when the association does. An exception that leaves an operation is answered and then told to
/// <see cref="Faulted"/>: <see cref="DicomContentException"/> by C000, <see cref="DimseProtocolException"/> by an A-ABORT,
/// <see cref="IOException"/> by A700, anything else by 0110.
/// </remarks>
public interface IDimseServiceProvider
{
    /// <summary>Asked after protocol version and application context name were found good.</summary>
    ValueTask<AssociationDecision> NegotiateAsync(AssociationRequest request, CancellationToken cancellationToken);

    /// <summary>Asked for each presentation context of an accepted association.</summary>
    ContextAnswer AcceptTransferSyntax(string abstractSyntax, IReadOnlyList<string> proposed);

    /// <summary>
    /// The answer to a proposed role: never more than was proposed (PS3.7 D.3.3.4). By default the requestor stays SCU;
    /// one that wants objects by C-GET must be allowed to be SCP of their class.
    /// </summary>
    RoleSelection AcceptRole(RoleSelection proposed) => proposed with { ScpRole = false };

    ValueTask<DimseStatus> EchoAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Success or a warning is answered only after the last byte of the data set has come, whatever is returned before;
    /// a failure is answered at once and the rest of the data set is read and dropped.
    /// </summary>
    ValueTask<StoreResponse> StoreAsync(StoreRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Pending responses, then at most one final one; without it the end is a success, or FE00 after a C-CANCEL.
    /// The token ends with the association or by C-CANCEL; <see cref="QueryRequest.IsCanceled"/> tells which.
    /// </summary>
    IAsyncEnumerable<FindResponse> FindAsync(QueryRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Pending responses with counts, then one final one. After a C-CANCEL the final one may still be returned, with its
    /// counts; leaving by <see cref="OperationCanceledException"/> gives FE00 with the last pending counts.
    /// </summary>
    IAsyncEnumerable<MoveResponse> MoveAsync(MoveRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// As <see cref="MoveAsync"/>; the instances go to <see cref="GetRequest.Requestor"/>. By default no C-GET is offered:
    /// its presentation contexts must then be refused.
    /// </summary>
    IAsyncEnumerable<MoveResponse> GetAsync(GetRequest request, CancellationToken cancellationToken) =>
        new[] { new MoveResponse(DimseStatus.SOPClassNotSupported) }.ToAsyncEnumerable();

    /// <summary>N-ACTION, such as a request for storage commitment. By default 0123.</summary>
    ValueTask<NormalizedResponse> ActionAsync(ActionRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new NormalizedResponse(DimseStatus.NoSuchAction));

    /// <summary>N-EVENT-REPORT, such as the result of a storage commitment. By default 0113.</summary>
    ValueTask<NormalizedResponse> EventReportAsync(EventReportRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new NormalizedResponse(DimseStatus.NoSuchEventType));

    /// <summary>An operation threw; it was answered already. For the log.</summary>
    void Faulted(string operation, Exception exception);

    /// <summary>Called once, last, also when no association came about. For log and audit.</summary>
    ValueTask EndedAsync(AssociationEnd end);
}
