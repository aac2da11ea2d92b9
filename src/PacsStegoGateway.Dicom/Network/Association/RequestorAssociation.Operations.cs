using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace PacsStegoGateway.Dicom.Network;

public sealed partial class RequestorAssociation
{
    /// <summary>C-ECHO.</summary>
    /// <exception cref="AssociationException">The Verification class was not accepted, or the association failed.</exception>
    public async Task<DimseStatus> EchoAsync(CancellationToken cancellationToken)
    {
        using Occupation occupation = Occupy();
        AcceptedContext context = ContextFor(SopClasses.Verification);
        CommandSet request = CommandSet.Request(CommandField.CEchoRq, NextMessageID(), SopClasses.Verification, hasDataSet: false);
        return await StepAsync(
            async () =>
            {
                await SendMessageAsync(context, request).ConfigureAwait(false);
                return (await NextResponseAsync(request, cancellationToken).ConfigureAwait(false)).Response.Status;
            }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>C-STORE of data set bytes in their own transfer syntax. A refusal is a response, not an exception.</summary>
    /// <exception cref="AssociationException">No context for the pair was accepted, or the association failed: whether the
    /// peer has the object is not known then.</exception>
    public Task<StoreResponse> StoreAsync(string sopClassUID, string sopInstanceUID, string transferSyntaxUID,
        ReadOnlySequence<byte> dataSet, MoveOriginator? origin, CancellationToken cancellationToken) =>
        StoreAsync(sopClassUID, sopInstanceUID, transferSyntaxUID, origin, context => SendDataSetAsync(context, dataSet), cancellationToken);

    /// <inheritdoc cref="StoreAsync(string, string, string, ReadOnlySequence{byte}, MoveOriginator?, CancellationToken)"/>
    /// <param name="dataSet">Read in parts while it is sent; a failing read fails the association.</param>
    public Task<StoreResponse> StoreAsync(string sopClassUID, string sopInstanceUID, string transferSyntaxUID,
        ByteSource dataSet, MoveOriginator? origin, CancellationToken cancellationToken) =>
        StoreAsync(sopClassUID, sopInstanceUID, transferSyntaxUID, origin, context => SendDataSetAsync(context, dataSet), cancellationToken);

    /// <summary>C-FIND: every match until the final response.</summary>
    /// <remarks>Leaving the enumeration early sends C-CANCEL and waits for the final response.</remarks>
    /// <exception cref="AssociationException">The final status is a failure, or the association failed.</exception>
    public async IAsyncEnumerable<DataSet> FindAsync(string sopClassUID, DataSet identifier,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using Occupation occupation = Occupy();
        AcceptedContext context = ContextFor(sopClassUID);
        CommandSet request = CommandSet.Request(CommandField.CFindRq, NextMessageID(), sopClassUID, hasDataSet: true);
        await StepAsync(() => SendMessageAsync(context, request, identifier), cancellationToken).ConfigureAwait(false);
        bool isAnswered = false;
        try
        {
            while (!isAnswered)
            {
                (CommandSet response, DataSet? match) = await StepAsync(() => NextResponseAsync(request, cancellationToken), cancellationToken).ConfigureAwait(false);
                isAnswered = !response.Status.IsPending;
                if (response.Status.IsFailure)
                {
                    throw new AssociationException(response.Status, response.ErrorComment);
                }

                if (!isAnswered && match is not null)
                {
                    yield return match;
                }
            }
        }
        finally
        {
            await CancelUnlessAnsweredAsync(isAnswered, context, request, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>C-MOVE: every response; the last one is final, whatever its status.</summary>
    /// <inheritdoc cref="FindAsync" path="/remarks"/>
    /// <exception cref="AssociationException">The association failed.</exception>
    public async IAsyncEnumerable<MoveResponse> MoveAsync(string sopClassUID, string moveDestination, DataSet identifier,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using Occupation occupation = Occupy();
        AcceptedContext context = ContextFor(sopClassUID);
        CommandSet request = CommandSet.Request(CommandField.CMoveRq, NextMessageID(), sopClassUID, hasDataSet: true);
        request.SetText(Tags.MoveDestination, moveDestination);
        await StepAsync(() => SendMessageAsync(context, request, identifier), cancellationToken).ConfigureAwait(false);
        bool isAnswered = false;
        try
        {
            while (!isAnswered)
            {
                (CommandSet response, DataSet? list) = await StepAsync(() => NextResponseAsync(request, cancellationToken), cancellationToken).ConfigureAwait(false);
                isAnswered = !response.Status.IsPending;
                yield return new MoveResponse(response.Status)
                {
                    Remaining = response.UInt16(Tags.NumberOfRemainingSuboperations) ?? 0,
                    Completed = response.UInt16(Tags.NumberOfCompletedSuboperations) ?? 0,
                    Failed = response.UInt16(Tags.NumberOfFailedSuboperations) ?? 0,
                    Warning = response.UInt16(Tags.NumberOfWarningSuboperations) ?? 0,
                    FailedSOPInstanceUIDList = list?.GetTexts(Tags.FailedSOPInstanceUIDList) ?? [],
                    ErrorComment = response.ErrorComment,
                };
            }
        }
        finally
        {
            await CancelUnlessAnsweredAsync(isAnswered, context, request, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>C-GET: instances come as C-STORE requests on this association.</summary>
    /// <param name="onInstance">Stores one instance; its answer goes to the peer. What it throws leaves this method and
    /// ends the association. Its class must have been proposed with <see cref="ProposedContext.ScpRole"/>.</param>
    /// <returns>The final response, whatever its status.</returns>
    /// <exception cref="AssociationException">The association failed.</exception>
    public async Task<RetrieveResult> GetAsync(string sopClassUID, DataSet identifier,
        Func<StoreRequest, CancellationToken, ValueTask<StoreResponse>> onInstance, CancellationToken cancellationToken)
    {
        using Occupation occupation = Occupy();
        AcceptedContext context = ContextFor(sopClassUID);
        CommandSet request = CommandSet.Request(CommandField.CGetRq, NextMessageID(), sopClassUID, hasDataSet: true);
        return await StepAsync(
            async () =>
            {
                await SendMessageAsync(context, request, identifier).ConfigureAwait(false);
                while (true)
                {
                    (AcceptedContext at, CommandSet command) = await NextCommandAsync(cancellationToken).ConfigureAwait(false);
                    if (command.Field == CommandField.CStoreRq)
                    {
                        await ReceiveInstanceAsync(at, command, onInstance, cancellationToken).ConfigureAwait(false);
                        continue;
                    }

                    RequireResponse(request, command);
                    DataSet? list = command.HasDataSet ? await ReadDataSetAsync(at, cancellationToken).ConfigureAwait(false) : null;
                    if (!command.Status.IsPending)
                    {
                        return new RetrieveResult(command.Status)
                        {
                            Completed = command.UInt16(Tags.NumberOfCompletedSuboperations) ?? 0,
                            Failed = command.UInt16(Tags.NumberOfFailedSuboperations) ?? 0,
                            Warning = command.UInt16(Tags.NumberOfWarningSuboperations) ?? 0,
                            FailedSOPInstanceUIDList = list?.GetTexts(Tags.FailedSOPInstanceUIDList) ?? [],
                            ErrorComment = command.ErrorComment,
                        };
                    }
                }
            }, cancellationToken).ConfigureAwait(false);
    }

    private async Task<StoreResponse> StoreAsync(string sopClassUID, string sopInstanceUID, string transferSyntaxUID,
        MoveOriginator? origin, Func<AcceptedContext, Task> send, CancellationToken cancellationToken)
    {
        using Occupation occupation = Occupy();
        AcceptedContext context = _contexts.Find(c => c.AbstractSyntax == sopClassUID && c.TransferSyntax.UID == transferSyntaxUID)
            ?? throw new AssociationException(AssociationFailure.NoPresentationContext,
                $"The peer accepted no context for {sopClassUID} in {transferSyntaxUID}.");
        CommandSet request = CommandSet.Request(CommandField.CStoreRq, NextMessageID(), sopClassUID, hasDataSet: true);
        request.SetText(Tags.AffectedSOPInstanceUID, sopInstanceUID);
        if (origin is not null)
        {
            request.SetText(Tags.MoveOriginatorApplicationEntityTitle, origin.ApplicationEntityTitle);
            request.Set(Tags.MoveOriginatorMessageID, origin.MessageID);
        }

        return await StepAsync(
            async () =>
            {
                WriteMessage(context, request);
                await send(context).ConfigureAwait(false);
                CommandSet response = (await NextResponseAsync(request, cancellationToken).ConfigureAwait(false)).Response;
                return new StoreResponse(response.Status, response.ErrorComment);
            }, cancellationToken).ConfigureAwait(false);
    }

    private async Task ReceiveInstanceAsync(AcceptedContext context, CommandSet command,
        Func<StoreRequest, CancellationToken, ValueTask<StoreResponse>> onInstance, CancellationToken cancellationToken)
    {
        if (!command.HasDataSet)
        {
            throw new DimseProtocolException("A C-STORE request without a data set.");
        }

        PipeReader reader = _dataSet.Begin();
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<StoreResponse> storing = StoreInstanceAsync();
        try
        {
            PresentationDataValue value;
            do
            {
                value = await NextDataSetValueAsync(context, cancellationToken).ConfigureAwait(false);
                await _dataSet.AppendAsync(value.Fragment, value.IsLast).ConfigureAwait(false);
            }
            while (!value.IsLast);
        }
        catch
        {
            await lost.CancelAsync().ConfigureAwait(false);
            await _dataSet.BreakOffAsync("The association has ended.").ConfigureAwait(false);
            await ((Task)storing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        StoreResponse response = await storing.ConfigureAwait(false);
        await SendMessageAsync(context, command.Answer(response.Status, false, response.ErrorComment, response.OffendingElement)).ConfigureAwait(false);

        async Task<StoreResponse> StoreInstanceAsync()
        {
            try
            {
                return await onInstance(
                    new StoreRequest
                    {
                        AffectedSOPClassUID = command.AffectedSOPClassUID,
                        AffectedSOPInstanceUID = command.AffectedSOPInstanceUID,
                        MessageID = command.MessageID ?? throw new DimseProtocolException("A request without (0000,0110) Message ID."),
                        Priority = command.Priority,
                        MoveOriginator = command.MoveOriginator,
                        TransferSyntaxUID = context.TransferSyntax.UID,
                        DataSet = reader,
                        Association = _request,
                    }, lost.Token).ConfigureAwait(false);
            }
            finally
            {
                await reader.CompleteAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>C-CANCEL, and what still comes until the final response, when the enumeration was left early.</summary>
    private async Task CancelUnlessAnsweredAsync(bool isAnswered, AcceptedContext context, CommandSet request, CancellationToken cancellationToken)
    {
        if (isAnswered || _isBroken)
        {
            return;
        }

        await StepAsync(
            async () =>
            {
                await SendMessageAsync(context, CommandSet.CancelOf(request.MessageID!.Value)).ConfigureAwait(false);
                while ((await NextResponseAsync(request, cancellationToken).ConfigureAwait(false)).Response.Status.IsPending)
                {
                    // Responses that were under way when we lost interest.
                }

                return true;
            }, cancellationToken).ConfigureAwait(false);
    }
}
