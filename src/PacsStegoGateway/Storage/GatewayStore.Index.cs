using System.Data.Common;
using System.Text;
using Dapper;

namespace PacsStegoGateway.Storage;

/// <summary>Which studies to look at, by pseudonyms; null means any, an empty list none.</summary>
public sealed record IndexFilter
{
    /// <summary>Pseudonyms of patients, as the protected objects bear them.</summary>
    public IReadOnlyList<string>? Patients { get; init; }

    /// <summary>Keyed indexes of original Patient IDs, whoever issued them.</summary>
    public IReadOnlyList<string>? PatientIndexes { get; init; }

    /// <summary>Keyed indexes of original Accession Numbers.</summary>
    public IReadOnlyList<string>? AccessionIndexes { get; init; }

    public IReadOnlyList<string>? StudyUIDs { get; init; }

    public IReadOnlyList<string>? SeriesUIDs { get; init; }

    public IReadOnlyList<string>? SopUIDs { get; init; }
}

/// <summary>Where a walk over the index stands.</summary>
/// <param name="Patient">Of the last study, in a walk patient by patient; null in one by order of receipt.</param>
/// <param name="Id">Of the last study.</param>
public readonly record struct IndexPosition(string? Patient, long Id)
{
    public static IndexPosition OfReceipt { get; } = new(null, 0);

    public static IndexPosition OfPatients { get; } = new("", 0);
}

/// <summary>A study of one patient.</summary>
public sealed class IndexedStudy
{
    public long Id { get; init; }

    /// <summary>Pseudonym.</summary>
    public string StudyUID { get; init; } = "";

    /// <summary>Pseudonym.</summary>
    public string Patient { get; init; } = "";

    /// <summary>The originals, sealed.</summary>
    public byte[] Sealed { get; init; } = [];

    /// <summary>The same attributes of the protected object; null when an earlier version protected it.</summary>
    public byte[]? Attributes { get; init; }
}

/// <summary>A series that has instances.</summary>
public sealed class IndexedSeries
{
    public long Id { get; init; }

    public long StudyId { get; init; }

    /// <summary>Pseudonym.</summary>
    public string SeriesUID { get; init; } = "";

    /// <inheritdoc cref="IndexedStudy.Sealed"/>
    public byte[] Sealed { get; init; } = [];

    /// <inheritdoc cref="IndexedStudy.Attributes"/>
    public byte[]? Attributes { get; init; }

    /// <summary>How many instances it has, at least 1.</summary>
    public long Instances { get; init; }
}

/// <summary>An instance that has been protected.</summary>
public sealed class IndexedInstance
{
    public long Id { get; init; }

    /// <summary>Pseudonym.</summary>
    public string SopUID { get; init; } = "";

    public string TransferSyntaxUID { get; init; } = "";

    /// <inheritdoc cref="IndexedStudy.Sealed"/>
    public byte[] Sealed { get; init; } = [];

    /// <inheritdoc cref="IndexedStudy.Attributes"/>
    public byte[]? Attributes { get; init; }
}

public sealed partial class GatewayStore
{
    /// <summary>What a query tells of: instances that own their UID and have been protected. The table is i.</summary>
    private const string IsTold = "i.is_primary = 1 AND i.state IN ('protected', 'forwarded', 'committed')";

    /// <summary>Studies that fit, a page at a time. Some may have no instances any more: <see cref="SeriesOfAsync"/> tells.</summary>
    public async Task<IReadOnlyList<IndexedStudy>> StudiesAsync(IndexFilter filter, IndexPosition after, int limit, CancellationToken cancellationToken)
    {
        var sql = new StringBuilder("""SELECT id AS "Id", study_uid AS "StudyUID", patient AS "Patient", sealed AS "Sealed", attributes AS "Attributes" FROM index_studies WHERE """)
            .Append(after.Patient is null ? "id > @Id" : "(patient, id) > (@Patient, @Id)");
        var values = new DynamicParameters(new { after.Id, after.Patient, Limit = limit });
        void And(string condition, string name, IReadOnlyList<string>? any)
        {
            if (any is not null)
            {
                sql.Append(" AND ").Append(condition);
                values.Add(name, any.ToArray());
            }
        }

        And(_dialect.IsOneOf("patient", "Patients"), "Patients", filter.Patients);
        And(_dialect.IsOneOf("patient_index", "PatientIndexes"), "PatientIndexes", filter.PatientIndexes);
        And(_dialect.IsOneOf("accession_index", "AccessionIndexes"), "AccessionIndexes", filter.AccessionIndexes);
        And(_dialect.IsOneOf("study_uid", "StudyUIDs"), "StudyUIDs", filter.StudyUIDs);
        And($"id IN (SELECT study_id FROM index_series WHERE {_dialect.IsOneOf("series_uid", "SeriesUIDs")})", "SeriesUIDs", filter.SeriesUIDs);
        And($"""
            id IN (SELECT r.study_id FROM instances i JOIN index_instances x ON x.instance_id = i.id JOIN index_series r ON r.id = x.series_id
              WHERE {IsTold} AND {_dialect.IsOneOf("i.sop_uid", "SopUIDs")})
            """, "SopUIDs", filter.SopUIDs);
        sql.Append(after.Patient is null ? " ORDER BY id LIMIT @Limit" : " ORDER BY patient, id LIMIT @Limit");
        return (await ReadAsync(c => c.QueryAsync<IndexedStudy>(
            new CommandDefinition(sql.ToString(), values, cancellationToken: cancellationToken)), cancellationToken)).AsList();
    }

    /// <summary>The series of some studies that have instances, with their number, in order of receipt.</summary>
    public async Task<IReadOnlyList<IndexedSeries>> SeriesOfAsync(IReadOnlyList<long> studyIds, CancellationToken cancellationToken) =>
        (await ReadAsync(c => c.QueryAsync<IndexedSeries>(new CommandDefinition(
            $"""
            SELECT r.id AS "Id", r.study_id AS "StudyId", r.series_uid AS "SeriesUID", r.sealed AS "Sealed", r.attributes AS "Attributes", n.instances AS "Instances"
            FROM index_series r JOIN (
              SELECT x.series_id, COUNT(*) AS instances
              FROM index_series s JOIN index_instances x ON x.series_id = s.id JOIN instances i ON i.id = x.instance_id
              WHERE {_dialect.IsOneOf("s.study_id", "Ids")} AND {IsTold} GROUP BY x.series_id) n ON n.series_id = r.id
            ORDER BY r.id
            """,
            new { Ids = studyIds.ToArray() }, cancellationToken: cancellationToken)), cancellationToken)).AsList();

    /// <summary>The SOP classes in each of some studies.</summary>
    public async Task<ILookup<long, string>> SopClassesOfAsync(IReadOnlyList<long> studyIds, CancellationToken cancellationToken) =>
        (await ReadAsync(c => c.QueryAsync<(long StudyId, string SopClassUID)>(new CommandDefinition(
            $"""
            SELECT DISTINCT s.study_id, i.sop_class_uid
            FROM index_series s JOIN index_instances x ON x.series_id = s.id JOIN instances i ON i.id = x.instance_id
            WHERE {_dialect.IsOneOf("s.study_id", "Ids")} AND {IsTold} ORDER BY 1, 2
            """,
            new { Ids = studyIds.ToArray() }, cancellationToken: cancellationToken)), cancellationToken))
            .ToLookup(static r => r.StudyId, static r => r.SopClassUID);

    /// <summary>Instances of a series in order of receipt, a page at a time.</summary>
    public async Task<IReadOnlyList<IndexedInstance>> InstancesOfAsync(
        long seriesId, IReadOnlyList<string>? sopUIDs, long afterId, int limit, CancellationToken cancellationToken) =>
        (await ReadAsync(c => c.QueryAsync<IndexedInstance>(new CommandDefinition(
            $"""
            SELECT i.id AS "Id", i.sop_uid AS "SopUID", i.transfer_syntax AS "TransferSyntaxUID", i.essentials AS "Sealed", x.attributes AS "Attributes"
            FROM index_instances x JOIN instances i ON i.id = x.instance_id
            WHERE x.series_id = @seriesId AND x.instance_id > @afterId AND {IsTold}{(sopUIDs is null ? "" : $" AND {_dialect.IsOneOf("i.sop_uid", "SopUIDs")}")}
            ORDER BY x.instance_id LIMIT @limit
            """,
            new { seriesId, afterId, limit, SopUIDs = sopUIDs?.ToArray() }, cancellationToken: cancellationToken)), cancellationToken)).AsList();

    /// <summary>Lets queries find an instance; the first of a study or series says what its attributes are.</summary>
    /// <param name="attributes">Of the protected object, as <c>EssentialIdentity.EncodeForIndex</c> has them; null when they are not known.</param>
    /// <remarks>After the audit entry of the same transaction: gateways that share the database then wait for each other there, and not crosswise here.</remarks>
    private static async Task IndexAsync(DbConnection connection, DbTransaction transaction, InstanceRow row, byte[]? attributes) =>
        await connection.ExecuteAsync(
            """
            INSERT INTO index_studies (study_uid, patient, patient_index, accession_index, sealed, attributes)
            VALUES (@StudyUID, @Patient, @PatientIndex, @AccessionIndex, @Essentials, @attributes) ON CONFLICT DO NOTHING;
            INSERT INTO index_series (study_id, series_uid, sealed, attributes)
            SELECT id, @SeriesUID, @Essentials, @attributes FROM index_studies WHERE study_uid = @StudyUID AND patient = @Patient ON CONFLICT DO NOTHING;
            INSERT INTO index_instances (instance_id, series_id, attributes)
            SELECT @Id, r.id, @attributes FROM index_series r JOIN index_studies s ON s.id = r.study_id
            WHERE s.study_uid = @StudyUID AND s.patient = @Patient AND r.series_uid = @SeriesUID
            ON CONFLICT (instance_id) DO UPDATE SET series_id = excluded.series_id, attributes = excluded.attributes
            """,
            new { row.Id, row.StudyUID, row.SeriesUID, row.Patient, row.PatientIndex, row.AccessionIndex, row.Essentials, attributes },
            transaction);
}
