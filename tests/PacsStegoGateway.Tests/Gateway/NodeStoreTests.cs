using System.Data.Common;
using Dapper;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Work;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>Gateways that share a database: who owns which rows, and who may write.</summary>
public sealed class NodeStoreTests(PostgresFixture postgres) : StoreRoom(postgres)
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);
    private static readonly ForwardTarget Pacs = new("PACS");

    [Fact]
    public async Task Two_gateways_on_one_database_never_hand_out_the_same_row()
    {
        StoreDialect dialect = await DialectAsync(DatabaseKind.PostgreSql);
        await using GatewayStore one = await JoinAsync(dialect, "one");
        await using GatewayStore two = await JoinAsync(dialect, "two");
        // Every other object comes to both at a time: one of them has it, whoever was first.
        Receipt[] receipts = await Task.WhenAll(Enumerable.Range(0, 60).SelectMany(i => (Task<Receipt>[])
            [one.ReceiveAsync(Row($"2.25.{i}")), two.ReceiveAsync(Row(i % 2 == 0 ? $"2.25.{i}" : $"2.25.{1000 + i}"))]));
        receipts.Count(static r => r.Kind == ReceiptKind.New).ShouldBe(90);
        receipts.Count(static r => r.Kind == ReceiptKind.Duplicate).ShouldBe(30);
        IReadOnlyList<InstanceRow> ofOne = await one.DueAsync(InstanceState.Received, 1000, Cancel);
        IReadOnlyList<InstanceRow> ofTwo = await two.DueAsync(InstanceState.Received, 1000, Cancel);
        (ofOne.Count + ofTwo.Count).ShouldBe(90);
        ofOne.Select(static r => r.Id).Intersect(ofTwo.Select(static r => r.Id)).ShouldBeEmpty();
        ofOne.ShouldAllBe(static r => r.Node == "one");

        await one.SetProtectedAsync(ofOne[0], Guid.NewGuid().ToString("N"), [Pacs], null);
        (await two.DueDeliveriesAsync("PACS", 10, Cancel)).ShouldBeEmpty();
        DeliveryRow delivery = (await one.DueDeliveriesAsync("PACS", 10, Cancel)).ShouldHaveSingleItem();
        (await two.SettleDeliverySentAsync(delivery, "not mine")).Changed.ShouldBeFalse();
        (await two.QuarantineAsync(ofOne[1], RefusalReason.NoBackground, null)).ShouldBeFalse();
        (await two.SetProtectedAsync(ofOne[1], Guid.NewGuid().ToString("N"), [Pacs], null)).ShouldBeFalse();
        (await two.CountWaitingAsync(1000, Cancel)).ShouldBe(ofTwo.Count);
    }

    [Fact]
    public async Task A_dead_gateway_loses_its_rows_to_another_and_writes_nothing_any_more_until_it_has_joined_again()
    {
        StoreDialect dialect = await DialectAsync(DatabaseKind.PostgreSql);
        await using GatewayStore paused = await JoinAsync(dialect, "paused");
        await using GatewayStore living = await JoinAsync(dialect, "living");
        await ProtectAsync(paused, "2.25.1", Pacs);
        await ProtectAsync(paused, "2.25.2", Pacs, new ForwardTarget("ARCHIVE"));
        await paused.ReceiveAsync(Row("2.25.3"));
        InstanceRow received = (await paused.DueAsync(InstanceState.Received, 10, Cancel)).ShouldHaveSingleItem();
        IReadOnlyList<DeliveryRow> due = await paused.DueDeliveriesAsync("PACS", 10, Cancel);
        (await paused.SettleDeliverySentAsync(due[0], "0000H")).Changed.ShouldBeTrue();

        (await living.DeadNodesAsync(Cancel)).ShouldBeEmpty();
        (await living.TakeOverAsync("paused")).ShouldBe(0);
        await ExpireAsync(dialect, "paused");
        (await living.DeadNodesAsync(Cancel)).ShouldHaveSingleItem().Name.ShouldBe("paused");
        (await living.TakeOverAsync("paused")).ShouldBe(2);
        (await living.DeadNodesAsync(Cancel)).ShouldBeEmpty();

        // The paused one wakes up: what it holds, and what it is just receiving, is not written.
        await Should.ThrowAsync<StoreUnavailableException>(paused.SetProtectedAsync(received, Guid.NewGuid().ToString("N"), [Pacs], null));
        await Should.ThrowAsync<StoreUnavailableException>(paused.SettleDeliverySentAsync(due[1], "0000H"));
        await Should.ThrowAsync<StoreUnavailableException>(paused.ReceiveAsync(Row("2.25.4")));
        await paused.AppendAuditAsync(new AuditRecord(AuditEvent.AssociationAborted));
        (await paused.RenewLeaseAsync(Long)).ShouldBeFalse();
        (await living.DueAsync(InstanceState.Received, 10, Cancel)).ShouldHaveSingleItem().SopUID.ShouldBe("2.25.3");
        (await living.DueDeliveriesAsync("PACS", 10, Cancel)).ShouldHaveSingleItem().Instance.SopUID.ShouldBe("2.25.2");
        (await living.DueDeliveriesAsync("ARCHIVE", 10, Cancel)).Count.ShouldBe(1);
        (await living.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.WorkTakenOver] }, Cancel)).ShouldHaveSingleItem().Node.ShouldBe("living");

        await paused.JoinAsync("spool-paused", Long, Pacs);
        (await paused.DueAsync(InstanceState.Received, 10, Cancel)).ShouldBeEmpty();
        (await paused.SetProtectedAsync(received, Guid.NewGuid().ToString("N"), [Pacs], null)).ShouldBeFalse();
        (await paused.ReceiveAsync(Row("2.25.4"))).Kind.ShouldBe(ReceiptKind.New);
        (await paused.RenewLeaseAsync(Long)).ShouldBeTrue();
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_name_of_a_living_gateway_is_refused_to_another_spool_and_given_to_its_own_at_once(DatabaseKind kind)
    {
        StoreDialect dialect = await DialectAsync(kind);
        await using GatewayStore killed = await OpenAsync(dialect);
        await killed.JoinAsync("spool-a", Long, Pacs);
        await killed.ReceiveAsync(Row("2.25.1"));
        await using GatewayStore namesake = await OpenAsync(dialect);
        (await Should.ThrowAsync<ConfigurationException>(namesake.JoinAsync("spool-b", Long, Pacs))).Problems.ShouldHaveSingleItem().Path.ShouldBe("Node:Name");

        await using GatewayStore again = await OpenAsync(dialect);
        await again.JoinAsync("spool-a", Long, Pacs);
        (await again.DueAsync(InstanceState.Received, 10, Cancel)).Count.ShouldBe(1);
        await Should.ThrowAsync<StoreUnavailableException>(killed.ReceiveAsync(Row("2.25.2")));

        // The lease given back, or over, the name is free.
        await again.ReleaseLeaseAsync();
        await namesake.JoinAsync("spool-b", Long, Pacs);
        (await namesake.NodesAsync(Cancel)).ShouldHaveSingleItem().SpoolId.ShouldBe("spool-b");
    }

    [Fact]
    public async Task SQLite_serves_one_gateway_and_a_new_name_takes_the_rows_of_the_old()
    {
        StoreDialect dialect = await DialectAsync(DatabaseKind.Sqlite);
        await using GatewayStore old = await JoinAsync(dialect, "old");
        await old.ReceiveAsync(Row("2.25.1"));
        await using GatewayStore renamed = await OpenAsync(dialect, "renamed");
        (await Should.ThrowAsync<ConfigurationException>(renamed.JoinAsync("spool-renamed", Long, Pacs))).Message.ShouldContain("SQLite");
        await old.ReleaseLeaseAsync();
        await renamed.JoinAsync("spool-renamed", Long, Pacs);
        (await renamed.DueAsync(InstanceState.Received, 10, Cancel)).Count.ShouldBe(1);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_lease_ends_by_itself_by_the_clock_of_the_database_and_by_our_own(DatabaseKind kind)
    {
        StoreDialect dialect = await DialectAsync(kind);
        await using GatewayStore store = await OpenAsync(dialect);
        store.HoldsLease.ShouldBeTrue();
        await store.JoinAsync("spool", Long, Pacs);
        store.HoldsLease.ShouldBeTrue();
        await store.RenewLeaseAsync(TimeSpan.FromMilliseconds(300));
        await Eventually.BecomesTrueAsync(async () => (await store.NodesAsync(Cancel))[0].LeftMilliseconds <= 0);
        await Eventually.BecomesTrueAsync(() => !store.HoldsLease);
        // Nobody has taken it: a sign of life makes it ours again.
        (await store.RenewLeaseAsync(Long)).ShouldBeTrue();
        store.HoldsLease.ShouldBeTrue();
        (await store.NodesAsync(Cancel))[0].LeftMilliseconds.ShouldBeInRange(500_000, 600_000);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_thread_that_has_stepped_back_leads_no_batch(DatabaseKind kind)
    {
        var time = new ThreadsSeen();
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind), time: time);
        await WorkerThread.Run(() =>
        {
            for (int i = 0; i < 5; i++)
            {
                store.ReceiveAsync(Row($"2.25.{i}")).GetAwaiter().GetResult().Kind.ShouldBe(ReceiptKind.New);
            }
        });
        time.Calls.ShouldBeGreaterThan(0);
        time.HasSeenSteppedBack.ShouldBeFalse();
    }

    private static async Task<GatewayStore> JoinAsync(StoreDialect dialect, string node)
    {
        GatewayStore store = await OpenAsync(dialect, node);
        await store.JoinAsync($"spool-{node}", Long, Pacs);
        return store;
    }

    private static async Task ExpireAsync(StoreDialect dialect, string node)
    {
        await using DbDataSource source = dialect.CreateDataSource();
        await using DbConnection connection = await source.OpenConnectionAsync(Cancel);
        await connection.ExecuteAsync("UPDATE nodes SET lease_until = 1 WHERE name = @node", new { node });
    }

    /// <summary>Every entry and row asks for the time where it is written.</summary>
    private sealed class ThreadsSeen : TimeProvider
    {
        public int Calls { get; private set; }

        public bool HasSeenSteppedBack { get; private set; }

        public override DateTimeOffset GetUtcNow()
        {
            Calls++;
            HasSeenSteppedBack |= WorkerThread.HasSteppedBack;
            return base.GetUtcNow();
        }
    }
}
