using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;
using Npgsql;
using NpgsqlTypes;
using PacsStegoGateway.Audit;

namespace PacsStegoGateway.Storage;

/// <summary>Puts entries into the trail with as few round trips as the database allows. Used by one writer at a time.</summary>
internal abstract class AuditTable
{
    public const string Columns =
        "sequence, at, node, event, outcome, calling_ae, remote_address, user_identity, purpose, patient, study_uid, sop_uid, reason, detail, sealed, key_id, mac";

    /// <summary>Writes entries and the head after them.</summary>
    public abstract Task WriteAsync(DbConnection connection, DbTransaction transaction, IReadOnlyList<ChainedEntry> entries, AuditHead head);

    /// <summary>One more than none when entries of an earlier version wait to be taken in.</summary>
    public abstract string CountUnchainedTables { get; }

    /// <summary>Before all rows are read by sequence number.</summary>
    public virtual Task PrepareToReadInOrderAsync(DbConnection connection, DbTransaction snapshot) => Task.CompletedTask;

    /// <summary>The connection is gone, and with it perhaps what we had made.</summary>
    public virtual void Forget()
    {
    }
}

/// <summary>A statement a row: there is no round trip in a library.</summary>
internal sealed class SqliteAuditTable : AuditTable
{
    public override string CountUnchainedTables => "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'audit_unchained'";

    public override async Task WriteAsync(DbConnection connection, DbTransaction transaction, IReadOnlyList<ChainedEntry> entries, AuditHead head)
    {
        await using var insert = new SqliteCommand(
            $"INSERT INTO audit ({Columns}) VALUES (@p0, @p1, @p2, @p3, @p4, @p5, @p6, @p7, @p8, @p9, @p10, @p11, @p12, @p13, @p14, @p15, @p16)",
            (SqliteConnection)connection, (SqliteTransaction)transaction);
        SqliteParameter[] values = [.. Enumerable.Range(0, 17).Select(static i => new SqliteParameter($"@p{i}", null))];
        insert.Parameters.AddRange(values);
        foreach ((AuditRecord record, long keyId, byte[] mac) in entries)
        {
            object?[] row =
            [
                record.Sequence, record.At.ToUnixTimeMilliseconds(), record.Node, (long)record.Event, (long)record.Outcome, record.CallingAE,
                record.RemoteAddress, record.User, record.Purpose, record.Patient, record.StudyUID, record.SopUID, record.Reason, record.Detail,
                record.Sealed, keyId, mac,
            ];
            for (int i = 0; i < row.Length; i++)
            {
                values[i].Value = row[i] ?? DBNull.Value;
            }

            await insert.ExecuteNonQueryAsync();
        }

        await connection.ExecuteAsync(
            "UPDATE audit_head SET trail = @Trail, sequence = @Sequence, key_id = @KeyId, mac = @Mac, seal = @Seal WHERE id = 1", head, transaction);
    }
}

/// <summary>All entries and the head in one round trip: a column is an array.</summary>
internal sealed class PostgreSqlAuditTable : AuditTable
{
    private readonly HashSet<int> _months = [];

    public override string CountUnchainedTables => "SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass('audit_unchained')";

    // Sorting millions of rows would fill the server's disk before the first one came: each partition has them in order.
    public override Task PrepareToReadInOrderAsync(DbConnection connection, DbTransaction snapshot) =>
        connection.ExecuteAsync("SET LOCAL enable_sort = off; SET LOCAL enable_incremental_sort = off; SET LOCAL statement_timeout = 0", transaction: snapshot);

    public override async Task WriteAsync(DbConnection connection, DbTransaction transaction, IReadOnlyList<ChainedEntry> entries, AuditHead head)
    {
        await using var batch = new NpgsqlBatch((NpgsqlConnection)connection, (NpgsqlTransaction)transaction);
        // The next month's too: then at its first second nobody has to make one.
        foreach (DateTimeOffset month in entries.SelectMany(static e => (DateTimeOffset[])[FirstOf(e.Record.At), FirstOf(e.Record.At).AddMonths(1)]).Distinct())
        {
            if (_months.Add((month.Year * 12) + month.Month))
            {
                batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT audit_make_partition($1)")
                {
                    Parameters = { new NpgsqlParameter<long> { TypedValue = month.ToUnixTimeMilliseconds() } },
                });
            }
        }

        batch.BatchCommands.Add(Insert(entries));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("UPDATE audit_head SET trail = $1, sequence = $2, key_id = $3, mac = $4, seal = $5 WHERE id = 1")
        {
            Parameters =
            {
                new NpgsqlParameter<byte[]> { TypedValue = head.Trail },
                new NpgsqlParameter<long> { TypedValue = head.Sequence },
                new NpgsqlParameter<long> { TypedValue = head.KeyId },
                new NpgsqlParameter<byte[]> { TypedValue = head.Mac },
                new NpgsqlParameter<byte[]> { TypedValue = head.Seal },
            },
        });
        await batch.ExecuteNonQueryAsync();
    }

    public override void Forget() => _months.Clear();

    private static NpgsqlBatchCommand Insert(IReadOnlyList<ChainedEntry> entries) => new(
        $"""
        INSERT INTO audit ({Columns})
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        """)
    {
        Parameters =
        {
            Column(entries, NpgsqlDbType.Bigint, static e => e.Record.Sequence),
            Column(entries, NpgsqlDbType.Bigint, static e => e.Record.At.ToUnixTimeMilliseconds()),
            Column(entries, NpgsqlDbType.Text, static e => e.Record.Node),
            Column(entries, NpgsqlDbType.Integer, static e => (int)e.Record.Event),
            Column(entries, NpgsqlDbType.Integer, static e => (int)e.Record.Outcome),
            Column(entries, NpgsqlDbType.Text, static e => e.Record.CallingAE),
            Column(entries, NpgsqlDbType.Text, static e => e.Record.RemoteAddress),
            Column(entries, NpgsqlDbType.Text, static e => e.Record.User),
            Column(entries, NpgsqlDbType.Text, static e => e.Record.Purpose),
            Column(entries, NpgsqlDbType.Text, static e => e.Record.Patient),
            Column(entries, NpgsqlDbType.Text, static e => e.Record.StudyUID),
            Column(entries, NpgsqlDbType.Text, static e => e.Record.SopUID),
            Column(entries, NpgsqlDbType.Text, static e => e.Record.Reason),
            Column(entries, NpgsqlDbType.Text, static e => e.Record.Detail),
            Column(entries, NpgsqlDbType.Bytea, static e => e.Record.Sealed),
            Column(entries, NpgsqlDbType.Bigint, static e => e.KeyId),
            Column(entries, NpgsqlDbType.Bytea, static e => e.Mac),
        },
    };

    private static NpgsqlParameter<T[]> Column<T>(IReadOnlyList<ChainedEntry> entries, NpgsqlDbType type, Func<ChainedEntry, T> value) => new()
    {
        NpgsqlDbType = NpgsqlDbType.Array | type,
        TypedValue = [.. entries.Select(value)],
    };

    private static DateTimeOffset FirstOf(DateTimeOffset at) => new(at.UtcDateTime.Year, at.UtcDateTime.Month, 1, 0, 0, 0, TimeSpan.Zero);
}
