using Dapper;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Storage;

public sealed partial class GatewayStore
{
    private const string CommitRequestColumns =
        """
        id AS "Id", calling_ae AS "CallingAE", called_ae AS "CalledAE", remote_address AS "RemoteAddress",
        transaction_index AS "TransactionIndex", node AS "Node", state AS "State", instances AS "Instances", failed AS "Failed",
        attempts AS "Attempts", next_attempt_at AS "NextAttemptAt", received_at AS "ReceivedAt", ready_at AS "ReadyAt",
        updated_at AS "UpdatedAt", detail AS "Detail"
        """;

    /// <summary>Commits a modality's request and its audit entry. Only after this may success be answered.</summary>
    /// <param name="row">Id, state and times are set here.</param>
    public Task<CommitRequestReceipt> RequestCommitmentAsync(CommitRequestRow row) => WriteAsync(async (connection, transaction) =>
    {
        (long Id, byte[] Hash)? earlier = (await connection.QueryAsync<(long, byte[])>(
            "SELECT id, content_hash FROM commit_requests WHERE calling_ae = @CallingAE AND transaction_index = @TransactionIndex",
            row, transaction)).Select(static r => ((long, byte[])?)r).SingleOrDefault();
        CommitRequestReceipt receipt = earlier is null ? CommitRequestReceipt.New
            : earlier.Value.Hash.AsSpan().SequenceEqual(row.ContentHash) ? CommitRequestReceipt.Repeated
            : CommitRequestReceipt.Conflict;
        var values = new
        {
            Id = earlier?.Id ?? 0,
            row.CallingAE,
            row.CalledAE,
            row.RemoteAddress,
            row.TransactionIndex,
            row.Node,
            row.Instances,
            row.ContentHash,
            row.Sealed,
            Now,
        };
        if (receipt == CommitRequestReceipt.New)
        {
            await connection.ExecuteAsync(
                """
                INSERT INTO commit_requests (calling_ae, called_ae, remote_address, transaction_index, node, state, instances, content_hash,
                  sealed, received_at, updated_at)
                VALUES (@CallingAE, @CalledAE, @RemoteAddress, @TransactionIndex, @Node, 'waiting', @Instances, @ContentHash, @Sealed, @Now, @Now)
                """,
                values, transaction);
        }
        else if (receipt == CommitRequestReceipt.Repeated)
        {
            // Its own answer may have been lost, or it wants to hear the result again: one that is under way is only hurried.
            await connection.ExecuteAsync(
                """
                UPDATE commit_requests SET next_attempt_at = 0, called_ae = @CalledAE, remote_address = @RemoteAddress, updated_at = @Now
                WHERE id = @Id AND state IN ('waiting', 'ready')
                """,
                values, transaction);
            await connection.ExecuteAsync(
                """
                UPDATE commit_requests SET state = 'waiting', node = @Node, called_ae = @CalledAE, remote_address = @RemoteAddress,
                  sealed = @Sealed, failures = NULL, failed = 0, attempts = 0, next_attempt_at = 0, received_at = @Now, ready_at = NULL,
                  updated_at = @Now, detail = NULL
                WHERE id = @Id AND state IN ('reported', 'refused', 'abandoned')
                """,
                values, transaction);
        }

        // It is there: whatever else it could not be told is tried at once.
        await connection.ExecuteAsync(
            "UPDATE commit_requests SET next_attempt_at = 0 WHERE calling_ae = @CallingAE AND state = 'ready'", values, transaction);
        await InsertAuditAsync(connection, transaction, AboutRequest(row, new AuditRecord(
            AuditEvent.CommitmentRequested, receipt == CommitRequestReceipt.Conflict ? AuditOutcome.MinorFailure : AuditOutcome.Success)
        {
            Detail = receipt switch
            {
                CommitRequestReceipt.New => $"{row.Instances} objects.",
                CommitRequestReceipt.Repeated => $"{row.Instances} objects, asked again.",
                _ => "Another request bears this Transaction UID.",
            },
        }));
        return receipt;
    });

    /// <summary>Requests of this node that are under way and whose time has come, oldest first, without what is sealed in them.</summary>
    public async Task<IReadOnlyList<CommitRequestRow>> DueCommitRequestsAsync(long afterId, int limit, CancellationToken cancellationToken) =>
        (await ReadAsync(c => c.QueryAsync<CommitRequestRow>(new CommandDefinition(
            $"""
            SELECT {CommitRequestColumns} FROM commit_requests
            WHERE state IN ('waiting', 'ready') AND node = @Node AND id > @afterId AND next_attempt_at <= @Now ORDER BY id LIMIT @limit
            """,
            new { afterId, Node, Now, limit }, cancellationToken: cancellationToken)), cancellationToken)).AsList();

    /// <summary>What is sealed in a request, and its failures once the result stands; null when it is over.</summary>
    public async Task<(byte[] Sealed, byte[] Failures)?> OpenCommitRequestAsync(long id, CancellationToken cancellationToken)
    {
        IEnumerable<(byte[]? Sealed, byte[]? Failures)> rows = await ReadAsync(c => c.QueryAsync<(byte[]?, byte[]?)>(new CommandDefinition(
            "SELECT sealed, failures FROM commit_requests WHERE id = @id", new { id }, cancellationToken: cancellationToken)), cancellationToken);
        return rows.Where(static r => r.Sealed is not null).Select(static r => ((byte[], byte[])?)(r.Sealed!, r.Failures ?? [])).SingleOrDefault();
    }

    /// <summary>waiting → ready: from now on the result is what it is, however often it must be said.</summary>
    /// <returns>False when the request is no longer as it was read.</returns>
    public Task<bool> SetCommitReadyAsync(CommitRequestRow row, int failed, byte[] failures) => WriteAsync(async (connection, transaction) =>
        await connection.ExecuteAsync(
            """
            UPDATE commit_requests SET state = 'ready', failed = @failed, failures = @failures, ready_at = @Now, next_attempt_at = 0, updated_at = @Now
            WHERE id = @Id AND state = 'waiting' AND node = @Node
            """,
            new { failed, failures, Now, row.Id, row.Node }, transaction) > 0);

    /// <summary>The result could not be said: not before then again.</summary>
    public Task ReportLaterAsync(CommitRequestRow row, DateTimeOffset next, string detail) => WriteAsync(async (connection, transaction) =>
        await connection.ExecuteAsync(
            """
            UPDATE commit_requests SET attempts = attempts + 1, next_attempt_at = @Next, detail = @detail, updated_at = @Now
            WHERE id = @Id AND state = 'ready' AND node = @Node
            """,
            new { Next = next.ToUnixTimeMilliseconds(), detail, Now, row.Id, row.Node }, transaction) > 0);

    /// <summary>The request is over: what is sealed in it goes, and its end is recorded.</summary>
    /// <param name="to">Reported, refused or abandoned.</param>
    /// <returns>False when the request is no longer as it was read.</returns>
    public Task<bool> EndCommitRequestAsync(CommitRequestRow row, CommitRequestState to, string detail) => WriteAsync(async (connection, transaction) =>
    {
        int changed = await connection.ExecuteAsync(
            """
            UPDATE commit_requests SET state = @To, sealed = NULL, failures = NULL, detail = @detail, updated_at = @Now
            WHERE id = @Id AND state = @From AND node = @Node
            """,
            new { To = Text(to), detail, Now, row.Id, From = Text(row.State), row.Node }, transaction);
        if (changed > 0)
        {
            await InsertAuditAsync(connection, transaction, AboutRequest(row, new AuditRecord(
                to == CommitRequestState.Reported ? AuditEvent.CommitmentReported : AuditEvent.CommitmentFailed,
                to == CommitRequestState.Reported ? AuditOutcome.Success : AuditOutcome.MinorFailure) { Detail = detail }));
        }

        return changed > 0;
    });

    /// <summary>How far objects are, by pseudonym of their SOP Instance UID; those that never came are not among them.</summary>
    public async Task<IReadOnlyDictionary<string, CommitStanding>> StandingsAsync(IReadOnlyCollection<string> sopUIDs, CancellationToken cancellationToken)
    {
        var standings = new Dictionary<string, CommitStanding>(sopUIDs.Count);
        foreach (string[] some in sopUIDs.Chunk(500))
        {
            foreach (StandingRow row in await ReadAsync(c => c.QueryAsync<StandingRow>(new CommandDefinition(
                $"""
                SELECT i.sop_uid AS "SopUID", i.sop_class_uid AS "SopClassUID", i.state AS "State",
                  (SELECT COUNT(*) FROM deliveries d WHERE d.instance_id = i.id) AS "Deliveries",
                  (SELECT COUNT(*) FROM deliveries d WHERE d.instance_id = i.id AND d.state IN ('pending', 'dead')) AS "NotSent",
                  (SELECT COUNT(*) FROM deliveries d WHERE d.instance_id = i.id AND d.is_final = 0) AS "NotFinal",
                  (SELECT COUNT(*) FROM instances o WHERE o.sop_uid = i.sop_uid AND o.is_primary = 0 AND o.state = 'quarantined'
                    AND (o.reason = '{nameof(RefusalReason.ConflictingContent)}' OR o.calling_ae <> i.calling_ae)) AS "Conflicts"
                FROM instances i WHERE i.is_primary = 1 AND {_dialect.IsOneOf("i.sop_uid", "some")}
                """,
                new { some }, cancellationToken: cancellationToken)), cancellationToken))
            {
                standings[row.SopUID] = row.ToStanding();
            }
        }

        return standings;
    }

    /// <summary>Requests of modalities, newest first; of all nodes.</summary>
    /// <param name="all">Those that are over too.</param>
    public async Task<IReadOnlyList<CommitRequestRow>> ListCommitRequestsAsync(bool all, int limit, CancellationToken cancellationToken) =>
        (await ReadAsync(c => c.QueryAsync<CommitRequestRow>(new CommandDefinition(
            $"SELECT {CommitRequestColumns} FROM commit_requests {(all ? "" : "WHERE state IN ('waiting', 'ready')")} ORDER BY id DESC LIMIT @limit",
            new { limit }, cancellationToken: cancellationToken)), cancellationToken)).AsList();

    private static AuditRecord AboutRequest(CommitRequestRow row, AuditRecord record) => record with
    {
        CallingAE = row.CallingAE,
        RemoteAddress = row.RemoteAddress,
    };

#pragma warning disable CA1308 // The schema's own spelling is lower case.
    private static string Text(CommitRequestState state) => state.ToString().ToLowerInvariant();
#pragma warning restore CA1308

    private sealed class StandingRow
    {
        public string SopUID { get; init; } = "";

        public string SopClassUID { get; init; } = "";

        public InstanceState State { get; init; }

        public long Deliveries { get; init; }

        public long NotSent { get; init; }

        public long NotFinal { get; init; }

        public long Conflicts { get; init; }

        public CommitStanding ToStanding()
        {
            CommitmentLevel? reached = State switch
            {
                // Who sent other content under this UID must not be told that we have it, while that lies in quarantine: as a conflict, or
                // because a later object of somebody else took the UID. One who sent both himself knows that he corrected it.
                _ when Conflicts > 0 => null,
                InstanceState.Quarantined => null,
                InstanceState.Received => CommitmentLevel.Received,
                // Forwarded by a version that had no deliveries.
                InstanceState.Forwarded or InstanceState.Committed when Deliveries == 0 => CommitmentLevel.Committed,
                _ when Deliveries == 0 || NotSent > 0 => CommitmentLevel.Received,
                _ => NotFinal > 0 ? CommitmentLevel.Forwarded : CommitmentLevel.Committed,
            };
            return new CommitStanding(SopClassUID, reached);
        }
    }
}
