using PacsStegoGateway.Configuration;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>Databases of both kinds for one class of tests.</summary>
public abstract class StoreRoom(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psg-store-").FullName;

    public static TheoryData<DatabaseKind> Kinds => [DatabaseKind.Sqlite, DatabaseKind.PostgreSql];

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    protected static Task<GatewayStore> OpenAsync(StoreDialect dialect, string node = NodeOptions.DefaultName, TimeProvider? time = null) =>
        GatewayStore.OpenAsync(dialect, SampleObjects.Keys, time ?? TimeProvider.System, Cancel, node);

    protected static InstanceRow Row(string sop, byte content = 1) => new()
    {
        SopUID = sop,
        StudyUID = "2.25.100",
        SeriesUID = "2.25.101",
        Patient = "P",
        SopClassUID = "1.2.840.10008.5.1.4.1.1.2",
        TransferSyntaxUID = "1.2.840.10008.1.2.1",
        Essentials = [1, 2, 3],
        ContentHash = [content],
        CallingAE = "CT1",
        CalledAE = "PSG",
        RemoteAddress = "127.0.0.1",
        ReceivedFile = Guid.NewGuid().ToString("N"),
        ReceivedBytes = 10,
    };

    /// <summary>Received and protected, with a delivery to each destination.</summary>
    protected static async Task<InstanceRow> ProtectAsync(GatewayStore store, string sop, params ForwardTarget[] destinations)
    {
        await store.ReceiveAsync(Row(sop));
        InstanceRow row = (await store.DueAsync(InstanceState.Received, 1000, Cancel)).Single(r => r.SopUID == sop);
        (await store.SetProtectedAsync(row, Guid.NewGuid().ToString("N"), destinations, null)).ShouldBeTrue();
        return (await store.DueAsync(InstanceState.Protected, 1000, Cancel)).Single(r => r.SopUID == sop);
    }

    protected async Task<StoreDialect> DialectAsync(DatabaseKind kind)
    {
        if (kind == DatabaseKind.Sqlite)
        {
            return new SqliteDialect(Path.Combine(_folder, $"{Guid.NewGuid():N}.db"), 5);
        }

        if (postgres.Server is null)
        {
            Assert.Skip("PostgreSQL is not installed.");
        }

        return new PostgreSqlDialect(await postgres.Server.CreateDatabaseAsync());
    }
}
