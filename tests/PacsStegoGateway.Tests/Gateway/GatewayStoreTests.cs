using Dapper;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>The same rules on both databases.</summary>
public sealed class GatewayStoreTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psg-store-").FullName;

    public static TheoryData<DatabaseKind> Kinds => [DatabaseKind.Sqlite, DatabaseKind.PostgreSql];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_row_goes_from_received_over_protected_to_forwarded_and_the_trail_tells_it_in_order(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        (await store.ReceiveAsync(Row("2.25.1"))).Kind.ShouldBe(ReceiptKind.New);
        InstanceRow received = (await store.DueAsync(InstanceState.Received, 10, Cancel)).ShouldHaveSingleItem();
        received.State.ShouldBe(InstanceState.Received);
        received.Essentials.ShouldBe([1, 2, 3]);
        (await store.SetProtectedAsync(received, Guid.NewGuid().ToString("N"), [new ForwardTarget("PACS")], "detail")).ShouldBeTrue();
        (await store.SetProtectedAsync(received, Guid.NewGuid().ToString("N"), [new ForwardTarget("PACS")], "again")).ShouldBeFalse();
        DeliveryRow due = (await store.DueDeliveriesAsync("PACS", 10, Cancel)).ShouldHaveSingleItem();
        due.Instance.ProtectedFile.ShouldNotBeNull();
        (due.Instance.SopUID, due.State, due.Destination).ShouldBe(("2.25.1", DeliveryState.Pending, "PACS"));
        (await store.SettleDeliverySentAsync(due, "0000H")).ShouldBe(new Settlement(true, FilesUnneeded: true));
        (await store.SettleDeliverySentAsync(due, "0000H")).ShouldBe(new Settlement(false));
        (await store.DueDeliveriesAsync("PACS", 10, Cancel)).ShouldBeEmpty();

        IReadOnlyList<AuditRecord> trail = await store.QueryAuditAsync(new AuditFilter { SopUID = "2.25.1" }, Cancel);
        trail.Select(static r => r.Event).ShouldBe([AuditEvent.Received, AuditEvent.Protected, AuditEvent.Forwarded]);
        trail.Select(static r => r.Sequence).ShouldBeInOrder();
        (await store.FindAsync(new InstanceFilter { StudyUIDs = ["2.25.100"] }, 0, 10, Cancel)).Count.ShouldBe(1);
        (await store.CountAsync(Cancel))[InstanceState.Forwarded].ShouldBe(1);
    }

    [Fact]
    public async Task A_new_SQLite_database_is_for_its_owner_alone()
    {
        string path = Path.Combine(_folder, "owner.db");
        await using GatewayStore store = await OpenAsync(new SqliteDialect(path, 5));
        await store.ReceiveAsync(Row("2.25.1"));
        foreach (string file in Directory.GetFiles(_folder, "owner.db*"))
        {
            // Windows has no modes of files.
            if (!OperatingSystem.IsWindows())
            {
                File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
            }
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Same_bytes_are_a_duplicate_and_other_bytes_under_the_same_UID_are_quarantined(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        (await store.ReceiveAsync(Row("2.25.1"))).Kind.ShouldBe(ReceiptKind.New);
        (await store.ReceiveAsync(Row("2.25.1"))).Kind.ShouldBe(ReceiptKind.Duplicate);
        (await store.ReceiveAsync(Row("2.25.1", content: 9))).Kind.ShouldBe(ReceiptKind.Conflict);
        (await store.ReceiveAsync(Row("2.25.1"))).Kind.ShouldBe(ReceiptKind.Duplicate);
        (await store.DueAsync(InstanceState.Received, 10, Cancel)).Count.ShouldBe(1);
        InstanceRow conflict = (await store.DueAsync(InstanceState.Quarantined, 10, Cancel)).ShouldHaveSingleItem();
        conflict.Reason.ShouldBe(nameof(RefusalReason.ConflictingContent));
        (await store.QueryAuditAsync(new AuditFilter(), Cancel)).Select(static r => r.Event)
            .ShouldBe([AuditEvent.Received, AuditEvent.Duplicate, AuditEvent.Quarantined, AuditEvent.Duplicate]);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Many_at_a_time_are_all_committed_and_one_of_them_owns_a_UID_sent_by_all(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        Receipt[] kinds = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => store.ReceiveAsync(Row(i % 2 == 0 ? "2.25.7" : $"2.25.{1000 + i}"))));
        kinds.Count(static k => k.Kind == ReceiptKind.New).ShouldBe(101);
        kinds.Count(static k => k.Kind == ReceiptKind.Duplicate).ShouldBe(99);
        (await store.DueAsync(InstanceState.Received, 1000, Cancel)).Count.ShouldBe(101);
        (await store.QueryAuditAsync(new AuditFilter(), Cancel)).Count.ShouldBe(200);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_unit_that_fails_takes_no_other_of_its_batch_with_it_and_leaves_no_half(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        InstanceRow twice = Row("2.25.1");
        await store.ReceiveAsync(twice);
        // The same spool file under another UID breaks a unique column: the row is refused, so its audit entry must be too.
        Task<Receipt> bad = store.ReceiveAsync(Row("2.25.2", file: twice.ReceivedFile));
        Task<Receipt>[] good = [.. Enumerable.Range(10, 20).Select(i => store.ReceiveAsync(Row($"2.25.{i}")))];
        await Should.ThrowAsync<System.Data.Common.DbException>(bad);
        (await Task.WhenAll(good)).ShouldAllBe(static k => k.Kind == ReceiptKind.New);
        (await store.QueryAuditAsync(new AuditFilter { SopUID = "2.25.2" }, Cancel)).ShouldBeEmpty();
        (await store.QueryAuditAsync(new AuditFilter(), Cancel)).Count.ShouldBe(21);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Audit_entries_can_be_neither_changed_nor_deleted(DatabaseKind kind)
    {
        StoreDialect dialect = await DialectAsync(kind);
        await using GatewayStore store = await OpenAsync(dialect);
        await store.AppendAuditAsync(new AuditRecord(AuditEvent.ServiceStarted));
        await using System.Data.Common.DbDataSource source = dialect.CreateDataSource();
        await using System.Data.Common.DbConnection connection = await source.OpenConnectionAsync(Cancel);
        await Should.ThrowAsync<System.Data.Common.DbException>(() => connection.ExecuteAsync("UPDATE audit SET detail = 'x'"));
        await Should.ThrowAsync<System.Data.Common.DbException>(() => connection.ExecuteAsync("DELETE FROM audit"));
        (await store.QueryAuditAsync(new AuditFilter(), Cancel)).Count.ShouldBe(1);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Everything_is_still_there_after_opening_again_and_the_schema_is_made_once(DatabaseKind kind)
    {
        StoreDialect dialect = await DialectAsync(kind);
        await using (GatewayStore store = await OpenAsync(dialect))
        {
            await store.ReceiveAsync(Row("2.25.1"));
        }

        await using GatewayStore again = await OpenAsync(dialect);
        (await again.DueAsync(InstanceState.Received, 10, Cancel)).Count.ShouldBe(1);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_failed_attempt_waits_for_its_time_and_is_counted(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        await store.ReceiveAsync(Row("2.25.1"));
        InstanceRow row = (await store.DueAsync(InstanceState.Received, 10, Cancel))[0];
        await store.RetryLaterAsync(row, DateTimeOffset.UtcNow.AddHours(1), RefusalReason.OutOfResources, null);
        (await store.DueAsync(InstanceState.Received, 10, Cancel)).ShouldBeEmpty();
        await store.RetryLaterAsync(row, DateTimeOffset.UtcNow.AddHours(-1), RefusalReason.OutOfResources, null);
        (await store.DueAsync(InstanceState.Received, 10, Cancel)).ShouldHaveSingleItem().Attempts.ShouldBe(2);
    }

    [Theory]
    [InlineData("", 64)]
    [InlineData(";MaxAutoPrepare=0", 0)]
    [InlineData(";Max Auto Prepare=5", 5)]
    public void What_is_repeated_is_prepared_unless_the_connection_string_says_otherwise(string setting, int expected)
    {
        using System.Data.Common.DbDataSource source = new PostgreSqlDialect(new DatabaseOptions { ConnectionString = "Host=h;Database=d" + setting }).CreateDataSource();
        new Npgsql.NpgsqlConnectionStringBuilder(source.ConnectionString).MaxAutoPrepare.ShouldBe(expected);
    }

    [Fact]
    public async Task A_database_that_is_away_is_a_temporary_failure_and_the_store_recovers_by_itself()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        await using GatewayStore store = await OpenAsync(new PostgreSqlDialect(await server.CreateDatabaseAsync()));
        await store.ReceiveAsync(Row("2.25.1"));
        await server.StopAsync();
        await Should.ThrowAsync<StoreUnavailableException>(store.ReceiveAsync(Row("2.25.2")));
        await Should.ThrowAsync<StoreUnavailableException>(store.DueAsync(InstanceState.Received, 10, Cancel));
        (await store.IsReachableAsync(Cancel)).ShouldBeFalse();
        await server.StartAgainAsync();
        await Eventually.BecomesTrueAsync(() => store.IsReachableAsync(Cancel));
        (await store.ReceiveAsync(Row("2.25.3"))).Kind.ShouldBe(ReceiptKind.New);
        (await store.DueAsync(InstanceState.Received, 10, Cancel)).Select(static r => r.SopUID).ShouldBe(["2.25.1", "2.25.3"]);
    }

    [Fact]
    public async Task Audit_filters_hold_together()
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(DatabaseKind.Sqlite));
        await store.AppendAuditAsync(new AuditRecord(AuditEvent.Query) { CallingAE = "A", Patient = "P1" });
        await store.AppendAuditAsync(new AuditRecord(AuditEvent.QueryRefused, AuditOutcome.MinorFailure) { CallingAE = "B", Patient = "P1" });
        await store.AppendAuditAsync(new AuditRecord(AuditEvent.Query) { CallingAE = "B", StudyUID = "2.25.5" });
        async Task<int> CountAsync(AuditFilter filter) => (await store.QueryAuditAsync(filter, Cancel)).Count;
        (await CountAsync(new AuditFilter { CallingAE = "B" })).ShouldBe(2);
        (await CountAsync(new AuditFilter { CallingAE = "B", Events = [AuditEvent.Query] })).ShouldBe(1);
        (await CountAsync(new AuditFilter { Patient = "P1", Outcome = AuditOutcome.MinorFailure })).ShouldBe(1);
        (await CountAsync(new AuditFilter { StudyUID = "2.25.5" })).ShouldBe(1);
        (await CountAsync(new AuditFilter { From = DateTimeOffset.UtcNow.AddMinutes(1) })).ShouldBe(0);
        (await CountAsync(new AuditFilter { From = DateTimeOffset.UtcNow.AddMinutes(-1), Until = DateTimeOffset.UtcNow.AddMinutes(1) })).ShouldBe(3);
        (await CountAsync(new AuditFilter { Limit = 2 })).ShouldBe(2);
        (await CountAsync(new AuditFilter { AfterSequence = 2 })).ShouldBe(1);
    }

    private static InstanceRow Row(string sop, byte content = 1, string? file = null) => new()
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
        RemoteAddress = "127.0.0.1",
        ReceivedFile = file ?? Guid.NewGuid().ToString("N"),
        ReceivedBytes = 10,
    };

    private static Task<GatewayStore> OpenAsync(StoreDialect dialect) => GatewayStore.OpenAsync(dialect, SampleObjects.Keys, TimeProvider.System, Cancel);

    private async Task<StoreDialect> DialectAsync(DatabaseKind kind)
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
