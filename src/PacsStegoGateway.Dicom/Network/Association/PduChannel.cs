using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace PacsStegoGateway.Dicom.Network;

internal enum ReceivedKind
{
    Pdu,

    /// <summary>The connection is closed, by end of stream or by an error.</summary>
    Closed,

    /// <summary>Nothing came for as long as the owner has patience.</summary>
    TimedOut,

    /// <summary><see cref="PduChannel.Interrupt"/> was called.</summary>
    Interrupted,
}

/// <param name="Pdu">Present for that kind; holds until the next read.</param>
internal readonly record struct Received(ReceivedKind Kind, Pdu? Pdu = null);

/// <summary>PDUs over a duplex pipe, with patience: the only place of an association that waits for the network.</summary>
/// <remarks>One reader and one writer at a time; <see cref="Interrupt"/> from anywhere.</remarks>
internal sealed class PduChannel : IAsyncDisposable
{
    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private readonly AssociationLimits _limits;
    private readonly TimeProvider _time;
    private readonly Func<bool, TimeSpan> _patience;
    private readonly ITimer _readTimer;
    private readonly ITimer _writeTimer;

    private ReadOnlySequence<byte> _rest;
    private bool _isHeld;
    private long _leftOver;
    private bool _discards;
    private bool _deliveredPdu = true;
    private int _interrupted;
    private long _flushStarted;

    /// <param name="patience">How long to wait now; the argument tells whether a PDU has begun. Zero or less: no longer.</param>
    public PduChannel(IDuplexPipe transport, AssociationLimits limits, TimeProvider time, Func<bool, TimeSpan> patience)
    {
        _input = transport.Input;
        _output = transport.Output;
        _limits = limits;
        _time = time;
        _patience = patience;
        _readTimer = time.CreateTimer(static c => ((PduChannel)c!)._input.CancelPendingRead(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _writeTimer = time.CreateTimer(static c => ((PduChannel)c!).OnWriteTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        QuietSince = time.GetTimestamp();
    }

    public PipeWriter Output => _output;

    public long BytesReceived { get; private set; }

    /// <summary>What closed the connection, when it was not its orderly end.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>When the last byte came, or when we began to wait for the next one: what we spent ourselves is not the peer's silence.</summary>
    public long QuietSince { get; private set; }

    /// <summary>True when the first bytes of a PDU have come and the last have not.</summary>
    public bool IsPduUnderWay => _leftOver > 0;

    /// <summary>The bytes that are no PDU, after <see cref="ReadAsync"/> threw; at most 16 of them.</summary>
    public byte[] UnreadableBytes => _isHeld ? _rest.Slice(0, Math.Min(16, _rest.Length)).ToArray() : [];

    /// <summary>Makes a pending or the next read end at once.</summary>
    public void Interrupt()
    {
        Volatile.Write(ref _interrupted, 1);
        _input.CancelPendingRead();
    }

    /// <summary>From now on everything that comes is read and dropped: the framing is lost, or nothing more matters.</summary>
    public void Discard() => _discards = true;

    /// <exception cref="DimseProtocolException">The next bytes are no PDU; further reads need <see cref="Discard"/>.</exception>
    public async ValueTask<Received> ReadAsync()
    {
        if (_deliveredPdu)
        {
            QuietSince = _time.GetTimestamp();
            _deliveredPdu = false;
        }

        while (true)
        {
            if (TakePdu() is { } pdu)
            {
                return pdu;
            }

            if (Interlocked.Exchange(ref _interrupted, 0) == 1)
            {
                return new Received(ReceivedKind.Interrupted);
            }

            ReadResult result;
            try
            {
                ValueTask<ReadResult> pending = _input.ReadAsync();
                if (!pending.IsCompleted)
                {
                    TimeSpan patience = _patience(_leftOver > 0);
                    _readTimer.Change(patience > TimeSpan.Zero ? patience : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
                }

                result = await pending.ConfigureAwait(false);
            }
            catch (Exception e) when (IsConnectionFailure(e))
            {
                Failure = e;
                return new Received(ReceivedKind.Closed);
            }

            Hold(result.Buffer);
            if (TakePdu() is { } next)
            {
                return next;
            }

            if (result.IsCompleted)
            {
                return new Received(ReceivedKind.Closed);
            }

            if (result.IsCanceled && Volatile.Read(ref _interrupted) == 0 && _patience(_leftOver > 0) <= TimeSpan.Zero)
            {
                return new Received(ReceivedKind.TimedOut);
            }
        }
    }

    /// <summary>Sends what was written to <see cref="Output"/>.</summary>
    /// <exception cref="IOException">The connection is gone, or the peer took nothing for the DIMSE timeout.</exception>
    public async ValueTask FlushAsync()
    {
        FlushResult result;
        try
        {
            Volatile.Write(ref _flushStarted, _time.GetTimestamp());
            ValueTask<FlushResult> pending = _output.FlushAsync();
            if (!pending.IsCompleted)
            {
                _writeTimer.Change(_limits.DimseTimeout, Timeout.InfiniteTimeSpan);
            }

            result = await pending.ConfigureAwait(false);
        }
        catch (Exception e) when (IsConnectionFailure(e))
        {
            throw new IOException("The connection is gone.", e);
        }

        if (result.IsCanceled)
        {
            throw new IOException($"The peer has taken nothing for {_limits.DimseTimeout}.");
        }

        if (result.IsCompleted)
        {
            throw new IOException("The connection is closed.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _readTimer.DisposeAsync().ConfigureAwait(false);
        await _writeTimer.DisposeAsync().ConfigureAwait(false);
        if (_isHeld)
        {
            _isHeld = false;
            _input.AdvanceTo(_rest.End);
        }

        try
        {
            await _output.CompleteAsync().ConfigureAwait(false);
            await _input.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (IsConnectionFailure(e))
        {
            // What could not be sent any more was lost with the connection, which the reads have told.
        }
    }

    private static bool IsConnectionFailure(Exception e) =>
        e is IOException or SocketException or OperationCanceledException or ObjectDisposedException;

    private Received? TakePdu()
    {
        if (!_isHeld)
        {
            return null;
        }

        if (_discards)
        {
            _rest = _rest.Slice(_rest.End);
        }
        else if (PduReader.TryRead(ref _rest, _limits, out Pdu? pdu))
        {
            _deliveredPdu = true;
            return new Received(ReceivedKind.Pdu, pdu);
        }

        _leftOver = _rest.Length;
        _isHeld = false;
        _input.AdvanceTo(_rest.Start, _rest.End);
        return null;
    }

    private void Hold(ReadOnlySequence<byte> buffer)
    {
        _rest = buffer;
        _isHeld = true;
        if (buffer.Length > _leftOver)
        {
            BytesReceived += buffer.Length - _leftOver;
            _leftOver = buffer.Length;
            QuietSince = _time.GetTimestamp();
        }
    }

    private void OnWriteTimer()
    {
        if (_time.GetElapsedTime(Volatile.Read(ref _flushStarted)) >= _limits.DimseTimeout)
        {
            _output.CancelPendingFlush();
        }
    }
}
