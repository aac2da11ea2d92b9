using System.Data.Common;
using Dapper;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Storage;

public sealed partial class GatewayStore
{
    private const string DeliveryColumns =
        """
        d.id AS "Id", d.destination AS "Destination", d.node AS "Node", d.state AS "State", d.wants_commitment = 1 AS "WantsCommitment",
        d.is_final = 1 AS "IsFinal", d.attempts AS "Attempts", d.next_attempt_at AS "NextAttemptAt", d.detail AS "Detail",
        d.queued_at AS "QueuedAt", d.updated_at AS "UpdatedAt", d.sent_at AS "SentAt", d.commit_transaction AS "CommitTransaction"
        """;

    private static readonly string InstanceOfDelivery = System.Text.RegularExpressions.Regex.Replace(Columns, @"(\w+ AS)", "i.$1");

    /// <summary>Our deliveries to a destination whose time has come, oldest first.</summary>
    /// <remarks>What was written later than now was written by a clock that has been put back: the time it waits for means nothing.</remarks>
    public Task<IReadOnlyList<DeliveryRow>> DueDeliveriesAsync(string destination, int limit, CancellationToken cancellationToken) => DeliveriesAsync(
        "d.destination = @destination AND d.node = @Node AND d.state = 'pending' AND d.is_final = 0 AND i.state IN ('protected', 'forwarded') AND (d.next_attempt_at <= @Now OR d.updated_at > @Now) ORDER BY d.id LIMIT @limit",
        new { destination, Node, Now, limit }, cancellationToken);

    /// <summary>Which destinations have said that they hold these instances.</summary>
    public async Task<ILookup<long, string>> HoldersAsync(IReadOnlyList<long> instances, CancellationToken cancellationToken)
    {
        var holders = new List<(long Instance, string Destination)>();
        foreach (long[] some in instances.Chunk(500))
        {
            holders.AddRange(await ReadAsync(c => c.QueryAsync<(long, string)>(new CommandDefinition(
                $"SELECT instance_id, destination FROM deliveries WHERE {_dialect.IsOneOf("instance_id", "some")} AND state IN ('sent', 'committed')",
                new { some }, cancellationToken: cancellationToken)), cancellationToken));
        }

        return holders.ToLookup(static h => h.Instance, static h => h.Destination);
    }

    /// <summary>pending → sent, with its audit entry. The last one moves the object to forwarded, or committed.</summary>
    public Task<Settlement> SettleDeliverySentAsync(DeliveryRow delivery, string detail) => WriteAsync((connection, transaction) => SettleAsync(
        connection, transaction, delivery, DeliveryState.Pending, DeliveryState.Sent, !delivery.WantsCommitment, detail, new AuditRecord(AuditEvent.Forwarded) { Detail = detail }));

    /// <summary>sent → committed, with its audit entry. The last one moves the object to committed.</summary>
    public Task<Settlement> SettleDeliveryCommittedAsync(DeliveryRow delivery, AuditRecord audit) => WriteAsync((connection, transaction) => SettleAsync(
        connection, transaction, delivery, DeliveryState.Sent, DeliveryState.Committed, isFinal: true, audit.Detail, audit));

    /// <summary>→ dead, with its audit entry: the destination refused for good. The files stay.</summary>
    /// <param name="delivery">As read: pending, or sent when the destination then said that it has not got it.</param>
    /// <param name="detail">Our own words.</param>
    public Task<Settlement> SettleDeliveryDeadAsync(DeliveryRow delivery, string detail) => WriteAsync((connection, transaction) => SettleAsync(
        connection, transaction, delivery, delivery.State, DeliveryState.Dead, isFinal: false, detail,
        new AuditRecord(AuditEvent.DeliveryDead, AuditOutcome.SeriousFailure) { Reason = nameof(RefusalReason.RefusedByDestination), Detail = detail }));

    /// <summary>Stays pending, or goes back from sent to pending; sets when to try again.</summary>
    /// <param name="delivery">As read; its count of attempts goes up by one.</param>
    /// <param name="nextAttempt">Not before.</param>
    /// <param name="detail">Our own words.</param>
    public Task<bool> SettleDeliveryRetryAsync(DeliveryRow delivery, DateTimeOffset nextAttempt, string detail) => WriteAsync(async (connection, transaction) =>
    {
        int changed = await connection.ExecuteAsync(
            """
            UPDATE deliveries SET state = 'pending', attempts = attempts + 1, next_attempt_at = @Next, detail = @detail, updated_at = @Now, commit_transaction = NULL
            WHERE id = @Id AND state = @State AND is_final = 0 AND node = @Node
            """,
            new { Next = nextAttempt.ToUnixTimeMilliseconds(), detail, Now, delivery.Id, State = Text(delivery.State), Node }, transaction);
        if (changed > 0)
        {
            await InsertAuditAsync(connection, transaction, About(delivery.Instance, new AuditRecord(AuditEvent.ForwardFailed, AuditOutcome.MinorFailure)
            {
                Reason = nameof(RefusalReason.RefusedByDestination),
                Detail = detail,
            }));
        }

        return changed > 0;
    });

    private async Task<Settlement> SettleAsync(
        DbConnection connection, DbTransaction transaction, DeliveryRow delivery, DeliveryState from, DeliveryState to, bool isFinal, string? detail, AuditRecord audit)
    {
        int changed = await connection.ExecuteAsync(
            """
            UPDATE deliveries SET state = @To, is_final = @IsFinal, detail = @detail, updated_at = @Now, sent_at = CASE WHEN @IsSent = 1 THEN @Now ELSE sent_at END
            WHERE id = @Id AND state = @From AND is_final = 0 AND node = @Node
            """,
            new
            {
                To = Text(to),
                IsFinal = (short)(isFinal ? 1 : 0),
                IsSent = to == DeliveryState.Sent ? 1 : 0,
                detail,
                Now,
                delivery.Id,
                From = Text(from),
                Node,
            },
            transaction);
        if (changed == 0)
        {
            return new Settlement(false);
        }

        await InsertAuditAsync(connection, transaction, About(delivery.Instance, audit));
        return new Settlement(true, to is DeliveryState.Sent or DeliveryState.Committed && await AdvanceAsync(connection, transaction, delivery.Instance.Id));
    }

    /// <summary>Moves the object on when its deliveries allow it.</summary>
    /// <returns>True when every delivery is final, and nothing else needs the files.</returns>
    private async Task<bool> AdvanceAsync(DbConnection connection, DbTransaction transaction, long instanceId)
    {
        // Held: of two that settle the last two deliveries at a time, the second must see the first.
        await connection.ExecuteScalarAsync<long>($"SELECT id FROM instances WHERE id = @instanceId {_dialect.ForUpdate}", new { instanceId }, transaction);
        (long unsent, long open, long committed) = await connection.QuerySingleAsync<(long, long, long)>(
            """
            SELECT COALESCE(SUM(CASE WHEN state IN ('pending', 'dead') THEN 1 ELSE 0 END), 0), COALESCE(SUM(1 - is_final), 0),
              COALESCE(SUM(CASE WHEN state = 'committed' THEN 1 ELSE 0 END), 0)
            FROM deliveries WHERE instance_id = @instanceId
            """,
            new { instanceId }, transaction);
        if (unsent > 0)
        {
            return false;
        }

        // What is in quarantine, or about to be protected again, needs its files whoever has it by now.
        int moved = await connection.ExecuteAsync(
            """
            UPDATE instances SET state = @To, reason = NULL, detail = NULL, attempts = 0, next_attempt_at = 0, updated_at = @Now
            WHERE id = @instanceId AND state IN ('protected', 'forwarded')
            """,
            new { To = open == 0 && committed > 0 ? "committed" : "forwarded", Now, instanceId }, transaction);
        return moved > 0 && open == 0;
    }

    private async Task InsertDeliveriesAsync(DbConnection connection, DbTransaction transaction, InstanceRow row, IReadOnlyList<ForwardTarget> destinations)
    {
        foreach (ForwardTarget target in destinations)
        {
            await connection.ExecuteAsync(
                """
                INSERT INTO deliveries (instance_id, destination, node, state, wants_commitment, is_final, queued_at, updated_at)
                VALUES (@Id, @Destination, @Node, 'pending', @Wants, 0, @Now, @Now)
                ON CONFLICT (instance_id, destination) DO UPDATE SET node = excluded.node, state = 'pending', wants_commitment = excluded.wants_commitment,
                  is_final = 0, attempts = 0, next_attempt_at = 0, detail = NULL, queued_at = excluded.queued_at, updated_at = excluded.updated_at,
                  sent_at = NULL, commit_transaction = NULL
                """,
                new { row.Id, target.Destination, Node, Wants = (short)(target.StorageCommitment ? 1 : 0), Now }, transaction);
        }
    }

    /// <param name="conditions">After WHERE, of <c>deliveries d</c> and <c>instances i</c>.</param>
    /// <param name="values">Of its parameters.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    private async Task<IReadOnlyList<DeliveryRow>> DeliveriesAsync(string conditions, object values, CancellationToken cancellationToken) =>
        (await ReadAsync(c => c.QueryAsync<DeliveryRow, InstanceRow, DeliveryRow>(
            new CommandDefinition(
                $"SELECT {DeliveryColumns}, {InstanceOfDelivery} FROM deliveries d JOIN instances i ON i.id = d.instance_id WHERE {conditions}",
                values, cancellationToken: cancellationToken),
            static (delivery, instance) =>
            {
                delivery.Instance = instance;
                return delivery;
            }), cancellationToken)).AsList();

#pragma warning disable CA1308 // The schema's own spelling is lower case.
    private static string Text(DeliveryState state) => state.ToString().ToLowerInvariant();
#pragma warning restore CA1308
}
