namespace PacsStegoGateway.Dicom.Network;

internal sealed partial class AcceptorSession
{
    /// <summary>Below this a peer's maximum length leaves no room for a command in a bearable number of PDUs.</summary>
    internal const uint LeastPeerPduLength = 128;

    private readonly AcceptedContext?[] _contexts = new AcceptedContext?[256];
    private int _fragmentLength;

    /// <summary>SOP classes that the requestor was allowed to be SCP of: those that a C-GET may send.</summary>
    private readonly HashSet<string> _scpRoles = [];

    private sealed record AcceptedContext(byte ID, string AbstractSyntax, TransferSyntax TransferSyntax);

    private async Task NegotiateAsync(AssociateRq rq)
    {
        RefuseDoubleContexts(rq);
        _request = new AssociationRequest
        {
            CalledAETitle = rq.CalledAETitle,
            CallingAETitle = rq.CallingAETitle,
            RemoteEndPoint = _remote,
            PresentationContexts = rq.PresentationContexts,
            MaxPduLength = rq.UserInformation.MaxPduLength,
            ImplementationClassUID = rq.UserInformation.ImplementationClassUID,
            ImplementationVersionName = rq.UserInformation.ImplementationVersionName,
            UserIdentity = rq.UserInformation.UserIdentity,
            RoleSelections = rq.UserInformation.RoleSelections,
            ExtendedNegotiations = rq.UserInformation.ExtendedNegotiations,
            CommonExtendedNegotiations = rq.UserInformation.CommonExtendedNegotiations,
            AsynchronousOperationsWindow = rq.UserInformation.AsynchronousOperationsWindow,
        };
        AssociationDecision decision = RefuseByForm(rq) ?? await AskProviderAsync(_request).ConfigureAwait(false);
        if (decision is AssociationDecision.Rejected rejected)
        {
            End(AssociationEndKind.Rejected, $"Rejected: {rejected.Result}, {rejected.Source}, {rejected.Reason}.");
            Take(AssociationEvent.AssociateResponseReject);
            await SendAsync(new AssociateRj(rejected)).ConfigureAwait(false);
            return;
        }

        AssociateAc ac = Accept(rq, (AssociationDecision.Accepted)decision);
        Take(AssociationEvent.AssociateResponseAccept);
        await SendAsync(ac).ConfigureAwait(false);
    }

    /// <summary>What PS3.8 Table 9-21 has a reason for and needs nobody's opinion, in its order.</summary>
    private static AssociationDecision.Rejected? RefuseByForm(AssociateRq rq)
    {
        if ((rq.ProtocolVersion & 1) == 0)
        {
            return Permanent(RejectSource.ServiceProviderAcse, RejectReason.ProtocolVersionNotSupported);
        }

        if (rq.ApplicationContextName != PduWriter.DicomApplicationContextName)
        {
            return Permanent(RejectSource.ServiceUser, RejectReason.ApplicationContextNameNotSupported);
        }

        if (!IsAETitle(rq.CalledAETitle))
        {
            return Permanent(RejectSource.ServiceUser, RejectReason.CalledAETitleNotRecognized);
        }

        if (!IsAETitle(rq.CallingAETitle))
        {
            return Permanent(RejectSource.ServiceUser, RejectReason.CallingAETitleNotRecognized);
        }

        bool isHopeless = rq.PresentationContexts.Count == 0
            || rq.UserInformation.MaxPduLength is > 0 and < LeastPeerPduLength;
        return isHopeless ? Permanent(RejectSource.ServiceUser, RejectReason.NoReasonGiven) : null;

        static AssociationDecision.Rejected Permanent(RejectSource source, RejectReason reason) =>
            new(RejectResult.Permanent, source, reason);
    }

    /// <summary>PS3.5 6.2, AE: no control characters, no backslash, not only spaces.</summary>
    private static bool IsAETitle(string title) =>
        title.Length is > 0 and <= 16 && title.All(static c => c is >= ' ' and <= '~' and not '\\');

    private static void RefuseDoubleContexts(AssociateRq rq)
    {
        var seen = new bool[256];
        foreach (ProposedContext context in rq.PresentationContexts)
        {
            if (seen[context.ID])
            {
                throw new DimseProtocolException($"Presentation context ID {context.ID} is proposed twice.", AbortReason.InvalidPduParameterValue);
            }

            seen[context.ID] = true;
        }
    }

    private async Task<AssociationDecision> AskProviderAsync(AssociationRequest request)
    {
        try
        {
            return await _provider.NegotiateAsync(request, _lost.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _provider.Faulted("A-ASSOCIATE", e);
            return new AssociationDecision.Rejected(RejectResult.Transient, RejectSource.ServiceProviderPresentation, RejectReason.TemporaryCongestion);
        }
    }

    private RoleSelection AcceptRole(RoleSelection proposed)
    {
        RoleSelection answer = _provider.AcceptRole(proposed);
        return proposed with { ScuRole = proposed.ScuRole && answer.ScuRole, ScpRole = proposed.ScpRole && answer.ScpRole };
    }

    private AssociateAc Accept(AssociateRq rq, AssociationDecision.Accepted decision)
    {
        List<AnsweredContext> answers = [];
        foreach (ProposedContext proposed in rq.PresentationContexts)
        {
            ContextAnswer answer = _provider.AcceptTransferSyntax(proposed.AbstractSyntax, proposed.TransferSyntaxes);
            if (answer.Result == PresentationContextResult.Acceptance)
            {
                _contexts[proposed.ID] = new AcceptedContext(proposed.ID, proposed.AbstractSyntax, TransferSyntax.Of(answer.TransferSyntax));
            }

            // In a refused context the transfer syntax is not significant, but some peers expect the item: the first proposed.
            answers.Add(new AnsweredContext(proposed.ID, answer.Result,
                answer.Result == PresentationContextResult.Acceptance ? answer.TransferSyntax : proposed.TransferSyntaxes[0]));
        }

        _fragmentLength = PduWriter.FragmentLength(rq.UserInformation.MaxPduLength, MessageWriter.MostUseful);
        List<RoleSelection> roles = [.. rq.UserInformation.RoleSelections.Select(AcceptRole)];
        _scpRoles.UnionWith(roles.Where(static r => r.ScpRole).Select(static r => r.SOPClassUID));
        return new AssociateAc
        {
            CalledAETitle = rq.CalledAETitle,
            CallingAETitle = rq.CallingAETitle,
            PresentationContexts = answers,
            UserInformation = new UserInformation
            {
                MaxPduLength = _limits.MaxPduLength,
                ImplementationClassUID = FileMeta.ImplementationClassUID,
                ImplementationVersionName = FileMeta.ImplementationVersionName,

                RoleSelections = roles,

                // One operation at a time; said only to who asked, because older peers stumble over items they did not send.
                AsynchronousOperationsWindow = rq.UserInformation.AsynchronousOperationsWindow is null ? null : new AsynchronousOperationsWindow(1, 1),
                ExtendedNegotiations = decision.ExtendedNegotiations,
                UserIdentityResponse = rq.UserInformation.UserIdentity is { PositiveResponseRequested: true } ? decision.UserIdentityResponse : null,
            },
        };
    }
}
