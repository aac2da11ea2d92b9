using System.Data.Common;
using Dapper;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Storage;

/// <summary>What a destination says about one object that it was asked to commit.</summary>
/// <param name="SopUID">As sent to it: the pseudonym.</param>
/// <param name="Verdict">What follows.</param>
/// <param name="Detail">Our own words.</param>
public sealed record CommitFinding(string SopUID, CommitVerdict Verdict, string Detail);

/// <summary>What follows from a destination's word about one object.</summary>
public enum CommitVerdict
{
    /// <summary>It keeps the object.</summary>
    Committed,

    /// <summary>It does not have the object: sent again, up to a bound.</summary>
    SendAgain,

    /// <summary>It cannot say at present: asked again later.</summary>
    AskAgain,

    /// <summary>It never will.</summary>
    Dead,
}

/// <summary>What came of a report.</summary>
/// <param name="IsKnown">False: we never asked this destination by this transaction; nothing was changed.</param>
/// <param name="Unasked">Objects of the report that the transaction was not about; they count for nothing.</param>
/// <param name="FilesUnneeded">Files that nothing needs any more.</param>
/// <param name="IsComplete">Every object of the transaction is reported.</param>
public sealed record CommitReportOutcome(
    bool IsKnown, int Committed, int SentAgain, int AskedAgain, int Dead, int Unasked, IReadOnlyList<string> FilesUnneeded, bool IsComplete)
{
    public static CommitReportOutcome Unknown { get; } = new(false, 0, 0, 0, 0, 0, [], false);
}

public sealed partial class GatewayStore
{
    private const string CommitTransactionColumns =
        """
        uid AS "UID", destination AS "Destination", node AS "Node", state AS "State", instances AS "Instances", committed AS "Committed",
        failed AS "Failed", created_at AS "CreatedAt", deadline_at AS "DeadlineAt", updated_at AS "UpdatedAt", detail AS "Detail"
        """;

    /// <summary>Units of a long report: between them others write too.</summary>
    private const int FindingsAtOnce = 64;

    /// <summary>How many of our objects wait to be asked about, counted up to a limit, and when the oldest was sent.</summary>
    public async Task<(long Count, DateTimeOffset Oldest)> UnaskedAsync(string destination, int limit, CancellationToken cancellationToken)
    {
        (long count, long? oldest) = await ReadAsync(c => c.QuerySingleAsync<(long, long?)>(new CommandDefinition(
            """
            SELECT COUNT(*), MIN(sent_at) FROM (
              SELECT sent_at FROM deliveries
              WHERE destination = @destination AND node = @Node AND state = 'sent' AND is_final = 0 AND commit_transaction IS NULL
                AND next_attempt_at <= @Now ORDER BY id LIMIT @limit) AS waiting
            """,
            new { destination, Node, Now, limit }, cancellationToken: cancellationToken)), cancellationToken);
        return (count, DateTimeOffset.FromUnixTimeMilliseconds(oldest ?? 0));
    }

    /// <summary>Makes a transaction of the oldest objects that wait to be asked about, with its audit entry: kept before it is asked.</summary>
    /// <param name="uid">Its Transaction UID, never used before.</param>
    /// <param name="destination">Whom it will be asked of.</param>
    /// <param name="limit">Most objects.</param>
    /// <param name="deadline">Without an answer until then it is asked again.</param>
    /// <returns>The objects; none when nothing waits, and then there is no transaction.</returns>
    public Task<IReadOnlyList<(string SopClassUID, string SopUID)>> BeginCommitAsync(string uid, string destination, int limit, DateTimeOffset deadline) =>
        WriteAsync<IReadOnlyList<(string, string)>>(async (connection, transaction) =>
        {
            var values = new { uid, destination, Node, Now, limit, Deadline = deadline.ToUnixTimeMilliseconds() };
            int instances = await connection.ExecuteAsync(
                """
                UPDATE deliveries SET commit_transaction = @uid, updated_at = @Now WHERE id IN (
                  SELECT id FROM deliveries
                  WHERE destination = @destination AND node = @Node AND state = 'sent' AND is_final = 0 AND commit_transaction IS NULL
                    AND next_attempt_at <= @Now ORDER BY id LIMIT @limit)
                """,
                values, transaction);
            if (instances == 0)
            {
                return [];
            }

            await connection.ExecuteAsync(
                """
                INSERT INTO commit_transactions (uid, destination, node, state, instances, created_at, deadline_at, updated_at)
                VALUES (@uid, @destination, @Node, 'asking', @instances, @Now, @Deadline, @Now)
                """,
                new { uid, destination, Node, Now, instances, values.Deadline }, transaction);
            await InsertAuditAsync(connection, transaction, new AuditRecord(AuditEvent.CommitmentRequested)
            {
                Detail = $"Of {destination}: {instances} objects, transaction {uid}.",
            });
            return (await connection.QueryAsync<(string, string)>(
                """
                SELECT i.sop_class_uid, i.sop_uid FROM deliveries d JOIN instances i ON i.id = d.instance_id
                WHERE d.commit_transaction = @uid ORDER BY d.id
                """,
                values, transaction)).AsList();
        });

    /// <summary>asking → asked. Changes nothing when its report came before.</summary>
    public Task SetCommitAskedAsync(string uid) => WriteAsync(async (connection, transaction) => await connection.ExecuteAsync(
        "UPDATE commit_transactions SET state = 'asked', updated_at = @Now WHERE uid = @uid AND state = 'asking' AND node = @Node",
        new { uid, Now, Node }, transaction) > 0);

    /// <summary>Our transactions with a destination that have no answer.</summary>
    public async Task<IReadOnlyList<CommitTransactionRow>> OpenCommitsAsync(string destination, CancellationToken cancellationToken) =>
        (await ReadAsync(c => c.QueryAsync<CommitTransactionRow>(new CommandDefinition(
            $"""
            SELECT {CommitTransactionColumns} FROM commit_transactions
            WHERE state IN ('asking', 'asked') AND destination = @destination AND node = @Node ORDER BY deadline_at
            """,
            new { destination, Node }, cancellationToken: cancellationToken)), cancellationToken)).AsList();

    /// <summary>
    /// Gives a transaction up, with its audit entry: what was not reported is asked about again by another one, and what it had
    /// been about is kept, so that a late report still counts.
    /// </summary>
    /// <param name="uid">One of ours.</param>
    /// <param name="detail">Why, in our own words.</param>
    public Task<bool> LapseCommitAsync(string uid, string detail) => WriteAsync(async (connection, transaction) =>
    {
        var values = new { uid, detail, Now, Node };
        int changed = await connection.ExecuteAsync(
            "UPDATE commit_transactions SET state = 'lapsed', detail = @detail, updated_at = @Now WHERE uid = @uid AND state IN ('asking', 'asked') AND node = @Node",
            values, transaction);
        if (changed == 0)
        {
            return false;
        }

        await connection.ExecuteAsync(
            """
            INSERT INTO commit_lapsed (transaction_uid, delivery_id) SELECT @uid, id FROM deliveries
            WHERE commit_transaction = @uid AND state = 'sent' AND is_final = 0
            """,
            values, transaction);
        await connection.ExecuteAsync(
            "UPDATE deliveries SET commit_transaction = NULL, updated_at = @Now WHERE commit_transaction = @uid AND state = 'sent' AND is_final = 0",
            values, transaction);
        await InsertAuditAsync(connection, transaction, new AuditRecord(AuditEvent.CommitmentFailed, AuditOutcome.MinorFailure)
        {
            Detail = $"Transaction {uid}: {detail}",
        });
        return true;
    });

    /// <summary>
    /// A destination's report. What it says is true whoever of us hears it: it is applied to the rows of every node, and
    /// applying it twice changes nothing.
    /// </summary>
    /// <param name="uid">The Transaction UID that it names.</param>
    /// <param name="destinations">The names of the destinations that the caller may speak for.</param>
    /// <param name="findings">Each object once.</param>
    /// <param name="askAgain">When what cannot be said at present is asked again, by failed attempts so far.</param>
    /// <param name="maxResends">An object that is not there is sent again so often.</param>
    /// <param name="audit">Who said it.</param>
    public async Task<CommitReportOutcome> ApplyCommitReportAsync(string uid, IReadOnlyCollection<string> destinations,
        IReadOnlyList<CommitFinding> findings, Func<int, DateTimeOffset> askAgain, int maxResends, AuditRecord audit)
    {
        CommitTransactionRow? row = (await ReadAsync(c => c.QueryAsync<CommitTransactionRow>(
            $"SELECT {CommitTransactionColumns} FROM commit_transactions WHERE uid = @uid", new { uid }), CancellationToken.None)).SingleOrDefault();
        if (row is null || !destinations.Contains(row.Destination))
        {
            return CommitReportOutcome.Unknown;
        }

        var sum = new CommitReportOutcome(true, 0, 0, 0, 0, findings.Count, [], false);
        foreach (CommitFinding[] some in findings.Chunk(FindingsAtOnce))
        {
            CommitReportOutcome part = await WriteAsync((connection, transaction) =>
                ApplyAsync(connection, transaction, row, some, askAgain, maxResends, audit), needsLease: false);
            sum = sum with
            {
                Committed = sum.Committed + part.Committed,
                SentAgain = sum.SentAgain + part.SentAgain,
                AskedAgain = sum.AskedAgain + part.AskedAgain,
                Dead = sum.Dead + part.Dead,
                Unasked = sum.Unasked - some.Length + part.Unasked,
                FilesUnneeded = [.. sum.FilesUnneeded, .. part.FilesUnneeded],
            };
        }

        return await WriteAsync(async (connection, transaction) =>
        {
            await connection.ExecuteAsync(
                """
                UPDATE commit_transactions SET committed = committed + @Committed, failed = failed + @Failed, updated_at = @Now WHERE uid = @uid
                """,
                new { sum.Committed, Failed = sum.SentAgain + sum.AskedAgain + sum.Dead, Now, uid }, transaction);
            bool isComplete = await connection.ExecuteAsync(
                """
                UPDATE commit_transactions SET state = 'reported' WHERE uid = @uid AND state IN ('asking', 'asked')
                  AND NOT EXISTS (SELECT 1 FROM deliveries WHERE commit_transaction = @uid AND state = 'sent' AND is_final = 0)
                """,
                new { uid }, transaction) > 0;
            await InsertAuditAsync(connection, transaction, audit with
            {
                Event = AuditEvent.CommitmentReported,
                Outcome = sum.SentAgain + sum.AskedAgain + sum.Dead + sum.Unasked == 0 ? AuditOutcome.Success : AuditOutcome.MinorFailure,
                Detail = $"By {row.Destination}, transaction {uid}: {sum.Committed} committed, {sum.SentAgain} to send again, {sum.AskedAgain} to ask again, "
                    + $"{sum.Dead} refused, {sum.Unasked} that it was not asked about or had reported before.",
            });
            return sum with { IsComplete = isComplete };
        }, needsLease: false);
    }

    /// <summary>
    /// For a destination that is not asked for commitment any more: some of what waits for its word is done, and what is not
    /// sent yet will be when it is.
    /// </summary>
    /// <returns>How many were done, 0 when there are no more; and files that nothing needs any more.</returns>
    public Task<(int Done, IReadOnlyList<string> FilesUnneeded)> WaiveCommitsAsync(string destination) =>
        WriteAsync<(int, IReadOnlyList<string>)>(async (connection, transaction) =>
        {
            var values = new { destination, Node, Now, Limit = FindingsAtOnce };
            await connection.ExecuteAsync(
                """
                UPDATE deliveries SET wants_commitment = 0 WHERE destination = @destination AND node = @Node AND is_final = 0
                  AND state IN ('pending', 'dead') AND wants_commitment = 1
                """,
                values, transaction);
            IReadOnlyList<ReportedDelivery> waiting = (await connection.QueryAsync<ReportedDelivery>(
                """
                SELECT d.id AS "Id", i.id AS "InstanceId", i.received_file AS "ReceivedFile", i.protected_file AS "ProtectedFile"
                FROM deliveries d JOIN instances i ON i.id = d.instance_id
                WHERE d.destination = @destination AND d.node = @Node AND d.state = 'sent' AND d.is_final = 0 ORDER BY d.id LIMIT @Limit
                """,
                values, transaction)).AsList();
            List<string> files = [];
            foreach (ReportedDelivery delivery in waiting)
            {
                await connection.ExecuteAsync(
                    "UPDATE deliveries SET is_final = 1, wants_commitment = 0, commit_transaction = NULL, updated_at = @Now WHERE id = @Id",
                    new { Now, delivery.Id }, transaction);
                if (await AdvanceAsync(connection, transaction, delivery.InstanceId))
                {
                    files.AddRange(delivery.Files);
                }
            }

            if (waiting.Count > 0)
            {
                await InsertAuditAsync(connection, transaction, new AuditRecord(AuditEvent.CommitmentFailed, AuditOutcome.MinorFailure)
                {
                    Detail = $"{destination} is not asked any more: {waiting.Count} objects that it had not committed are done.",
                });
            }

            return (waiting.Count, files);
        });

    /// <summary>Transactions with destinations, newest first; of all nodes.</summary>
    /// <param name="all">Those that are over too.</param>
    public async Task<IReadOnlyList<CommitTransactionRow>> ListCommitTransactionsAsync(bool all, int limit, CancellationToken cancellationToken) =>
        (await ReadAsync(c => c.QueryAsync<CommitTransactionRow>(new CommandDefinition(
            $"""
            SELECT {CommitTransactionColumns} FROM commit_transactions {(all ? "" : "WHERE state IN ('asking', 'asked')")}
            ORDER BY created_at DESC, uid LIMIT @limit
            """,
            new { limit }, cancellationToken: cancellationToken)), cancellationToken)).AsList();

    /// <summary>Forgets requests and transactions that were over before a time.</summary>
    /// <returns>How many.</returns>
    public Task<int> ForgetCommitsAsync(DateTimeOffset before) => WriteAsync(async (connection, transaction) =>
    {
        var values = new { Before = before.ToUnixTimeMilliseconds() };
        return await connection.ExecuteAsync(
                "DELETE FROM commit_requests WHERE state IN ('reported', 'refused', 'abandoned') AND updated_at < @Before", values, transaction)
            + await connection.ExecuteAsync(
                "DELETE FROM commit_transactions WHERE state IN ('reported', 'lapsed') AND updated_at < @Before", values, transaction);
    }, needsLease: false);

    private async Task<CommitReportOutcome> ApplyAsync(DbConnection connection, DbTransaction transaction, CommitTransactionRow row,
        CommitFinding[] findings, Func<int, DateTimeOffset> askAgain, int maxResends, AuditRecord audit)
    {
        string[] named = [.. findings.Select(static f => f.SopUID)];
        Dictionary<string, ReportedDelivery> asked = (await connection.QueryAsync<ReportedDelivery>(
            $"""
            SELECT d.id AS "Id", d.attempts AS "Attempts", d.resends AS "Resends", i.id AS "InstanceId", i.sop_uid AS "SopUID",
              i.study_uid AS "StudyUID", i.patient AS "Patient", i.received_file AS "ReceivedFile", i.protected_file AS "ProtectedFile",
              CASE WHEN d.commit_transaction = @UID THEN 1 ELSE 0 END AS "IsPresent"
            FROM deliveries d JOIN instances i ON i.id = d.instance_id
            WHERE d.destination = @Destination AND d.state = 'sent' AND d.is_final = 0 AND {_dialect.IsOneOf("i.sop_uid", "named")}
              AND (d.commit_transaction = @UID OR EXISTS (SELECT 1 FROM commit_lapsed l WHERE l.transaction_uid = @UID AND l.delivery_id = d.id))
            """,
            new { row.UID, row.Destination, named }, transaction)).ToDictionary(static d => d.SopUID);
        int[] counts = new int[4];
        int unasked = 0;
        List<string> files = [];
        foreach (CommitFinding finding in findings)
        {
            // Of an old transaction only good news counts: whether something is missing is what the present one will tell.
            if (!asked.TryGetValue(finding.SopUID, out ReportedDelivery? delivery)
                || (delivery.IsPresent == 0 && finding.Verdict != CommitVerdict.Committed))
            {
                unasked++;
                continue;
            }

            CommitVerdict verdict = finding.Verdict == CommitVerdict.SendAgain && delivery.Resends >= maxResends ? CommitVerdict.Dead : finding.Verdict;
            counts[(int)verdict]++;
            await SettleCommitAsync(connection, transaction, delivery, finding, verdict, askAgain(delivery.Attempts));
            await InsertAuditAsync(connection, transaction, audit with
            {
                Event = verdict == CommitVerdict.Committed ? AuditEvent.Committed : AuditEvent.CommitmentFailed,
                Outcome = verdict switch
                {
                    CommitVerdict.Committed => AuditOutcome.Success,
                    CommitVerdict.Dead => AuditOutcome.SeriousFailure,
                    _ => AuditOutcome.MinorFailure,
                },
                Reason = verdict == CommitVerdict.Committed ? null : nameof(RefusalReason.RefusedByDestination),
                Patient = delivery.Patient,
                StudyUID = delivery.StudyUID,
                SopUID = delivery.SopUID,
                Detail = finding.Detail,
            });
            if (verdict == CommitVerdict.Committed && await AdvanceAsync(connection, transaction, delivery.InstanceId))
            {
                files.AddRange(delivery.Files);
            }
        }

        return new CommitReportOutcome(true, counts[(int)CommitVerdict.Committed], counts[(int)CommitVerdict.SendAgain],
            counts[(int)CommitVerdict.AskAgain], counts[(int)CommitVerdict.Dead], unasked, files, false);
    }

    private async Task SettleCommitAsync(DbConnection connection, DbTransaction transaction, ReportedDelivery delivery, CommitFinding finding,
        CommitVerdict verdict, DateTimeOffset askAgain)
    {
        // The transaction stays with what it decided: only what it leaves open is free for another one.
        string change = verdict switch
        {
            CommitVerdict.Committed => "state = 'committed', is_final = 1",
            CommitVerdict.SendAgain => "state = 'pending', commit_transaction = NULL, resends = resends + 1, next_attempt_at = 0",
            CommitVerdict.AskAgain => "commit_transaction = NULL, attempts = attempts + 1, next_attempt_at = @Next",
            _ => "state = 'dead', resends = 0",
        };
        await connection.ExecuteAsync(
            $"UPDATE deliveries SET {change}, detail = @Detail, updated_at = @Now WHERE id = @Id AND state = 'sent' AND is_final = 0",
            new { Next = askAgain.ToUnixTimeMilliseconds(), finding.Detail, Now, delivery.Id }, transaction);
        if (verdict is CommitVerdict.SendAgain or CommitVerdict.Dead)
        {
            await connection.ExecuteAsync(
                "UPDATE instances SET state = 'protected', updated_at = @Now WHERE id = @InstanceId AND state = 'forwarded'",
                new { Now, delivery.InstanceId }, transaction);
        }
    }

    private sealed class ReportedDelivery
    {
        public long Id { get; init; }

        public int Attempts { get; init; }

        public int Resends { get; init; }

        public long InstanceId { get; init; }

        public string SopUID { get; init; } = "";

        public string StudyUID { get; init; } = "";

        public string Patient { get; init; } = "";

        public string ReceivedFile { get; init; } = "";

        public string? ProtectedFile { get; init; }

        public IEnumerable<string> Files => ProtectedFile is { } file ? [ReceivedFile, file] : [ReceivedFile];

        /// <summary>1 when the transaction of the report is the last that asked about it, 0 when it was asked again since.</summary>
        public int IsPresent { get; init; }
    }
}
