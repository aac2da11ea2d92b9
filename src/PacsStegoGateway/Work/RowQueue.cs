using System.Collections.Concurrent;
using System.Threading.Channels;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Work;

/// <summary>
/// A window on rows that wait for the same work: takes some into memory ahead of those who work on them, never the same row
/// twice at a time. The rows are the queue; losing this loses nothing.
/// </summary>
/// <param name="store">Whose rows they are; while it holds no lease nothing is taken.</param>
/// <param name="due">Reads so many of the rows that are due, oldest first.</param>
/// <param name="id">What tells rows apart.</param>
/// <param name="length">Most rows ahead.</param>
/// <param name="signal">Set when there may be more.</param>
/// <param name="logger">Told when the database is away.</param>
public sealed partial class RowQueue<T>(
    GatewayStore store, Func<int, CancellationToken, Task<IReadOnlyList<T>>> due, Func<T, long> id, int length, WorkSignal signal, ILogger logger)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly Channel<T> _rows = Channel.CreateBounded<T>(length);
    private readonly ConcurrentDictionary<long, byte> _taken = new();
    private readonly ConcurrentQueue<long> _done = new();

    public ChannelReader<T> Rows => _rows.Reader;

    /// <summary>To be called when a row has been worked on, whatever came of it.</summary>
    /// <remarks>
    /// Until the next look begins it counts as taken: a look that is under way may have read the row as it was before, and would
    /// hand it out again.
    /// </remarks>
    public void Done(T row) => _done.Enqueue(id(row));

    /// <summary>Fills the window until canceled.</summary>
    public async Task FillAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                if (!await TakeDueAsync(cancellationToken))
                {
                    await signal.WaitAsync(LookAgain, cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopping.
        }
        finally
        {
            _rows.Writer.TryComplete();
        }
    }

    private async Task<bool> TakeDueAsync(CancellationToken cancellationToken)
    {
        bool any = false;
        if (!store.HoldsLease)
        {
            return false;
        }

        while (_done.TryDequeue(out long done))
        {
            _taken.TryRemove(done, out _);
        }

        try
        {
            foreach (T row in await due(length + _taken.Count, cancellationToken))
            {
                if (_taken.TryAdd(id(row), 0))
                {
                    any = true;
                    await _rows.Writer.WriteAsync(row, cancellationToken);
                }
            }
        }
        catch (StoreUnavailableException e)
        {
            LogStoreAway(logger, e);
        }

        return any;
    }

    [LoggerMessage(3001, LogLevel.Warning, "The database is away: rows wait.")]
    private static partial void LogStoreAway(ILogger logger, Exception exception);
}
