using System.Data.Common;
using Dapper;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>Whoever has the database, with all its permissions, and not the key: everything he does is found.</summary>
public sealed class AuditVerifyTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IDisposable
{
    private const int Entries = 12;

    private readonly AuditBench _bench = new(postgres);

    public static TheoryData<DatabaseKind> Kinds => [DatabaseKind.Sqlite, DatabaseKind.PostgreSql];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _bench.Dispose();

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_trail_that_nobody_touched_is_genuine_also_when_two_gateways_wrote_and_the_key_was_changed(DatabaseKind kind)
    {
        StoreDialect dialect = await _bench.DialectAsync(kind);
        string ring = Path.Combine(_bench.Folder, "keyring.json");
        var first = KeyRing.Create(ring);
        KeyRing second = first.Rotate();
        await using GatewayStore one = await GatewayStore.OpenAsync(dialect, first, TimeProvider.System, Cancel, "one");
        await using GatewayStore two = await GatewayStore.OpenAsync(dialect, second, TimeProvider.System, Cancel, "two");
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => (i % 2 == 0 ? one : two).AppendAuditAsync(AuditBench.Full())));
        AuditVerdict verdict = await VerifyAsync(two, keys: second.Retire(first.ActiveKeyId));
        (verdict.Entries, verdict.Last, verdict.Checkpoints, verdict.Count).ShouldBe((100, 100, 0, 0));
        // Who lost the key cannot say anything, and says so.
        (await VerifyAsync(two)).First!.Fault.ShouldBe(AuditFault.UnknownKey);
        (await VerifyAsync(two)).Findings.Count(static f => f.Fault == AuditFault.UnknownKey).ShouldBe(100);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_change_of_any_column_is_found_at_its_entry(DatabaseKind kind)
    {
        StoreDialect dialect = await _bench.DialectAsync(kind);
        await using GatewayStore store = await FilledAsync(dialect);
        await using var thief = await Thief.ConnectAsync(dialect);
        string[] columns = [.. AuditTable.Columns.Split(", ")];
        columns.Length.ShouldBe(17);
        foreach (string column in columns)
        {
            await thief.WithAsync(
                column switch
                {
                    "sequence" => "UPDATE audit SET sequence = 100 WHERE sequence = 5",
                    "at" or "event" or "outcome" or "key_id" => $"UPDATE audit SET {column} = {column} + 1 WHERE sequence = 5",
                    "sealed" or "mac" => $"UPDATE audit SET {column} = {thief.Bytes("0102")} WHERE sequence = 5",
                    _ => $"UPDATE audit SET {column} = {column} || ' ' WHERE sequence = 5",
                },
                async () =>
                {
                    AuditVerdict verdict = await VerifyAsync(store);
                    verdict.First!.Sequence.ShouldBe(5, column);
                    verdict.First.Fault.ShouldBe(column switch { "sequence" => AuditFault.Missing, "key_id" => AuditFault.UnknownKey, _ => AuditFault.Changed }, column);
                    (column == "sequence" || verdict.Count == 1).ShouldBeTrue($"{column}: one change is one finding, not {verdict.Count}");
                });
        }

        foreach (string column in (string[])["calling_ae", "remote_address", "user_identity", "purpose", "patient", "study_uid", "sop_uid", "reason", "detail", "sealed"])
        {
            await thief.WithAsync($"UPDATE audit SET {column} = NULL WHERE sequence = 5", async () => (await VerifyAsync(store)).First!.Sequence.ShouldBe(5, column));
        }

        await thief.WithAsync("UPDATE audit SET purpose = '', reason = purpose || reason WHERE sequence = 5",
            async () => (await VerifyAsync(store)).First!.Fault.ShouldBe(AuditFault.Changed));
        (await VerifyAsync(store)).IsGenuine.ShouldBeTrue();
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Entries_removed_added_copied_or_moved_are_found_and_named(DatabaseKind kind)
    {
        StoreDialect dialect = await _bench.DialectAsync(kind);
        await using GatewayStore store = await FilledAsync(dialect);
        await using var thief = await Thief.ConnectAsync(dialect);
        const string Others = "at, node, event, outcome, calling_ae, remote_address, user_identity, purpose, patient, study_uid, sop_uid, reason, detail, sealed, key_id, mac";
        (string Sql, long Sequence, AuditFault Fault)[] deeds =
        [
            ("DELETE FROM audit WHERE sequence = 1", 1, AuditFault.Missing),
            ("DELETE FROM audit WHERE sequence IN (5, 6)", 5, AuditFault.Missing),
            ($"DELETE FROM audit WHERE sequence = {Entries}", Entries, AuditFault.Truncated),
            ("DELETE FROM audit", 1, AuditFault.Truncated),
            // Closing the gap does not help.
            ("DELETE FROM audit WHERE sequence = 5; UPDATE audit SET sequence = 5 WHERE sequence = 6", 5, AuditFault.Changed),
            ("UPDATE audit SET sequence = 100 WHERE sequence = 4; UPDATE audit SET sequence = 4 WHERE sequence = 5; UPDATE audit SET sequence = 5 WHERE sequence = 100", 4, AuditFault.Moved),
            ("UPDATE audit SET sequence = 100 WHERE sequence = 3; UPDATE audit SET sequence = 3 WHERE sequence = 9; UPDATE audit SET sequence = 9 WHERE sequence = 100", 3, AuditFault.Moved),
            ($"INSERT INTO audit (sequence, {Others}) SELECT {Entries + 1}, {Others} FROM audit WHERE sequence = 4", Entries + 1, AuditFault.Inserted),
            ($"DELETE FROM audit WHERE sequence = 7; INSERT INTO audit (sequence, {Others}) SELECT 7, {Others} FROM audit WHERE sequence = 4", 7, AuditFault.Moved),
            ($"INSERT INTO audit (sequence, {Others}) SELECT 0, {Others} FROM audit WHERE sequence = 4", 0, AuditFault.Inserted),
            ($"INSERT INTO audit (sequence, {Others}) SELECT -3, {Others} FROM audit WHERE sequence = 4", -3, AuditFault.Inserted),
        ];
        foreach ((string sql, long sequence, AuditFault fault) in deeds)
        {
            await thief.WithAsync(sql, async () =>
            {
                AuditFinding first = (await VerifyAsync(store)).First!;
                (first.Sequence, first.Fault).ShouldBe((sequence, fault), sql);
            });
        }

        if (kind == DatabaseKind.PostgreSql)
        {
            await thief.WithAsync("INSERT INTO audit SELECT sequence, at + 1, node, event, outcome, calling_ae, remote_address, user_identity, purpose, patient, study_uid, sop_uid, reason, detail, sealed, key_id, mac FROM audit WHERE sequence = 4",
                async () => (await VerifyAsync(store)).First!.ShouldBe(new AuditFinding(4, AuditFault.Inserted, "There is more than one entry 4, or one with a number below 1.")));
        }

        (await VerifyAsync(store)).IsGenuine.ShouldBeTrue();
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_end_cannot_be_set_back_without_the_key_and_not_with_an_old_copy_of_it_where_there_are_checkpoints(DatabaseKind kind)
    {
        StoreDialect dialect = await _bench.DialectAsync(kind);
        await using GatewayStore store = await FilledAsync(dialect);
        await using var thief = await Thief.ConnectAsync(dialect);
        (string Sql, AuditFault Fault)[] deeds =
        [
            ("DELETE FROM audit WHERE sequence > 10; UPDATE audit_head SET sequence = 10, mac = (SELECT mac FROM audit WHERE sequence = 10)", AuditFault.HeadChanged),
            ("UPDATE audit_head SET key_id = key_id + 1", AuditFault.UnknownKey),
            ($"UPDATE audit_head SET trail = {thief.Bytes("00112233445566778899aabbccddeeff")}", AuditFault.HeadChanged),
            ($"UPDATE audit_head SET mac = {thief.Bytes("0011")}", AuditFault.HeadChanged),
            ($"UPDATE audit_head SET seal = {thief.Bytes("0011")}", AuditFault.HeadChanged),
            ("DELETE FROM audit_head", AuditFault.HeadGone),
            ($"DELETE FROM audit; UPDATE audit_head SET sequence = 0, key_id = 0, trail = {thief.Bytes("")}, mac = {thief.Bytes("")}, seal = {thief.Bytes("")}", AuditFault.Empty),
        ];
        foreach ((string sql, AuditFault fault) in deeds)
        {
            await thief.WithAsync(sql, async () => (await VerifyAsync(store)).Findings[0].Fault.ShouldBe(fault, sql));
        }

        // With a copy of the head from entry 12, everything after it can be cut off: only what was kept elsewhere tells.
        string file = Path.Combine(_bench.Folder, $"checkpoints-{kind}");
        var chain = new AuditChain(SampleObjects.Keys);
        AuditCheckpoints.Append(file, AuditCheckpoints.LineOf(chain, store.LastAuditHead!, DateTimeOffset.UtcNow, "node with space"));
        AuditHead old = store.LastAuditHead!;
        await store.AppendAuditAsync(AuditBench.Full());
        await store.AppendAuditAsync(AuditBench.Full());
        AuditCheckpoints.Append(file, AuditCheckpoints.LineOf(chain, store.LastAuditHead!, DateTimeOffset.UtcNow, "b"));
        AuditCheckpoints both = AuditCheckpoints.Read(chain, [file]);
        both.Count.ShouldBe(2);
        both.At(Entries)!.Node.ShouldBe("node with space");
        AuditVerdict whole = await VerifyAsync(store, both);
        (whole.Entries, whole.Last, whole.Checkpoints, whole.Count).ShouldBe((Entries + 2, Entries + 2, 2, 0));
        await thief.WithAsync(
            $"DELETE FROM audit WHERE sequence > {Entries}; UPDATE audit_head SET sequence = {Entries}, mac = {thief.Bytes(old.Mac)}, seal = {thief.Bytes(old.Seal)}",
            async () =>
            {
                (await VerifyAsync(store)).IsGenuine.ShouldBeTrue("what nothing outside speaks against");
                AuditFinding first = (await VerifyAsync(store, both)).First!;
                (first.Sequence, first.Fault).ShouldBe((Entries + 1, AuditFault.Truncated));
                // And going on from there is another trail.
                await using GatewayStore again = await AuditBench.OpenAsync(dialect);
                await again.AppendAuditAsync(AuditBench.Full());
                await again.AppendAuditAsync(AuditBench.Full());
                first = (await VerifyAsync(store, both)).First!;
                (first.Sequence, first.Fault).ShouldBe((Entries + 2, AuditFault.Rewritten));
            });
        await thief.WithAsync(
            $"DELETE FROM audit; UPDATE audit_head SET sequence = 0, key_id = 0, trail = {thief.Bytes("")}, mac = {thief.Bytes("")}, seal = {thief.Bytes("")}",
            async () => (await VerifyAsync(store, both)).First!.ShouldSatisfyAllConditions(f => f.Sequence.ShouldBe(1), f => f.Fault.ShouldBe(AuditFault.Truncated)));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_was_cut_off_without_the_key_is_found_also_after_the_gateway_has_gone_on_writing(DatabaseKind kind)
    {
        StoreDialect dialect = await _bench.DialectAsync(kind);
        await using GatewayStore store = await FilledAsync(dialect);
        AuditHead old = store.LastAuditHead!;
        await store.AppendAuditAsync(AuditBench.Full());
        await using var thief = await Thief.ConnectAsync(dialect);
        const string CutTo10 = "DELETE FROM audit WHERE sequence > 10; UPDATE audit_head SET sequence = 10, mac = (SELECT mac FROM audit WHERE sequence = 10)";
        string cutWithOldHead = $"DELETE FROM audit WHERE sequence > {Entries}; UPDATE audit_head SET sequence = {Entries}, mac = {thief.Bytes(old.Mac)}, seal = {thief.Bytes(old.Seal)}";
        string cutAll = $"DELETE FROM audit; UPDATE audit_head SET sequence = 0, key_id = 0, trail = {thief.Bytes("")}, mac = {thief.Bytes("")}, seal = {thief.Bytes("")}";
        (string Sql, bool IsStopped, long Marked)[] deeds =
        [
            (CutTo10, true, 11),
            (CutTo10, false, 11),
            // A key that the ring does not have excuses nothing when the last entry does not bear it too.
            ($"{CutTo10}, key_id = 7", true, 11),
            // With an old copy of the end, and from the beginning: not behind the back of a gateway that runs.
            (cutWithOldHead, false, Entries + 1),
            (cutAll, false, 1),
        ];
        foreach ((string sql, bool isStopped, long marked) in deeds)
        {
            // Each deed is done to a gateway that has just written.
            await store.AppendAuditAsync(AuditBench.Full());
            await using GatewayStore started = await AuditBench.OpenAsync(dialect);
            await thief.WithAsync(sql, async () =>
            {
                GatewayStore goesOn = isStopped ? started : store;
                await goesOn.AppendAuditAsync(AuditBench.Full());
                await goesOn.AppendAuditAsync(AuditBench.Full());
                AuditVerdict verdict = await VerifyAsync(store);
                verdict.First.ShouldBe(new AuditFinding(marked, AuditFault.HeadChanged,
                    $"Entry {marked} tells: The end of the trail is not where a gateway left it: entries before this one may be gone."), sql);
                verdict.Count.ShouldBe(1, sql);
            });
            await using GatewayStore fresh = await AuditBench.OpenAsync(dialect);
            (await VerifyAsync(fresh)).IsGenuine.ShouldBeTrue();
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Entries_that_somebody_lets_the_gateway_take_in_as_those_of_an_earlier_version_are_found(DatabaseKind kind)
    {
        StoreDialect dialect = await _bench.DialectAsync(kind);
        await using (GatewayStore store = await FilledAsync(dialect))
        {
            await using DbDataSource source = dialect.CreateDataSource();
            await using DbConnection thief = await source.OpenConnectionAsync(Cancel);
            await thief.ExecuteAsync(
                """
                CREATE TABLE audit_unchained (sequence BIGINT, at BIGINT, event TEXT, outcome INTEGER, calling_ae TEXT, remote_address TEXT,
                  patient TEXT, study_uid TEXT, sop_uid TEXT, reason TEXT, detail TEXT)
                """);
            await thief.ExecuteAsync(
                "INSERT INTO audit_unchained (sequence, at, event, outcome, calling_ae) VALUES (1, @At, 'Reidentified', 0, 'SOMEBODY')",
                new { At = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() });
        }

        await using GatewayStore again = await AuditBench.OpenAsync(dialect);
        AuditFinding first = (await VerifyAsync(again)).First!;
        (first.Sequence, first.Fault).ShouldBe((Entries + 1, AuditFault.HeadChanged));
    }

    [Fact]
    public async Task A_checkpoint_that_somebody_wrote_or_changed_is_named_and_one_that_was_never_finished_is_none()
    {
        await using GatewayStore store = await FilledAsync(await _bench.DialectAsync(DatabaseKind.Sqlite));
        string file = Path.Combine(_bench.Folder, "checkpoints");
        var chain = new AuditChain(SampleObjects.Keys);
        string genuine = AuditCheckpoints.LineOf(chain, store.LastAuditHead!, DateTimeOffset.UtcNow, "a");
        await File.WriteAllTextAsync(file, genuine[..40], Cancel);
        AuditCheckpoints.Append(file, genuine);
        AuditCheckpoints.Append(file, genuine.Replace("sequence=12", "sequence=13", StringComparison.Ordinal));
        AuditCheckpoints.Append(file, genuine.Replace("node=a", "node=b", StringComparison.Ordinal));
        AuditCheckpoints.Append(file, genuine.Replace("signature=", "signature=zz", StringComparison.Ordinal));
        AuditCheckpoints read = AuditCheckpoints.Read(chain, [file]);
        read.Count.ShouldBe(1);
        read.Changed.ShouldBe([3, 4, 5]);
        AuditVerdict verdict = await VerifyAsync(store, read);
        verdict.Findings.Select(static f => f.Fault).ShouldBe([AuditFault.CheckpointChanged, AuditFault.CheckpointChanged, AuditFault.CheckpointChanged]);
    }

    [Fact]
    public async Task The_extent_of_a_great_damage_is_counted_and_not_all_of_it_listed()
    {
        StoreDialect dialect = await _bench.DialectAsync(DatabaseKind.Sqlite);
        await using GatewayStore store = await AuditBench.OpenAsync(dialect);
        await store.AppendAuditAsync([.. Enumerable.Range(0, 3000).Select(static i => new AuditRecord(AuditEvent.Query) { Detail = $"{i}" })]);
        await using var thief = await Thief.ConnectAsync(dialect);
        await thief.WithAsync("UPDATE audit SET detail = 'x' WHERE sequence > 500 AND sequence % 10 = 0", async () =>
        {
            AuditVerdict verdict = await VerifyAsync(store);
            verdict.First!.Sequence.ShouldBe(510);
            verdict.Findings.Count.ShouldBe(100);
            verdict.Count.ShouldBe(250);
        });
    }

    private static async Task<GatewayStore> FilledAsync(StoreDialect dialect)
    {
        GatewayStore store = await AuditBench.OpenAsync(dialect);
        for (int i = 1; i <= Entries; i++)
        {
            await store.AppendAuditAsync(AuditBench.Full() with { Detail = $"entry {i}" });
        }

        return store;
    }

    private static Task<AuditVerdict> VerifyAsync(
        GatewayStore store, AuditCheckpoints? checkpoints = null, KeyRing? keys = null) => store.ReadTrailAsync(
        (head, entries) => new AuditVerifier(keys ?? SampleObjects.Keys).VerifyAsync(head, entries, checkpoints ?? AuditCheckpoints.None, null, Cancel), Cancel);

    /// <summary>A superuser who switches everything off that stands in his way, and puts everything back afterwards.</summary>
    private sealed class Thief(DbDataSource source, DbConnection connection, bool isSqlite) : IAsyncDisposable
    {
        private static readonly string[] Tables = ["audit", "audit_head"];

        public static async Task<Thief> ConnectAsync(StoreDialect dialect)
        {
            DbDataSource source = dialect.CreateDataSource();
            DbConnection connection = await source.OpenConnectionAsync(Cancel);
            bool isSqlite = dialect is SqliteDialect;
            await connection.ExecuteAsync(isSqlite
                ? "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; DROP TRIGGER audit_no_replace"
                : "SET session_replication_role = replica");
            return new Thief(source, connection, isSqlite);
        }

        public string Bytes(string hex) => isSqlite ? $"X'{hex}'" : $"'\\x{hex}'::bytea";

        public string Bytes(byte[] bytes) => Bytes(Convert.ToHexStringLower(bytes));

        public async Task WithAsync(string sql, Func<Task> look)
        {
            foreach (string table in Tables)
            {
                await connection.ExecuteAsync($"DROP TABLE IF EXISTS kept_{table}; CREATE TABLE kept_{table} AS SELECT * FROM {table}");
            }

            (await connection.ExecuteAsync(sql)).ShouldBeGreaterThan(0);
            await look();
            foreach (string table in Tables)
            {
                await connection.ExecuteAsync($"DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}");
            }
        }

        public async ValueTask DisposeAsync()
        {
            await connection.DisposeAsync();
            await source.DisposeAsync();
        }
    }
}
