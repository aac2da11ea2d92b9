using System.Buffers;

namespace PacsStegoGateway.Dicom.Network;

public sealed partial class RequestorAssociation
{
    /// <summary>Bytes gathered before they are sent.</summary>
    private const int SendThreshold = 131_072;

    private AcceptedContext ContextFor(string abstractSyntax) =>
        _contexts.Find(c => c.AbstractSyntax == abstractSyntax)
        ?? throw new AssociationException(AssociationFailure.NoPresentationContext, $"The peer accepted no context for {abstractSyntax}.");

    private ushort NextMessageID() => ++_lastMessageID == 0 ? ++_lastMessageID : _lastMessageID;

    private void WriteMessage(AcceptedContext context, CommandSet command, DataSet? dataSet = null)
    {
        Take(AssociationEvent.PDataRequestPrimitive);
        MessageWriter.Write(_channel.Output, context.ID, isCommand: true, command.ToArray(), _fragmentLength);
        if (dataSet is not null)
        {
            MessageWriter.Write(_channel.Output, context.ID, isCommand: false,
                DataSetWriter.ToArray(dataSet, context.TransferSyntax), _fragmentLength);
        }
    }

    private async Task<bool> SendMessageAsync(AcceptedContext context, CommandSet command, DataSet? dataSet = null)
    {
        WriteMessage(context, command, dataSet);
        await FlushAsync().ConfigureAwait(false);
        return true;
    }

    private async Task SendDataSetAsync(AcceptedContext context, ReadOnlySequence<byte> dataSet)
    {
        int unsent = 0;
        do
        {
            ReadOnlySequence<byte> fragment = dataSet.Slice(0, Math.Min(_fragmentLength, dataSet.Length));
            dataSet = dataSet.Slice(fragment.End);
            MessageWriter.WriteFragment(_channel.Output, context.ID, isCommand: false, dataSet.IsEmpty, fragment);
            unsent += (int)fragment.Length;
            if (unsent >= SendThreshold || dataSet.IsEmpty)
            {
                await FlushAsync().ConfigureAwait(false);
                unsent = 0;
            }
        }
        while (!dataSet.IsEmpty);
    }

    private async Task SendDataSetAsync(AcceptedContext context, ByteSource dataSet)
    {
        int unsent = 0;
        long offset = 0;
        do
        {
            int length = (int)Math.Min(_fragmentLength, dataSet.Length - offset);
            offset += MessageWriter.WriteFragment(_channel.Output, context.ID, offset + length == dataSet.Length, dataSet, offset, length);
            unsent += length;
            if (unsent >= SendThreshold || offset == dataSet.Length)
            {
                await FlushAsync().ConfigureAwait(false);
                unsent = 0;
            }
        }
        while (offset < dataSet.Length);
    }

    private async ValueTask<(AcceptedContext Context, PresentationDataValue Value)> NextValueAsync(CancellationToken cancellationToken)
    {
        PresentationDataValue value;
        while (!PresentationDataValue.TryTake(ref _items, out value))
        {
            var data = (PDataTf)await NextPduAsync(cancellationToken).ConfigureAwait(false);
            _items = data.Items;
        }

        AcceptedContext context = _contexts.Find(c => c.ID == value.ContextID) ?? throw new DimseProtocolException(
            $"Presentation context {value.ContextID} was not accepted.", AbortReason.UnexpectedPduParameter);
        return (context, value);
    }

    private async Task<(AcceptedContext Context, CommandSet Command)> NextCommandAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            (AcceptedContext context, PresentationDataValue value) = await NextValueAsync(cancellationToken).ConfigureAwait(false);
            if (!value.IsCommand)
            {
                throw new DimseProtocolException("A data set that no command announced.", AbortReason.UnexpectedPduParameter);
            }

            if (_assembler.Append(value) is { } command)
            {
                return (context, command);
            }
        }
    }

    /// <summary>The response to a message of ours, and its data set when it has one.</summary>
    private async Task<(CommandSet Response, DataSet? DataSet)> NextResponseAsync(CommandSet request, CancellationToken cancellationToken)
    {
        (AcceptedContext context, CommandSet response) = await NextCommandAsync(cancellationToken).ConfigureAwait(false);
        RequireResponse(request, response);
        return (response, response.HasDataSet ? await ReadDataSetAsync(context, cancellationToken).ConfigureAwait(false) : null);
    }

    private static void RequireResponse(CommandSet request, CommandSet response)
    {
        if ((ushort)response.Field != ((ushort)request.Field | 0x8000) || response.MessageIDBeingRespondedTo != request.MessageID)
        {
            throw new DimseProtocolException(
                $"Command {(ushort)response.Field:X4}H to message {response.MessageIDBeingRespondedTo}, where a response to {request.MessageID} was due.");
        }
    }

    private Task<DataSet> ReadDataSetAsync(AcceptedContext context, CancellationToken cancellationToken) =>
        ReadDataSetAsync(context, _limits.MaxIdentifierLength, cancellationToken);

    private async Task<DataSet> ReadDataSetAsync(AcceptedContext context, int most, CancellationToken cancellationToken)
    {
        var bytes = new ArrayBufferWriter<byte>();
        PresentationDataValue value;
        do
        {
            value = await NextDataSetValueAsync(context, cancellationToken).ConfigureAwait(false);
            if (bytes.WrittenCount + value.Fragment.Length > most)
            {
                throw new DimseProtocolException($"An identifier of more than {most} bytes.");
            }

            foreach (ReadOnlyMemory<byte> part in value.Fragment)
            {
                bytes.Write(part.Span);
            }
        }
        while (!value.IsLast);

        try
        {
            return DataSetReader.Read(bytes.WrittenMemory, context.TransferSyntax, new DicomReadOptions { MaxInflatedLength = most });
        }
        catch (DicomContentException e)
        {
            throw new DimseProtocolException("The identifier of a response cannot be read.", e);
        }
    }

    private async ValueTask<PresentationDataValue> NextDataSetValueAsync(AcceptedContext context, CancellationToken cancellationToken)
    {
        (AcceptedContext at, PresentationDataValue value) = await NextValueAsync(cancellationToken).ConfigureAwait(false);
        return !value.IsCommand && at == context
            ? value
            : throw new DimseProtocolException("Something else where a data set was announced.", AbortReason.UnexpectedPduParameter);
    }
}
