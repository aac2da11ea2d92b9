using System.Data.Common;
using System.Text;
using Dapper;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Storage;

/// <summary>What a received object turned out to be.</summary>
public enum ReceiptKind
{
    /// <summary>Its row is committed; the spool file belongs to the row.</summary>
    New,

    /// <summary>The same bytes came before: the new spool file is not needed.</summary>
    Duplicate,

    /// <summary>The same SOP Instance UID came before with other content: quarantined with its file, once however often it comes.</summary>
    Conflict,

    /// <summary>The same bytes lay in quarantine: their row is received again, with the new spool file.</summary>
    Retried,
}

/// <summary>What became of a received object.</summary>
/// <param name="Kind">What it turned out to be.</param>
/// <param name="UnneededFile">A spool file that no row owns any more: to be removed.</param>
public readonly record struct Receipt(ReceiptKind Kind, string? UnneededFile = null);

/// <summary>Which instances to look up, by pseudonyms; null means any.</summary>
public sealed record InstanceFilter
{
    /// <summary>As the protected objects bear it.</summary>
    public string? Patient { get; init; }

    public string? PatientIndex { get; init; }

    public string? AccessionIndex { get; init; }

    public IReadOnlyList<string>? StudyUIDs { get; init; }

    public IReadOnlyList<string>? SeriesUIDs { get; init; }

    public IReadOnlyList<string>? SopUIDs { get; init; }
}

public sealed partial class GatewayStore
{
    private const string Columns =
        """
        id AS "Id", sop_uid AS "SopUID", study_uid AS "StudyUID", series_uid AS "SeriesUID", patient AS "Patient",
        patient_index AS "PatientIndex", accession_index AS "AccessionIndex",
        sop_class_uid AS "SopClassUID", transfer_syntax AS "TransferSyntaxUID", essentials AS "Essentials",
        content_hash AS "ContentHash", calling_ae AS "CallingAE", called_ae AS "CalledAE", remote_address AS "RemoteAddress", node AS "Node", state AS "State",
        reason AS "Reason", detail AS "Detail", attempts AS "Attempts", next_attempt_at AS "NextAttemptAt",
        received_at AS "ReceivedAt", updated_at AS "UpdatedAt", received_file AS "ReceivedFile",
        received_bytes AS "ReceivedBytes", protected_file AS "ProtectedFile"
        """;

    /// <summary>Commits the row of a received object and its audit entry. Only after this may success be answered.</summary>
    /// <param name="row">State, reason and times are set here.</param>
    public Task<Receipt> ReceiveAsync(InstanceRow row) => WriteAsync(async (connection, transaction) =>
    {
        while (true)
        {
            InstanceRow? owner = await connection.QuerySingleOrDefaultAsync<InstanceRow>(
                $"SELECT {Columns} FROM instances WHERE sop_uid = @SopUID AND is_primary = 1", row, transaction);
            if (owner is null)
            {
                if (!await InsertAsync(connection, transaction, row, ReceiptKind.New))
                {
                    // Another gateway has just received it: look again.
                    continue;
                }

                await InsertAuditAsync(connection, transaction, About(row, new AuditRecord(AuditEvent.Received) { Sealed = row.Essentials }));
                return new Receipt(ReceiptKind.New);
            }

            bool sameContent = owner.ContentHash.AsSpan().SequenceEqual(row.ContentHash);
            if (owner.State == InstanceState.Quarantined && (sameContent || owner.ProtectedFile is null))
            {
                if (sameContent ? await RetryAsync(connection, transaction, owner, row) : await SupersedeAsync(connection, transaction, owner, row))
                {
                    return sameContent ? new Receipt(ReceiptKind.Retried, owner.ReceivedFile) : new Receipt(ReceiptKind.New);
                }

                // Somebody at the command line has just released or discarded the owner: look again.
                continue;
            }

            if (sameContent)
            {
                await InsertAuditAsync(connection, transaction, About(row, new AuditRecord(AuditEvent.Duplicate)));
                return new Receipt(ReceiptKind.Duplicate, row.ReceivedFile);
            }

            if (await IsKnownConflictAsync(connection, transaction, row))
            {
                await InsertAuditAsync(connection, transaction, About(row, new AuditRecord(AuditEvent.Duplicate) { Reason = nameof(RefusalReason.ConflictingContent) }));
                return new Receipt(ReceiptKind.Conflict, row.ReceivedFile);
            }

            await InsertAsync(connection, transaction, row, ReceiptKind.Conflict);
            await InsertAuditAsync(connection, transaction, About(row, new AuditRecord(
                AuditEvent.Quarantined, AuditOutcome.MinorFailure) { Reason = nameof(RefusalReason.ConflictingContent) }));
            return new Receipt(ReceiptKind.Conflict);
        }
    });

    /// <summary>received → protected, with its deliveries, its audit entry and its entry in the index: from now on queries find it.</summary>
    /// <param name="row">As read.</param>
    /// <param name="protectedFile">Spool file, flushed.</param>
    /// <param name="destinations">At least one. A delivery that is there from an earlier protection begins anew.</param>
    /// <param name="detail">Our own words.</param>
    /// <param name="attributes">Of the protected object, as <c>EssentialIdentity.EncodeForIndex</c> has them; null: to be computed from the originals.</param>
    /// <returns>False when the row was no longer in the state received, or no longer ours: nothing was changed.</returns>
    public Task<bool> SetProtectedAsync(InstanceRow row, string protectedFile, IReadOnlyList<ForwardTarget> destinations, string? detail, byte[]? attributes = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(destinations.Count, nameof(destinations));
        return WriteAsync(async (connection, transaction) =>
        {
            if (!await MoveAsync(connection, transaction, row, InstanceState.Protected, protectedFile, null, null,
                new AuditRecord(AuditEvent.Protected) { Detail = detail }))
            {
                return false;
            }

            await InsertDeliveriesAsync(connection, transaction, row, destinations);
            await IndexAsync(connection, transaction, row, attributes);
            return true;
        });
    }

    /// <summary>Any state → quarantined, with its audit entry; what was not sent is not sent any more.</summary>
    /// <returns>False when the row had left the state it was read in, or is no longer ours.</returns>
    public Task<bool> QuarantineAsync(InstanceRow row, RefusalReason reason, string? detail) => WriteAsync(async (connection, transaction) =>
    {
        if (!await MoveAsync(connection, transaction, row, InstanceState.Quarantined, row.ProtectedFile, reason.ToString(), detail,
            new AuditRecord(AuditEvent.Quarantined, AuditOutcome.SeriousFailure) { Reason = reason.ToString(), Detail = detail }))
        {
            return false;
        }

        if (row.State != InstanceState.Received)
        {
            await connection.ExecuteAsync("DELETE FROM deliveries WHERE instance_id = @Id AND state IN ('pending', 'dead')", new { row.Id }, transaction);
        }

        return true;
    });

    /// <summary>Leaves the state as it is and sets when to try again.</summary>
    /// <param name="row">As read; its count of attempts goes up by one.</param>
    /// <param name="nextAttempt">Not before.</param>
    /// <param name="reason">Why the attempt failed.</param>
    /// <param name="detail">Our own words.</param>
    public Task RetryLaterAsync(InstanceRow row, DateTimeOffset nextAttempt, RefusalReason reason, string? detail) =>
        WriteAsync(async (connection, transaction) =>
        {
            await connection.ExecuteAsync(
                """
                UPDATE instances SET attempts = attempts + 1, next_attempt_at = @Next, reason = @Reason, detail = @Detail, updated_at = @Now
                WHERE id = @Id AND state = @State AND node = @Node
                """,
                new { Next = nextAttempt.ToUnixTimeMilliseconds(), Reason = reason.ToString(), Detail = detail, Now, row.Id, State = Text(row.State), Node },
                transaction);
            return true;
        });

    /// <summary>Our rows in a state whose time has come, oldest first; received, protected or quarantined ones.</summary>
    /// <remarks>
    /// The state is a literal: a database that does not know it beforehand cannot use the index that has these rows only.
    /// What was written later than now was written by a clock that has been put back: the time it waits for means nothing.
    /// </remarks>
    public async Task<IReadOnlyList<InstanceRow>> DueAsync(InstanceState state, int limit, CancellationToken cancellationToken) =>
        (await ReadAsync(c => c.QueryAsync<InstanceRow>(new CommandDefinition(
            $"SELECT {Columns} FROM instances WHERE state = '{Text(state)}' AND node = @Node AND (next_attempt_at <= @Now OR updated_at > @Now) ORDER BY id LIMIT @Limit",
            new { Node, Now, Limit = limit }, cancellationToken: cancellationToken)), cancellationToken)).AsList();

    /// <summary>Objects that own their UID and have been protected, in order of receipt, a page at a time.</summary>
    public async Task<IReadOnlyList<InstanceRow>> FindAsync(
        InstanceFilter filter, long afterId, int limit, CancellationToken cancellationToken)
    {
        var sql = new StringBuilder($"SELECT {Columns} FROM instances WHERE is_primary = 1 AND id > @AfterId AND state IN ('protected', 'forwarded', 'committed')");
        var values = new DynamicParameters(new { AfterId = afterId, Limit = limit });
        void And(string condition, string name, object? value)
        {
            if (value is not null)
            {
                sql.Append(" AND ").Append(condition);
                values.Add(name, value);
            }
        }

        And("patient = @Patient", "Patient", filter.Patient);
        And("patient_index = @PatientIndex", "PatientIndex", filter.PatientIndex);
        And("accession_index = @AccessionIndex", "AccessionIndex", filter.AccessionIndex);
        And(_dialect.IsOneOf("study_uid", "StudyUIDs"), "StudyUIDs", filter.StudyUIDs?.ToArray());
        And(_dialect.IsOneOf("series_uid", "SeriesUIDs"), "SeriesUIDs", filter.SeriesUIDs?.ToArray());
        And(_dialect.IsOneOf("sop_uid", "SopUIDs"), "SopUIDs", filter.SopUIDs?.ToArray());
        sql.Append(" ORDER BY id LIMIT @Limit");
        return (await ReadAsync(c => c.QueryAsync<InstanceRow>(
            new CommandDefinition(sql.ToString(), values, cancellationToken: cancellationToken)), cancellationToken)).AsList();
    }

    /// <summary>True when a row gave this pseudonym to an object: who bears it has been here before.</summary>
    public async Task<bool> IsPseudonymAsync(string sopInstanceUID, CancellationToken cancellationToken) =>
        await ReadAsync(c => c.ExecuteScalarAsync<bool>(new CommandDefinition(
            "SELECT EXISTS (SELECT 1 FROM instances WHERE sop_uid = @sopInstanceUID AND is_primary = 1)",
            new { sopInstanceUID }, cancellationToken: cancellationToken)), cancellationToken);

    /// <summary>How many of our objects are on their way, received or protected; counted no further than <paramref name="most"/>.</summary>
    public async Task<long> CountWaitingAsync(long most, CancellationToken cancellationToken) =>
        await ReadAsync(c => c.ExecuteScalarAsync<long>(new CommandDefinition(
            """
            SELECT COUNT(*) FROM (
              SELECT id FROM instances WHERE state = 'received' AND node = @Node
              UNION ALL SELECT id FROM instances WHERE state = 'protected' AND node = @Node
              LIMIT @most) AS waiting
            """,
            new { Node, most }, cancellationToken: cancellationToken)), cancellationToken);

    /// <summary>How many rows are in each state. Walks all rows there ever were.</summary>
    public async Task<IReadOnlyDictionary<InstanceState, long>> CountAsync(CancellationToken cancellationToken)
    {
        IEnumerable<(string State, long Count)> counts = await ReadAsync(
            static c => c.QueryAsync<(string, long)>("SELECT state, COUNT(*) FROM instances GROUP BY state"), cancellationToken);
        return counts.ToDictionary(static r => Enum.Parse<InstanceState>(r.State, ignoreCase: true), static r => r.Count);
    }

    /// <summary>Which of these spool files belong to no row that still needs them.</summary>
    public async Task<IReadOnlyList<string>> UnownedFilesAsync(IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        // What is forwarded keeps its files while a destination has still to commit itself.
        const string needed =
            """
            state <> 'committed' AND (state <> 'forwarded' OR EXISTS (SELECT 1 FROM deliveries d WHERE d.instance_id = instances.id AND d.is_final = 0))
            """;
        var unowned = new List<string>();
        foreach (string[] some in files.Chunk(500))
        {
            IEnumerable<string> owned = await ReadAsync(c => c.QueryAsync<string>(new CommandDefinition(
                $"""
                SELECT received_file FROM instances WHERE {_dialect.IsOneOf("received_file", "some")} AND {needed}
                UNION ALL
                SELECT protected_file FROM instances WHERE {_dialect.IsOneOf("protected_file", "some")} AND {needed}
                """,
                new { some }, cancellationToken: cancellationToken)), cancellationToken);
            unowned.AddRange(some.Except(owned));
        }

        return unowned;
    }

    private async Task<bool> MoveAsync(
        DbConnection connection, DbTransaction transaction, InstanceRow row, InstanceState to, string? protectedFile, string? reason, string? detail, AuditRecord audit)
    {
        int changed = await connection.ExecuteAsync(
            """
            UPDATE instances SET state = @To, protected_file = @ProtectedFile, reason = @Reason, detail = @Detail,
              attempts = 0, next_attempt_at = 0, updated_at = @Now
            WHERE id = @Id AND state = @From AND received_file = @ReceivedFile AND node = @Node
            """,
            new { To = Text(to), ProtectedFile = protectedFile, Reason = reason, Detail = detail, Now, row.Id, From = Text(row.State), row.ReceivedFile, Node },
            transaction);
        if (changed == 0)
        {
            return false;
        }

        await InsertAuditAsync(connection, transaction, About(row, audit));
        return true;
    }

    /// <summary>The same bytes lie in quarantine already, under a UID that is another's: a sender that insists fills no disk.</summary>
    private static async Task<bool> IsKnownConflictAsync(DbConnection connection, DbTransaction transaction, InstanceRow row) =>
        await connection.ExecuteScalarAsync<bool>(
            """
            SELECT EXISTS (SELECT 1 FROM instances WHERE study_uid = @StudyUID AND series_uid = @SeriesUID AND sop_uid = @SopUID
              AND is_primary = 0 AND state = 'quarantined' AND content_hash = @ContentHash)
            """,
            row, transaction);

    /// <returns>False when another row owns the UID.</returns>
    private async Task<bool> InsertAsync(DbConnection connection, DbTransaction transaction, InstanceRow row, ReceiptKind kind) =>
        await connection.ExecuteAsync(
            """
            INSERT INTO instances (sop_uid, study_uid, series_uid, patient, patient_index, accession_index, sop_class_uid,
              transfer_syntax, essentials, content_hash, calling_ae, called_ae, remote_address, node, state, is_primary, reason, received_at, updated_at, received_file, received_bytes)
            VALUES (@SopUID, @StudyUID, @SeriesUID, @Patient, @PatientIndex, @AccessionIndex, @SopClassUID,
              @TransferSyntaxUID, @Essentials, @ContentHash, @CallingAE, @CalledAE, @RemoteAddress, @Node, @State, @IsPrimary, @Reason, @Now, @Now, @ReceivedFile, @ReceivedBytes)
            ON CONFLICT (sop_uid) WHERE is_primary = 1 DO NOTHING
            """,
            new
            {
                row.SopUID,
                row.StudyUID,
                row.SeriesUID,
                row.Patient,
                row.PatientIndex,
                row.AccessionIndex,
                row.SopClassUID,
                row.TransferSyntaxUID,
                row.Essentials,
                row.ContentHash,
                row.CallingAE,
                row.CalledAE,
                row.RemoteAddress,
                Node,
                State = Text(kind == ReceiptKind.New ? InstanceState.Received : InstanceState.Quarantined),
                IsPrimary = (short)(kind == ReceiptKind.New ? 1 : 0),
                Reason = kind == ReceiptKind.New ? null : nameof(RefusalReason.ConflictingContent),
                Now,
                row.ReceivedFile,
                row.ReceivedBytes,
            },
            transaction) > 0;

    private static AuditRecord About(InstanceRow row, AuditRecord record) => record with
    {
        CallingAE = row.CallingAE,
        RemoteAddress = row.RemoteAddress,
        Patient = row.Patient,
        StudyUID = row.StudyUID,
        SopUID = row.SopUID,
    };

#pragma warning disable CA1308 // The schema's own spelling is lower case.
    private static string Text(InstanceState state) => state.ToString().ToLowerInvariant();
#pragma warning restore CA1308
}
