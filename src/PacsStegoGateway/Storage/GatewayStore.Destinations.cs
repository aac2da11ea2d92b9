using Dapper;

namespace PacsStegoGateway.Storage;

/// <summary>Deliveries of one gateway to one destination in one state that still need their files.</summary>
/// <param name="OldestQueuedAt">When the oldest of them was protected, Unix milliseconds.</param>
public sealed record OpenDeliveries(string Node, string Destination, DeliveryState State, long Count, long OldestQueuedAt);

public sealed partial class GatewayStore
{
    /// <summary>What is open, of every gateway and destination there are rows of, configured or not.</summary>
    public async Task<IReadOnlyList<OpenDeliveries>> OpenDeliveriesAsync(CancellationToken cancellationToken)
    {
        IEnumerable<(string Node, string Destination, string State, long Count, long Oldest)> rows = await ReadAsync(
            c => c.QueryAsync<(string, string, string, long, long)>(new CommandDefinition(
                """
                SELECT node, destination, state, COUNT(*), MIN(queued_at) FROM deliveries WHERE is_final = 0
                GROUP BY node, destination, state ORDER BY node, destination, state
                """,
                cancellationToken: cancellationToken)), cancellationToken);
        return [.. rows.Select(static r => new OpenDeliveries(r.Node, r.Destination, Enum.Parse<DeliveryState>(r.State, ignoreCase: true), r.Count, r.Oldest))];
    }
}
