using PacsStegoGateway.Dicom;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Commands;

/// <summary>A quarantined row as people and programs are shown it: pseudonyms, no sealed bytes, no hash.</summary>
internal sealed record QuarantineEntry(
    long Id, DateTimeOffset ReceivedAt, DateTimeOffset UpdatedAt, string CallingAE, string RemoteAddress, string Patient, string StudyUID,
    string SeriesUID, string SopUID, string SopClass, string SopClassUID, string TransferSyntaxUID, long ReceivedBytes, bool WasProtected,
    string? Reason, string? Detail, string Advice)
{
    public static QuarantineEntry Of(InstanceRow row) => new(
        row.Id, DateTimeOffset.FromUnixTimeMilliseconds(row.ReceivedAt), DateTimeOffset.FromUnixTimeMilliseconds(row.UpdatedAt), row.CallingAE,
        row.RemoteAddress, row.Patient, row.StudyUID, row.SeriesUID, row.SopUID, SopClasses.NameOf(row.SopClassUID) ?? row.SopClassUID,
        row.SopClassUID, row.TransferSyntaxUID, row.ReceivedBytes, row.ProtectedFile is not null, row.Reason, row.Detail,
        QuarantineAdvice.For(row.Reason));
}
