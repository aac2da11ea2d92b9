using PacsStegoGateway.Dicom;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Commands;

/// <summary>An unfinished delivery as people and programs are shown it, by pseudonym.</summary>
internal sealed record QueueEntry(
    long Id, string Destination, DeliveryState State, DateTimeOffset QueuedAt, DateTimeOffset UpdatedAt, int Attempts, DateTimeOffset? NextAttemptAt,
    DateTimeOffset? SentAt, string Node, string? Detail, long InstanceId, string Patient, string StudyUID, string SeriesUID, string SopUID,
    string SopClass, string CallingAE, string CalledAE, long ReceivedBytes, string Advice)
{
    public static QueueEntry Of(DeliveryRow row) => new(
        row.Id, row.Destination, row.State, Time(row.QueuedAt), Time(row.UpdatedAt), row.Attempts,
        row.State == DeliveryState.Pending && row.NextAttemptAt > 0 ? Time(row.NextAttemptAt) : null, row.SentAt is { } sent ? Time(sent) : null,
        row.Node, row.Detail, row.Instance.Id, row.Instance.Patient, row.Instance.StudyUID, row.Instance.SeriesUID, row.Instance.SopUID,
        SopClasses.NameOf(row.Instance.SopClassUID) ?? row.Instance.SopClassUID, row.Instance.CallingAE, row.Instance.CalledAE,
        row.Instance.ReceivedBytes, AdviceFor(row));

    private static string AdviceFor(DeliveryRow row) => row.State switch
    {
        DeliveryState.Dead =>
            $"{row.Destination} refused it for good, and it is not tried again. Correct what the detail says there (SOP class, licence, duplicate rule), then 'psg queue retry {row.Id}'; or give it up with 'psg queue drop {row.Id} --yes'.",
        DeliveryState.Sent =>
            $"{row.Destination} has it and has not yet committed itself to keep it; our files stay until then. If it never will, 'psg queue drop {row.Id} --yes' ends the wait; 'psg queue retry {row.Id}' sends it again.",
        _ when row.Attempts > 0 =>
            $"It is tried again by itself. See whether {row.Destination} answers ('psg echo'); when it does, 'psg queue retry {row.Id}' does not wait for the next attempt.",
        _ => "It waits its turn. If it is old, see 'psg status': whether a gateway runs, and what the others for the same destination wait for.",
    };

    private static DateTimeOffset Time(long unixMilliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds);
}
