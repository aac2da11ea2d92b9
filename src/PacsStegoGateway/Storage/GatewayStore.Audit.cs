using System.Data.Common;
using System.Text;
using Dapper;
using PacsStegoGateway.Audit;

namespace PacsStegoGateway.Storage;

public sealed partial class GatewayStore
{
    /// <summary>Writes an entry that belongs to no change of state. A failure fails the operation it is about.</summary>
    public Task AppendAuditAsync(AuditRecord record) => WriteAsync(async (connection, transaction) =>
    {
        await InsertAuditAsync(connection, transaction, record);
        return true;
    });

    /// <summary>Entries in the order they were committed.</summary>
    public async Task<IReadOnlyList<AuditRecord>> QueryAuditAsync(AuditFilter filter, CancellationToken cancellationToken)
    {
        var sql = new StringBuilder("SELECT sequence, at, event, outcome, calling_ae, remote_address, patient, study_uid, sop_uid, reason, detail FROM audit WHERE sequence > @AfterSequence");
        var values = new DynamicParameters(new { filter.AfterSequence, Limit = Math.Clamp(filter.Limit, 1, 100_000) });
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
        And("outcome = @Outcome", "Outcome", (int?)filter.Outcome);
        And("calling_ae = @CallingAE", "CallingAE", filter.CallingAE);
        And("patient = @Patient", "Patient", filter.Patient);
        And("study_uid = @StudyUID", "StudyUID", filter.StudyUID);
        And("sop_uid = @SopUID", "SopUID", filter.SopUID);
        if (filter.Events is { Count: > 0 } events)
        {
            And(_dialect.IsOneOf("event", "Events"), "Events", events.Select(static e => e.ToString()).ToArray());
        }

        sql.Append(" ORDER BY sequence LIMIT @Limit");
        IEnumerable<AuditRow> rows = await ReadAsync(
            c => c.QueryAsync<AuditRow>(new CommandDefinition(sql.ToString(), values, cancellationToken: cancellationToken)),
            cancellationToken);
        return rows.Select(static r => r.ToRecord()).ToList();
    }

    private async Task InsertAuditAsync(DbConnection connection, DbTransaction transaction, AuditRecord record) =>
        await connection.ExecuteAsync(
            """
            INSERT INTO audit (at, event, outcome, calling_ae, remote_address, patient, study_uid, sop_uid, reason, detail)
            VALUES (@At, @Event, @Outcome, @CallingAE, @RemoteAddress, @Patient, @StudyUID, @SopUID, @Reason, @Detail)
            """,
            new
            {
                At = Now,
                Event = record.Event.ToString(),
                Outcome = (int)record.Outcome,
                record.CallingAE,
                record.RemoteAddress,
                record.Patient,
                record.StudyUID,
                record.SopUID,
                record.Reason,
                record.Detail,
            },
            transaction);

    // Names are the columns': Dapper fills by name.
    private sealed class AuditRow
    {
        public long sequence { get; init; }
        public long at { get; init; }
        public string @event { get; init; } = "";
        public int outcome { get; init; }
        public string? calling_ae { get; init; }
        public string? remote_address { get; init; }
        public string? patient { get; init; }
        public string? study_uid { get; init; }
        public string? sop_uid { get; init; }
        public string? reason { get; init; }
        public string? detail { get; init; }

        public AuditRecord ToRecord() => new(Enum.Parse<AuditEvent>(@event), (AuditOutcome)outcome)
        {
            Sequence = sequence,
            At = DateTimeOffset.FromUnixTimeMilliseconds(at),
            CallingAE = calling_ae,
            RemoteAddress = remote_address,
            Patient = patient,
            StudyUID = study_uid,
            SopUID = sop_uid,
            Reason = reason,
            Detail = detail,
        };
    }
}
