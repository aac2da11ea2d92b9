using PacsStegoGateway.Audit;
using PacsStegoGateway.Benchmarks;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>The short form of scripts/measure-audit.sh: what it fills is a genuine trail that answers.</summary>
public sealed class AuditMeasurementTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IDisposable
{
    private readonly AuditBench _bench = new(postgres);

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task A_trail_of_two_years_is_filled_asked_written_to_and_verified()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        DatabaseOptions database = await _bench.PostgresAsync();
        using var result = new StringWriter();
        await new AuditTrail(database, SampleObjects.Keys, 30_000, 5).RunAsync(result, cancel);
        result.ToString().ShouldContain("| a patient |");
        result.ToString().ShouldContain("| entries verified |");
        await using GatewayStore store = await AuditBench.OpenAsync(new PostgreSqlDialect(database));
        (await store.CountAuditAsync(new AuditFilter { Patient = "P0000000001" }, cancel)).ShouldBe(450);
        (await store.QueryAuditAsync(new AuditFilter { Patient = "P0000000001" }, cancel)).Count.ShouldBe(450);
    }
}
