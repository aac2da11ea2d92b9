using System.Data.Common;
using System.Text;
using Dapper;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Storage;

/// <summary>Which quarantined rows; null means any.</summary>
public sealed record QuarantineFilter
{
    public IReadOnlyList<long>? Ids { get; init; }

    public RefusalReason? Reason { get; init; }

    /// <summary>Rows after this id only: to page on.</summary>
    public long AfterId { get; init; }

    /// <summary>Most rows, 1 to 100000. Default 1000.</summary>
    public int Limit { get; init; } = 1000;
}

/// <summary>Whether a row went back from quarantine.</summary>
public enum ReleaseResult
{
    /// <summary>It is in the state received again.</summary>
    Released,

    /// <summary>It is no longer in quarantine as it was read: nothing was changed.</summary>
    NotQuarantined,

    /// <summary>Another row owns the SOP Instance UID: two objects under one UID must not leave. Nothing was changed.</summary>
    UidIsTaken,
}

public sealed partial class GatewayStore
{
    /// <summary>Quarantined rows, in order of receipt.</summary>
    public async Task<IReadOnlyList<InstanceRow>> QuarantinedAsync(QuarantineFilter filter, CancellationToken cancellationToken)
    {
        var sql = new StringBuilder($"SELECT {Columns} FROM instances WHERE state = 'quarantined' AND id > @AfterId");
        var values = new DynamicParameters(new { filter.AfterId, Limit = Math.Clamp(filter.Limit, 1, 100_000) });
        if (filter.Ids is not null)
        {
            sql.Append(" AND ").Append(_dialect.IsOneOf("id", "Ids"));
            values.Add("Ids", filter.Ids.ToArray());
        }

        if (filter.Reason is { } reason)
        {
            sql.Append(" AND reason = @Reason");
            values.Add("Reason", reason.ToString());
        }

        sql.Append(" ORDER BY id LIMIT @Limit");
        return (await ReadAsync(c => c.QueryAsync<InstanceRow>(
            new CommandDefinition(sql.ToString(), values, cancellationToken: cancellationToken)), cancellationToken)).AsList();
    }

    /// <summary>quarantined → received, with its audit entry; a gateway that runs finds the row when it looks next.</summary>
    /// <param name="row">As read. A row that lost its UID to another takes it back if it is free now.</param>
    /// <param name="by">Who wants it, for the audit entry.</param>
    public Task<ReleaseResult> ReleaseAsync(InstanceRow row, string by) => WriteAsync(async (connection, transaction) =>
    {
        if (await connection.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) FROM instances WHERE sop_uid = @SopUID AND is_primary = 1 AND id <> @Id", row, transaction) > 0)
        {
            return ReleaseResult.UidIsTaken;
        }

        if (!await MakeReceivedAsync(connection, transaction, row, row, row.Node))
        {
            return ReleaseResult.NotQuarantined;
        }

        await InsertAuditAsync(connection, transaction, ByOperator(row, AuditEvent.QuarantineReleased, by));
        return ReleaseResult.Released;
    });

    /// <summary>Removes a quarantined row, with its audit entry; its files belong to nobody afterwards.</summary>
    /// <param name="row">As read.</param>
    /// <param name="by">Who wants it, for the audit entry.</param>
    /// <returns>False when it is no longer in quarantine as it was read: nothing was changed.</returns>
    public Task<bool> DiscardAsync(InstanceRow row, string by) => WriteAsync(async (connection, transaction) =>
    {
        int removed = await connection.ExecuteAsync(
            "DELETE FROM instances WHERE id = @Id AND state = 'quarantined' AND received_file = @ReceivedFile", row, transaction);
        if (removed > 0)
        {
            await InsertAuditAsync(connection, transaction, ByOperator(row, AuditEvent.QuarantineDiscarded, by));
        }

        return removed > 0;
    });

    /// <summary>Records that a quarantined object, identity and all, is about to be copied out.</summary>
    public Task RecordExportAsync(InstanceRow row, string by) =>
        AppendAuditAsync(ByOperator(row, AuditEvent.QuarantineExported, by));

    /// <summary>The sender sent the quarantined object again: the row takes the new file, as the old one may be what was wrong.</summary>
    private async Task<bool> RetryAsync(DbConnection connection, DbTransaction transaction, InstanceRow owner, InstanceRow again)
    {
        if (!await MakeReceivedAsync(connection, transaction, owner, again, Node))
        {
            return false;
        }

        await InsertAuditAsync(connection, transaction, About(again, new AuditRecord(AuditEvent.QuarantineReleased)
        {
            Reason = owner.Reason,
            Detail = "The sender sent the same object again.",
        }));
        return true;
    }

    /// <summary>
    /// The owner was never protected, so nothing under its UID ever left: the UID goes to the later object, and the owner
    /// stays in quarantine with its file.
    /// </summary>
    private async Task<bool> SupersedeAsync(DbConnection connection, DbTransaction transaction, InstanceRow owner, InstanceRow later)
    {
        const string Note = "Superseded by a later object with the same UID.";
        int changed = await connection.ExecuteAsync(
            """
            UPDATE instances SET is_primary = 0, detail = COALESCE(detail || ' ', '') || @Note, updated_at = @Now
            WHERE id = @Id AND state = 'quarantined' AND is_primary = 1 AND protected_file IS NULL
            """,
            new { Note, Now, owner.Id }, transaction);
        if (changed == 0)
        {
            return false;
        }

        await InsertAuditAsync(connection, transaction, About(owner, new AuditRecord(AuditEvent.Quarantined, AuditOutcome.MinorFailure)
        {
            Reason = owner.Reason,
            Detail = Note,
        }));
        _ = await InsertAsync(connection, transaction, later, ReceiptKind.New);
        await InsertAuditAsync(connection, transaction, About(later, new AuditRecord(AuditEvent.Received) { Sealed = later.Essentials }));
        return true;
    }

    /// <remarks>The protected file, if there was one, stays with the row: it tells that something under the UID may have left.</remarks>
    private async Task<bool> MakeReceivedAsync(DbConnection connection, DbTransaction transaction, InstanceRow row, InstanceRow file, string node) =>
        await connection.ExecuteAsync(
            """
            UPDATE instances SET state = 'received', is_primary = 1, reason = NULL, detail = NULL, attempts = 0, next_attempt_at = 0,
              updated_at = @Now, received_file = @NewFile, received_bytes = @ReceivedBytes, node = @node
            WHERE id = @Id AND state = 'quarantined' AND received_file = @ReceivedFile
            """,
            new { Now, NewFile = file.ReceivedFile, file.ReceivedBytes, row.Id, row.ReceivedFile, node }, transaction) > 0;

    /// <summary>The sender did not do this: its title and address do not belong here.</summary>
    private static AuditRecord ByOperator(InstanceRow row, AuditEvent @event, string by) => new(@event)
    {
        Patient = row.Patient,
        StudyUID = row.StudyUID,
        SopUID = row.SopUID,
        Reason = row.Reason,
        User = by,
        Detail = $"Row {row.Id}, on the command line.",
    };
}
