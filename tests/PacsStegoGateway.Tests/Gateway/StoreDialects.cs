using PacsStegoGateway.Configuration;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>New, empty databases of both kinds, for tests that must hold on both.</summary>
public sealed class StoreDialects : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psg-stores-").FullName;
    private readonly PostgresFixture _postgres = new();

    public ValueTask InitializeAsync() => _postgres.InitializeAsync();

    public async Task<StoreDialect> CreateAsync(DatabaseKind kind)
    {
        if (kind == DatabaseKind.Sqlite)
        {
            return new SqliteDialect(Path.Combine(_folder, $"{Guid.NewGuid():N}.db"), 5);
        }

        if (_postgres.Server is null)
        {
            Assert.Skip("PostgreSQL is not installed.");
        }

        return new PostgreSqlDialect(await _postgres.Server.CreateDatabaseAsync());
    }

    public async ValueTask DisposeAsync()
    {
        await _postgres.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }
}
