using System.Data.Common;
using Dapper;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;

namespace PacsStegoGateway.Storage;

/// <summary>A gateway that shares, or shared, the database.</summary>
public sealed class NodeRow
{
    public string Name { get; init; } = "";

    /// <summary>Which spool folder it works in.</summary>
    public string SpoolId { get; init; } = "";

    /// <summary>What is left of its lease by the clock of the database, milliseconds; not above 0 when it is dead or has stopped.</summary>
    public long LeftMilliseconds { get; init; }

    public long StartedAt { get; init; }
}

public sealed partial class GatewayStore
{
    /// <summary>0: this store serves no gateway, and needs no lease.</summary>
    private long _epoch;
    private long _leaseEnd;

    /// <summary>True while nobody else may have taken our rows, by our own clock, counted from before we asked for the lease.</summary>
    public bool HoldsLease => Interlocked.Read(ref _epoch) == 0 || _time.GetTimestamp() < Interlocked.Read(ref _leaseEnd);

    /// <summary>
    /// Takes the name, its rows, and the rows that earlier versions left. From now on nothing is written unless the name is
    /// still ours, and <see cref="RenewLeaseAsync"/> is to be called in time.
    /// </summary>
    /// <param name="spoolId">Of the spool folder that the caller owns: who owns the folder of a gateway is that gateway, started again.</param>
    /// <param name="lease">How long the name is ours without a further sign of life.</param>
    /// <param name="destination">Where objects go that an earlier version had protected: it knew one destination.</param>
    /// <exception cref="ConfigurationException">The name belongs to a gateway that lives; or another one lives on a database that serves one.</exception>
    public async Task JoinAsync(string spoolId, TimeSpan lease, ForwardTarget destination)
    {
        long asked = _time.GetTimestamp();
        long epoch = await WriteAsync(async (connection, transaction) =>
        {
            await _dialect.LockSchemaAsync(connection, transaction);
            IReadOnlyList<NodeRow> nodes = await NodesAsync(connection, transaction);
            if (nodes.FirstOrDefault(n => n.Name == Node) is { LeftMilliseconds: > 0 } living && living.SpoolId != spoolId)
            {
                throw new ConfigurationException([new("Node:Name",
                    $"a gateway named {Node} with another spool folder is running: give each gateway a name of its own. After a move of the spool wait {lease.TotalSeconds:0} seconds.")]);
            }

            if (!_dialect.IsShared)
            {
                if (nodes.FirstOrDefault(n => n.Name != Node && n.LeftMilliseconds > 0) is { } other)
                {
                    throw new ConfigurationException([new("Node:Name",
                        $"the gateway {other.Name} works with this SQLite database, which serves one: stop it, or use PostgreSQL. If it has just been killed, wait {lease.TotalSeconds:0} seconds.")]);
                }

                foreach (NodeRow dead in nodes.Where(n => n.Name != Node))
                {
                    await MoveRowsAsync(connection, transaction, dead.Name);
                }
            }

            await AdoptAsync(connection, transaction, destination);
            await connection.ExecuteAsync(
                $"""
                INSERT INTO nodes (name, spool_id, epoch, lease_until, started_at) VALUES (@Node, @spoolId, 1, {_dialect.Clock} + @Lease, @Now)
                ON CONFLICT (name) DO UPDATE SET spool_id = excluded.spool_id, epoch = nodes.epoch + 1, lease_until = excluded.lease_until, started_at = excluded.started_at
                """,
                new { Node, spoolId, Lease = (long)lease.TotalMilliseconds, Now }, transaction);
            return await connection.ExecuteScalarAsync<long>("SELECT epoch FROM nodes WHERE name = @Node", new { Node }, transaction);
        }, needsLease: false);
        Hold(asked, lease);
        Interlocked.Exchange(ref _epoch, epoch);
    }

    /// <summary>A sign of life.</summary>
    /// <returns>False when another gateway has taken over: <see cref="JoinAsync"/> is to be called again.</returns>
    public async Task<bool> RenewLeaseAsync(TimeSpan lease)
    {
        long asked = _time.GetTimestamp();
        bool renewed = await WriteAsync(async (connection, transaction) => await connection.ExecuteAsync(
            $"UPDATE nodes SET lease_until = {_dialect.Clock} + @Lease WHERE name = @Node AND epoch = @Epoch",
            new { Lease = (long)lease.TotalMilliseconds, Node, Epoch = Interlocked.Read(ref _epoch) }, transaction) > 0, needsLease: false);
        if (renewed)
        {
            Hold(asked, lease);
        }

        return renewed;
    }

    /// <summary>Gives the lease back: others need not wait for its end. The rows stay ours until somebody takes them.</summary>
    public Task ReleaseLeaseAsync() => WriteAsync(async (connection, transaction) => await connection.ExecuteAsync(
        "UPDATE nodes SET lease_until = 0 WHERE name = @Node AND epoch = @Epoch",
        new { Node, Epoch = Interlocked.Read(ref _epoch) }, transaction) > 0, needsLease: false);

    /// <summary>Every gateway that the database knows, by name.</summary>
    public async Task<IReadOnlyList<NodeRow>> NodesAsync(CancellationToken cancellationToken) =>
        await ReadAsync(c => NodesAsync(c, null), cancellationToken);

    /// <summary>Takes over what a gateway whose lease is over left to do, with an audit entry.</summary>
    /// <returns>How many objects; 0 when it lives again or there is nothing to do.</returns>
    public Task<int> TakeOverAsync(string node) => WriteAsync(async (connection, transaction) =>
    {
        // First its epoch: from then on it writes nothing, not even the row of an object that it is just receiving.
        bool dead = await connection.ExecuteAsync(
            $"UPDATE nodes SET epoch = epoch + 1 WHERE name = @Dead AND name <> @Node AND lease_until <= {_dialect.Clock}", new { Dead = node, Node }, transaction) > 0;
        int moved = dead ? await MoveRowsAsync(connection, transaction, node) : 0;
        if (moved > 0)
        {
            await InsertAuditAsync(connection, transaction, new AuditRecord(AuditEvent.WorkTakenOver)
            {
                Detail = $"{Node} goes on with {moved} objects of {node}.",
            });
        }

        return moved;
    });

    /// <summary>Dead gateways that left something to do.</summary>
    public async Task<IReadOnlyList<NodeRow>> DeadNodesAsync(CancellationToken cancellationToken)
    {
        var dead = new List<NodeRow>();
        foreach (NodeRow node in (await NodesAsync(cancellationToken)).Where(n => n.Name != Node && n.LeftMilliseconds <= 0))
        {
            if (await ReadAsync(c => c.ExecuteScalarAsync<bool>(new CommandDefinition(
                $"""
                SELECT EXISTS (SELECT 1 FROM instances WHERE node = @Name AND state = 'received')
                  OR EXISTS (SELECT 1 FROM instances WHERE node = @Name AND state = 'protected')
                  OR EXISTS (SELECT 1 FROM instances WHERE node = @Name AND state = 'quarantined')
                  OR EXISTS (SELECT 1 FROM deliveries WHERE node = @Name AND is_final = 0)
                  OR EXISTS (SELECT 1 FROM commit_requests WHERE node = @Name AND state IN ('waiting', 'ready'))
                """, node, cancellationToken: cancellationToken)), cancellationToken))
            {
                dead.Add(node);
            }
        }

        return dead;
    }

    private void Hold(long asked, TimeSpan lease) =>
        Interlocked.Exchange(ref _leaseEnd, asked + (long)(lease.TotalSeconds * _time.TimestampFrequency));

    /// <summary>Whether the name is still ours; nobody takes it until the transaction ends.</summary>
    private async ValueTask<bool> IsMineAsync(DbConnection connection, DbTransaction transaction)
    {
        long epoch = Interlocked.Read(ref _epoch);
        return epoch == 0 || epoch == await connection.ExecuteScalarAsync<long>(
            $"SELECT epoch FROM nodes WHERE name = @Node {_dialect.ForShare}", new { Node }, transaction);
    }

    private async Task<IReadOnlyList<NodeRow>> NodesAsync(DbConnection connection, DbTransaction? transaction) =>
        (await connection.QueryAsync<NodeRow>(
            $"""
            SELECT name AS "Name", spool_id AS "SpoolId", lease_until - {_dialect.Clock} AS "LeftMilliseconds", started_at AS "StartedAt"
            FROM nodes ORDER BY name
            """, transaction: transaction)).AsList();

    private async Task<int> MoveRowsAsync(DbConnection connection, DbTransaction transaction, string from)
    {
        var nodes = new { Node, from };
        int moved = 0;
        foreach (string state in (string[])["received", "protected", "quarantined"])
        {
            moved += await connection.ExecuteAsync($"UPDATE instances SET node = @Node WHERE node = @from AND state = '{state}'", nodes, transaction);
        }

        await connection.ExecuteAsync("UPDATE deliveries SET node = @Node WHERE node = @from AND is_final = 0", nodes, transaction);
        moved += await connection.ExecuteAsync(
            "UPDATE commit_requests SET node = @Node WHERE node = @from AND state IN ('waiting', 'ready')", nodes, transaction);
        await connection.ExecuteAsync(
            "UPDATE commit_transactions SET node = @Node WHERE node = @from AND state IN ('asking', 'asked')", nodes, transaction);
        return moved;
    }

    /// <summary>Rows of the first version had no owner and one destination.</summary>
    private async Task AdoptAsync(DbConnection connection, DbTransaction transaction, ForwardTarget destination)
    {
        await connection.ExecuteAsync(
            """
            INSERT INTO deliveries (instance_id, destination, node, state, wants_commitment, is_final, attempts, next_attempt_at, detail, queued_at, updated_at)
            SELECT id, @Destination, @Node, 'pending', @Wants, 0, attempts, next_attempt_at, detail, updated_at, updated_at
            FROM instances WHERE node = '' AND state = 'protected'
            """,
            new { destination.Destination, Node, Wants = (short)(destination.StorageCommitment ? 1 : 0) }, transaction);
        await MoveRowsAsync(connection, transaction, "");
    }
}
