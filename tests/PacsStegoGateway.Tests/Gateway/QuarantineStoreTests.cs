using PacsStegoGateway.Audit;
using PacsStegoGateway.Commands;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>What may become of a quarantined row, on both databases; the command line is a second store on the same database.</summary>
public sealed class QuarantineStoreTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psg-quarantine-").FullName;

    public static TheoryData<DatabaseKind> Kinds => [DatabaseKind.Sqlite, DatabaseKind.PostgreSql];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_released_row_is_received_as_if_never_tried_and_only_once(DatabaseKind kind)
    {
        StoreDialect dialect = await DialectAsync(kind);
        await using GatewayStore store = await OpenAsync(dialect);
        await using GatewayStore other = await OpenAsync(dialect);
        InstanceRow quarantined = await QuarantineAsync(store, Row("2.25.1"));
        (await other.ReleaseAsync(quarantined, "by a test")).ShouldBe(ReleaseResult.Released);
        (await other.ReleaseAsync(quarantined, "by a test")).ShouldBe(ReleaseResult.NotQuarantined);
        InstanceRow received = (await store.DueAsync(InstanceState.Received, 10, Cancel)).ShouldHaveSingleItem();
        (received.Id, received.Attempts, received.Reason, received.Detail).ShouldBe((quarantined.Id, 0, null, null));
        AuditRecord record = (await store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.QuarantineReleased] }, Cancel)).ShouldHaveSingleItem();
        (record.SopUID, record.Reason, record.CallingAE).ShouldBe(("2.25.1", nameof(RefusalReason.NoBackground), null));
        record.User.ShouldBe("by a test");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_same_bytes_again_are_a_retry_with_the_new_file_and_the_old_one_belongs_to_nobody(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        InstanceRow first = await QuarantineAsync(store, Row("2.25.1"));
        InstanceRow again = Row("2.25.1");
        (await store.ReceiveAsync(again)).ShouldBe(new Receipt(ReceiptKind.Retried, first.ReceivedFile));
        InstanceRow received = (await store.DueAsync(InstanceState.Received, 10, Cancel)).ShouldHaveSingleItem();
        (received.Id, received.ReceivedFile).ShouldBe((first.Id, again.ReceivedFile));
        (await store.UnownedFilesAsync([first.ReceivedFile, again.ReceivedFile], Cancel)).ShouldBe([first.ReceivedFile]);
        (await EventsAsync(store)).ShouldBe([AuditEvent.Received, AuditEvent.Quarantined, AuditEvent.QuarantineReleased]);

        // A worker that still holds the row as it was has no say about the new file.
        InstanceRow stale = Row("2.25.1", file: first.ReceivedFile, id: first.Id);
        (await store.QuarantineAsync(stale, RefusalReason.MalformedDataSet, null)).ShouldBeFalse();
        (await store.ReceiveAsync(Row("2.25.1"))).Kind.ShouldBe(ReceiptKind.Duplicate);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Other_bytes_take_the_UID_of_a_quarantined_object_that_was_never_protected_and_both_are_kept(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        InstanceRow first = await QuarantineAsync(store, Row("2.25.1"));
        InstanceRow later = Row("2.25.1", content: 2);
        (await store.ReceiveAsync(later)).ShouldBe(new Receipt(ReceiptKind.New));
        (await store.DueAsync(InstanceState.Received, 10, Cancel)).ShouldHaveSingleItem().ReceivedFile.ShouldBe(later.ReceivedFile);
        InstanceRow superseded = (await store.QuarantinedAsync(new QuarantineFilter(), Cancel)).ShouldHaveSingleItem();
        superseded.ReceivedFile.ShouldBe(first.ReceivedFile);
        superseded.Reason.ShouldBe(nameof(RefusalReason.NoBackground));
        superseded.Detail.ShouldBe("No room. Superseded by a later object with the same UID.");
        (await store.UnownedFilesAsync([first.ReceivedFile, later.ReceivedFile], Cancel)).ShouldBeEmpty();
        (await EventsAsync(store)).ShouldBe([AuditEvent.Received, AuditEvent.Quarantined, AuditEvent.Quarantined, AuditEvent.Received]);

        // Two must not leave under one UID: the old one goes nowhere until the later one has given the UID up.
        (await store.ReleaseAsync(superseded, "by a test")).ShouldBe(ReleaseResult.UidIsTaken);
        InstanceRow owner = (await store.DueAsync(InstanceState.Received, 10, Cancel))[0];
        await store.QuarantineAsync(owner, RefusalReason.NoBackground, null);
        owner = (await store.QuarantinedAsync(new QuarantineFilter { Ids = [owner.Id] }, Cancel)).ShouldHaveSingleItem();
        (await store.DiscardAsync(owner, "by a test")).ShouldBeTrue();
        (await store.ReleaseAsync(superseded, "by a test")).ShouldBe(ReleaseResult.Released);
        (await store.ReceiveAsync(Row("2.25.1"))).Kind.ShouldBe(ReceiptKind.Duplicate);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Nobody_is_told_that_his_object_is_kept_when_anothers_took_its_UID_and_his_lies_in_quarantine(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        foreach ((string sop, string later) in (IEnumerable<(string, string)>)[("2.25.1", "CT1"), ("2.25.2", "CT2")])
        {
            await QuarantineAsync(store, Row(sop));
            (await store.ReceiveAsync(Row(sop, content: 2, callingAE: later))).ShouldBe(new Receipt(ReceiptKind.New));
        }

        IReadOnlyDictionary<string, CommitStanding> standings = await store.StandingsAsync(["2.25.1", "2.25.2"], Cancel);
        standings["2.25.1"].Reached.ShouldBe(CommitmentLevel.Received, "its sender corrected it");
        standings["2.25.2"].Reached.ShouldBeNull("somebody else took its place");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Other_bytes_are_a_conflict_when_the_quarantined_object_was_protected_once_even_before_a_retry(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        await store.ReceiveAsync(Row("2.25.1"));
        InstanceRow received = (await store.DueAsync(InstanceState.Received, 10, Cancel))[0];
        await store.SetProtectedAsync(received, Guid.NewGuid().ToString("N"), [new ForwardTarget("PACS")], null);
        await store.QuarantineAsync((await store.DueAsync(InstanceState.Protected, 10, Cancel))[0], RefusalReason.RefusedByDestination, null);
        (await store.ReceiveAsync(Row("2.25.1", content: 2))).Kind.ShouldBe(ReceiptKind.Conflict);
        InstanceRow refused = (await store.QuarantinedAsync(new QuarantineFilter { Reason = RefusalReason.RefusedByDestination }, Cancel)).ShouldHaveSingleItem();
        await store.ReleaseAsync(refused, "by a test");
        await store.QuarantineAsync((await store.DueAsync(InstanceState.Received, 10, Cancel))[0], RefusalReason.NoBackground, null);
        (await store.ReceiveAsync(Row("2.25.1", content: 3))).Kind.ShouldBe(ReceiptKind.Conflict);
        (await store.ReceiveAsync(Row("2.25.1"))).Kind.ShouldBe(ReceiptKind.Retried);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_discarded_object_is_new_when_it_comes_again_and_nothing_else_can_be_discarded(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        InstanceRow row = await QuarantineAsync(store, Row("2.25.1"));
        (await store.DiscardAsync(row, "by a test")).ShouldBeTrue();
        (await store.DiscardAsync(row, "by a test")).ShouldBeFalse();
        (await store.UnownedFilesAsync([row.ReceivedFile], Cancel)).ShouldBe([row.ReceivedFile]);
        (await store.ReceiveAsync(Row("2.25.1"))).Kind.ShouldBe(ReceiptKind.New);
        (await store.DiscardAsync((await store.DueAsync(InstanceState.Received, 10, Cancel))[0], "by a test")).ShouldBeFalse();
        (await EventsAsync(store)).ShouldBe([AuditEvent.Received, AuditEvent.Quarantined, AuditEvent.QuarantineDiscarded, AuditEvent.Received]);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Filters_and_pages_hold_together(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        for (int i = 1; i <= 4; i++)
        {
            await QuarantineAsync(store, Row($"2.25.{i}"), i % 2 == 0 ? RefusalReason.ProofFailed : RefusalReason.NoBackground);
        }

        await store.ReceiveAsync(Row("2.25.5"));
        async Task<string> UidsAsync(QuarantineFilter filter) => string.Concat((await store.QuarantinedAsync(filter, Cancel)).Select(static r => r.SopUID[^1]));
        (await UidsAsync(new QuarantineFilter())).ShouldBe("1234");
        (await UidsAsync(new QuarantineFilter { Reason = RefusalReason.ProofFailed })).ShouldBe("24");
        (await UidsAsync(new QuarantineFilter { Limit = 3 })).ShouldBe("123");
        (await UidsAsync(new QuarantineFilter { AfterId = 3 })).ShouldBe("4");
        (await UidsAsync(new QuarantineFilter { Ids = [1, 2, 5, 99], Reason = RefusalReason.NoBackground })).ShouldBe("1");
        (await UidsAsync(new QuarantineFilter { Ids = [] })).ShouldBe("");
    }

    [Fact]
    public void Every_reason_has_advice_and_an_unknown_one_is_told_as_such()
    {
        string unknown = QuarantineAdvice.For("ReasonOfALaterVersion");
        Enum.GetNames<RefusalReason>().ShouldAllBe(name => QuarantineAdvice.For(name).Length > 0 && QuarantineAdvice.For(name) != unknown);
    }

    private static async Task<InstanceRow> QuarantineAsync(GatewayStore store, InstanceRow row, RefusalReason reason = RefusalReason.NoBackground)
    {
        await store.ReceiveAsync(row);
        InstanceRow received = (await store.DueAsync(InstanceState.Received, 10, Cancel)).Single(r => r.SopUID == row.SopUID);
        (await store.QuarantineAsync(received, reason, "No room.")).ShouldBeTrue();
        return (await store.QuarantinedAsync(new QuarantineFilter { Ids = [received.Id] }, Cancel)).ShouldHaveSingleItem();
    }

    private static async Task<IEnumerable<AuditEvent>> EventsAsync(GatewayStore store) =>
        (await store.QueryAuditAsync(new AuditFilter(), Cancel)).Select(static r => r.Event);

    private static InstanceRow Row(string sop, byte content = 1, string? file = null, long id = 0, string callingAE = "CT1") => new()
    {
        Id = id,
        SopUID = sop,
        StudyUID = "2.25.100",
        SeriesUID = "2.25.101",
        Patient = "P",
        SopClassUID = "1.2.840.10008.5.1.4.1.1.2",
        TransferSyntaxUID = "1.2.840.10008.1.2.1",
        Essentials = [1, 2, 3],
        ContentHash = [content],
        CallingAE = callingAE,
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
