using System.CommandLine;
using System.Globalization;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Intake;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Commands;

internal static partial class AuditCommand
{
    private static Command CreateShow()
    {
        Option<string?> config = CommonOptions.Config();
        Option<bool> json = CommonOptions.Json();
        Argument<long> sequence = new("sequence") { Description = "The number of the entry, as 'psg audit list' prints it." };
        Option<bool> identify = new("--identity") { Description = "Opens whom the entry is about with the key ring." };
        var command = new Command("show", "Shows one entry with all its columns and, when asked to, whom it is about.") { sequence, config, json, identify };
        command.SetAction(async (result, cancellation) =>
        {
            await using Opened opened = await OpenAsync(result.GetValue(config), cancellation).ConfigureAwait(false);
            long number = result.GetValue(sequence);
            ChainedEntry entry = await opened.Store.FindAuditAsync(number, cancellation).ConfigureAwait(false)
                ?? throw new CommandException($"{number}: the trail has no such entry.");
            AuditRecord record = entry.Record;
            AuditRecord? holder = record.Sealed is not null ? record
                : await opened.Store.FindSealedAsync(record, cancellation).ConfigureAwait(false);
            EssentialIdentity? identity = null;
            string opening = holder is null ? "no entry of receipt holds the identity" : $"sealed in entry {holder.Sequence}";
            if (holder is not null && result.GetValue(identify))
            {
                identity = new IdentityVault(opened.Keys).Open(holder.Sealed);
                opening = $"{(identity is null ? "cannot be opened: its key is retired or not in the ring; it is " : "")}sealed in entry {holder.Sequence}";
            }

            await opened.Store.AppendAuditAsync(new AuditRecord(AuditEvent.TrailRead)
            {
                User = OperatorGate.User,
                Patient = record.Patient,
                StudyUID = record.StudyUID,
                SopUID = record.SopUID,
                Detail = $"Entry {number} shown{(identity is null ? "" : $", identity opened with key {IdentityVault.KeyOf(holder!.Sealed)}")}.",
            }).ConfigureAwait(false);
            Show(entry, identity, opening, result.GetValue(json));
            return ExitCode.Done;
        });
        return command;
    }

    private static void Show(ChainedEntry entry, EssentialIdentity? identity, string opening, bool json)
    {
        AuditRecord record = entry.Record;
        (string Name, string Value)[] who = identity is null ? [] :
        [
            .. identity.Values.Where(static e => e.Vr != Vr.SQ).Select(e => (DataDictionary.Find(e.Tag)?.Keyword ?? e.Tag.ToString(), identity.Values.GetText(e.Tag) ?? "")),
        ];
        if (json)
        {
            Output.WriteJson(new
            {
                record.Sequence, record.At, record.Node, record.Event, record.Outcome, record.CallingAE, record.RemoteAddress, record.User, record.Purpose,
                record.Patient, record.StudyUID, record.SopUID, record.Reason, record.Detail,
                KeyId = entry.KeyId.ToString("x8", CultureInfo.InvariantCulture), Mac = Convert.ToHexStringLower(entry.Mac),
                Identity = identity is null ? null : who.ToDictionary(static w => w.Name, static w => w.Value), Opening = opening,
            });
            return;
        }

        (string Name, string? Value)[] lines =
        [
            ("Entry", record.Sequence.ToString(CultureInfo.InvariantCulture)), ("Time (UTC)", Text(record.At)), ("Node", record.Node),
            ("Event", $"{record.Event} ({(int)record.Event})"), ("Outcome", record.Outcome.ToString()), ("Calling AE", record.CallingAE),
            ("Remote address", record.RemoteAddress), ("User", record.User), ("Purpose", record.Purpose), ("Patient", record.Patient),
            ("Study", record.StudyUID), ("Instance", record.SopUID), ("Reason", record.Reason), ("Detail", record.Detail),
            ("Key", entry.KeyId.ToString("x8", CultureInfo.InvariantCulture)), ("MAC", Convert.ToHexStringLower(entry.Mac)), ("Identity", opening),
            .. who.Select(static w => ("  " + w.Name, (string?)w.Value)),
        ];
        foreach ((string name, string? value) in lines.Where(static l => !string.IsNullOrEmpty(l.Value)))
        {
            Console.WriteLine($"{name + ":",-26}{value}");
        }
    }
}
