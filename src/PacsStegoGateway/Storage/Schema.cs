using System.Data.Common;
using System.Globalization;
using System.Reflection;
using Dapper;

namespace PacsStegoGateway.Storage;

/// <summary>
/// The tables, and the steps from every earlier version to this one: the files of <c>Storage/Migrations</c>, one a step and
/// database, named <c>NNNN-what.postgresql.sql</c> and <c>NNNN-what.sqlite.sql</c>. A step that was released is never edited.
/// </summary>
public static class Schema
{
    private const string Folder = "Migrations.";

    /// <summary>The version that this program makes.</summary>
    public static int CurrentVersion { get; } = Steps("sqlite").Max(static s => s.Version);

    /// <summary>Creates the tables or brings them up to <see cref="CurrentVersion"/>, in one transaction.</summary>
    /// <exception cref="InvalidOperationException">The database was made by a later version of this program.</exception>
    public static async Task MigrateAsync(DbConnection connection, StoreDialect dialect) =>
        await MigrateAsync(connection, dialect, CurrentVersion);

    /// <summary>The same up to an earlier version: how tests make the databases of earlier programs.</summary>
    internal static async Task MigrateAsync(DbConnection connection, StoreDialect dialect, int upTo)
    {
        await using DbTransaction transaction = await connection.BeginTransactionAsync();
        await dialect.LockSchemaAsync(connection, transaction);
        await connection.ExecuteAsync("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)", transaction: transaction);
        HashSet<int> done = [.. await connection.QueryAsync<int>("SELECT version FROM schema_version", transaction: transaction)];
        if (done.Count > 0 && done.Max() > CurrentVersion)
        {
            throw new InvalidOperationException(
                $"The database has schema version {done.Max()}, this program knows up to {CurrentVersion}: run the later version.");
        }

        foreach ((int version, string sql) in Steps(dialect.Name).Where(s => s.Version <= upTo && !done.Contains(s.Version)))
        {
            await connection.ExecuteAsync(sql, transaction: transaction);
            await connection.ExecuteAsync("INSERT INTO schema_version (version) VALUES (@version)", new { version }, transaction);
        }

        await transaction.CommitAsync();
    }

    private static List<(int Version, string Sql)> Steps(string database)
    {
        Assembly here = typeof(Schema).Assembly;
        return
        [
            .. here.GetManifestResourceNames()
                .Where(n => n.StartsWith(Folder, StringComparison.Ordinal) && n.EndsWith($".{database}.sql", StringComparison.Ordinal))
                .Select(n =>
                {
                    using var reader = new StreamReader(here.GetManifestResourceStream(n)!);
                    return (int.Parse(n.AsSpan(Folder.Length, 4), CultureInfo.InvariantCulture), reader.ReadToEnd());
                })
                .OrderBy(static s => s.Item1),
        ];
    }
}
