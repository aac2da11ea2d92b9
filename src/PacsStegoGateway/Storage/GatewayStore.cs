using System.Data.Common;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Work;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Storage;

/// <summary>
/// The rows of instances and the audit trail. One writes at a time, and commits what came in while the last commit was being
/// flushed as one transaction: many associations share one flush.
/// </summary>
/// <remarks>
/// Who finds nobody writing writes at once, where it stands: one association alone waits for no other thread. Only a thread that
/// has stepped back for others never does: everybody would wait for the little time that it gets.
/// A returned task that succeeded means committed and flushed. A unit of work that fails takes no other with it: its batch is
/// rolled back and the units are run again one by one.
/// </remarks>
public sealed partial class GatewayStore : IAsyncDisposable
{
    private const int MaxBatch = 128;
    private const int MaxAttempts = 5;

    private readonly StoreDialect _dialect;
    private readonly DbDataSource _source;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Queue<Unit> _units = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isWriting;
    private bool _isClosing;
    private DbConnection? _connection;

    private GatewayStore(StoreDialect dialect, DbDataSource source, KeyRing keys, string node, TimeProvider time)
    {
        _dialect = dialect;
        _source = source;
        _time = time;
        Node = node;
        _audit = dialect.CreateAuditTable();
        _chain = new AuditChain(keys);
    }

    /// <summary>The gateway whose rows this store hands out and changes.</summary>
    public string Node { get; }

    /// <summary>Opens the database and brings its schema up to date.</summary>
    /// <param name="keys">What proves the entries of the audit trail: without a key nothing can be recorded, so nothing can be done.</param>
    /// <param name="node">Who works on the rows, and stands in the entries. Only who serves calls <see cref="JoinAsync"/> too.</param>
    /// <exception cref="StoreUnavailableException">It cannot be reached now.</exception>
    /// <exception cref="ConfigurationException">It is reached, and does not let us in.</exception>
    public static async Task<GatewayStore> OpenAsync(
        StoreDialect dialect, KeyRing keys, TimeProvider time, CancellationToken cancellationToken, string node = NodeOptions.DefaultName)
    {
        DbDataSource source = dialect.CreateDataSource();
        try
        {
            await using DbConnection connection = await source.OpenConnectionAsync(cancellationToken);
            await dialect.PrepareAsync(connection, cancellationToken);
            await Schema.MigrateAsync(connection, dialect);
            var store = new GatewayStore(dialect, source, keys, node, time);
            await store.TakeInUnchainedAsync(connection);
            return store;
        }
        catch (Exception e)
        {
            await source.DisposeAsync();
            throw dialect.Misconfiguration(e) is { } problem ? new ConfigurationException([problem]) : Translate(dialect, e);
        }
    }

    /// <summary>True when the database answers.</summary>
    public async Task<bool> IsReachableAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(static c => Dapper.SqlMapper.ExecuteScalarAsync<int>(c, "SELECT 1"), cancellationToken) == 1;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isClosing = true;
            if (!_isWriting)
            {
                _closed.TrySetResult();
            }
        }

        await _closed.Task;
        await DropConnectionAsync();
        await _source.DisposeAsync();
    }

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Runs the work inside a transaction, shared with other work that waits at this moment.</summary>
    /// <param name="work">May be run twice: what it did the first time was rolled back then.</param>
    /// <param name="needsLease">False for what a gateway may write that has lost its rows to another.</param>
    private async Task<T> WriteAsync<T>(Func<DbConnection, DbTransaction, Task<T>> work, bool needsLease = true)
    {
        var unit = new Unit<T>(work, needsLease);
        bool writesNow;
        lock (_gate)
        {
            if (_isClosing)
            {
                throw new StoreUnavailableException("The store is closed.");
            }

            _units.Enqueue(unit);
            writesNow = !_isWriting;
            _isWriting = true;
        }

        // A thread that has stepped back would let everybody wait for the batch that it leads.
        if (writesNow && (WorkerThread.HasSteppedBack || await WriteBatchAsync()))
        {
            // Others came meanwhile: the caller has its answer and does not stay for theirs.
            _ = Task.Run(WriteAllAsync);
        }

        return await unit.Task;
    }

    private async Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> query, CancellationToken cancellationToken)
    {
        try
        {
            await using DbConnection connection = await _source.OpenConnectionAsync(cancellationToken);
            return await query(connection);
        }
        catch (DbException e)
        {
            throw Translate(_dialect, e);
        }
    }

    private async Task WriteAllAsync()
    {
        while (await WriteBatchAsync())
        {
            // There is more.
        }
    }

    /// <summary>Writes what waits now. Only who set <see cref="_isWriting"/> calls it.</summary>
    /// <returns>True when more waits, and the caller still is the one that writes.</returns>
    private async Task<bool> WriteBatchAsync()
    {
        var batch = new List<Unit>();
        lock (_gate)
        {
            while (batch.Count < MaxBatch && _units.TryDequeue(out Unit? unit))
            {
                batch.Add(unit);
            }
        }

        if (!await TryRunAsync(batch, isLast: false))
        {
            foreach (Unit unit in batch.Where(static u => !u.IsAnswered))
            {
                for (int attempt = 1; !await TryRunAsync([unit], attempt == MaxAttempts); attempt++)
                {
                    // Another gateway was in the way, and is through by now.
                }
            }
        }

        lock (_gate)
        {
            _isWriting = _units.Count > 0;
            if (!_isWriting && _isClosing)
            {
                _closed.TrySetResult();
            }

            return _isWriting;
        }
    }

    /// <returns>False when it is worth another try, of each unit alone; else every unit has its answer.</returns>
    private async Task<bool> TryRunAsync(IReadOnlyList<Unit> batch, bool isLast)
    {
        bool running = false;
        try
        {
            DbConnection connection = await ConnectAsync();
            await using DbTransaction transaction = await connection.BeginTransactionAsync();
            if (batch.Any(static u => u.NeedsLease) && !await IsMineAsync(connection, transaction))
            {
                batch = RefuseWithoutLease(batch);
            }

            running = true;
            _pendingAudit.Clear();
            foreach (Unit unit in batch)
            {
                await unit.RunAsync(connection, transaction);
            }

            AuditHead? head = await WriteAuditAsync(connection, transaction);

            // From here on nobody knows whether it was committed until the database says so: never run again.
            running = false;
            await transaction.CommitAsync();
            LastAuditHead = head ?? LastAuditHead;
        }
        catch (Exception e)
        {
            await DropConnectionAsync();
            Exception translated = Translate(_dialect, e);
            if (running && (_dialect.IsConflict(e) ? !isLast : batch.Count > 1 && translated is not StoreUnavailableException))
            {
                return false;
            }

            foreach (Unit unit in batch)
            {
                unit.Fail(translated);
            }

            return true;
        }

        foreach (Unit unit in batch)
        {
            unit.Complete();
        }

        return true;
    }

    private static List<Unit> RefuseWithoutLease(IReadOnlyList<Unit> batch)
    {
        foreach (Unit unit in batch.Where(static u => u.NeedsLease))
        {
            unit.Fail(new StoreUnavailableException("Another gateway has taken over the rows of this one."));
        }

        return [.. batch.Where(static u => !u.NeedsLease)];
    }

    private async Task<DbConnection> ConnectAsync()
    {
        if (_connection is null)
        {
            DbConnection connection = await _source.OpenConnectionAsync();
            await _dialect.PrepareAsync(connection, CancellationToken.None);
            _connection = connection;
        }

        return _connection;
    }

    private async ValueTask DropConnectionAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            _audit.Forget();
            await connection.DisposeAsync();
        }
    }

    private static Exception Translate(StoreDialect dialect, Exception exception) =>
        (exception is DbException database && dialect.IsUnavailable(database))
        || exception is IOException or TimeoutException or System.Net.Sockets.SocketException
            ? new StoreUnavailableException("The database cannot be reached.", exception)
            : exception;

    private abstract class Unit(bool needsLease)
    {
        public bool NeedsLease => needsLease;

        public abstract bool IsAnswered { get; }

        public abstract Task RunAsync(DbConnection connection, DbTransaction transaction);

        public abstract void Complete();

        public abstract void Fail(Exception exception);
    }

    private sealed class Unit<T>(Func<DbConnection, DbTransaction, Task<T>> work, bool needsLease) : Unit(needsLease)
    {
        private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T _result = default!;

        public Task<T> Task => _answer.Task;

        public override bool IsAnswered => _answer.Task.IsCompleted;

        public override async Task RunAsync(DbConnection connection, DbTransaction transaction) =>
            _result = await work(connection, transaction);

        public override void Complete() => _answer.SetResult(_result);

        public override void Fail(Exception exception) => _answer.SetException(exception);
    }
}
