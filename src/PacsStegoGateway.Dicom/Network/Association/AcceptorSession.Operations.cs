namespace PacsStegoGateway.Dicom.Network;

internal sealed partial class AcceptorSession
{
    private Operation? _operation;
    private long _operationEnded;
    private Exception? _operationFailure;

    private bool IsOperationRunning => _operation is { Task.IsCompleted: false };

    /// <summary>What the provider is doing for one request.</summary>
    private sealed class Operation(ushort messageID, CancellationToken lost) : IDisposable
    {
        private readonly CancellationTokenSource _cancellation = CancellationTokenSource.CreateLinkedTokenSource(lost);

        public ushort MessageID => messageID;

        /// <summary>Present when C-CANCEL can end it.</summary>
        public QueryRequest? Query { get; set; }

        public CancellationToken Token => _cancellation.Token;

        /// <summary>
        /// True once the final response is about to be sent: from then on its Message ID is free, and a peer that uses one
        /// for everything may have the next request here before <see cref="Task"/> has ended.
        /// </summary>
        public bool IsAnswered { get; set; }

        /// <summary>It needs answers of the peer to come to its end.</summary>
        public bool IsGet { get; init; }

        /// <summary>Never faults: see <see cref="GuardAsync"/>.</summary>
        public Task Task { get; set; } = Task.CompletedTask;

        public void Cancel()
        {
            if (Query is { } query)
            {
                query.MarkCanceled();
                _cancellation.Cancel();
            }
        }

        public void Dispose() => _cancellation.Dispose();
    }

    private Operation Begin(ushort messageID, bool isGet = false)
    {
        _operation?.Dispose();
        return _operation = new Operation(messageID, _lost.Token) { IsGet = isGet };
    }

    private async ValueTask StartEchoAsync(AcceptedContext context, CommandSet command)
    {
        if (command.HasDataSet)
        {
            await RefuseAsync(context, command, DimseStatus.MistypedArgument, "C-ECHO has no data set").ConfigureAwait(false);
            return;
        }

        Operation operation = Begin(command.MessageID!.Value);
        operation.Task = GuardAsync(async () =>
        {
            DimseStatus status;
            try
            {
                status = await _provider.EchoAsync(operation.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (IsAnswered(e))
            {
                status = Answer("C-ECHO", e).Status;
            }

            await RespondFinallyAsync(context, command.Answer(status)).ConfigureAwait(false);
        });
    }

    private ValueTask StartStoreAsync(AcceptedContext context, CommandSet command)
    {
        if (!command.HasDataSet)
        {
            return RefuseAsync(context, command, DimseStatus.CannotUnderstand, "No data set");
        }

        if (command.AffectedSOPClassUID != context.AbstractSyntax)
        {
            return RefuseAsync(context, command, DimseStatus.SOPClassNotSupported, "SOP class differs from the presentation context");
        }

        string instance = command.AffectedSOPInstanceUID;
        if (instance.Length == 0)
        {
            return RefuseAsync(context, command, DimseStatus.CannotUnderstand, "No Affected SOP Instance UID", Tags.AffectedSOPInstanceUID);
        }

        // Looser than PS3.5 9.1: components with a leading zero come from real devices, and are kept as they are.
        if (instance.Length > Uid.MaxLength || instance.AsSpan().ContainsAnyExcept("0123456789."))
        {
            return RefuseAsync(context, command, DimseStatus.InvalidSOPInstance, "Affected SOP Instance UID is no UID", Tags.AffectedSOPInstanceUID);
        }

        Await(context, command, DataSetUse.Stream);
        Operation operation = Begin(command.MessageID!.Value);
        var request = new StoreRequest
        {
            AffectedSOPClassUID = command.AffectedSOPClassUID,
            AffectedSOPInstanceUID = instance,
            MessageID = operation.MessageID,
            Priority = command.Priority,
            MoveOriginator = command.MoveOriginator,
            TransferSyntaxUID = context.TransferSyntax.UID,
            DataSet = _dataSet.Begin(),
            Association = _request!,
        };
        operation.Task = GuardAsync(() => StoreAsync(context, command, request, operation.Token));
        return ValueTask.CompletedTask;
    }

    private async Task StoreAsync(AcceptedContext context, CommandSet command, StoreRequest request, CancellationToken token)
    {
        StoreResponse response;
        try
        {
            response = await _provider.StoreAsync(request, token).ConfigureAwait(false);
        }
        catch (Exception e) when (IsAnswered(e))
        {
            response = _dataSet.IsTooLong ? new StoreResponse(DimseStatus.CannotUnderstand) : Answer("C-STORE", e);
        }
        finally
        {
            await request.DataSet.CompleteAsync().ConfigureAwait(false);
        }

        if (!response.Status.IsFailure)
        {
            await _dataSet.AllReceived.ConfigureAwait(false);
        }

        if (_dataSet.IsTooLong)
        {
            response = new StoreResponse(DimseStatus.CannotUnderstand, $"Data set is longer than {_limits.MaxDataSetLength} bytes");
        }

        await RespondFinallyAsync(context, command.Answer(response.Status, false, response.ErrorComment, response.OffendingElement)).ConfigureAwait(false);
    }

    private async ValueTask StartWithDataSetAsync(AcceptedContext context, CommandSet command, byte[] bytes)
    {
        DataSet dataSet;
        try
        {
            dataSet = DataSetReader.Read(bytes, context.TransferSyntax, new DicomReadOptions { MaxInflatedLength = MostOf(command) });
        }
        catch (DicomContentException)
        {
            await RespondAsync(context, command.Answer(DimseStatus.CannotUnderstand, errorComment: "The identifier cannot be read")).ConfigureAwait(false);
            return;
        }

        switch (command.Field)
        {
            case CommandField.NActionRq or CommandField.NEventReportRq:
                StartNormalized(context, command, dataSet);
                break;
            default:
                StartQuery(context, command, dataSet);
                break;
        }
    }

    /// <summary>C-FIND, C-MOVE and C-GET: one request, and what is done with it.</summary>
    private void StartQuery(AcceptedContext context, CommandSet command, DataSet identifier)
    {
        Operation operation = Begin(command.MessageID!.Value, isGet: command.Field == CommandField.CGetRq);
        var query = new QueryRequest
        {
            AffectedSOPClassUID = command.AffectedSOPClassUID,
            MessageID = operation.MessageID,
            Priority = command.Priority,
            TransferSyntaxUID = context.TransferSyntax.UID,
            Identifier = identifier,
            Association = _request!,
        };
        switch (command.Field)
        {
            case CommandField.CFindRq:
                operation.Query = query;
                operation.Task = GuardAsync(() => FindAsync(context, command, query, operation.Token));
                break;
            case CommandField.CMoveRq:
                var move = new MoveRequest(query, command.MoveDestination);
                operation.Query = move;
                operation.Task = GuardAsync(() => RetrieveAsync("C-MOVE", context, command, move, _provider.MoveAsync(move, operation.Token), operation.Token));
                break;
            default:
                var get = new GetRequest(query, new Requestor(this));
                operation.Query = get;
                operation.Task = GuardAsync(() => RetrieveAsync("C-GET", context, command, get, _provider.GetAsync(get, operation.Token), operation.Token));
                break;
        }
    }

    private async Task FindAsync(AcceptedContext context, CommandSet command, QueryRequest request, CancellationToken token)
    {
        FindResponse? final = null;
        try
        {
            await foreach (FindResponse response in _provider.FindAsync(request, token).ConfigureAwait(false))
            {
                if (!response.Status.IsPending)
                {
                    final = response;
                    break;
                }

                await RespondAsync(context, command.Answer(response.Status, hasDataSet: true), response.Identifier ?? []).ConfigureAwait(false);
            }

            final ??= new FindResponse(request.IsCanceled ? DimseStatus.Cancel : DimseStatus.Success);
        }
        catch (OperationCanceledException) when (request.IsCanceled && !_lost.IsCancellationRequested)
        {
            final = new FindResponse(DimseStatus.Cancel);
        }
        catch (Exception e) when (IsAnswered(e))
        {
            StoreResponse answer = Answer("C-FIND", e);
            final = new FindResponse(answer.Status, ErrorComment: answer.ErrorComment);
        }

        await RespondFinallyAsync(context, command.Answer(final.Status, errorComment: final.ErrorComment)).ConfigureAwait(false);
    }

    /// <summary>C-MOVE and C-GET differ in where the instances go, not in what is said about them.</summary>
    private async Task RetrieveAsync(string name, AcceptedContext context, CommandSet command, QueryRequest request,
        IAsyncEnumerable<MoveResponse> source, CancellationToken token)
    {
        MoveResponse? last = null;
        try
        {
            await using IAsyncEnumerator<MoveResponse> responses = source.GetAsyncEnumerator(token);
            while (await NextAsync(responses, () => RespondToMoveAsync(context, command, last, DimseStatus.Pending)).ConfigureAwait(false))
            {
                last = responses.Current;
                if (!last.Status.IsPending)
                {
                    break;
                }

                await RespondToMoveAsync(context, command, last, last.Status).ConfigureAwait(false);
            }

            if (last is null or { Status.IsPending: true })
            {
                last = (last ?? new MoveResponse(default)) with { Status = request.IsCanceled ? DimseStatus.Cancel : DimseStatus.Success };
            }
        }
        catch (OperationCanceledException) when (request.IsCanceled && !_lost.IsCancellationRequested)
        {
            last = (last ?? new MoveResponse(default)) with { Status = DimseStatus.Cancel };
        }
        catch (Exception e) when (IsAnswered(e))
        {
            StoreResponse answer = Answer(name, e);
            last = (last ?? new MoveResponse(default)) with { Status = answer.Status, ErrorComment = answer.ErrorComment };
        }

        await RespondToMoveAsync(context, command, last, last.Status).ConfigureAwait(false);
    }

    /// <summary>The next response; while it takes long, <paramref name="stillAtIt"/> is called every <see cref="AssociationLimits.PendingInterval"/>.</summary>
    private async Task<bool> NextAsync(IAsyncEnumerator<MoveResponse> responses, Func<Task> stillAtIt)
    {
        ValueTask<bool> next = responses.MoveNextAsync();
        if (next.IsCompleted)
        {
            return await next.ConfigureAwait(false);
        }

        Task<bool> waiting = next.AsTask();
        try
        {
            while (!waiting.IsCompleted)
            {
                using var over = new CancellationTokenSource();
                Task interval = Task.Delay(_limits.PendingInterval, _time, over.Token);
                if (await Task.WhenAny(waiting, interval).ConfigureAwait(false) == interval)
                {
                    await stillAtIt().ConfigureAwait(false);
                }

                await over.CancelAsync().ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
            // The requester is gone, which the token has told: the enumerator must have stopped before it is disposed.
            await ((Task)waiting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        return await waiting.ConfigureAwait(false);
    }

    private async Task RespondToMoveAsync(AcceptedContext context, CommandSet command, MoveResponse? move, DimseStatus status)
    {
        DataSet? list = null;
        if (move is { FailedSOPInstanceUIDList.Count: > 0 } && !status.IsPending && !status.IsSuccess)
        {
            list = [];
            list.SetText(Tags.FailedSOPInstanceUIDList, FittingList(move.FailedSOPInstanceUIDList));
        }

        CommandSet response = command.Answer(status, hasDataSet: list is not null, errorComment: move?.ErrorComment);
        if (move is not null)
        {
            if (status.IsPending || status.IsCancel)
            {
                response.Set(Tags.NumberOfRemainingSuboperations, Count(move.Remaining));
            }

            response.Set(Tags.NumberOfCompletedSuboperations, Count(move.Completed));
            response.Set(Tags.NumberOfFailedSuboperations, Count(move.Failed));
            response.Set(Tags.NumberOfWarningSuboperations, Count(move.Warning));
        }

        await (status.IsPending ? RespondAsync(context, response, list) : RespondFinallyAsync(context, response, list)).ConfigureAwait(false);

        static ushort Count(int value) => (ushort)Math.Clamp(value, 0, ushort.MaxValue);
    }

    /// <summary>As many UIDs as the 16-bit length of an Explicit VR UI holds: the counts tell of the rest.</summary>
    private static string FittingList(IReadOnlyList<string> uids)
    {
        int length = -1;
        return string.Join('\\', uids.TakeWhile(uid => (length += uid.Length + 1) < 65_534));
    }

    private ValueTask RespondFinallyAsync(AcceptedContext context, CommandSet response, DataSet? dataSet = null)
    {
        _operation!.IsAnswered = true;
        return RespondAsync(context, response, dataSet);
    }

    private void CancelOperation(ushort? messageID)
    {
        if (IsOperationRunning && messageID == _operation!.MessageID)
        {
            _operation.Cancel();
        }
    }

    /// <summary>Runs an operation's body; what it cannot answer itself is left for the loop, which is woken.</summary>
    private async Task GuardAsync(Func<Task> body)
    {
        try
        {
            await body().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_lost.IsCancellationRequested)
        {
            // The association has ended; nobody is left to be answered.
        }
        catch (Exception e)
        {
            Volatile.Write(ref _operationFailure, e);
            _channel.Interrupt();
        }

        Volatile.Write(ref _operationEnded, _time.GetTimestamp());
        if (_shutdown.IsCancellationRequested)
        {
            _channel.Interrupt();
        }
    }

    private void ThrowWhatTheOperationLeft()
    {
        if (Interlocked.Exchange(ref _operationFailure, null) is { } failure)
        {
            throw failure is DimseProtocolException or IOException ? failure : new IOException("The answer could not be sent.", failure);
        }
    }

    /// <summary>True when the peer is still there to be told: an operation that ends with its association is not at fault.</summary>
    private bool IsAnswered(Exception e) => !_lost.IsCancellationRequested && e is not DimseProtocolException;

    private StoreResponse Answer(string operation, Exception e)
    {
        _provider.Faulted(operation, e);
        return e switch
        {
            DicomContentException => new StoreResponse(DimseStatus.CannotUnderstand, "The data set cannot be read"),
            IOException => new StoreResponse(DimseStatus.OutOfResources, "Storage is not available"),
            _ => new StoreResponse(DimseStatus.ProcessingFailure, "Unexpected failure"),
        };
    }

    private async ValueTask FinishOperationAsync()
    {
        if (_operation is { } operation)
        {
            await operation.Task.ConfigureAwait(false);
            operation.Dispose();
            _operation = null;
        }
    }

    private async ValueTask BreakOffOperationAsync(string why)
    {
        await _lost.CancelAsync().ConfigureAwait(false);
        await _dataSet.BreakOffAsync(why).ConfigureAwait(false);
        _incoming = null;
        await FinishOperationAsync().ConfigureAwait(false);
    }
}
