using System.CommandLine;
using System.Text.Json;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg find PEER -k KEY=VALUE...</c>: C-FIND at any level.</summary>
internal static class FindCommand
{
    public static Command Create()
    {
        var command = new Command("find", "Queries by C-FIND and prints the matches.");
        var peer = new PeerSwitches(command);
        var query = new QuerySwitches(command);
        Option<bool> json = CommonOptions.Json();
        json.Description = "DICOM JSON (PS3.18 Annex F), one array.";
        var csv = new Option<bool>("--csv") { Description = "Comma-separated values (RFC 4180) with a header." };
        var limit = new Option<int>("--limit") { Description = "Most matches; then the query is canceled.", DefaultValueFactory = static _ => 10_000 };
        command.Add(json);
        command.Add(csv);
        command.Add(limit);
        command.SetAction((result, cancellation) =>
        {
            (DataSet identifier, bool isPatientRoot) = query.Read(result, forFind: true);
            return RunAsync(peer.Read(result), identifier, isPatientRoot ? SopClasses.PatientRootFind : SopClasses.StudyRootFind,
                result.GetValue(json), result.GetValue(csv), result.GetValue(limit), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync((PeerAddress Address, AssociationLimits Limits) peer, DataSet identifier, string sopClass,
        bool json, bool csv, int limit, CancellationToken cancellation)
    {
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(
            peer.Address, SendingForm.ContextsFor([(sopClass, TransferSyntax.ExplicitVRLittleEndian.UID)]), peer.Limits, cancellation).ConfigureAwait(false);
        var matches = new List<DataSet>();
        bool isCut = false;
        await foreach (DataSet match in association.FindAsync(sopClass, identifier, cancellation).ConfigureAwait(false))
        {
            if (matches.Count == limit)
            {
                isCut = true;
                break;
            }

            matches.Add(match);
        }

        await association.ReleaseAsync(cancellation).ConfigureAwait(false);
        Tag[] columns = [.. identifier.Select(static e => e.Tag).Where(static t => t != Tags.QueryRetrieveLevel && t != Tags.SpecificCharacterSet)];
        if (json)
        {
            using var writer = new Utf8JsonWriter(Console.OpenStandardOutput(), new JsonWriterOptions { Indented = true });
            writer.WriteStartArray();
            matches.ForEach(m => DicomJson.Write(m, writer));
            writer.WriteEndArray();
            await writer.FlushAsync(cancellation).ConfigureAwait(false);
            Console.WriteLine();
        }
        else if (csv)
        {
            MatchText.WriteCsv(columns, matches, Console.Out);
        }
        else
        {
            MatchText.WriteTable(columns, matches, Console.Out);
        }

        await Console.Error.WriteLineAsync($"{matches.Count} {(matches.Count == 1 ? "match" : "matches")}{(isCut ? $"; there are more than --limit {limit}" : "")}.").ConfigureAwait(false);
        return ExitCode.Done;
    }
}
