using System.Data.Common;
using System.Runtime.CompilerServices;
using Dapper;
using PacsStegoGateway.Audit;

namespace PacsStegoGateway.Storage;

public sealed partial class GatewayStore
{
    private const int Chunk = 1000;

    /// <summary>Reads the whole trail, as it is at one moment, by order of sequence number; writers go on meanwhile.</summary>
    /// <typeparam name="T">What the reader makes of it.</typeparam>
    /// <param name="read">Gets the head (null when its row is gone) and the entries, as they stand in the database: proved by nobody.</param>
    public async Task<T> ReadTrailAsync<T>(Func<AuditHead?, IAsyncEnumerable<ChainedEntry>, Task<T>> read, CancellationToken cancellationToken) =>
        await ReadAsync(
            async connection =>
            {
                await using DbTransaction snapshot = await _dialect.BeginSnapshotAsync(connection, cancellationToken);
                AuditHead? head = await connection.QuerySingleOrDefaultAsync<AuditHead>(SelectHead, transaction: snapshot);
                await _audit.PrepareToReadInOrderAsync(connection, snapshot);
                return await read(head, EntriesAsync(connection, snapshot, cancellationToken));
            },
            cancellationToken);

    private static async IAsyncEnumerable<ChainedEntry> EntriesAsync(
        DbConnection connection, DbTransaction snapshot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (AuditRow row in connection.QueryUnbufferedAsync<AuditRow>(
            $"SELECT {AuditTable.Columns} FROM audit ORDER BY sequence, at", transaction: snapshot, commandTimeout: 0).WithCancellation(cancellationToken))
        {
            yield return row.ToEntry();
        }
    }

    /// <summary>
    /// Entries that an earlier version wrote without a chain go into it, numbered anew, and an entry behind them tells that they
    /// are proved from here on only. Done once, in one transaction.
    /// </summary>
    private async Task TakeInUnchainedAsync(DbConnection connection)
    {
        if (!await HasUnchainedAsync(connection, null))
        {
            return;
        }

        await using DbTransaction transaction = await connection.BeginTransactionAsync();
        // Who holds the head is alone with it: another gateway that starts now finds the work done.
        AuditHead head = await LockHeadAsync(connection, transaction);
        if (!await HasUnchainedAsync(connection, transaction))
        {
            return;
        }

        if (head.Sequence > 0)
        {
            // An upgrade takes them in before anything is written into the chain.
            head = await WriteAsync([Broken("A table of entries without a chain was found beside a trail that has one: what was taken in from it may be anybody's.")]);
        }

        long last = 0;
        long taken = 0;
        while (true)
        {
            List<UnchainedRow> rows = (await connection.QueryAsync<UnchainedRow>(
                """
                SELECT sequence, at, event, outcome, calling_ae, remote_address, patient, study_uid, sop_uid, reason, detail
                FROM audit_unchained WHERE sequence > @last ORDER BY sequence LIMIT @Chunk
                """,
                new { last, Chunk }, transaction)).AsList();
            if (rows.Count == 0)
            {
                break;
            }

            head = await WriteAsync([.. rows.Select(r => r.ToRecord(Node))]);
            last = rows[^1].sequence;
            taken += rows.Count;
        }

        if (taken > 0)
        {
            head = await WriteAsync([new AuditRecord(AuditEvent.TrailTakenOver)
            {
                At = _time.GetUtcNow(),
                Node = Node,
                Detail = $"The {taken} entries before this one were written by an earlier version without a chain: it proves them from here on only.",
            }]);
        }

        await connection.ExecuteAsync("DROP TABLE audit_unchained", transaction: transaction);
        await transaction.CommitAsync();
        LastAuditHead = head;

        async Task<AuditHead> WriteAsync(AuditRecord[] records)
        {
            (IReadOnlyList<ChainedEntry> entries, AuditHead after) = _chain.Extend(head, [.. records.Select(static r => r.Storable())]);
            await _audit.WriteAsync(connection, transaction, entries, after);
            return after;
        }
    }

    private async Task<bool> HasUnchainedAsync(DbConnection connection, DbTransaction? transaction) =>
        await connection.ExecuteScalarAsync<long>(_audit.CountUnchainedTables, transaction: transaction) > 0;

    // Names are the columns': Dapper fills by name.
    private sealed class UnchainedRow
    {
        public long sequence { get; init; }
        public long at { get; init; }
        public string @event { get; init; } = "";
        public int outcome { get; init; }
        public string? calling_ae { get; init; }
        public string? remote_address { get; init; }
        public string? patient { get; init; }
        public string? study_uid { get; init; }
        public string? sop_uid { get; init; }
        public string? reason { get; init; }
        public string? detail { get; init; }

        public AuditRecord ToRecord(string node) => new(Enum.Parse<AuditEvent>(@event), (AuditOutcome)outcome)
        {
            At = DateTimeOffset.FromUnixTimeMilliseconds(at),
            Node = node,
            CallingAE = calling_ae,
            RemoteAddress = remote_address,
            Patient = patient,
            StudyUID = study_uid,
            SopUID = sop_uid,
            Reason = reason,
            Detail = detail,
        };
    }
}
