using System.CommandLine;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Imaging.Codecs;
using Spectre.Console;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg get PEER --out DIR -k KEY=VALUE...</c>: C-GET into files.</summary>
internal static class GetCommand
{
    /// <summary>One association has 128 contexts, one is the query's.</summary>
    private const int MostContexts = 127;

    /// <summary>What peers give most and what the gateway protects: the first to have a context for each transfer syntax.</summary>
    private static readonly string[] Foremost =
        [SopClasses.CTImageStorage, SopClasses.MRImageStorage, "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.4.1"];

    private static readonly string[] Syntaxes =
    [
        TransferSyntax.ExplicitVRLittleEndian.UID,
        TransferSyntax.ImplicitVRLittleEndian.UID,
        .. PixelCodecs.TransferSyntaxUIDs.OrderBy(static u => TransferSyntax.Of(u).Lossy).ThenBy(static u => u, StringComparer.Ordinal),
    ];

    public static Command Create()
    {
        var command = new Command("get", "Fetches objects by C-GET into files named by their SOP Instance UID.");
        var peer = new PeerSwitches(command);
        var query = new QuerySwitches(command);
        Option<string> folder = CommonOptions.Out();
        Option<bool> json = CommonOptions.Json();
        var classes = new Option<string[]>("--class")
        {
            Description = "SOP class UIDs to accept. Default: the standard's, imaging first. Up to 7 come in the transfer syntax that the peer has them in.",
            DefaultValueFactory = static _ => [],
        };
        command.Add(folder);
        command.Add(json);
        command.Add(classes);
        command.SetAction((result, cancellation) =>
        {
            (DataSet identifier, bool isPatientRoot) = query.Read(result, forFind: false);
            return RunAsync(peer.Read(result), identifier, isPatientRoot ? SopClasses.PatientRootGet : SopClasses.StudyRootGet,
                result.GetValue(classes) ?? [], result.GetRequiredValue(folder), result.GetValue(json), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync((PeerAddress Address, AssociationLimits Limits) peer, DataSet identifier, string sopClass,
        string[] classes, string folder, bool json, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        await using RequestorAssociation association =
            await RequestorAssociation.ConnectAsync(peer.Address, ContextsOf(sopClass, classes), peer.Limits, cancellation).ConfigureAwait(false);
        RetrieveResult result = new(DimseStatus.ProcessingFailure);
        await ProgressBar.RunAsync($"from {peer.Address.CalledAETitle}", async bar =>
        {
            bar.IsIndeterminate = true;
            result = await association.GetAsync(sopClass, identifier, async (request, token) =>
            {
                StoreResponse response = await StoreAsync(request, folder, token).ConfigureAwait(false);
                bar.Increment(1);
                bar.Description = Markup.Escape($"{(int)bar.Value} from {peer.Address.CalledAETitle}");
                return response;
            }, cancellation).ConfigureAwait(false);
        }).ConfigureAwait(false);
        await association.ReleaseAsync(cancellation).ConfigureAwait(false);
        return MoveCommand.Tell(
            new MoveResponse(result.Status)
            {
                Completed = result.Completed,
                Failed = result.Failed,
                Warning = result.Warning,
                FailedSOPInstanceUIDList = result.FailedSOPInstanceUIDList,
                ErrorComment = result.ErrorComment,
            }, json);
    }

    /// <summary>
    /// In a context the peer chooses, and may choose to change what it has; with a context for each transfer syntax it need not. The
    /// first classes have that, as many as there is room for; each of the others has one context for all.
    /// </summary>
    internal static List<ProposedContext> ContextsOf(string sopClass, string[] classes)
    {
        int most = MostContexts - (Foremost.Length * (Syntaxes.Length - 1));
        string[] wanted = classes.Length > 0
            ? [.. classes.Distinct().Take(MostContexts)]
            : [.. SopClasses.StorageUIDs.OrderBy(static u => Array.IndexOf(Foremost, u) is >= 0 and var place ? place : Foremost.Length)
                .ThenBy(static u => SopClasses.NameOf(u)!.Contains("Image", StringComparison.Ordinal) ? 0 : 1)
                .ThenBy(static u => u, StringComparer.Ordinal).Take(most)];
        int complete = (MostContexts - wanted.Length) / (Syntaxes.Length - 1);
        return
        [
            new ProposedContext(sopClass, TransferSyntax.ExplicitVRLittleEndian.UID, TransferSyntax.ImplicitVRLittleEndian.UID),
            .. wanted.Take(complete).SelectMany(static u => Syntaxes.Select(s => new ProposedContext(u, s) { ScpRole = true })),
            .. wanted.Skip(complete).Select(static u => new ProposedContext(u, Syntaxes) { ScpRole = true }),
        ];
    }

    /// <summary>Streams an object into its file: complete under its name, or not there at all.</summary>
    private static async ValueTask<StoreResponse> StoreAsync(StoreRequest request, string folder, CancellationToken cancellation)
    {
        if (!Uid.IsValid(request.AffectedSOPInstanceUID))
        {
            return new StoreResponse(DimseStatus.InvalidSOPInstance, "The SOP Instance UID is no UID", Tags.AffectedSOPInstanceUID);
        }

        string path = Path.Combine(folder, request.AffectedSOPInstanceUID + ".dcm");
        string temporary = path + ".part";
        try
        {
            await using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                await file.WriteAsync(
                    FileMeta.Prefix(request.AffectedSOPClassUID, request.AffectedSOPInstanceUID, request.TransferSyntaxUID, request.Association.CalledAETitle), cancellation)
                    .ConfigureAwait(false);
                await request.DataSet.CopyToAsync(file, cancellation).ConfigureAwait(false);
            }

            File.Move(temporary, path, overwrite: true);
            return StoreResponse.Success;
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
