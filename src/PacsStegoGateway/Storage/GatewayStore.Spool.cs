using Dapper;

namespace PacsStegoGateway.Storage;

public sealed partial class GatewayStore
{
    /// <summary>Bytes of our objects that were received and are neither protected nor set aside.</summary>
    public async Task<long> BytesAwaitingProtectionAsync(CancellationToken cancellationToken) =>
        await ReadAsync(c => c.ExecuteScalarAsync<long>(new CommandDefinition(
            "SELECT CAST(COALESCE(SUM(received_bytes), 0) AS BIGINT) FROM instances WHERE state = 'received' AND node = @Node",
            new { Node }, cancellationToken: cancellationToken)), cancellationToken);
}
