using System.Data.Common;
using System.Text;
using Dapper;
using PacsStegoGateway.Audit;

namespace PacsStegoGateway.Storage;

public sealed partial class GatewayStore
{
    /// <summary>
    /// As <see cref="QueryAuditAsync"/>, one entry at a time and as many as there are: its <see cref="AuditFilter.Limit"/> does not
    /// hold. Shows one moment, however long it takes.
    /// </summary>
    public Task<T> ReadAuditAsync<T>(AuditFilter filter, Func<IAsyncEnumerable<AuditRecord>, Task<T>> read, CancellationToken cancellationToken)
    {
        (StringBuilder sql, DynamicParameters values) = Select(filter);
        sql.Append(" ORDER BY at, sequence");
        return ReadAsync(
            async connection =>
            {
                await using DbTransaction snapshot = await _dialect.BeginSnapshotAsync(connection, cancellationToken);
                await _audit.PrepareToReadInOrderAsync(connection, snapshot);
                return await read(connection
                    .QueryUnbufferedAsync<AuditRow>(sql.ToString(), values, snapshot, commandTimeout: 0)
                    .Select(static row => row.ToEntry().Record));
            },
            cancellationToken);
    }

    /// <summary>How many entries a filter lets through; with millions of them this takes a while.</summary>
    public async Task<long> CountAuditAsync(AuditFilter filter, CancellationToken cancellationToken)
    {
        (StringBuilder sql, DynamicParameters values) = Select(filter);
        return await ReadAsync(
            c => c.ExecuteScalarAsync<long>(new CommandDefinition($"SELECT COUNT(*) FROM ({sql}) AS counted", values, commandTimeout: 0, cancellationToken: cancellationToken)),
            cancellationToken);
    }

    /// <summary>One entry as it stands in the trail; null when there is none.</summary>
    public async Task<ChainedEntry?> FindAuditAsync(long sequence, CancellationToken cancellationToken) => (await ReadAsync(
        c => c.QueryFirstOrDefaultAsync<AuditRow>(new CommandDefinition(
            $"SELECT {AuditTable.Columns} FROM audit WHERE sequence = @sequence", new { sequence }, cancellationToken: cancellationToken)),
        cancellationToken))?.ToEntry();

    /// <summary>
    /// The entry of receipt that holds the sealed identity of what another one is about: of the instance, else of any of the study, else of
    /// the patient, the latest not after it. Null when there is none.
    /// </summary>
    public async Task<AuditRecord?> FindSealedAsync(AuditRecord about, CancellationToken cancellationToken)
    {
        foreach ((string column, string? value) in (IEnumerable<(string, string?)>)
            [("sop_uid", about.SopUID), ("study_uid", about.StudyUID), ("patient", about.Patient)])
        {
            AuditRow? row = value is null ? null : await ReadAsync(
                c => c.QueryFirstOrDefaultAsync<AuditRow>(new CommandDefinition(
                    $"SELECT {AuditTable.Columns} FROM audit WHERE {column} = @value AND at <= @At AND sealed IS NOT NULL ORDER BY at DESC, sequence DESC LIMIT 1",
                    new { value, At = about.At.ToUnixTimeMilliseconds() }, cancellationToken: cancellationToken)),
                cancellationToken);
            if (row is not null)
            {
                return row.ToEntry().Record;
            }
        }

        return null;
    }
}
