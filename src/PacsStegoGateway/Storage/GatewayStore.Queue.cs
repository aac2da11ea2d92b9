using System.Text;
using Dapper;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Storage;

/// <summary>What a person sees of the queues, and decides about them; beside gateways that run.</summary>
public sealed partial class GatewayStore
{
    /// <summary>Unfinished deliveries of all gateways, oldest first.</summary>
    public Task<IReadOnlyList<DeliveryRow>> QueuedAsync(DeliveryFilter filter, CancellationToken cancellationToken)
    {
        var conditions = new StringBuilder("d.is_final = 0 AND d.id > @AfterId");
        var values = new DynamicParameters(new { filter.AfterId, Limit = Math.Clamp(filter.Limit, 1, 100_000) });
        void And(string condition, string name, object? value)
        {
            if (value is not null)
            {
                conditions.Append(" AND ").Append(condition);
                values.Add(name, value);
            }
        }

        And(_dialect.IsOneOf("d.id", "Ids"), "Ids", filter.Ids?.ToArray());
        And("d.destination = @Destination", "Destination", filter.Destination);
        And("d.state = @State", "State", filter.State is { } state ? Text(state) : null);
        And("d.queued_at < @QueuedBefore", "QueuedBefore", filter.QueuedBefore?.ToUnixTimeMilliseconds());
        return DeliveriesAsync(conditions.Append(" ORDER BY d.id LIMIT @Limit").ToString(), values, cancellationToken);
    }

    /// <summary>How many unfinished deliveries there are, by destination and state.</summary>
    public async Task<IReadOnlyList<DeliverySummary>> SummarizeQueuesAsync(CancellationToken cancellationToken) =>
        (await ReadAsync(c => c.QueryAsync<DeliverySummary>(new CommandDefinition(
            """
            SELECT destination AS "Destination", state AS "State", COUNT(*) AS "Count", MIN(queued_at) AS "OldestQueuedAt", MAX(attempts) AS "MostAttempts"
            FROM deliveries WHERE is_final = 0 GROUP BY destination, state ORDER BY destination, state
            """,
            cancellationToken: cancellationToken)), cancellationToken)).AsList();

    /// <summary>How many objects are received, protected or quarantined, of all gateways, and when the oldest was received (Unix milliseconds).</summary>
    public async Task<IReadOnlyDictionary<InstanceState, (long Count, long OldestReceivedAt)>> CountUnfinishedAsync(CancellationToken cancellationToken)
    {
        var counts = new Dictionary<InstanceState, (long, long)>();
        foreach (InstanceState state in (InstanceState[])[InstanceState.Received, InstanceState.Protected, InstanceState.Quarantined])
        {
            counts[state] = await ReadAsync(c => c.QuerySingleAsync<(long, long)>(new CommandDefinition(
                $"SELECT COUNT(*), COALESCE(MIN(received_at), 0) FROM instances WHERE state = '{Text(state)}'",
                cancellationToken: cancellationToken)), cancellationToken);
        }

        return counts;
    }

    /// <summary>To be sent now, or again, with its audit entry; a gateway that runs finds it when it looks next.</summary>
    /// <param name="delivery">As read.</param>
    /// <param name="by">Who wants it, for the audit entry.</param>
    /// <returns>False when it was no longer as it was read: nothing was changed.</returns>
    public Task<bool> RetryDeliveryAsync(DeliveryRow delivery, string by) => WriteAsync(async (connection, transaction) =>
    {
        int changed = await connection.ExecuteAsync(
            """
            UPDATE deliveries SET state = 'pending', attempts = 0, next_attempt_at = 0, updated_at = @Now, commit_transaction = NULL
            WHERE id = @Id AND state = @State AND is_final = 0
            """,
            new { Now, delivery.Id, State = Text(delivery.State) }, transaction);
        if (changed > 0)
        {
            await InsertAuditAsync(connection, transaction, ByOperator(delivery, AuditEvent.DeliveryRetried, by));
        }

        return changed > 0;
    }, needsLease: false);

    /// <summary>Not to be sent, or not to be waited for, with its audit entry. An object that no destination has goes to quarantine.</summary>
    /// <param name="delivery">As read.</param>
    /// <param name="by">Who wants it, for the audit entry.</param>
    public Task<DropResult> DropDeliveryAsync(DeliveryRow delivery, string by) => WriteAsync(async (connection, transaction) =>
    {
        // One that was sent stays, as what it is; it is only waited for no longer.
        int changed = await connection.ExecuteAsync(
            delivery.State == DeliveryState.Sent
                ? "UPDATE deliveries SET is_final = 1, updated_at = @Now WHERE id = @Id AND state = 'sent' AND is_final = 0"
                : "DELETE FROM deliveries WHERE id = @Id AND state = @State AND is_final = 0",
            new { Now, delivery.Id, State = Text(delivery.State) }, transaction);
        if (changed == 0)
        {
            return DropResult.Gone;
        }

        await InsertAuditAsync(connection, transaction, ByOperator(delivery, AuditEvent.DeliveryDropped, by));
        long instance = delivery.Instance.Id;
        // Held: of two that drop the last two deliveries at a time, the second must see that none is left.
        await connection.ExecuteScalarAsync<long>($"SELECT id FROM instances WHERE id = @instance {_dialect.ForUpdate}", new { instance }, transaction);
        if (await connection.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM deliveries WHERE instance_id = @instance", new { instance }, transaction) > 0)
        {
            return await AdvanceAsync(connection, transaction, instance) ? DropResult.DroppedLast : DropResult.Dropped;
        }

        string detail = $"Dropped from the queue of {delivery.Destination}: no destination has it.";
        await connection.ExecuteAsync(
            """
            UPDATE instances SET state = 'quarantined', reason = @Reason, detail = @detail, attempts = 0, next_attempt_at = 0, updated_at = @Now
            WHERE id = @instance AND state = 'protected'
            """,
            new { Reason = nameof(RefusalReason.RefusedByDestination), detail, Now, instance }, transaction);
        await InsertAuditAsync(connection, transaction, About(delivery.Instance, new AuditRecord(AuditEvent.Quarantined, AuditOutcome.SeriousFailure)
        {
            Reason = nameof(RefusalReason.RefusedByDestination),
            Detail = detail,
        }));
        return DropResult.Quarantined;
    }, needsLease: false);

    private static AuditRecord ByOperator(DeliveryRow delivery, AuditEvent @event, string by) => ByOperator(delivery.Instance, @event, by) with
    {
        Detail = $"Delivery {delivery.Id} to {delivery.Destination}, on the command line.",
    };
}
