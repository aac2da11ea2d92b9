using System.Collections.Concurrent;
using System.Threading.Channels;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Work;

/// <summary>
/// A window on the rows of one state: takes some into memory ahead of those who work on them, never the same row twice at a
/// time. The rows are the queue; losing this loses nothing.
/// </summary>
public sealed partial class RowQueue(GatewayStore store, InstanceState state, int length, WorkSignal signal, ILogger logger)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly Channel<InstanceRow> _rows = Channel.CreateBounded<InstanceRow>(length);
    private readonly ConcurrentDictionary<long, byte> _taken = new();

    public ChannelReader<InstanceRow> Rows => _rows.Reader;

    /// <summary>To be called when a row has been worked on, whatever came of it.</summary>
    public void Done(InstanceRow row) => _taken.TryRemove(row.Id, out _);

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
        try
        {
            foreach (InstanceRow row in await store.DueAsync(state, length + _taken.Count, cancellationToken))
            {
                if (_taken.TryAdd(row.Id, 0))
                {
                    any = true;
                    await _rows.Writer.WriteAsync(row, cancellationToken);
                }
            }
        }
        catch (StoreUnavailableException e)
        {
            LogStoreAway(logger, state, e);
        }

        return any;
    }

    [LoggerMessage(3001, LogLevel.Warning, "The database is away: rows in state {State} wait.")]
    private static partial void LogStoreAway(ILogger logger, InstanceState state, Exception exception);
}
