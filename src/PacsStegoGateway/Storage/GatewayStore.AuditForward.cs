using Dapper;
using PacsStegoGateway.Audit;

namespace PacsStegoGateway.Storage;

public sealed partial class GatewayStore
{
    /// <summary>Takes or keeps the right to send the trail to a receiver, until the lease ends by the database's clock.</summary>
    /// <returns>The number of the last entry that the receiver has; null when another gateway holds the right.</returns>
    public Task<long?> LeaseForwardingAsync(string receiver, TimeSpan lease) => WriteAsync(async (connection, transaction) =>
    {
        await connection.ExecuteAsync(
            "INSERT INTO audit_forward (receiver, sequence, node, lease_until) VALUES (@receiver, 0, @Node, 0) ON CONFLICT DO NOTHING",
            new { receiver, Node }, transaction);
        return await connection.QuerySingleOrDefaultAsync<long?>(
            $"""
            UPDATE audit_forward SET node = @Node, lease_until = {_dialect.Clock} + @Lease
            WHERE receiver = @receiver AND (node = @Node OR lease_until < {_dialect.Clock}) RETURNING sequence
            """,
            new { receiver, Node, Lease = (long)lease.TotalMilliseconds }, transaction);
    });

    /// <summary>The receiver has everything up to this entry. Does nothing when another gateway holds the right by now.</summary>
    public Task ConfirmForwardedAsync(string receiver, long sequence) => WriteAsync((connection, transaction) => connection.ExecuteAsync(
        "UPDATE audit_forward SET sequence = @sequence WHERE receiver = @receiver AND node = @Node AND sequence < @sequence",
        new { receiver, sequence, Node }, transaction));

    /// <summary>How far a receiver has the trail; null when nothing was ever sent to it.</summary>
    public Task<long?> ForwardedAsync(string receiver, CancellationToken cancellationToken) => ReadAsync(
        c => c.QuerySingleOrDefaultAsync<long?>(new CommandDefinition(
            "SELECT sequence FROM audit_forward WHERE receiver = @receiver", new { receiver }, cancellationToken: cancellationToken)),
        cancellationToken);

    /// <summary>The entries after a number, by number.</summary>
    public async Task<IReadOnlyList<AuditRecord>> AuditAfterAsync(long sequence, int limit, CancellationToken cancellationToken) => (await ReadAsync(
        c => c.QueryAsync<AuditRow>(new CommandDefinition(
            $"SELECT {AuditTable.Columns} FROM audit WHERE sequence > @sequence ORDER BY sequence LIMIT @limit",
            new { sequence, limit }, cancellationToken: cancellationToken)),
        cancellationToken)).Select(static r => r.ToEntry().Record).ToList();
}
