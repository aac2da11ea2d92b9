using System.Data.Common;
using Dapper;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>What was kept and went nowhere.</summary>
public static class Quarantine
{
    /// <summary>Waits until as many rows are in quarantine as reasons are named; rows and audit trail must say exactly these.</summary>
    public static async Task ShouldHold(GatewayProcess gateway, params string[] reasons)
    {
        await Eventually.IsTrue("all are in quarantine", () => GatewayRows.CountInstances(gateway, "quarantined") >= reasons.Length, 120);
        await using DbConnection connection = gateway.OpenDatabase();
        (await connection.QueryAsync<string>("SELECT reason FROM instances WHERE state = 'quarantined'")).ShouldBe(reasons, ignoreOrder: true);
        (await connection.QueryAsync<string>("SELECT reason FROM audit WHERE event = @number", new { number = GatewayRows.NumberOf("Quarantined") })).ShouldBe(reasons, ignoreOrder: true);
    }
}
