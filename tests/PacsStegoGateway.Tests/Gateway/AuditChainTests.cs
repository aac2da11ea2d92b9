using System.Data.Common;
using Dapper;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>How entries get into the chain, on both databases.</summary>
public sealed class AuditChainTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IDisposable
{
    private readonly AuditBench _bench = new(postgres);

    public static TheoryData<DatabaseKind> Kinds => [DatabaseKind.Sqlite, DatabaseKind.PostgreSql];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _bench.Dispose();

    [Theory, MemberData(nameof(Kinds))]
    public async Task Entries_are_numbered_without_a_gap_however_many_write_and_each_is_chained_to_the_one_before(DatabaseKind kind)
    {
        StoreDialect dialect = await _bench.DialectAsync(kind);
        await using GatewayStore one = await AuditBench.OpenAsync(dialect, "one");
        await using GatewayStore two = await AuditBench.OpenAsync(dialect, "two");
        await Task.WhenAll(Enumerable.Range(0, 300).Select(i => (i % 2 == 0 ? one : two).AppendAuditAsync(
            new AuditRecord(AuditEvent.Query) { CallingAE = $"AE{i}", Detail = i % 3 == 0 ? null : "" })));

        List<ChainedEntry> entries = [];
        AuditHead head = await one.ReadTrailAsync(async (head, all) =>
        {
            entries = await all.ToListAsync(Cancel);
            return head!;
        }, Cancel);
        entries.Select(static e => e.Record.Sequence).ShouldBe(Enumerable.Range(1, 300).Select(static i => (long)i));
        entries.Count(static e => e.Record.Node == "two").ShouldBe(150);
        head.Sequence.ShouldBe(300);
        var chain = new AuditChain(SampleObjects.Keys);
        byte[] mac = chain.Origin(entries[0].KeyId, head.Trail);
        foreach (ChainedEntry entry in entries)
        {
            mac = chain.MacOf(entry.KeyId, mac, entry.Record);
            entry.Mac.ShouldBe(mac);
        }

        head.Mac.ShouldBe(mac);
        head.Seal.ShouldBe(chain.SealOf(head.KeyId, head.Trail, 300, mac));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Every_column_comes_back_as_it_was_given_and_texts_that_no_database_takes_are_made_storable(DatabaseKind kind)
    {
        await using GatewayStore store = await AuditBench.OpenAsync(await _bench.DialectAsync(kind), "n1");
        AuditRecord full = AuditBench.Full();
        await store.AppendAuditAsync(full);
        await store.AppendAuditAsync(new AuditRecord(AuditEvent.Denied, AuditOutcome.MajorFailure)
        {
            CallingAE = "A\0B\nC", User = "half \ud800 and whole \ud83d\ude00", Detail = new string('x', 3000),
        });
        IReadOnlyList<AuditRecord> read = await store.QueryAuditAsync(new AuditFilter(), Cancel);
        read[0].ShouldBeEquivalentTo(full with { Sequence = 1, At = read[0].At, Node = "n1" });
        read[1].CallingAE.ShouldBe("A?B?C");
        read[1].User.ShouldBe("half \ufffd and whole \ud83d\ude00");
        read[1].Detail!.Length.ShouldBe(AuditRecord.LongestText);
        await Should.ThrowAsync<ArgumentException>(store.AppendAuditAsync(full with { Sealed = new byte[AuditRecord.LongestSealed + 1] }));
        (await store.QueryAuditAsync(new AuditFilter { User = "Dr. Ä", CallingAE = "CLINIC", Node = "n1" }, Cancel)).ShouldHaveSingleItem();
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_entry_of_work_that_failed_leaves_no_gap(DatabaseKind kind)
    {
        await using GatewayStore store = await AuditBench.OpenAsync(await _bench.DialectAsync(kind));
        InstanceRow row = AuditBench.Row("2.25.1");
        await store.ReceiveAsync(row);
        Task<Receipt> bad = store.ReceiveAsync(AuditBench.Row("2.25.2", row.ReceivedFile));
        Task good = store.AppendAuditAsync(new AuditRecord(AuditEvent.Query));
        await Should.ThrowAsync<DbException>(bad);
        await good;
        (await store.QueryAuditAsync(new AuditFilter(), Cancel)).Select(static r => r.Sequence).ShouldBe([1, 2]);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Entries_of_an_earlier_version_are_taken_into_the_chain_at_the_first_start(DatabaseKind kind)
    {
        StoreDialect dialect = await _bench.DialectAsync(kind);
        await using (DbDataSource source = dialect.CreateDataSource())
        await using (DbConnection connection = await source.OpenConnectionAsync(Cancel))
        {
            await Schema.MigrateAsync(connection, dialect, 1);
            foreach (int i in Enumerable.Range(1, 2500))
            {
                await connection.ExecuteAsync(
                    "INSERT INTO audit (at, event, outcome, calling_ae, patient, detail) VALUES (@At, 'Received', 4, 'CT1', 'P', @Detail)",
                    new { At = DateTimeOffset.UtcNow.AddDays(i - 2500).ToUnixTimeMilliseconds(), Detail = $"old {i}" });
            }
        }

        await using (GatewayStore first = await AuditBench.OpenAsync(dialect))
        {
            await first.AppendAuditAsync(new AuditRecord(AuditEvent.ServiceStarted));
        }

        await using GatewayStore store = await AuditBench.OpenAsync(dialect);
        IReadOnlyList<AuditRecord> all = await store.QueryAuditAsync(new AuditFilter { Limit = 10_000 }, Cancel);
        all.Select(static r => r.Sequence).ShouldBe(Enumerable.Range(1, 2502).Select(static i => (long)i));
        all[6].ShouldBe(new AuditRecord(AuditEvent.Received, AuditOutcome.MinorFailure)
        {
            Sequence = 7, At = all[6].At, Node = "gateway", CallingAE = "CT1", Patient = "P", Detail = "old 7",
        });
        all[2500].Event.ShouldBe(AuditEvent.TrailTakenOver);
        all[2500].Detail!.ShouldContain("2500 entries");
        all[2501].Event.ShouldBe(AuditEvent.ServiceStarted);
    }

    [Fact]
    public async Task A_row_cannot_be_replaced_in_SQLite_either()
    {
        StoreDialect dialect = await _bench.DialectAsync(DatabaseKind.Sqlite);
        await using GatewayStore store = await AuditBench.OpenAsync(dialect);
        await store.AppendAuditAsync(new AuditRecord(AuditEvent.Query));
        await using DbDataSource source = dialect.CreateDataSource();
        await using DbConnection connection = await source.OpenConnectionAsync(Cancel);
        (await Should.ThrowAsync<DbException>(() => connection.ExecuteAsync(
            "INSERT OR REPLACE INTO audit (sequence, at, node, event, outcome, key_id, mac) VALUES (1, 2, 'x', 3, 4, 5, X'06')"))).Message.ShouldContain("append-only");
    }

    [Fact]
    public async Task In_PostgreSQL_neither_the_trail_nor_a_month_of_it_can_be_changed_even_by_its_owner()
    {
        StoreDialect dialect = await _bench.DialectAsync(DatabaseKind.PostgreSql);
        await using DbDataSource source = dialect.CreateDataSource();
        await using DbConnection connection = await source.OpenConnectionAsync(Cancel);
        string role = $"r{Guid.NewGuid():N}";
        await connection.ExecuteAsync($"CREATE ROLE {role}; GRANT ALL ON SCHEMA public TO {role}; SET ROLE {role}");
        await Schema.MigrateAsync(connection, dialect);
        await connection.ExecuteAsync("SELECT audit_make_partition(0)");
        await connection.ExecuteAsync("INSERT INTO audit (sequence, at, node, event, outcome, key_id, mac) VALUES (1, 2, 'x', 3, 4, 5, '')");
        foreach (string table in (string[])["audit", "audit_1970_01"])
        {
            foreach (string statement in (string[])[$"UPDATE {table} SET detail = 'x'", $"DELETE FROM {table}", $"TRUNCATE {table}"])
            {
                (await Should.ThrowAsync<DbException>(() => connection.ExecuteAsync(statement))).SqlState.ShouldBe("42501", statement);
            }
        }

        // A superuser needs no permission: then the trigger speaks.
        await connection.ExecuteAsync("RESET ROLE");
        foreach (string table in (string[])["audit", "audit_1970_01"])
        {
            foreach (string statement in (string[])[$"UPDATE {table} SET detail = 'x'", $"DELETE FROM {table}", $"TRUNCATE {table}"])
            {
                (await Should.ThrowAsync<DbException>(() => connection.ExecuteAsync(statement))).Message.ShouldContain("append-only", customMessage: statement);
            }
        }
    }

    [Fact]
    public async Task PostgreSQL_has_a_partition_for_this_month_and_the_next_and_no_default_one()
    {
        StoreDialect dialect = await _bench.DialectAsync(DatabaseKind.PostgreSql);
        await using GatewayStore store = await AuditBench.OpenAsync(dialect);
        await store.AppendAuditAsync(new AuditRecord(AuditEvent.Query));
        await using DbDataSource source = dialect.CreateDataSource();
        await using DbConnection connection = await source.OpenConnectionAsync(Cancel);
        DateTime now = DateTime.UtcNow;
        (await connection.QueryAsync<string>("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit'::regclass ORDER BY 1"))
            .ShouldBe([$"audit_{now:yyyy_MM}", $"audit_{now.AddMonths(1):yyyy_MM}"]);
        await Should.ThrowAsync<DbException>(() => connection.ExecuteAsync(
            "INSERT INTO audit (sequence, at, node, event, outcome, key_id, mac) VALUES (9, 0, 'x', 1, 0, 1, '')"));
    }

    [Fact]
    public async Task A_gateway_that_hangs_with_the_head_in_its_hand_is_thrown_out_and_the_others_go_on()
    {
        DatabaseOptions options = await _bench.PostgresAsync();
        options.TimeoutSeconds = 2;
        var dialect = new PostgreSqlDialect(options);
        await using GatewayStore store = await AuditBench.OpenAsync(dialect);
        await store.AppendAuditAsync(new AuditRecord(AuditEvent.ServiceStarted));
        await using DbDataSource source = dialect.CreateDataSource();
        await using DbConnection hung = await source.OpenConnectionAsync(Cancel);
        await dialect.PrepareAsync(hung, Cancel);
        await using DbTransaction transaction = await hung.BeginTransactionAsync(Cancel);
        await hung.ExecuteAsync("SELECT * FROM audit_head FOR UPDATE", transaction: transaction);
        await Eventually.BecomesTrueAsync(async () =>
        {
            try
            {
                await store.AppendAuditAsync(new AuditRecord(AuditEvent.Query));
                return true;
            }
            catch (StoreUnavailableException)
            {
                return false;
            }
        });
        (await store.QueryAuditAsync(new AuditFilter(), Cancel)).Select(static r => r.Sequence).ShouldBe([1, 2]);
        await Should.ThrowAsync<DbException>(() => hung.ExecuteAsync("SELECT 1", transaction: transaction));
    }

    /// <summary>The same numbers stand in docs/audit.md: another program can be written against them.</summary>
    [Fact]
    public void The_encoding_is_the_one_that_is_documented()
    {
        byte[] key = [.. Enumerable.Range(0, 32).Select(static i => (byte)i)];
        byte[] previous = [.. Enumerable.Repeat((byte)0xAA, 32)];
        AuditRecord record = AuditBench.Full() with { Sequence = 7, At = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123), Node = "n1", SopUID = null };
        byte[] encoded = AuditChain.Encode(0x01020304, previous, record);
        string expected = string.Concat(
            Convert.ToHexStringLower("psg audit entry 1\n"u8), Convert.ToHexStringLower(previous),
            "000000080000000000000007", "000000080000018bcfe5687b", "000000026e31", "0000000800000000000002bc", "000000080000000000000004",
            "00000006434c494e4943", "0000000831302e312e322e33", "0000000644722e20c384", "0000000954524541544d454e54",
            "000000025031", "00000006322e32352e35", "ffffffff", "0000000d4e6f74417574686f72697a6564", "00000003c3a421", "00000003010203",
            "000000080000000001020304");
        Convert.ToHexStringLower(encoded).ShouldBe(expected);
        Repository.RepositoryFiles.Text("docs/audit.md").ShouldContain(Convert.ToHexStringLower(System.Security.Cryptography.HMACSHA256.HashData(key, encoded)));
    }
}
