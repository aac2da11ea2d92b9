using System.Data;
using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;
using Npgsql;
using PacsStegoGateway.Configuration;

namespace PacsStegoGateway.Storage;

/// <summary>What differs between the two databases: connecting, a few words of the schema, which failures pass by themselves.</summary>
public abstract class StoreDialect
{
    public static StoreDialect Of(GatewayOptions options) => options.Database.Kind switch
    {
        DatabaseKind.Sqlite => new SqliteDialect(options.InDataFolder(options.Database.Path), options.Database.TimeoutSeconds),
        _ => new PostgreSqlDialect(options.Database),
    };

    public abstract DbDataSource CreateDataSource();

    /// <summary>Settings that hold for one connection, and must be made again on the next.</summary>
    public abstract ValueTask PrepareAsync(DbConnection connection, CancellationToken cancellationToken);

    /// <summary>Keeps two processes from migrating at a time, until the transaction ends.</summary>
    public abstract ValueTask LockSchemaAsync(DbConnection connection, DbTransaction transaction);

    /// <summary>As in the names of the migrations.</summary>
    public abstract string Name { get; }

    /// <summary>An expression: the clock of the database, Unix milliseconds.</summary>
    public abstract string Clock { get; }

    /// <summary>Ends a SELECT whose rows nobody else may change until the transaction ends; others may do the same.</summary>
    public abstract string ForShare { get; }

    /// <summary>True when several gateways may share the database.</summary>
    public abstract bool IsShared { get; }

    /// <summary>A condition: the column's value is one of the texts of an array parameter.</summary>
    public abstract string IsOneOf(string column, string parameter);

    /// <summary>What is written behind a SELECT so that its rows stay ours until the transaction ends.</summary>
    public abstract string ForUpdate { get; }

    /// <summary>A transaction that reads one state of the database, however long it takes, and holds up no writer.</summary>
    public abstract ValueTask<DbTransaction> BeginSnapshotAsync(DbConnection connection, CancellationToken cancellationToken);

    /// <summary>How entries get into the trail; one for each store.</summary>
    internal abstract AuditTable CreateAuditTable();

    /// <summary>True when the same call may succeed later without anybody changing it.</summary>
    public abstract bool IsUnavailable(DbException exception);

    /// <summary>True when another process was in the way, and the same transaction may be run again at once.</summary>
    public virtual bool IsConflict(Exception exception) => false;

    /// <summary>What an administrator has to change before the database lets us in, or null when it is not that.</summary>
    public virtual ConfigurationProblem? Misconfiguration(Exception exception) => null;
}

/// <summary>The embedded default: write-ahead log, flushed at every commit.</summary>
public sealed class SqliteDialect(string path, int timeoutSeconds) : StoreDialect
{
    public override string Name => "sqlite";

    public override DbDataSource CreateDataSource()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        CreateForOwnerAlone();
        return SqliteFactory.Instance.CreateDataSource(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            DefaultTimeout = timeoutSeconds,
            ForeignKeys = true,
        }.ConnectionString);
    }

    // SQLite makes a new file as the process's umask says, and its log and index like the file: whoever may read those reads pseudonyms.
    private void CreateForOwnerAlone()
    {
        if (OperatingSystem.IsWindows() || File.Exists(path))
        {
            return;
        }

        using var made = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
    }

    // synchronous=FULL: with a write-ahead log, NORMAL would lose the last commits on power failure (sqlite.org/pragma.html).
    public override async ValueTask PrepareAsync(DbConnection connection, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new CommandDefinition(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;", cancellationToken: cancellationToken));

    // Microsoft.Data.Sqlite begins transactions with BEGIN IMMEDIATE: one writer at a time already.
    public override ValueTask LockSchemaAsync(DbConnection connection, DbTransaction transaction) => ValueTask.CompletedTask;

    public override string Clock => "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";

    // One writer at a time holds everything.
    public override string ForShare => "";

    public override bool IsShared => false;

    public override string IsOneOf(string column, string parameter) => $"{column} IN @{parameter}";

    // Whoever writes has the whole database to himself already.
    public override string ForUpdate => "";

    // Deferred: it never asks for the right to write.
    public override ValueTask<DbTransaction> BeginSnapshotAsync(DbConnection connection, CancellationToken cancellationToken) =>
        ValueTask.FromResult<DbTransaction>(((SqliteConnection)connection).BeginTransaction(deferred: true));

    internal override AuditTable CreateAuditTable() => new SqliteAuditTable();

    // SQLITE_BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN: the disk or another process, not the statement.
    public override bool IsUnavailable(DbException exception) =>
        exception is SqliteException { SqliteErrorCode: 5 or 6 or 8 or 10 or 13 or 14 };

    // SQLITE_CORRUPT, SQLITE_NOTADB.
    public override ConfigurationProblem? Misconfiguration(Exception exception) =>
        exception is SqliteException { SqliteErrorCode: 11 or 26 }
            ? new("Database:Path", $"{path} is damaged or no SQLite database: restore it from a backup; the spool holds what was not forwarded yet.")
            : null;
}

public sealed class PostgreSqlDialect(DatabaseOptions options) : StoreDialect
{
    public override string Name => "postgresql";

    public override DbDataSource CreateDataSource()
    {
        var connection = new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            Timeout = options.TimeoutSeconds,
            CommandTimeout = options.TimeoutSeconds,
            ApplicationName = "psg",
            IncludeErrorDetail = false,
        };
        if (!connection.ShouldSerialize("Max Auto Prepare"))
        {
            // The same few statements for every object: planned once a connection. A pooler between that shares server connections
            // among transactions needs "Max Auto Prepare=0" in the connection string.
            connection.MaxAutoPrepare = 64;
            connection.AutoPrepareMinUsages = 3;
        }

        if (!string.IsNullOrEmpty(options.Password))
        {
            connection.Password = options.Password;
        }

        return NpgsqlDataSource.Create(connection);
    }

    // A server set to synchronous_commit=off would acknowledge what it may lose. The limits: every gateway waits for the head of
    // the audit trail, so one that hangs while it holds it is thrown out by the server.
    public override async ValueTask PrepareAsync(DbConnection connection, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new CommandDefinition(
            $"""
            SET synchronous_commit = on;
            SET lock_timeout = '{options.TimeoutSeconds}s';
            SET statement_timeout = '{options.TimeoutSeconds}s';
            SET idle_in_transaction_session_timeout = '{options.TimeoutSeconds}s'
            """, cancellationToken: cancellationToken));

    public override async ValueTask LockSchemaAsync(DbConnection connection, DbTransaction transaction) =>
        await connection.ExecuteAsync("SELECT pg_advisory_xact_lock(7283642)", transaction: transaction);

    // Not now(): that is the time when the transaction began.
    public override string Clock => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

    public override string ForShare => "FOR SHARE";

    public override bool IsShared => true;

    // Dapper hands an array to PostgreSQL as one parameter.
    public override string IsOneOf(string column, string parameter) => $"{column} = ANY(@{parameter})";

    public override string ForUpdate => "FOR UPDATE";

    public override async ValueTask<DbTransaction> BeginSnapshotAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        DbTransaction transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition("SET TRANSACTION READ ONLY", transaction: transaction, cancellationToken: cancellationToken));
        return transaction;
    }

    internal override AuditTable CreateAuditTable() => new PostgreSqlAuditTable();

    // Class 53 is "insufficient resources" (disk full, too many connections), 57 "operator intervention" (shutting down, timeouts);
    // 55P03 and 25P03 are the limits of PrepareAsync: another gateway held on, or we did.
    public override bool IsUnavailable(DbException exception) =>
        exception is NpgsqlException { IsTransient: true }
        || exception.SqlState is ['5', '3' or '7', ..] or ['0', '8', ..] or "55P03" or "25P03"
        || exception is NpgsqlException { InnerException: IOException or TimeoutException or System.Net.Sockets.SocketException };

    // Class 40 is "transaction rollback": a deadlock, of which this side was chosen to give way.
    public override bool IsConflict(Exception exception) => exception is PostgresException { SqlState: ['4', '0', ..] };

    // Class 28 is "invalid authorization", 3D "invalid catalog name"; a missing password never reaches the server.
    public override ConfigurationProblem? Misconfiguration(Exception exception) => exception switch
    {
        PostgresException { SqlState: ['2', '8', ..] } => new("Database:Password",
            "the database refused this user or password. Set PSG__Database__Password in the environment, or let the server's pg_hba.conf allow the user."),
        PostgresException { SqlState: ['3', 'D', ..] } => new("Database:ConnectionString", "the server has no database of this name: create it, owned by this user."),
        PostgresException { SqlState: "42501" } => new("Database:ConnectionString", "the user may not create tables in this database: make it the owner."),
        NpgsqlException { InnerException: null } and not PostgresException when string.IsNullOrEmpty(options.Password) => new("Database:Password",
            "the server asks for a password. Set PSG__Database__Password in the environment."),
        _ => null,
    };
}
