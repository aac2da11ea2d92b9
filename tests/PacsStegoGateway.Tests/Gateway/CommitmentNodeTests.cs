using System.Data.Common;
using Dapper;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>Storage commitment of gateways that share a database.</summary>
public sealed class CommitmentNodeTests(PostgresFixture postgres) : StoreRoom(postgres)
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(10);
    private static readonly ForwardTarget Pacs = new("PACS", StorageCommitment: true);

    [Fact]
    public async Task Whoever_of_two_hears_a_report_applies_it_and_of_a_dead_one_everything_goes_over()
    {
        StoreDialect dialect = await DialectAsync(DatabaseKind.PostgreSql);
        await using GatewayStore one = await JoinAsync(dialect, "one");
        await using GatewayStore two = await JoinAsync(dialect, "two");
        foreach (string sop in (string[])["2.25.1", "2.25.2", "2.25.3"])
        {
            await ProtectAsync(one, sop, Pacs);
        }

        foreach (DeliveryRow due in await one.DueDeliveriesAsync("PACS", 10, Cancel))
        {
            (await one.SettleDeliverySentAsync(due, "0000H")).ShouldBe(new Settlement(true));
        }

        (await two.BeginCommitAsync("2.25.91", "PACS", 10, DateTimeOffset.UtcNow)).ShouldBeEmpty();
        (await one.BeginCommitAsync("2.25.90", "PACS", 2, DateTimeOffset.UtcNow.AddHours(1))).Count.ShouldBe(2);
        (await two.OpenCommitsAsync("PACS", Cancel)).ShouldBeEmpty();
        (await two.LapseCommitAsync("2.25.90", "not mine")).ShouldBeFalse();
        await one.RequestCommitmentAsync(Request("one"));
        (await two.DueCommitRequestsAsync(0, 10, Cancel)).ShouldBeEmpty();

        CommitReportOutcome heard = await two.ApplyCommitReportAsync("2.25.90", ["PACS"], [new CommitFinding("2.25.1", CommitVerdict.Committed, "")],
            static _ => default, 3, new AuditRecord(AuditEvent.CommitmentReported));
        (heard.Committed, heard.FilesUnneeded.Count, heard.IsComplete).ShouldBe((1, 2, false));

        await ExpireAsync(dialect, "one");
        (await two.TakeOverAsync("one")).ShouldBeGreaterThan(0);
        CommitTransactionRow open = (await two.OpenCommitsAsync("PACS", Cancel)).ShouldHaveSingleItem();
        (open.UID, open.State, open.Node).ShouldBe(("2.25.90", CommitTransactionState.Asking, "two"));
        CommitRequestRow request = (await two.DueCommitRequestsAsync(0, 10, Cancel)).ShouldHaveSingleItem();
        request.Node.ShouldBe("two");

        // The one that was thought dead wakes up: it decides nothing any more.
        await Should.ThrowAsync<StoreUnavailableException>(one.LapseCommitAsync("2.25.90", "too late"));
        await Should.ThrowAsync<StoreUnavailableException>(one.SetCommitReadyAsync(request, 0, []));
        (await two.SetCommitReadyAsync(request, 0, [])).ShouldBeTrue();
        (await two.LapseCommitAsync("2.25.90", "it is not known whether it was asked.")).ShouldBeTrue();
        (await two.BeginCommitAsync("2.25.92", "PACS", 10, DateTimeOffset.UtcNow)).Select(static i => i.SopUID).ShouldBe(["2.25.2", "2.25.3"]);
    }

    [Fact]
    public async Task A_request_is_all_that_keeps_a_dead_gateway_from_being_forgotten()
    {
        StoreDialect dialect = await DialectAsync(DatabaseKind.PostgreSql);
        await using GatewayStore one = await JoinAsync(dialect, "one");
        await using GatewayStore two = await JoinAsync(dialect, "two");
        await one.RequestCommitmentAsync(Request("one"));
        await ExpireAsync(dialect, "one");
        (await two.DeadNodesAsync(Cancel)).ShouldHaveSingleItem();
        (await two.TakeOverAsync("one")).ShouldBe(1);
        (await two.DeadNodesAsync(Cancel)).ShouldBeEmpty();
    }

    private static CommitRequestRow Request(string node) => new()
    {
        CallingAE = "CT1",
        CalledAE = "PSG",
        RemoteAddress = "127.0.0.1",
        TransactionIndex = "2.25.7",
        Node = node,
        Instances = 1,
        ContentHash = [1],
        Sealed = [1],
    };

    private static async Task<GatewayStore> JoinAsync(StoreDialect dialect, string node)
    {
        GatewayStore store = await OpenAsync(dialect, node);
        await store.JoinAsync($"spool-{node}", Lease, Pacs);
        return store;
    }

    private static async Task ExpireAsync(StoreDialect dialect, string node)
    {
        await using DbDataSource source = dialect.CreateDataSource();
        await using DbConnection connection = await source.OpenConnectionAsync(Cancel);
        await connection.ExecuteAsync("UPDATE nodes SET lease_until = 1 WHERE name = @node", new { node });
    }
}
