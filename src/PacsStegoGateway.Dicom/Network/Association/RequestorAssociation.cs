using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>
/// The requestor's side of one association: connects, proposes, and asks one operation at a time. Not thread-safe; a second
/// operation before the end of the first is an <see cref="InvalidOperationException"/>.
/// </summary>
/// <remarks>
/// After any exception but <see cref="AssociationFailure.OperationFailed"/> and <see cref="AssociationFailure.NoPresentationContext"/>
/// the association is of no more use. Disposing without <see cref="ReleaseAsync"/> sends A-ABORT.
/// </remarks>
public sealed partial class RequestorAssociation : IStoreTarget, IEventReportTarget, IAsyncDisposable
{
    private static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(1);

    private readonly Stream _connection;
    private readonly PduChannel _channel;
    private readonly AssociationLimits _limits;
    private readonly TimeProvider _time;
    private readonly AssociationStateMachine _machine = new(isRequestor: true);
    private readonly CommandAssembler _assembler;
    private readonly DataSetPipe _dataSet;
    private readonly List<AcceptedContext> _contexts = [];

    private AssociationRequest _request;
    private ReadOnlySequence<byte> _items;
    private int _fragmentLength;
    private long _stateEntered;
    private ushort _lastMessageID;
    private int _isBusy;
    private bool _isBroken;
    private bool _isHasty;

    private sealed record AcceptedContext(byte ID, string AbstractSyntax, TransferSyntax TransferSyntax);

    private RequestorAssociation(Stream connection, AssociationRequest request, AssociationLimits limits, TimeProvider time)
    {
        _connection = connection;
        _request = request;
        _limits = limits;
        _time = time;
        _assembler = new CommandAssembler(limits.MaxCommandSetLength);
        _dataSet = new DataSetPipe(limits.MaxDataSetLength);
        _channel = new PduChannel(new StreamTransport(connection), limits, time, Patience);
        _stateEntered = time.GetTimestamp();
        Take(AssociationEvent.AssociateRequestPrimitive);
        Take(AssociationEvent.TransportConnectConfirmation);
    }

    /// <summary>Longest PDU the peer receives, in bytes; 0 = no limit.</summary>
    public uint PeerMaxPduLength { get; private set; }

    public string PeerImplementationClassUID { get; private set; } = "";

    public string? PeerImplementationVersionName { get; private set; }

    /// <summary>The peer's answer to <see cref="PeerAddress.UserIdentity"/>; null when it gave none, and then it may have ignored it.</summary>
    public ReadOnlyMemory<byte>? UserIdentityResponse { get; private set; }

    /// <summary>The peer's answers to <see cref="PeerAddress.ExtendedNegotiations"/>.</summary>
    public IReadOnlyList<ExtendedNegotiation> ExtendedNegotiations { get; private set; } = [];

    /// <summary>The roles that the peer agreed to; a class without an answer has the default ones, we SCU and it SCP.</summary>
    public IReadOnlyList<RoleSelection> RoleSelections { get; private set; } = [];

    /// <summary>False once it is released, aborted or lost.</summary>
    public bool IsEstablished => !_isBroken && _machine.State == AssociationState.Sta6DataTransfer;

    /// <summary>Connects and negotiates.</summary>
    /// <param name="contexts">1 to 128. One transfer syntax in each leaves the choice to us when we store: a context has
    /// only one accepted transfer syntax.</param>
    /// <exception cref="AssociationException">Nobody there, rejected, aborted, or nothing said for the ARTIM timeout.</exception>
    public static Task<RequestorAssociation> ConnectAsync(PeerAddress peer, IReadOnlyList<ProposedContext> contexts,
        AssociationLimits limits, CancellationToken cancellationToken) =>
        ConnectAsync(peer, contexts, limits, TimeProvider.System, cancellationToken);

    /// <inheritdoc cref="ConnectAsync(PeerAddress, IReadOnlyList{ProposedContext}, AssociationLimits, CancellationToken)"/>
    /// <param name="time">Measures every timeout but that of the connection.</param>
    public static async Task<RequestorAssociation> ConnectAsync(PeerAddress peer, IReadOnlyList<ProposedContext> contexts,
        AssociationLimits limits, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfZero(contexts.Count, nameof(contexts));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(contexts.Count, 128, nameof(contexts));
        ArgumentOutOfRangeException.ThrowIfZero(peer.CalledAETitle.Length, nameof(peer));
        ArgumentOutOfRangeException.ThrowIfZero(peer.CallingAETitle.Length, nameof(peer));
        var request = new AssociationRequest
        {
            CalledAETitle = peer.CalledAETitle,
            CallingAETitle = peer.CallingAETitle,
            PresentationContexts = [.. contexts.Select(static (c, i) => c with { ID = (byte)((2 * i) + 1) })],
            MaxPduLength = limits.MaxPduLength,
            ImplementationClassUID = FileMeta.ImplementationClassUID,
            ImplementationVersionName = FileMeta.ImplementationVersionName,
            RoleSelections = [.. contexts.Where(static c => c.ScpRole).Select(static c => c.AbstractSyntax).Distinct()
                // Who reports about commitment is its SCP and nothing else (PS3.4 J.3.3); who gets objects by C-GET stays SCU.
                .Select(static uid => new RoleSelection(uid, ScuRole: uid != SopClasses.StorageCommitment, ScpRole: true))],
            UserIdentity = peer.UserIdentity,
            ExtendedNegotiations = peer.ExtendedNegotiations,
        };
        Socket socket = await ConnectSocketAsync(peer, cancellationToken).ConfigureAwait(false);
        IPEndPoint? remote = RemoteEndPointOf(socket);
        Stream connection = await SecureAsync(socket, peer, cancellationToken).ConfigureAwait(false);
        var association = new RequestorAssociation(connection, request with { RemoteEndPoint = remote }, limits, time);
        try
        {
            await association.StepAsync(() => association.NegotiateAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
            return association;
        }
        catch
        {
            await association.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Null when the peer has closed the connection again already: whoever writes or reads next is told why.</summary>
    private static IPEndPoint? RemoteEndPointOf(Socket socket)
    {
        try
        {
            return socket.RemoteEndPoint as IPEndPoint;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>True when a context with this pair was accepted.</summary>
    public bool Accepts(string abstractSyntax, string transferSyntax) =>
        _contexts.Any(c => c.AbstractSyntax == abstractSyntax && c.TransferSyntax.UID == transferSyntax);

    /// <summary>A-RELEASE. When both sides ask at once, PS3.8 7.2.3 says who answers first.</summary>
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        using Occupation occupation = Occupy();
        await StepAsync(
            async () =>
            {
                Take(AssociationEvent.ReleaseRequestPrimitive);
                await SendAsync(new ReleaseRq()).ConfigureAwait(false);
                while (await NextPduAsync(cancellationToken).ConfigureAwait(false) is not ReleaseRp)
                {
                    // AR-6: data that crossed our request answers nothing any more.
                }

                return true;
            }, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (AssociationStateMachine.Find(_machine.State, AssociationEvent.AbortRequestPrimitive) is not null)
        {
            Take(AssociationEvent.AbortRequestPrimitive);
            await TrySendAbortAsync(Abort.ServiceUser, AbortReason.NotSpecified).ConfigureAwait(false);
        }

        _isBroken = true;
        await _dataSet.BreakOffAsync("The association was disposed.").ConfigureAwait(false);
        await (_connection is TlsStream secured ? secured.CloseAsync() : _connection.DisposeAsync()).ConfigureAwait(false);
        await _channel.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>A TLS 1.3 server refuses our certificate only after our handshake is over.</summary>
    private AssociationException Closed() => new(AssociationFailure.ConnectionLost, _channel.Failure is TlsException e
        ? e.Message
        : "The peer closed the connection.", _channel.Failure);

    private async Task<bool> NegotiateAsync(CancellationToken cancellationToken)
    {
        await SendAsync(new AssociateRq
        {
            CalledAETitle = _request.CalledAETitle,
            CallingAETitle = _request.CallingAETitle,
            PresentationContexts = _request.PresentationContexts,
            UserInformation = new UserInformation
            {
                MaxPduLength = _limits.MaxPduLength,
                ImplementationClassUID = FileMeta.ImplementationClassUID,
                ImplementationVersionName = FileMeta.ImplementationVersionName,
                RoleSelections = _request.RoleSelections,
                UserIdentity = _request.UserIdentity,
                ExtendedNegotiations = _request.ExtendedNegotiations,
            },
        }).ConfigureAwait(false);

        Pdu answer = await NextPduAsync(cancellationToken).ConfigureAwait(false);
        if (answer is AssociateRj rejection)
        {
            throw new AssociationException(rejection.ToRejected());
        }

        var ac = (AssociateAc)answer;
        foreach (AnsweredContext context in ac.PresentationContexts.Where(static c => c.Result == PresentationContextResult.Acceptance))
        {
            ProposedContext proposed = _request.PresentationContexts.FirstOrDefault(p => p.ID == context.ID)
                ?? throw new DimseProtocolException($"Presentation context {context.ID} is accepted but was not proposed.", AbortReason.UnexpectedPduParameter);
            _contexts.Add(proposed.TransferSyntaxes.Contains(context.TransferSyntax)
                ? new AcceptedContext(context.ID, proposed.AbstractSyntax, TransferSyntax.Of(context.TransferSyntax))
                : throw new DimseProtocolException("A transfer syntax is accepted that was not proposed.", AbortReason.InvalidPduParameterValue));
        }

        PeerMaxPduLength = ac.UserInformation.MaxPduLength;
        if (PeerMaxPduLength is > 0 and < AcceptorSession.LeastPeerPduLength)
        {
            throw new DimseProtocolException($"The peer receives PDUs of {PeerMaxPduLength} bytes only.", AbortReason.InvalidPduParameterValue);
        }

        PeerImplementationClassUID = ac.UserInformation.ImplementationClassUID;
        PeerImplementationVersionName = ac.UserInformation.ImplementationVersionName;
        UserIdentityResponse = ac.UserInformation.UserIdentityResponse;
        ExtendedNegotiations = ac.UserInformation.ExtendedNegotiations;
        RoleSelections = ac.UserInformation.RoleSelections;
        _fragmentLength = PduWriter.FragmentLength(PeerMaxPduLength, MessageWriter.MostUseful);
        return true;
    }

    /// <summary>The next PDU that the asker has to look at; release and abort by the peer are dealt with.</summary>
    private async ValueTask<Pdu> NextPduAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Received received = await _channel.ReadAsync().ConfigureAwait(false);
            switch (received.Kind)
            {
                case ReceivedKind.Closed:
                    Take(AssociationEvent.TransportClosed);
                    throw Closed();
                case ReceivedKind.TimedOut:
                    Take(AssociationEvent.AbortRequestPrimitive);
                    await TrySendAbortAsync(Abort.ServiceProvider, AbortReason.NotSpecified).ConfigureAwait(false);
                    throw new AssociationException(AssociationFailure.TimedOut, "The peer did not answer in time.");
                case ReceivedKind.Interrupted:
                    cancellationToken.ThrowIfCancellationRequested();
                    continue;
            }

            Pdu pdu = received.Pdu!;
            switch (Take(AssociationStateMachine.EventOf(pdu)))
            {
                case AssociationAction.AR8:
                    Take(AssociationEvent.ReleaseResponsePrimitive);
                    await SendAsync(new ReleaseRp()).ConfigureAwait(false);
                    continue;
                case AssociationAction.AR2:
                    Take(AssociationEvent.ReleaseResponsePrimitive);
                    await SendAsync(new ReleaseRp()).ConfigureAwait(false);
                    throw new AssociationException(AssociationFailure.Aborted, "The peer released the association instead of answering.");
                case AssociationAction.AA3:
                    throw new AssociationException(AssociationFailure.Aborted, pdu is Abort { Source: Abort.ServiceProvider } abort
                        ? $"The peer aborted: {(AbortReason)abort.Reason}."
                        : "The peer aborted.");
                case AssociationAction.AA8:
                    throw new DimseProtocolException($"An unexpected {pdu.GetType().Name} PDU.", AbortReason.UnexpectedPdu);
                default:
                    return pdu;
            }
        }
    }

    private async ValueTask SendAsync(Pdu pdu)
    {
        PduWriter.Write(pdu, _channel.Output);
        await FlushAsync().ConfigureAwait(false);
    }

    private async ValueTask FlushAsync()
    {
        try
        {
            await _channel.FlushAsync().ConfigureAwait(false);
        }
        catch (IOException e)
        {
            // The peer's A-ABORT may have come before its close was felt by our writing: it says more.
            _isHasty = true;
            Received last = await _channel.ReadAsync().ConfigureAwait(false);
            throw last.Pdu is Abort
                ? new AssociationException(AssociationFailure.Aborted, "The peer aborted.", e)
                : new AssociationException(AssociationFailure.ConnectionLost, e.Message, e);
        }
    }

    /// <summary>Runs a part of an operation; whatever leaves it makes the association useless.</summary>
    private async Task<T> StepAsync<T>(Func<Task<T>> step, CancellationToken cancellationToken)
    {
        try
        {
            await using (cancellationToken.UnsafeRegister(static s => ((RequestorAssociation)s!)._channel.Interrupt(), this).ConfigureAwait(false))
            {
                return await step().ConfigureAwait(false);
            }
        }
        catch (DimseProtocolException e)
        {
            _isBroken = true;
            if (_machine.State != AssociationState.Sta13AwaitingTransportClose)
            {
                Take(AssociationEvent.UnrecognizedOrInvalidPdu);
            }

            await TrySendAbortAsync(Abort.ServiceProvider, e.Reason).ConfigureAwait(false);
            throw new AssociationException(AssociationFailure.ProtocolViolation, e.Message, e);
        }
        catch
        {
            _isBroken = true;
            throw;
        }
    }

    private async ValueTask TrySendAbortAsync(byte source, AbortReason reason)
    {
        try
        {
            PduWriter.Write(new Abort(source, (byte)reason), _channel.Output);
            await _channel.FlushAsync().AsTask().WaitAsync(FarewellTimeout).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or TimeoutException or InvalidOperationException)
        {
            // The connection is closed next; the peer learns it from that.
        }
    }

    private Occupation Occupy()
    {
        if (_isBroken || _machine.State != AssociationState.Sta6DataTransfer)
        {
            throw new InvalidOperationException("The association is over.");
        }

        return Interlocked.Exchange(ref _isBusy, 1) == 0
            ? new Occupation(this)
            : throw new InvalidOperationException("Another operation is under way.");
    }

    private readonly struct Occupation(RequestorAssociation association) : IDisposable
    {
        public void Dispose() => Volatile.Write(ref association._isBusy, 0);
    }

    private AssociationAction Take(AssociationEvent evt)
    {
        AssociationState before = _machine.State;
        AssociationAction action = _machine.Take(evt);
        if (_machine.State != before)
        {
            _stateEntered = _time.GetTimestamp();
        }

        return action;
    }

    private TimeSpan Patience(bool pduHasBegun)
    {
        long since = _machine.State == AssociationState.Sta6DataTransfer ? _channel.QuietSince : _stateEntered;
        TimeSpan most = _isHasty ? FarewellTimeout
            : _machine.State == AssociationState.Sta6DataTransfer ? _limits.DimseTimeout
            : _limits.ArtimTimeout;
        return most - _time.GetElapsedTime(since);
    }
}
