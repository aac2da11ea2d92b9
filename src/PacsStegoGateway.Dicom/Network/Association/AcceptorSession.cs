using System.IO.Pipelines;
using System.Net;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>
/// One accepted connection. A single loop reads PDUs and takes them through the state machine; at most one operation of
/// the provider runs beside it, so that C-CANCEL, A-ABORT and a lost connection are seen while it works.
/// </summary>
internal sealed partial class AcceptorSession
{
    private readonly PduChannel _channel;
    private readonly IPEndPoint? _remote;
    private readonly IDimseServiceProvider _provider;
    private readonly AssociationLimits _limits;
    private readonly TimeProvider _time;
    private readonly CancellationToken _shutdown;
    private readonly AssociationStateMachine _machine = new(isRequestor: false);
    private readonly CancellationTokenSource _lost = new();
    private readonly SemaphoreSlim _writing = new(1, 1);

    private AssociationRequest? _request;
    private AssociationEndKind? _endKind;
    private string _endDetail = "";
    private long _stateEntered;
    private bool _isOver;

    public AcceptorSession(IDuplexPipe transport, IPEndPoint? remote, IDimseServiceProvider provider,
        AssociationLimits limits, TimeProvider time, CancellationToken shutdown)
    {
        _remote = remote;
        _provider = provider;
        _limits = limits;
        _time = time;
        _shutdown = shutdown;
        _assembler = new CommandAssembler(limits.MaxCommandSetLength);
        _dataSet = new DataSetPipe(limits.MaxDataSetLength);
        _stateEntered = time.GetTimestamp();
        _channel = new PduChannel(transport, limits, time, Patience);
    }

    public async Task RunAsync()
    {
        try
        {
            Take(AssociationEvent.TransportConnectIndication);
            await using (_shutdown.UnsafeRegister(static s => ((AcceptorSession)s!)._channel.Interrupt(), this).ConfigureAwait(false))
            {
                while (!_isOver)
                {
                    await StepAsync().ConfigureAwait(false);
                }
            }
        }
        catch (IOException e)
        {
            End(AssociationEndKind.ConnectionLost, e.Message);
        }
        catch (Exception e)
        {
            _provider.Faulted("association", e);
            End(AssociationEndKind.AbortedHere, "Unexpected failure.");
        }
        finally
        {
            await BreakOffOperationAsync("The association has ended.").ConfigureAwait(false);
            await _channel.DisposeAsync().ConfigureAwait(false);
            _writing.Dispose();
            _lost.Dispose();
            await _provider.EndedAsync(new AssociationEnd(_endKind ?? AssociationEndKind.ConnectionLost, _endDetail, _request,
                _channel.BytesReceived)).ConfigureAwait(false);
        }
    }

    private async Task StepAsync()
    {
        try
        {
            if (_shutdown.IsCancellationRequested && await ShutDownAsync().ConfigureAwait(false))
            {
                return;
            }

            Received received = await _channel.ReadAsync().ConfigureAwait(false);
            switch (received.Kind)
            {
                case ReceivedKind.Pdu:
                    await OnPduAsync(received.Pdu!).ConfigureAwait(false);
                    break;
                case ReceivedKind.Closed:
                    OnClosed();
                    break;
                case ReceivedKind.TimedOut:
                    await OnTimeoutAsync().ConfigureAwait(false);
                    break;
                default:
                    ThrowWhatTheOperationLeft();
                    break;
            }
        }
        catch (DimseProtocolException e)
        {
            await OnViolationAsync(e).ConfigureAwait(false);
        }
    }

    private async Task OnPduAsync(Pdu pdu)
    {
        switch (Take(AssociationStateMachine.EventOf(pdu)))
        {
            case AssociationAction.AE6:
                await NegotiateAsync((AssociateRq)pdu).ConfigureAwait(false);
                break;
            case AssociationAction.DT2:
                await OnDataAsync((PDataTf)pdu).ConfigureAwait(false);
                break;
            case AssociationAction.AR2:
                if (_operation is { IsGet: true, IsAnswered: false })
                {
                    // Nobody will answer its sub-operations any more.
                    await BreakOffOperationAsync("The requestor released in the middle of a C-GET.").ConfigureAwait(false);
                }

                await FinishOperationAsync().ConfigureAwait(false);
                await ReleaseAsync().ConfigureAwait(false);
                break;
            case AssociationAction.AR3:
                End(AssociationEndKind.Released, "Released by us.");
                _isOver = true;
                break;
            case AssociationAction.AR10:
                await ReleaseAsync().ConfigureAwait(false);
                break;
            case AssociationAction.AA2 or AssociationAction.AA3:
                End(AssociationEndKind.AbortedByPeer, pdu is Abort { Source: Abort.ServiceProvider } abort
                    ? $"A-ABORT by the service provider, {(AbortReason)abort.Reason}."
                    : "A-ABORT by the service user.");
                _isOver = true;
                break;
            case AssociationAction.AA1:
                await AbortAsync(Abort.ServiceUser, AbortReason.NotSpecified, "A PDU before the A-ASSOCIATE-RQ.").ConfigureAwait(false);
                break;
            case AssociationAction.AA7 or AssociationAction.AA8:
                await AbortAsync(Abort.ServiceProvider, AbortReason.UnexpectedPdu, $"An unexpected {pdu.GetType().Name} PDU.").ConfigureAwait(false);
                break;
            default:
                // AR-6, data while we ask for release: nothing new is begun. AR-8: its answer is awaited first. AA-6: ignored.
                break;
        }
    }

    private void OnClosed()
    {
        bool beforeRequest = _machine.State == AssociationState.Sta2AwaitingAssociateRq;
        if (beforeRequest && _channel.BytesReceived == 0)
        {
            End(AssociationEndKind.NothingSaid, "Closed without a byte.");
        }

        if (_channel.Failure is TlsException broken)
        {
            End(AssociationEndKind.IntegrityLost, broken.Message);
        }

        End(AssociationEndKind.ConnectionLost, beforeRequest
            ? "Closed before the A-ASSOCIATE-RQ was complete."
            : "Closed without release or abort.");
        Take(AssociationEvent.TransportClosed);
        _isOver = true;
    }

    private async Task OnTimeoutAsync()
    {
        switch (_machine.State)
        {
            case AssociationState.Sta2AwaitingAssociateRq:
                End(AssociationEndKind.TimedOut, $"No complete A-ASSOCIATE-RQ within {_limits.ArtimTimeout}.");
                Take(AssociationEvent.ArtimExpired);
                _isOver = true;
                break;
            case AssociationState.Sta13AwaitingTransportClose:
                Take(AssociationEvent.ArtimExpired);
                _isOver = true;
                break;
            default:
                string detail = _machine.State != AssociationState.Sta6DataTransfer
                    ? $"No A-RELEASE-RP within {_limits.ArtimTimeout}."
                    : IsMessageUnderWay || _channel.IsPduUnderWay
                        ? $"A message stopped for {_limits.DimseTimeout}."
                        : $"Idle for {_limits.IdleTimeout}.";
                End(AssociationEndKind.TimedOut, detail);
                Take(AssociationEvent.AbortRequestPrimitive);
                await SendAbortAsync(Abort.ServiceProvider, AbortReason.NotSpecified).ConfigureAwait(false);
                break;
        }
    }

    /// <summary>The peer broke the protocol: Evt19, whatever the bytes were.</summary>
    private async Task OnViolationAsync(DimseProtocolException violation)
    {
        if (_machine.State == AssociationState.Sta2AwaitingAssociateRq
            && FirstBytes.NameOf(_channel.UnreadableBytes) is { } protocol and not FirstBytes.Dicom)
        {
            End(AssociationEndKind.NotDicom, $"The client speaks {protocol}, to a port where plain DICOM is spoken.");
            _isOver = true;
            return;
        }

        bool byUser = Take(AssociationEvent.UnrecognizedOrInvalidPdu) == AssociationAction.AA1;
        _channel.Discard();
        await AbortAsync(byUser ? Abort.ServiceUser : Abort.ServiceProvider,
            byUser ? AbortReason.NotSpecified : violation.Reason, violation.Message).ConfigureAwait(false);
    }

    private async Task AbortAsync(byte source, AbortReason reason, string detail)
    {
        End(AssociationEndKind.AbortedHere, detail);
        await SendAbortAsync(source, reason).ConfigureAwait(false);
    }

    private async Task SendAbortAsync(byte source, AbortReason reason)
    {
        await BreakOffOperationAsync("The association was aborted.").ConfigureAwait(false);
        await SendAsync(new Abort(source, (byte)reason)).ConfigureAwait(false);
    }

    private async Task ReleaseAsync()
    {
        End(AssociationEndKind.Released, "Released.");
        Take(AssociationEvent.ReleaseResponsePrimitive);
        await SendAsync(new ReleaseRp()).ConfigureAwait(false);
    }

    /// <summary>True when there is nothing to read at the moment.</summary>
    private async Task<bool> ShutDownAsync()
    {
        switch (_machine.State)
        {
            case AssociationState.Sta2AwaitingAssociateRq or AssociationState.Sta13AwaitingTransportClose:
                End(AssociationEndKind.ShutDown, "Stopped.");
                _isOver = true;
                return true;
            case AssociationState.Sta6DataTransfer when !IsMessageUnderWay && !IsOperationRunning:
                End(AssociationEndKind.ShutDown, "Stopped.");
                Take(AssociationEvent.ReleaseRequestPrimitive);
                await SendAsync(new ReleaseRq()).ConfigureAwait(false);
                return false;
            default:
                return false;
        }
    }

    private async Task SendAsync(Pdu pdu)
    {
        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            PduWriter.Write(pdu, _channel.Output);
            await FlushAsync().ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>A connection that takes nothing more ends the provider's work at once.</summary>
    private async ValueTask FlushAsync()
    {
        try
        {
            await _channel.FlushAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            await _lost.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The first reason stays.</summary>
    private void End(AssociationEndKind kind, string detail)
    {
        if (_endKind is null)
        {
            _endKind = kind;
            _endDetail = detail;
        }
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

    private TimeSpan Patience(bool pduHasBegun) => _machine.State switch
    {
        AssociationState.Sta6DataTransfer when pduHasBegun || IsMessageUnderWay => _limits.DimseTimeout - _time.GetElapsedTime(_channel.QuietSince),
        AssociationState.Sta6DataTransfer when IsOperationRunning => _limits.IdleTimeout,
        AssociationState.Sta6DataTransfer => _limits.IdleTimeout - _time.GetElapsedTime(Math.Max(_channel.QuietSince, Volatile.Read(ref _operationEnded))),
        _ => _limits.ArtimTimeout - _time.GetElapsedTime(_stateEntered),
    };
}
