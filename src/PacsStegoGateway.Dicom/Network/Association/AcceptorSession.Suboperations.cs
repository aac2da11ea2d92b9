namespace PacsStegoGateway.Dicom.Network;

internal sealed partial class AcceptorSession
{
    /// <summary>What we asked the peer on its own association and it has not answered.</summary>
    private PendingAnswer? _asked;

    // Never disposed: a reporter may outlive the session, and it holds no handle.
    private readonly SemaphoreSlim _asking = new(1, 1);
    private ushort _lastOwnMessageID;

    private sealed record PendingAnswer(CommandField Field, ushort MessageID, TaskCompletionSource<CommandSet> Response);

    private ValueTask AwaitInformationAsync(AcceptedContext context, CommandSet command)
    {
        if ((command.Field == CommandField.NActionRq ? command.RequestedSOPClassUID : command.AffectedSOPClassUID) != context.AbstractSyntax)
        {
            return RefuseAsync(context, command, DimseStatus.SOPClassNotSupported, "SOP class differs from the presentation context");
        }

        if (command.HasDataSet)
        {
            Await(context, command, DataSetUse.Identifier);
        }
        else
        {
            StartNormalized(context, command, null);
        }

        return ValueTask.CompletedTask;
    }

    private void StartNormalized(AcceptedContext context, CommandSet command, DataSet? information)
    {
        Operation operation = Begin(command.MessageID!.Value);
        bool isAction = command.Field == CommandField.NActionRq;
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        operation.Task = GuardAsync(async () =>
        {
            NormalizedResponse response;
            try
            {
                response = await (isAction
                    ? _provider.ActionAsync(
                        new ActionRequest
                        {
                            RequestedSOPClassUID = command.RequestedSOPClassUID,
                            RequestedSOPInstanceUID = command.RequestedSOPInstanceUID,
                            MessageID = operation.MessageID,
                            ActionTypeID = command.UInt16(Tags.ActionTypeID) ?? 0,
                            Information = information,
                            Association = _request!,
                            Requestor = new Reporter(this, answered.Task),
                        }, operation.Token)
                    : _provider.EventReportAsync(
                        new EventReportRequest
                        {
                            AffectedSOPClassUID = command.AffectedSOPClassUID,
                            AffectedSOPInstanceUID = command.AffectedSOPInstanceUID,
                            MessageID = operation.MessageID,
                            EventTypeID = command.UInt16(Tags.EventTypeID) ?? 0,
                            Information = information,
                            Association = _request!,
                        }, operation.Token)).ConfigureAwait(false);
            }
            catch (Exception e) when (IsAnswered(e))
            {
                StoreResponse answer = Answer(isAction ? "N-ACTION" : "N-EVENT-REPORT", e);
                response = new NormalizedResponse(answer.Status, null, answer.ErrorComment);
            }

            DataSet? reply = response.Status.IsSuccess ? response.Reply : null;
            await RespondFinallyAsync(context, command.Answer(response.Status, reply is not null, response.ErrorComment), reply).ConfigureAwait(false);
            answered.SetResult();
        });
    }

    /// <summary>True when the response belongs to what we asked.</summary>
    private bool TakeAnswer(CommandSet response)
    {
        if (_asked is not { } asked || response.HasDataSet
            || (ushort)response.Field != ((ushort)asked.Field | 0x8000) || response.MessageIDBeingRespondedTo != asked.MessageID)
        {
            return false;
        }

        _asked = null;
        asked.Response.SetResult(response);
        return true;
    }

    private AcceptedContext? ContextToSend(string abstractSyntax, string transferSyntax) => !_scpRoles.Contains(abstractSyntax)
        ? null
        : Array.Find(_contexts, c => c is not null && c.AbstractSyntax == abstractSyntax && c.TransferSyntax.UID == transferSyntax);

    /// <summary>One question at a time: another waits until this one is answered.</summary>
    private async Task<CommandSet> AskAsync(AcceptedContext context, Func<ushort, CommandSet> create, ByteSource dataSet)
    {
        await _asking.WaitAsync(_lost.Token).ConfigureAwait(false);
        try
        {
            return await AskNowAsync(context, create(++_lastOwnMessageID), dataSet).ConfigureAwait(false);
        }
        finally
        {
            _asking.Release();
        }
    }

    private async Task<CommandSet> AskNowAsync(AcceptedContext context, CommandSet request, ByteSource dataSet)
    {
        var response = new TaskCompletionSource<CommandSet>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked = new PendingAnswer(request.Field, request.MessageID!.Value, response);
        await _writing.WaitAsync(_lost.Token).ConfigureAwait(false);
        try
        {
            if (AssociationStateMachine.Find(_machine.State, AssociationEvent.PDataRequestPrimitive) is null)
            {
                throw new IOException("The association is past sending.");
            }

            MessageWriter.Write(_channel.Output, context.ID, isCommand: true, request.ToArray(), _fragmentLength);
            int unsent = 0;
            long offset = 0;
            do
            {
                int length = (int)Math.Min(_fragmentLength, dataSet.Length - offset);
                if (request.HasDataSet)
                {
                    offset += MessageWriter.WriteFragment(_channel.Output, context.ID, offset + length == dataSet.Length, dataSet, offset, length);
                }

                unsent += length;
                if (unsent >= MessageWriter.MostUseful || offset == dataSet.Length)
                {
                    await FlushAsync().ConfigureAwait(false);
                    unsent = 0;
                }
            }
            while (offset < dataSet.Length);
        }
        finally
        {
            _writing.Release();
        }

        try
        {
            return await response.Task.WaitAsync(_limits.DimseTimeout, _time, _lost.Token).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new DimseProtocolException($"No answer to a sub-operation within {_limits.DimseTimeout}.", e);
        }
    }

    /// <summary>The peer of a C-GET as the one who stores.</summary>
    private sealed class Requestor(AcceptorSession session) : IStoreTarget
    {
        public bool Accepts(string abstractSyntax, string transferSyntax) => session.ContextToSend(abstractSyntax, transferSyntax) is not null;

        public async Task<StoreResponse> StoreAsync(string sopClassUID, string sopInstanceUID, string transferSyntaxUID,
            ByteSource dataSet, MoveOriginator? origin, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            AcceptedContext context = session.ContextToSend(sopClassUID, transferSyntaxUID)
                ?? throw new AssociationException(AssociationFailure.NoPresentationContext,
                    $"The requestor takes no {sopClassUID} in {transferSyntaxUID}.");
            try
            {
                CommandSet response = await session.AskAsync(context, id =>
                {
                    CommandSet request = CommandSet.Request(CommandField.CStoreRq, id, sopClassUID, hasDataSet: true);
                    request.SetText(Tags.AffectedSOPInstanceUID, sopInstanceUID);
                    return request;
                }, dataSet).ConfigureAwait(false);
                return new StoreResponse(response.Status, response.ErrorComment);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                throw new AssociationException(AssociationFailure.ConnectionLost, "The requestor is gone.", e);
            }
        }
    }

    /// <summary>The peer of an N-ACTION as the one who is told later, on the association on which it asked.</summary>
    private sealed class Reporter(AcceptorSession session, Task answered) : IEventReportTarget
    {
        public bool IsEstablished => !session._lost.IsCancellationRequested && session._machine.State == AssociationState.Sta6DataTransfer;

        public async Task<NormalizedResponse> EventReportAsync(string sopClassUID, string sopInstanceUID, ushort eventTypeID, DataSet? information,
            CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            AcceptedContext context = Array.Find(session._contexts, c => c?.AbstractSyntax == sopClassUID)
                ?? throw new AssociationException(AssociationFailure.NoPresentationContext, $"No context for {sopClassUID} was negotiated.");
            try
            {
                // Not before the answer: a requestor that waits for that would not know what to do with a report.
                await answered.WaitAsync(session._lost.Token).ConfigureAwait(false);
                CommandSet response = await session.AskAsync(
                    context, id => CommandSet.EventReport(id, sopClassUID, sopInstanceUID, eventTypeID, information is not null),
                    ByteSource.Of(information is null ? [] : DataSetWriter.ToArray(information, context.TransferSyntax))).ConfigureAwait(false);
                return new NormalizedResponse(response.Status, null, response.ErrorComment);
            }
            catch (DimseProtocolException e)
            {
                throw new AssociationException(AssociationFailure.TimedOut, "The requestor did not answer in time.", e);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
            {
                throw new AssociationException(AssociationFailure.ConnectionLost, "The requestor is gone.", e);
            }
        }
    }
}
