using System.Buffers;

namespace PacsStegoGateway.Dicom.Network;

internal sealed partial class AcceptorSession
{
    private readonly CommandAssembler _assembler;
    private readonly DataSetPipe _dataSet;
    private ArrayBufferWriter<byte> _identifier = new();

    /// <summary>The command whose data set is coming, or null between messages.</summary>
    private CommandSet? _incoming;
    private AcceptedContext? _incomingContext;
    private DataSetUse _use;

    /// <summary>Sent when the data set nobody wants has gone by.</summary>
    private CommandSet? _refusal;

    private enum DataSetUse
    {
        Stream,
        Identifier,
        Drop,
    }

    private bool IsMessageUnderWay => _incoming is not null || _assembler.IsUnderWay;

    private async ValueTask OnDataAsync(PDataTf data)
    {
        ReadOnlySequence<byte> items = data.Items;
        while (PresentationDataValue.TryTake(ref items, out PresentationDataValue value))
        {
            AcceptedContext context = _contexts[value.ContextID] ?? throw new DimseProtocolException(
                $"Presentation context {value.ContextID} was not accepted.", AbortReason.UnexpectedPduParameter);
            if (!value.IsCommand)
            {
                await OnDataSetFragmentAsync(context, value).ConfigureAwait(false);
            }
            else if (_incoming is not null)
            {
                throw new DimseProtocolException("A command in the middle of a data set.", AbortReason.UnexpectedPduParameter);
            }
            else if (_assembler.Append(value) is { } command)
            {
                await OnCommandAsync(context, command).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask OnDataSetFragmentAsync(AcceptedContext context, PresentationDataValue value)
    {
        if (_incoming is not { } command || context != _incomingContext)
        {
            throw new DimseProtocolException($"A data set in context {context.ID} that no command announced.", AbortReason.UnexpectedPduParameter);
        }

        if (_use == DataSetUse.Stream)
        {
            await _dataSet.AppendAsync(value.Fragment, value.IsLast).ConfigureAwait(false);
        }
        else if (_use == DataSetUse.Identifier)
        {
            AppendToIdentifier(value.Fragment, MostOf(command));
        }

        if (!value.IsLast)
        {
            return;
        }

        _incoming = null;
        if (_use == DataSetUse.Identifier)
        {
            byte[] bytes = _identifier.WrittenSpan.ToArray();
            // What was once long is not kept for as long as the association lasts.
            if (_identifier.Capacity > _limits.MaxIdentifierLength)
            {
                _identifier = new ArrayBufferWriter<byte>();
            }
            else
            {
                _identifier.ResetWrittenCount();
            }

            await StartWithDataSetAsync(context, command, bytes).ConfigureAwait(false);
        }
        else if (_use == DataSetUse.Drop)
        {
            await RespondAsync(context, _refusal!).ConfigureAwait(false);
        }
    }

    private int MostOf(CommandSet command) =>
        command.Field is CommandField.NActionRq or CommandField.NEventReportRq ? _limits.MaxInformationLength : _limits.MaxIdentifierLength;

    private void AppendToIdentifier(ReadOnlySequence<byte> fragment, int most)
    {
        if (_identifier.WrittenCount + fragment.Length > most)
        {
            throw new DimseProtocolException($"An identifier of more than {most} bytes.");
        }

        foreach (ReadOnlyMemory<byte> part in fragment)
        {
            _identifier.Write(part.Span);
        }
    }

    private async ValueTask OnCommandAsync(AcceptedContext context, CommandSet command)
    {
        if (command.Field == CommandField.CCancelRq)
        {
            CancelOperation(command.MessageIDBeingRespondedTo);
            return;
        }

        if (command.IsResponse)
        {
            if (TakeAnswer(command))
            {
                return;
            }

            throw new DimseProtocolException($"A response, {(ushort)command.Field:X4}H, to nothing that was asked.");
        }

        ushort messageID = command.MessageID ?? throw new DimseProtocolException("A request without (0000,0110) Message ID.");
        if (IsOperationRunning)
        {
            if (_operation is { IsGet: true, IsAnswered: false })
            {
                // Waiting for its end, as below, would keep us from reading the answers that it waits for.
                throw new DimseProtocolException("A request in the middle of a C-GET, where one operation at a time was negotiated.");
            }

            if (messageID == _operation!.MessageID && !_operation.IsAnswered)
            {
                await RefuseAsync(context, command, DimseStatus.DuplicateInvocation, "Message ID is in use").ConfigureAwait(false);
                return;
            }

            // One operation at a time was negotiated; a peer that does not wait for its answer waits here.
            await FinishOperationAsync().ConfigureAwait(false);
        }

        await (command.Field switch
        {
            CommandField.CEchoRq => StartEchoAsync(context, command),
            CommandField.CStoreRq => StartStoreAsync(context, command),
            CommandField.CFindRq or CommandField.CMoveRq or CommandField.CGetRq => AwaitIdentifierAsync(context, command),
            CommandField.NActionRq or CommandField.NEventReportRq => AwaitInformationAsync(context, command),
            _ => RefuseAsync(context, command, DimseStatus.UnrecognizedOperation, $"Command {(ushort)command.Field:X4}H is not supported"),
        }).ConfigureAwait(false);
    }

    private void Await(AcceptedContext context, CommandSet command, DataSetUse use)
    {
        _incoming = command;
        _incomingContext = context;
        _use = use;
    }

    private ValueTask AwaitIdentifierAsync(AcceptedContext context, CommandSet command)
    {
        if (!command.HasDataSet)
        {
            return RefuseAsync(context, command, DimseStatus.CannotUnderstand, "No identifier");
        }

        if (command.AffectedSOPClassUID != context.AbstractSyntax)
        {
            return RefuseAsync(context, command, DimseStatus.SOPClassNotSupported, "SOP class differs from the presentation context");
        }

        Await(context, command, DataSetUse.Identifier);
        return ValueTask.CompletedTask;
    }

    /// <summary>Refuses a request; when a data set follows, after it has gone by.</summary>
    private async ValueTask RefuseAsync(AcceptedContext context, CommandSet command, DimseStatus status, string comment, Tag? offendingElement = null)
    {
        CommandSet refusal = command.Answer(status, errorComment: comment, offendingElement: offendingElement);
        if (!command.HasDataSet)
        {
            await RespondAsync(context, refusal).ConfigureAwait(false);
            return;
        }

        _refusal = refusal;
        Await(context, command, DataSetUse.Drop);
    }

    /// <summary>Sends command and data set with one flush. Says nothing when the association is past answering.</summary>
    private async ValueTask RespondAsync(AcceptedContext context, CommandSet response, DataSet? dataSet = null)
    {
        byte[] command = response.ToArray();
        byte[]? bytes = dataSet is null ? null : DataSetWriter.ToArray(dataSet, context.TransferSyntax);
        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (AssociationStateMachine.Find(_machine.State, AssociationEvent.PDataRequestPrimitive) is null)
            {
                return;
            }

            MessageWriter.Write(_channel.Output, context.ID, isCommand: true, command, _fragmentLength);
            if (bytes is not null)
            {
                MessageWriter.Write(_channel.Output, context.ID, isCommand: false, bytes, _fragmentLength);
            }

            await FlushAsync().ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }
}
