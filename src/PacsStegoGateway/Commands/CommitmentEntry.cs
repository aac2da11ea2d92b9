using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Commands;

/// <summary>What <c>psg commitment</c> shows of one request or transaction.</summary>
/// <param name="AskedBy">AE title of a modality, or <see cref="Us"/>.</param>
/// <param name="AskedOf"><see cref="Us"/>, or the name of a destination.</param>
/// <param name="Id">Of a request its number, of a transaction its Transaction UID, which the destination knows too.</param>
/// <param name="State">waiting, ready, reported, refused, abandoned; or asking, asked, reported, lapsed.</param>
/// <param name="Next">When a report is tried again, or when a destination is asked again; null when it is over or due now.</param>
internal sealed record CommitmentEntry(string AskedBy, string AskedOf, string Id, string State, int Objects, int Failed,
    DateTimeOffset Since, DateTimeOffset? Next, int Attempts, string Node, string? Detail)
{
    public const string Us = "gateway";

    public static CommitmentEntry Of(CommitRequestRow row) => new(row.CallingAE, Us, $"{row.Id}", Text(row.State), row.Instances, row.Failed,
        DateTimeOffset.FromUnixTimeMilliseconds(row.ReceivedAt),
        row.State is CommitRequestState.Waiting or CommitRequestState.Ready && row.NextAttemptAt > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(row.NextAttemptAt) : null,
        row.Attempts, row.Node, row.Detail);

    public static CommitmentEntry Of(CommitTransactionRow row) => new(Us, row.Destination, row.UID, Text(row.State), row.Instances, row.Failed,
        DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt),
        row.State is CommitTransactionState.Asked ? DateTimeOffset.FromUnixTimeMilliseconds(row.DeadlineAt) : null,
        0, row.Node, row.Detail);

#pragma warning disable CA1308 // As it stands in the database.
    private static string Text<T>(T state)
        where T : struct, Enum => state.ToString().ToLowerInvariant();
#pragma warning restore CA1308
}
