using Dapper;

namespace PacsStegoGateway.Storage;

public sealed partial class GatewayStore
{
    /// <summary>How many of our objects were received and are neither protected nor set aside, and their bytes.</summary>
    public async Task<(long Objects, long Bytes)> AwaitingProtectionAsync(CancellationToken cancellationToken) =>
        await ReadAsync(c => c.QuerySingleAsync<(long, long)>(new CommandDefinition(
            "SELECT COUNT(*), CAST(COALESCE(SUM(received_bytes), 0) AS BIGINT) FROM instances WHERE state = 'received' AND node = @Node",
            new { Node }, cancellationToken: cancellationToken)), cancellationToken);
}
