namespace PacsStegoGateway.Dicom.Network;

public sealed partial class RequestorAssociation
{
    /// <summary>Reports before an answer, after which a peer only keeps us busy.</summary>
    private const int MaxReportsFirst = 16;

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

    /// <summary>
    /// Answers an N-EVENT-REPORT that comes while we wait for the answer to an N-ACTION: some SCPs report first. Null: such a
    /// report is a violation of the protocol.
    /// </summary>
    public Func<EventReportRequest, CancellationToken, ValueTask<NormalizedResponse>>? OnEventReport { get; set; }

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
                return await TakeReportAsync(context, command, answer, cancellationToken).ConfigureAwait(false);
            }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same for a limited time, after which the association can still be used.</summary>
    /// <param name="longest">Until the first bytes of a report; after them the DIMSE timeout holds.</param>
    /// <returns>Null when none came.</returns>
    /// <exception cref="AssociationException">The association failed, or the peer released it.</exception>
    public async Task<EventReportRequest?> ReceiveEventReportAsync(TimeSpan longest,
        Func<EventReportRequest, CancellationToken, ValueTask<NormalizedResponse>> answer, CancellationToken cancellationToken)
    {
        using Occupation occupation = Occupy();
        using var over = new CancellationTokenSource(longest, _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, over.Token);
        return await StepAsync(
            async () =>
            {
                (AcceptedContext Context, CommandSet Command) received;
                try
                {
                    received = await NextCommandAsync(limit.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    if (!_assembler.IsUnderWay && !_channel.IsPduUnderWay)
                    {
                        return null;
                    }

                    received = await NextCommandAsync(cancellationToken).ConfigureAwait(false);
                }

                return await TakeReportAsync(received.Context, received.Command, answer, cancellationToken).ConfigureAwait(false);
            }, limit.Token).ConfigureAwait(false);
    }

    private async Task<EventReportRequest> TakeReportAsync(AcceptedContext context, CommandSet command,
        Func<EventReportRequest, CancellationToken, ValueTask<NormalizedResponse>> answer, CancellationToken cancellationToken)
    {
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
            Information = command.HasDataSet
                ? await ReadDataSetAsync(context, _limits.MaxInformationLength, cancellationToken).ConfigureAwait(false)
                : null,
            Association = _request,
        };
        NormalizedResponse response = await answer(report, cancellationToken).ConfigureAwait(false);
        await SendMessageAsync(context, command.Answer(response.Status, errorComment: response.ErrorComment)).ConfigureAwait(false);
        return report;
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
                for (int reports = 0; ; reports++)
                {
                    (AcceptedContext at, CommandSet command) = await NextCommandAsync(cancellationToken).ConfigureAwait(false);
                    if (command.Field != CommandField.NEventReportRq || OnEventReport is not { } answer || reports == MaxReportsFirst)
                    {
                        RequireResponse(request, command);
                        DataSet? reply = command.HasDataSet
                            ? await ReadDataSetAsync(at, cancellationToken).ConfigureAwait(false)
                            : null;
                        return new NormalizedResponse(command.Status, reply, command.ErrorComment);
                    }

                    await TakeReportAsync(at, command, answer, cancellationToken).ConfigureAwait(false);
                }
            }, cancellationToken).ConfigureAwait(false);
    }
}
