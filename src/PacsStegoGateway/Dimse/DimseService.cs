using System.Net;
using System.Runtime.CompilerServices;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Commitment;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Intake;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Retrieval;
using PacsStegoGateway.Security;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Dimse;

/// <summary>What every association shares.</summary>
public sealed record DimseRooms(
    LiveConfiguration Configuration, AssociationDoor Door, UserGate Users, AssociationSlots Slots, PendingConnections Pending, AwaitedInstances Awaited, InstanceIntake Intake,
    QueryService Query, MoveService Move, QueryViews Views, CommitmentService Commitment, GatewayStore Store);

/// <summary>One association: who calls, whether it may, and which room does the work.</summary>
public sealed partial class DimseService(
    DimseRooms rooms, PendingConnections.Entry pending, IPEndPoint? remote, PeerCertificate? certificate, ILogger<DimseService> logger)
    : IDimseServiceProvider
{
    private static readonly string[] Uncompressed =
        [TransferSyntax.ExplicitVRLittleEndian.UID, TransferSyntax.ImplicitVRLittleEndian.UID];

    private static readonly AssociationDecision UserRejected =
        new AssociationDecision.Rejected(RejectResult.Permanent, RejectSource.ServiceUser, RejectReason.NoReasonGiven);

    private static readonly AssociationDecision TemporaryCongestion =
        new AssociationDecision.Rejected(RejectResult.Transient, RejectSource.ServiceProviderPresentation, RejectReason.TemporaryCongestion);

    /// <summary>Uncompressed before lossless before lossy: of several in one context the one that loses and costs least.</summary>
    private static readonly string[] Decodable =
    [
        .. Uncompressed,
        .. PixelCodecs.TransferSyntaxUIDs
            .Select(TransferSyntax.Of)
            .Where(static t => PixelCodecs.Find(t) is { Unavailable: null })
            .OrderBy(static t => t.Lossy).ThenBy(static t => t.UID, StringComparer.Ordinal)
            .Select(static t => t.UID),
    ];

    /// <summary>Contexts are negotiated by the configuration that was in effect when the connection came.</summary>
    private readonly ListenOptions _listen = rooms.Configuration.Current.Options.Listen;

    private readonly string _remote = remote?.Address.ToString() ?? "";
    private Caller? _caller;

    /// <summary>Who was negotiated, believed or not; null when nobody was asked for.</summary>
    private string? _user;

    /// <summary>
    /// The caller with the rights it has now: whoever lost them in the configuration meanwhile loses them here at once, without
    /// losing the association.
    /// </summary>
    private Caller? Present => _caller is { } caller
        && rooms.Configuration.Current.Access.Find(caller.AETitle, remote?.Address, certificate) is { } present && present.Knows(_user)
        ? present
        : null;

    private IReadOnlyList<string> StorageSyntaxes => _listen.TransferSyntaxes.Count > 0 ? _listen.TransferSyntaxes : Decodable;

    public async ValueTask<AssociationDecision> NegotiateAsync(AssociationRequest request, CancellationToken cancellationToken)
    {
        AssociationDecision decision = await DecideAsync(request, cancellationToken);
        bool rejected = decision is AssociationDecision.Rejected;
        try
        {
            if (decision is AssociationDecision.Rejected { Result: RejectResult.Transient })
            {
                await RecordLimitAsync(request.CallingAETitle, AuditEvent.AssociationRejected, ((AssociationDecision.Rejected)decision).Reason);
                return decision;
            }

            await AuditAsync(request.CallingAETitle, new AuditRecord(
                rejected ? AuditEvent.AssociationRejected : AuditEvent.AssociationAccepted,
                rejected ? AuditOutcome.MinorFailure : AuditOutcome.Success)
            {
                Reason = rejected ? ((AssociationDecision.Rejected)decision).Reason.ToString() : null,
            });
            if (!rejected)
            {
                pending.Dispose();
            }

            return decision;
        }
        catch (StoreUnavailableException e)
        {
            // What cannot be recorded is not done; the caller may come again.
            LogStoreAway(logger, e);
            LeaveSlot();
            return rejected
                ? decision
                : TemporaryCongestion;
        }
    }

    public ContextAnswer AcceptTransferSyntax(string abstractSyntax, IReadOnlyList<string> proposed)
    {
        switch (abstractSyntax)
        {
            case SopClasses.Verification:
            case SopClasses.PatientRootFind or SopClasses.StudyRootFind or SopClasses.PatientRootMove or SopClasses.StudyRootMove
                or SopClasses.PatientRootGet or SopClasses.StudyRootGet or SopClasses.StorageCommitment:
                return ContextAnswer.FirstOf(Uncompressed, proposed);
            case var _ when IsStorage(abstractSyntax):
                // What the PACS gives back, it gives in whatever it has: pixels that it changed are found out later.
                return ContextAnswer.FirstOf(_caller is { IsPacs: true } ? [.. StorageSyntaxes, .. proposed] : StorageSyntaxes, proposed);
            default:
                return ContextAnswer.AbstractSyntaxNotSupported;
        }
    }

    /// <summary>
    /// Who may retrieve may be SCP of storage: C-GET gives objects on the caller's own association. A destination that reports
    /// commitment is SCP of that.
    /// </summary>
    public RoleSelection AcceptRole(RoleSelection proposed) => _caller is { } caller
        && (proposed.SOPClassUID == SopClasses.StorageCommitment
            ? caller.ReportsFor.Count > 0
            : FindView(caller, Operation.RetrieveOriginals, Operation.RetrievePseudonyms) is not null && IsStorage(proposed.SOPClassUID))
        ? proposed
        : proposed with { ScpRole = false };

    public ValueTask<DimseStatus> EchoAsync(CancellationToken cancellationToken) => ValueTask.FromResult(DimseStatus.Success);

    public async ValueTask<StoreResponse> StoreAsync(StoreRequest request, CancellationToken cancellationToken)
    {
        Caller? caller = Present;
        if (caller is { IsPacs: true } && rooms.Awaited.Find(request.AffectedSOPInstanceUID) is { } onInstance)
        {
            return await onInstance(request, cancellationToken);
        }

        if (caller?.May(Operation.Store) != true)
        {
            await AuditAsync(request.Association.CallingAETitle, new AuditRecord(AuditEvent.ReceiveRefused, AuditOutcome.SeriousFailure)
            {
                Reason = nameof(RefusalReason.NotAuthorized),
            });
            return RefusalStatus.ResponseOf(RefusalReason.NotAuthorized);
        }

        IntakeOutcome outcome = await rooms.Intake.AcceptAsync(
            new IntakeRequest(request.AffectedSOPClassUID, request.AffectedSOPInstanceUID, request.TransferSyntaxUID,
                request.DataSet, request.Association.CallingAETitle, _remote) { CalledAE = request.Association.CalledAETitle },
            cancellationToken);
        return outcome is IntakeOutcome.Refused refused
            ? RefusalStatus.ResponseOf(refused.Reason, refused.OffendingElement)
            : StoreResponse.Success;
    }

    public async IAsyncEnumerable<FindResponse> FindAsync(QueryRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (FindRetriever(request, Operation.QueryOriginals, Operation.QueryPseudonyms) is not { } caller)
        {
            await AuditAsync(request.Association.CallingAETitle, new AuditRecord(AuditEvent.QueryRefused, AuditOutcome.SeriousFailure)
            {
                Reason = nameof(RefusalReason.NotAuthorized),
            });
            yield return new FindResponse(DimseStatus.NotAuthorized, null, RefusalStatus.CommentOf(RefusalReason.NotAuthorized));
            yield break;
        }

        if (!rooms.Door.MayQuery(request.Association.CallingAETitle))
        {
            await RecordLimitAsync(request.Association.CallingAETitle, AuditEvent.QueryRefused);
            yield return new FindResponse(DimseStatus.OutOfResources, null, RefusalStatus.TooManyRequests);
            yield break;
        }

        await foreach (FindResponse response in rooms.Query.FindAsync(request, caller, cancellationToken))
        {
            yield return response;
        }
    }

    public IAsyncEnumerable<MoveResponse> MoveAsync(MoveRequest request, CancellationToken cancellationToken) =>
        RetrieveAsync(request, caller => rooms.Move.MoveAsync(request, caller, cancellationToken));

    public IAsyncEnumerable<MoveResponse> GetAsync(GetRequest request, CancellationToken cancellationToken) =>
        RetrieveAsync(request, caller => rooms.Move.GetAsync(request, caller, cancellationToken));

    private async IAsyncEnumerable<MoveResponse> RetrieveAsync(QueryRequest request, Func<RetrievalCaller, IAsyncEnumerable<MoveResponse>> retrieve)
    {
        if (FindRetriever(request, Operation.RetrieveOriginals, Operation.RetrievePseudonyms) is not { } caller)
        {
            await AuditAsync(request.Association.CallingAETitle, new AuditRecord(AuditEvent.RetrieveRefused, AuditOutcome.SeriousFailure)
            {
                Reason = nameof(RefusalReason.NotAuthorized),
            });
            yield return new MoveResponse(DimseStatus.NotAuthorized) { ErrorComment = RefusalStatus.CommentOf(RefusalReason.NotAuthorized) };
            yield break;
        }

        if (!rooms.Door.MayRetrieve(request.Association.CallingAETitle))
        {
            await RecordLimitAsync(request.Association.CallingAETitle, AuditEvent.RetrieveRefused);
            // PS3.4 C.4.2.1.5: this one of the two of a lack of room, because no sub-operation was tried.
            yield return new MoveResponse(DimseStatus.UnableToCalculateNumberOfMatches) { ErrorComment = RefusalStatus.TooManyRequests };
            yield break;
        }

        await foreach (MoveResponse response in retrieve(caller))
        {
            yield return response;
        }
    }

    public async ValueTask<NormalizedResponse> ActionAsync(ActionRequest request, CancellationToken cancellationToken) =>
        Present?.May(Operation.RequestCommitment) == true
            ? await rooms.Commitment.RequestAsync(request, _remote)
            : await RefuseCommitmentAsync(request.Association);

    public async ValueTask<NormalizedResponse> EventReportAsync(EventReportRequest request, CancellationToken cancellationToken) =>
        Present is { ReportsFor: { Count: > 0 } destinations }
            ? await rooms.Commitment.ReportAsync(request, destinations, _remote)
            : await RefuseCommitmentAsync(request.Association);

    private async Task<NormalizedResponse> RefuseCommitmentAsync(AssociationRequest association)
    {
        await AuditAsync(association.CallingAETitle, new AuditRecord(AuditEvent.CommitmentFailed, AuditOutcome.SeriousFailure)
        {
            Reason = nameof(RefusalReason.NotAuthorized),
        });
        return new NormalizedResponse(DimseStatus.NotAuthorized, null, RefusalStatus.CommentOf(RefusalReason.NotAuthorized));
    }

    // The type alone: a message may quote what a peer sent.
    public void Faulted(string operation, Exception exception) => LogFaulted(logger, operation, _caller?.AETitle ?? "", exception.GetType().Name);

    public async ValueTask EndedAsync(AssociationEnd end)
    {
        string caller = LeaveSlot() ?? "";
        if (end.Kind == AssociationEndKind.NotDicom)
        {
            LogNotDicom(logger, _remote, end.Detail);
        }
        else
        {
            LogEnded(logger, caller, _remote, end.Kind, end.Detail, end.BytesReceived);
        }

        if (end.Kind is AssociationEndKind.AbortedByPeer or AssociationEndKind.AbortedHere or AssociationEndKind.ConnectionLost
            or AssociationEndKind.TimedOut or AssociationEndKind.NotDicom or AssociationEndKind.IntegrityLost)
        {
            try
            {
                await AuditAsync(caller, new AuditRecord(AuditEvent.AssociationAborted,
                    end.Kind == AssociationEndKind.IntegrityLost ? AuditOutcome.SeriousFailure : AuditOutcome.MinorFailure) { Reason = end.Kind.ToString() });
            }
            catch (StoreUnavailableException e)
            {
                LogStoreAway(logger, e);
            }
        }
    }

    private async Task<AssociationDecision> DecideAsync(AssociationRequest request, CancellationToken cancellationToken)
    {
        if (!rooms.Door.MayKnock(remote?.Address, request.CallingAETitle))
        {
            return TemporaryCongestion;
        }

        AssociationDecision decision = Identify(request, out Caller? caller);
        if (caller is not null && decision is AssociationDecision.Accepted)
        {
            UserDecision user = await rooms.Users.AdmitAsync(caller.Users, request.UserIdentity, cancellationToken);
            _user = user.User;
            // PS3.7 D.3.3.7.1: one that is not believed is rejected; an answer is sent only where one was looked at.
            decision = !user.IsAdmitted ? UserRejected
                : caller.Users.Count > 0 ? new AssociationDecision.Accepted { UserIdentityResponse = ReadOnlyMemory<byte>.Empty }
                : decision;
        }

        if (decision is AssociationDecision.Rejected)
        {
            rooms.Door.Rejected(remote?.Address, request.CallingAETitle);
            return decision;
        }

        rooms.Door.Admitted(remote?.Address, request.CallingAETitle);
        if (!rooms.Door.MayEnter(caller!.AETitle))
        {
            return TemporaryCongestion;
        }

        if (!rooms.Slots.TryEnter(caller.AETitle, request.PresentationContexts.All(static c => c.AbstractSyntax == SopClasses.Verification)))
        {
            return AssociationDecision.LocalLimitExceeded;
        }

        _caller = caller;
        return (AssociationDecision.Accepted)decision with { ExtendedNegotiations = QueryIdentifier.Negotiate(request) };
    }

    private AssociationDecision Identify(AssociationRequest request, out Caller? caller)
    {
        AccessPolicy access = rooms.Configuration.Current.Access;
        caller = null;
        if (!access.IsOurs(request.CalledAETitle))
        {
            return AssociationDecision.CalledAETitleNotRecognized;
        }

        caller = access.Find(request.CallingAETitle, remote?.Address, certificate);
        return caller is null ? AssociationDecision.CallingAETitleNotRecognized : AssociationDecision.Accept;
    }

    /// <summary>Both roles give the original view; null: it may not.</summary>
    private QueryView? FindView(Caller caller, Operation originals, Operation pseudonyms) =>
        caller.May(originals) ? rooms.Views.Original
        : caller.May(pseudonyms) && rooms.Configuration.Current.Options.Retrieval.Readers == ReaderView.Pseudonyms ? rooms.Views.Pseudonymous
        : null;

    /// <summary>The caller, by its present rights, as one who asks for objects; null when it may not.</summary>
    private RetrievalCaller? FindRetriever(QueryRequest request, Operation originals, Operation pseudonyms) =>
        Present is { } caller && FindView(caller, originals, pseudonyms) is { } view
            ? new RetrievalCaller(caller.AETitle, _remote, view)
            {
                User = _user ?? (request.Association.UserIdentity?.UserName is { } stated ? $"{stated} (as stated)" : null),
                Purpose = caller.PurposeOfUse,
                MoveDestinations = caller.MoveDestinations,
            }
            : null;

    private bool IsStorage(string sopClassUID) =>
        SopClasses.IsStandardStorage(sopClassUID) || _listen.PrivateStorageClasses.Contains(sopClassUID);

    private string? LeaveSlot()
    {
        string? caller = _caller?.AETitle;
        if (caller is not null)
        {
            rooms.Slots.Leave(caller);
            _caller = null;
        }

        return caller;
    }

    /// <summary>A refusal by a limit: the first ones singly, then those that were not recorded as a number with the next.</summary>
    private async Task RecordLimitAsync(string callingAE, AuditEvent what, RejectReason? rejected = null)
    {
        if (rooms.Door.IsRecorded(remote?.Address, out int before))
        {
            await AuditAsync(callingAE, new AuditRecord(what, AuditOutcome.MinorFailure)
            {
                Reason = rejected?.ToString() ?? nameof(RefusalReason.OutOfResources),
                Detail = before == 0 ? "A limit was reached." : $"A limit was reached; {before} more refusals of this address were not recorded singly.",
            });
        }
    }

    private Task AuditAsync(string callingAE, AuditRecord record) =>
        rooms.Store.AppendAuditAsync(record with { CallingAE = callingAE, RemoteAddress = _remote, User = _user });

    [LoggerMessage(1001, LogLevel.Information, "Association of {CallingAE} from {Remote} ended: {Kind}. {Detail} {Bytes} bytes received.")]
    private static partial void LogEnded(ILogger logger, string callingAE, string remote, AssociationEndKind kind, string detail, long bytes);

    [LoggerMessage(1005, LogLevel.Warning, "A connection from {Remote} was closed. {Detail}")]
    private static partial void LogNotDicom(ILogger logger, string remote, string detail);

    [LoggerMessage(1002, LogLevel.Error, "{Operation} of {CallingAE} failed with {Type}.")]
    private static partial void LogFaulted(ILogger logger, string operation, string callingAE, string type);

    [LoggerMessage(1003, LogLevel.Error, "The database is away: the audit entry of an association cannot be written.")]
    private static partial void LogStoreAway(ILogger logger, Exception exception);
}
