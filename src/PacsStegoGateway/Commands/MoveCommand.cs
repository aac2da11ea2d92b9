using System.CommandLine;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg move PEER --to AE -k KEY=VALUE...</c>: C-MOVE.</summary>
internal static class MoveCommand
{
    public static Command Create()
    {
        var command = new Command("move", "Has a peer send objects to a third AE by C-MOVE.");
        var peer = new PeerSwitches(command);
        var query = new QuerySwitches(command);
        var to = new Option<string>("--to") { Description = "AE title of the destination, which the peer must know.", Required = true };
        Option<bool> json = CommonOptions.Json();
        command.Add(to);
        command.Add(json);
        command.SetAction((result, cancellation) =>
        {
            (DataSet identifier, bool isPatientRoot) = query.Read(result, forFind: false);
            return RunAsync(peer.Read(result), identifier, isPatientRoot ? SopClasses.PatientRootMove : SopClasses.StudyRootMove,
                result.GetRequiredValue(to), result.GetValue(json), cancellation);
        });
        return command;
    }

    /// <summary>Prints how a C-MOVE or C-GET ended.</summary>
    public static int Tell(MoveResponse final, bool json)
    {
        if (json)
        {
            Output.WriteJson(new
            {
                Status = final.Status.ToString(),
                final.Completed,
                final.Failed,
                final.Warning,
                final.Remaining,
                FailedSOPInstanceUIDs = final.FailedSOPInstanceUIDList,
                final.ErrorComment,
            });
        }
        else
        {
            foreach (string uid in final.FailedSOPInstanceUIDList)
            {
                Console.Error.WriteLine($"{MatchText.Printable(uid)}: failed");
            }

            Console.WriteLine($"{final.Status}: {final.Completed} completed, {final.Failed} failed, {final.Warning} with warning, {final.Remaining} not tried"
                + (final.ErrorComment is { Length: > 0 } comment ? $". The peer says: {MatchText.Printable(comment)}" : "."));
        }

        return final.Status.IsSuccess && final.Failed == 0 ? ExitCode.Done : ExitCode.SomeFailed;
    }

    private static async Task<int> RunAsync((PeerAddress Address, AssociationLimits Limits) peer, DataSet identifier, string sopClass,
        string destination, bool json, CancellationToken cancellation)
    {
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(
            peer.Address, SendingForm.ContextsFor([(sopClass, TransferSyntax.ExplicitVRLittleEndian.UID)]), peer.Limits, cancellation).ConfigureAwait(false);
        MoveResponse final = new(DimseStatus.ProcessingFailure);
        await ProgressBar.RunAsync($"to {destination}", async bar =>
        {
            await foreach (MoveResponse response in association.MoveAsync(sopClass, destination, identifier, cancellation).ConfigureAwait(false))
            {
                final = response;
                bar.Show(response.Completed + response.Failed + response.Warning, response.Remaining);
            }
        }).ConfigureAwait(false);
        await association.ReleaseAsync(cancellation).ConfigureAwait(false);
        return Tell(final, json);
    }
}
