using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>Databases and entries for the tests of the trail.</summary>
internal sealed class AuditBench(PostgresFixture postgres) : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("psg-audit-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>A new, empty database.</summary>
    public async Task<StoreDialect> DialectAsync(DatabaseKind kind) => kind == DatabaseKind.Sqlite
        ? new SqliteDialect(Path.Combine(Folder, $"{Guid.NewGuid():N}.db"), 5)
        : new PostgreSqlDialect(await PostgresAsync());

    public async Task<DatabaseOptions> PostgresAsync()
    {
        if (postgres.Server is null)
        {
            Assert.Skip("PostgreSQL is not installed.");
        }

        return await postgres.Server.CreateDatabaseAsync();
    }

    public static Task<GatewayStore> OpenAsync(StoreDialect dialect, string node = "gateway") =>
        GatewayStore.OpenAsync(dialect, SampleObjects.Keys, TimeProvider.System, Cancel, node);

    /// <summary>An entry in which no column is empty.</summary>
    public static AuditRecord Full() => new(AuditEvent.Reidentified, AuditOutcome.MinorFailure)
    {
        CallingAE = "CLINIC",
        RemoteAddress = "10.1.2.3",
        User = "Dr. Ä",
        Purpose = "TREATMENT",
        Patient = "P1",
        StudyUID = "2.25.5",
        SopUID = "2.25.6",
        Reason = "NotAuthorized",
        Detail = "ä!",
        Sealed = [1, 2, 3],
    };

    public static InstanceRow Row(string sop, string? file = null) => new()
    {
        SopUID = sop,
        StudyUID = "2.25.100",
        SeriesUID = "2.25.101",
        Patient = "P",
        SopClassUID = "1.2.840.10008.5.1.4.1.1.2",
        TransferSyntaxUID = "1.2.840.10008.1.2.1",
        Essentials = [1, 2, 3],
        ContentHash = [1],
        CallingAE = "CT1",
        RemoteAddress = "127.0.0.1",
        ReceivedFile = file ?? Guid.NewGuid().ToString("N"),
        ReceivedBytes = 10,
    };
}
