using System.Data.Common;
using System.Text;
using Dapper;
using PacsStegoGateway.Audit;

namespace PacsStegoGateway.Storage;

public sealed partial class GatewayStore
{
    private const string SelectHead = "SELECT trail AS \"Trail\", sequence AS \"Sequence\", key_id AS \"KeyId\", mac AS \"Mac\", seal AS \"Seal\" FROM audit_head WHERE id = 1";

    private readonly AuditChain _chain;
    private readonly AuditTable _audit;
    private readonly List<AuditRecord> _pendingAudit = [];

    /// <summary>The end of the trail after the last entries that this gateway committed; null before the first.</summary>
    public AuditHead? LastAuditHead { get; private set; }

    /// <summary>Writes an entry that belongs to no change of state. A failure fails the operation it is about.</summary>
    public Task AppendAuditAsync(AuditRecord record) => WriteAsync(async (connection, transaction) =>
    {
        await InsertAuditAsync(connection, transaction, record);
        return true;
    }, needsLease: false);

    /// <summary>Writes several, in their order and without others between them.</summary>
    public Task AppendAuditAsync(IReadOnlyCollection<AuditRecord> records) => WriteAsync(async (connection, transaction) =>
    {
        foreach (AuditRecord record in records)
        {
            await InsertAuditAsync(connection, transaction, record);
        }

        return true;
    }, needsLease: false);

    /// <summary>Entries in order of time, and of commitment where the time is the same.</summary>
    public async Task<IReadOnlyList<AuditRecord>> QueryAuditAsync(AuditFilter filter, CancellationToken cancellationToken)
    {
        (StringBuilder sql, DynamicParameters values) = Select(filter);
        sql.Append(" ORDER BY at, sequence LIMIT @Limit");
        values.Add("Limit", Math.Clamp(filter.Limit, 1, 100_000));
        IEnumerable<AuditRow> rows = await ReadAsync(
            c => c.QueryAsync<AuditRow>(new CommandDefinition(sql.ToString(), values, cancellationToken: cancellationToken)),
            cancellationToken);
        return rows.Select(static r => r.ToEntry().Record).ToList();
    }

    private (StringBuilder Sql, DynamicParameters Values) Select(AuditFilter filter)
    {
        var sql = new StringBuilder($"SELECT {AuditTable.Columns} FROM audit WHERE sequence > @AfterSequence");
        var values = new DynamicParameters(new { filter.AfterSequence });
        void And(string condition, string name, object? value)
        {
            if (value is not null)
            {
                sql.Append(" AND ").Append(condition);
                values.Add(name, value);
            }
        }

        And("at >= @From", "From", filter.From?.ToUnixTimeMilliseconds());
        And("at < @Until", "Until", filter.Until?.ToUnixTimeMilliseconds());
        // Said once more in the words of the index, which holds failures only.
        And(filter.Outcome is AuditOutcome.Success ? "outcome = @Outcome" : "outcome = @Outcome AND outcome <> 0", "Outcome", (int?)filter.Outcome);
        And("calling_ae = @CallingAE", "CallingAE", filter.CallingAE);
        And("user_identity = @User", "User", filter.User);
        And("node = @Node", "Node", filter.Node);
        And("patient = @Patient", "Patient", filter.Patient);
        And("study_uid = @StudyUID", "StudyUID", filter.StudyUID);
        And("sop_uid = @SopUID", "SopUID", filter.SopUID);
        if (filter.Events is { Count: > 0 } events)
        {
            And(_dialect.IsOneOf("event", "Events"), "Events", events.Select(static e => (int)e).ToArray());
        }

        return (sql, values);
    }

    /// <summary>Gives an entry to the transaction of the change that it is about: written with it, or not at all.</summary>
    /// <remarks>
    /// Written by <see cref="WriteAuditAsync"/> when the batch is complete: the head of the trail, for which every gateway waits,
    /// is held for two round trips and the commit, however long the batch takes.
    /// </remarks>
    private Task InsertAuditAsync(DbConnection connection, DbTransaction transaction, AuditRecord record)
    {
        _ = (connection, transaction);
        _pendingAudit.Add((record with { At = _time.GetUtcNow(), Node = Node }).Storable());
        return Task.CompletedTask;
    }

    /// <summary>Chains the entries of a batch; the last thing that is done in its transaction.</summary>
    /// <returns>The head after them; null when there are none.</returns>
    private async Task<AuditHead?> WriteAuditAsync(DbConnection connection, DbTransaction transaction)
    {
        if (_pendingAudit.Count == 0)
        {
            return null;
        }

        AuditHead head = await LockHeadAsync(connection, transaction);
        if (!await IsAsLeftAsync(connection, transaction, head))
        {
            // Going on would seal what somebody did to the end, and hide it: so it is said, where it cannot be taken back.
            _pendingAudit.Insert(0, Broken("The end of the trail is not where a gateway left it: entries before this one may be gone."));
        }

        (IReadOnlyList<ChainedEntry> entries, AuditHead after) = _chain.Extend(head, _pendingAudit);
        await _audit.WriteAsync(connection, transaction, entries, after);
        return after;
    }

    private AuditRecord Broken(string detail) => new AuditRecord(AuditEvent.TrailBroken, AuditOutcome.SeriousFailure)
    {
        At = _time.GetUtcNow(),
        Node = Node,
        Detail = detail,
    }.Storable();

    /// <summary>
    /// Whether some gateway left the end of the trail like this: sealed with its key, and not before the place where we left it
    /// ourselves. Of a key that our ring does not have yet, only that the last entry bears it too: <c>psg audit verify</c>, with the
    /// whole ring, proves that one.
    /// </summary>
    private async Task<bool> IsAsLeftAsync(DbConnection connection, DbTransaction transaction, AuditHead head)
    {
        // A trail without entries has no name yet: the first entry gives it one, and another gateway may write that.
        if (LastAuditHead is { Sequence: > 0 } ours
            && (head.Sequence < ours.Sequence || !head.Trail.AsSpan().SequenceEqual(ours.Trail)
                || (head.Sequence == ours.Sequence && !head.Mac.AsSpan().SequenceEqual(ours.Mac))))
        {
            return false;
        }

        return head.Sequence == 0 || (_chain.IsSealed(head) ?? await connection.ExecuteScalarAsync<bool>(
            "SELECT EXISTS (SELECT 1 FROM audit WHERE sequence = @Sequence AND key_id = @KeyId AND mac = @Mac)", head, transaction));
    }

    private async Task<AuditHead> LockHeadAsync(DbConnection connection, DbTransaction transaction) =>
        await connection.QuerySingleOrDefaultAsync<AuditHead>($"{SelectHead} {_dialect.ForUpdate}", transaction: transaction)
            ?? throw new InvalidOperationException("The head of the audit trail is gone from the database: restore it from a backup, then run 'psg audit verify'.");
}
