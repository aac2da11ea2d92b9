namespace PacsStegoGateway.Dicom.Network;

public sealed partial class RequestorAssociation
{
    /// <summary>N-ACTION, such as a request for storage commitment. A refusal is a response, not an exception.</summary>
    /// <exception cref="AssociationException">The SOP class was not accepted, or the association failed.</exception>
    public Task<NormalizedResponse> ActionAsync(string sopClassUID, string sopInstanceUID, ushort actionTypeID, DataSet? information,
        CancellationToken cancellationToken) =>
        AskAsync(sopClassUID, id => CommandSet.Action(id, sopClassUID, sopInstanceUID, actionTypeID, information is not null), information, cancellationToken);

    /// <summary>
    /// N-EVENT-REPORT, such as the result of a storage commitment: the context must have been proposed with
    /// <see cref="ProposedContext.ScpRole"/>, because the SCP reports.
    /// </summary>
    /// <exception cref="AssociationException">The SOP class was not accepted, or the association failed.</exception>
    public Task<NormalizedResponse> EventReportAsync(string sopClassUID, string sopInstanceUID, ushort eventTypeID, DataSet? information,
        CancellationToken cancellationToken) =>
        AskAsync(sopClassUID, id => CommandSet.EventReport(id, sopClassUID, sopInstanceUID, eventTypeID, information is not null), information, cancellationToken);

    /// <summary>Waits for an N-EVENT-REPORT on this association and answers it: some SCPs report on the association they were asked on.</summary>
    /// <param name="answer">Looks at the report; what it throws ends the association.</param>
    /// <exception cref="AssociationException">Nothing came within the DIMSE timeout, or the association failed.</exception>
    public async Task<EventReportRequest> ReceiveEventReportAsync(
        Func<EventReportRequest, CancellationToken, ValueTask<NormalizedResponse>> answer, CancellationToken cancellationToken)
    {
        using Occupation occupation = Occupy();
        return await StepAsync(
            async () =>
            {
                (AcceptedContext context, CommandSet command) = await NextCommandAsync(cancellationToken).ConfigureAwait(false);
                if (command.Field != CommandField.NEventReportRq)
                {
                    throw new DimseProtocolException($"Command {(ushort)command.Field:X4}H where an N-EVENT-REPORT was due.");
                }

                var report = new EventReportRequest
                {
                    AffectedSOPClassUID = command.AffectedSOPClassUID,
                    AffectedSOPInstanceUID = command.AffectedSOPInstanceUID,
                    MessageID = command.MessageID ?? throw new DimseProtocolException("A request without (0000,0110) Message ID."),
                    EventTypeID = command.UInt16(Tags.EventTypeID) ?? 0,
                    Information = command.HasDataSet ? await ReadDataSetAsync(context, cancellationToken).ConfigureAwait(false) : null,
                    Association = _request,
                };
                NormalizedResponse response = await answer(report, cancellationToken).ConfigureAwait(false);
                await SendMessageAsync(context, command.Answer(response.Status, errorComment: response.ErrorComment)).ConfigureAwait(false);
                return report;
            }, cancellationToken).ConfigureAwait(false);
    }

    private async Task<NormalizedResponse> AskAsync(string sopClassUID, Func<ushort, CommandSet> create, DataSet? information, CancellationToken cancellationToken)
    {
        using Occupation occupation = Occupy();
        AcceptedContext context = ContextFor(sopClassUID);
        CommandSet request = create(NextMessageID());
        return await StepAsync(
            async () =>
            {
                await SendMessageAsync(context, request, information).ConfigureAwait(false);
                (CommandSet response, DataSet? reply) = await NextResponseAsync(request, cancellationToken).ConfigureAwait(false);
                return new NormalizedResponse(response.Status, reply, response.ErrorComment);
            }, cancellationToken).ConfigureAwait(false);
    }
}
