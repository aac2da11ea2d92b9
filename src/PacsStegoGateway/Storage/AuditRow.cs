using PacsStegoGateway.Audit;

namespace PacsStegoGateway.Storage;

/// <summary>A row of the trail as the database gives it. Names are the columns': Dapper fills by name.</summary>
internal sealed class AuditRow
{
    // Wider than what we write: a number that somebody made too large must look wrong, not like the one it was.
    public long sequence { get; init; }
    public long at { get; init; }
    public string node { get; init; } = "";
    public long @event { get; init; }
    public long outcome { get; init; }
    public string? calling_ae { get; init; }
    public string? remote_address { get; init; }
    public string? user_identity { get; init; }
    public string? purpose { get; init; }
    public string? patient { get; init; }
    public string? study_uid { get; init; }
    public string? sop_uid { get; init; }
    public string? reason { get; init; }
    public string? detail { get; init; }
    public byte[]? @sealed { get; init; }
    public long key_id { get; init; }
    public byte[] mac { get; init; } = [];

    public ChainedEntry ToEntry() => new(
        new AuditRecord((AuditEvent)Narrow(@event), (AuditOutcome)Narrow(outcome))
        {
            Sequence = sequence,
            At = at is >= -62135596800000 and <= 253402300799999 ? DateTimeOffset.FromUnixTimeMilliseconds(at) : DateTimeOffset.MinValue,
            Node = node,
            CallingAE = calling_ae,
            RemoteAddress = remote_address,
            User = user_identity,
            Purpose = purpose,
            Patient = patient,
            StudyUID = study_uid,
            SopUID = sop_uid,
            Reason = reason,
            Detail = detail,
            Sealed = @sealed,
        },
        key_id,
        mac);

    private static int Narrow(long value) => value is >= int.MinValue and <= int.MaxValue ? (int)value : int.MinValue;
}
