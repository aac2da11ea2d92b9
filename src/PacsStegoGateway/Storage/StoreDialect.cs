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

    /// <summary>A condition: the column's value is one of the texts of an array parameter.</summary>
    public abstract string IsOneOf(string column, string parameter);

    /// <summary>True when the same call may succeed later without anybody changing it.</summary>
    public abstract bool IsUnavailable(DbException exception);

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
        return SqliteFactory.Instance.CreateDataSource(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            DefaultTimeout = timeoutSeconds,
            ForeignKeys = true,
        }.ConnectionString);
    }

    // synchronous=FULL: with a write-ahead log, NORMAL would lose the last commits on power failure (sqlite.org/pragma.html).
    public override async ValueTask PrepareAsync(DbConnection connection, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new CommandDefinition(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;", cancellationToken: cancellationToken));

    // Microsoft.Data.Sqlite begins transactions with BEGIN IMMEDIATE: one writer at a time already.
    public override ValueTask LockSchemaAsync(DbConnection connection, DbTransaction transaction) => ValueTask.CompletedTask;

    public override string IsOneOf(string column, string parameter) => $"{column} IN @{parameter}";

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
        if (!string.IsNullOrEmpty(options.Password))
        {
            connection.Password = options.Password;
        }

        return NpgsqlDataSource.Create(connection);
    }

    // A server set to synchronous_commit=off would acknowledge what it may lose.
    public override async ValueTask PrepareAsync(DbConnection connection, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new CommandDefinition(
            "SET synchronous_commit = on", cancellationToken: cancellationToken));

    public override async ValueTask LockSchemaAsync(DbConnection connection, DbTransaction transaction) =>
        await connection.ExecuteAsync("SELECT pg_advisory_xact_lock(7283642)", transaction: transaction);

    // Dapper hands an array to PostgreSQL as one parameter.
    public override string IsOneOf(string column, string parameter) => $"{column} = ANY(@{parameter})";

    // Class 53 is "insufficient resources" (disk full, too many connections), 57 "operator intervention" (shutting down).
    public override bool IsUnavailable(DbException exception) =>
        exception is NpgsqlException { IsTransient: true }
        || exception.SqlState is ['5', '3' or '7', ..] or ['0', '8', ..]
        || exception is NpgsqlException { InnerException: IOException or TimeoutException or System.Net.Sockets.SocketException };

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
