using System.Buffers;
using System.IO.Pipelines;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>
/// Hands the data set of a C-STORE to who stores it, while it arrives. At most 1 MiB lies between the two: then the
/// connection is read no further until the reader has caught up. Used again for the next object.
/// </summary>
internal sealed class DataSetPipe(long maxLength)
{
    // The reader goes on where the bytes came in: waking another thread for every PDU costs more than what it would do.
    private readonly Pipe _pipe = new(new PipeOptions(readerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 1 << 20,
        resumeWriterThreshold: 1 << 19, minimumSegmentSize: 1 << 16, useSynchronizationContext: false));

    private TaskCompletionSource _allReceived = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isUsed;
    private bool _isWriting;
    private bool _isDropping;
    private long _length;

    /// <summary>True when the data set was longer than allowed; the reader was told by an exception.</summary>
    public bool IsTooLong { get; private set; }

    /// <summary>Ends with the last byte of the data set, read or dropped; fails when it will not come.</summary>
    public Task AllReceived => _allReceived.Task;

    /// <summary>Starts the next data set; the one before is over and its reader completed.</summary>
    public PipeReader Begin()
    {
        if (_isUsed)
        {
            _pipe.Reset();
            _allReceived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        _isUsed = true;
        _isWriting = true;
        _isDropping = false;
        IsTooLong = false;
        _length = 0;
        return _pipe.Reader;
    }

    /// <summary>Passes a fragment on, waiting for the reader; drops it when the reader is done.</summary>
    public async ValueTask AppendAsync(ReadOnlySequence<byte> fragment, bool isLast)
    {
        _length += fragment.Length;
        if (_length > maxLength && !IsTooLong)
        {
            IsTooLong = true;
            _isDropping = true;
            await _pipe.Writer.CompleteAsync(new IOException($"The data set is longer than {maxLength} bytes.")).ConfigureAwait(false);
        }

        if (!_isDropping)
        {
            foreach (ReadOnlyMemory<byte> part in fragment)
            {
                _pipe.Writer.Write(part.Span);
            }

            _isDropping = (await _pipe.Writer.FlushAsync().ConfigureAwait(false)).IsCompleted;
        }

        if (isLast)
        {
            _isWriting = false;
            await _pipe.Writer.CompleteAsync().ConfigureAwait(false);
            _allReceived.TrySetResult();
        }
    }

    /// <summary>The rest will not come: the reader's next read throws <see cref="IOException"/>.</summary>
    public async ValueTask BreakOffAsync(string why)
    {
        if (_isWriting)
        {
            _isWriting = false;
            await _pipe.Writer.CompleteAsync(new IOException(why)).ConfigureAwait(false);
            _allReceived.TrySetCanceled();
        }
    }
}
