using System.Data.Common;
using Dapper;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Service;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>Two whole gateways on one PostgreSQL and one spool folder.</summary>
public sealed class TwoGatewaysTests : IDisposable
{
    private readonly string _shared = Directory.CreateTempSubdirectory("psg-shared-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_shared, recursive: true);

    [Fact]
    public async Task What_a_killed_gateway_left_in_every_state_the_other_finishes_once_after_the_lease()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        DatabaseOptions database = await server.CreateDatabaseAsync();
        using var gate = new SemaphoreSlim(2);
        await using GatewayHarness killed = await StartAsync("one", database, g => g.Parts = new ProtectionParts(
            SampleObjects.Keys,
            // The first two come through, the others fail as in a process that is killed: nothing is written.
            (bytes, syntax, keep) => gate.Wait(TimeSpan.Zero) ? SampleObjects.Protect(bytes, syntax, keep) : throw new StoreUnavailableException("killed"),
            SampleObjects.Reveal));
        await killed.Pacs.StopAsync();
        await killed.SendAsync(1, 2, 3, 4, 5, 6);
        await killed.UntilAsync(InstanceState.Protected, 2);
        await killed.StopAsync();
        // A killed one gives nothing back: its lease runs on.
        await using (DbDataSource source = new PostgreSqlDialect(database).CreateDataSource())
        {
            await using DbConnection connection = await source.OpenConnectionAsync(Cancel);
            await connection.ExecuteAsync("UPDATE nodes SET lease_until = EXTRACT(EPOCH FROM clock_timestamp()) * 1000 + 1500 WHERE name = 'one'");
        }

        await using GatewayHarness other = await StartAsync("two", database, g => g.Options.Pacs.Port = killed.Pacs.Port);
        await other.SendAsync(7);

        killed.Pacs.Start();
        await other.UntilAsync(InstanceState.Forwarded, 7);
        killed.Pacs.Stored.Count.ShouldBe(7);
        killed.Pacs.Requests.Count.ShouldBe(7);
        await Eventually.BecomesTrueAsync(() => ObjectsInSpool() == 0);
        AuditRecord takenOver = (await other.Host.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.WorkTakenOver] }, Cancel))[^1];
        (takenOver.Node, takenOver.Detail).ShouldBe(("two", "two goes on with 6 objects of one."));

        // It comes back under its name, finds nothing to do, and works again.
        killed.Parts = SampleObjects.Parts;
        await killed.StartAgainAsync();
        await killed.SendAsync(8);
        await killed.UntilAsync(InstanceState.Forwarded, 8);
        killed.Pacs.Requests.Count.ShouldBe(8);
    }

    [Fact]
    public async Task A_gateway_whose_rows_were_taken_while_it_lived_goes_on_with_new_ones_by_itself()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        DatabaseOptions database = await server.CreateDatabaseAsync();
        await using GatewayHarness paused = await StartAsync("one", database);
        await using GatewayStore other = await GatewayStore.OpenAsync(new PostgreSqlDialect(database), SampleObjects.Keys, TimeProvider.System, Cancel, "two");
        await other.JoinAsync("elsewhere", TimeSpan.FromMinutes(1), new ForwardTarget("PACS"));
        await using (DbDataSource source = new PostgreSqlDialect(database).CreateDataSource())
        {
            await using DbConnection connection = await source.OpenConnectionAsync(Cancel);
            await connection.ExecuteAsync("UPDATE nodes SET epoch = epoch + 1, lease_until = 1 WHERE name = 'one'");
        }

        await Eventually.BecomesTrueAsync(() => paused.LogLines.Any(static l => l.StartsWith("3022 ", StringComparison.Ordinal)));
        await Eventually.BecomesTrueAsync(async () => (await other.NodesAsync(Cancel)).Single(static n => n.Name == "one").LeftMilliseconds > 0);
        await paused.SendAsync(1);
        await paused.UntilAsync(InstanceState.Forwarded, 1);
    }

    [Fact]
    public async Task The_spool_of_a_dead_gateway_that_cannot_be_seen_from_here_is_a_critical_line_and_its_rows_stay()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        DatabaseOptions database = await server.CreateDatabaseAsync();
        await using GatewayStore far = await GatewayStore.OpenAsync(new PostgreSqlDialect(database), SampleObjects.Keys, TimeProvider.System, Cancel, "far");
        await far.JoinAsync("on-another-machine", TimeSpan.FromSeconds(1), new ForwardTarget("PACS"));
        await far.ReceiveAsync(new InstanceRow { SopUID = "2.25.1", ReceivedFile = "far/x", ContentHash = [1] });
        await using GatewayHarness living = await StartAsync("one", database);
        await Eventually.BecomesTrueAsync(() => living.LogLines.Any(static l => l.StartsWith("3023 ", StringComparison.Ordinal)));
        (await far.DueAsync(InstanceState.Received, 10, Cancel)).Count.ShouldBe(1);
        (await living.CountAsync(InstanceState.Quarantined)).ShouldBe(0);
    }

    private Task<GatewayHarness> StartAsync(string name, DatabaseOptions database, Action<GatewayHarness>? prepare = null) => GatewayHarness.StartAsync(g =>
    {
        g.Options.Node.Name = name;
        g.Options.Node.LeaseSeconds = 1;
        g.Options.Database = database;
        g.Options.Spool.Folder = _shared;
        prepare?.Invoke(g);
    });

    private int ObjectsInSpool() => Directory.GetFiles(_shared, "*", SearchOption.AllDirectories)
        .Count(static f => Guid.TryParseExact(Path.GetFileNameWithoutExtension(f), "N", out _));
}
