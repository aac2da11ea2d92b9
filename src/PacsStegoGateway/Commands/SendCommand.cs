using System.CommandLine;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using Spectre.Console;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg send PEER IN...</c>: C-STORE of files and folders, each in its own transfer syntax.</summary>
internal static class SendCommand
{
    private static readonly DicomReadOptions HeadOnly = new() { LongestReadSource = 0, StopBefore = Tags.StudyInstanceUID };

    public static Command Create()
    {
        Argument<string> peer = CommonOptions.Peer();
        Argument<string[]> inputs = CommonOptions.Inputs("DICOM files or folders to send.");
        Option<string> calling = CommonOptions.Calling();
        var command = new Command("send", "Sends files and folders by C-STORE.") { peer, inputs, calling };
        command.SetAction((result, cancellation) => RunAsync(
            Peer.Parse(result.GetRequiredValue(peer), result.GetRequiredValue(calling)), InputFiles.Find(result.GetRequiredValue(inputs)), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(PeerAddress peer, IReadOnlyList<(string Path, string RelativePath)> files, CancellationToken cancellation)
    {
        var objects = new List<(string Path, string SOPClassUID, string TransferSyntaxUID)>();
        int failed = 0;
        foreach ((string path, _) in files)
        {
            try
            {
                // The heads decide what is proposed, the bodies follow one by one.
                using FileSource source = FileSource.Open(path);
                DicomFile head = DicomFile.Read(source, HeadOnly);
                objects.Add((path, head.DataSet.GetText(Tags.SOPClassUID) ?? "", head.TransferSyntax.UID));
            }
            catch (DicomContentException e)
            {
                failed++;
                await Console.Error.WriteLineAsync($"{path}: {e.Message}").ConfigureAwait(false);
            }
        }

        if (objects.Count == 0)
        {
            return ExitCode.SomeFailed;
        }

        ProposedContext[] contexts = [.. objects.Select(static o => (o.SOPClassUID, o.TransferSyntaxUID)).Distinct()
            .Select(static c => new ProposedContext(c.SOPClassUID, c.TransferSyntaxUID))];
        await using RequestorAssociation association =
            await RequestorAssociation.ConnectAsync(peer, contexts, AssociationLimits.Default, cancellation).ConfigureAwait(false);
        await Progress(objects.Count).StartAsync(async context =>
        {
            ProgressTask bar = context.AddTask($"to {peer.CalledAETitle}", maxValue: objects.Count);
            foreach ((string path, string sopClass, string transferSyntax) in objects)
            {
                if (await SendAsync(association, path, sopClass, transferSyntax, cancellation).ConfigureAwait(false) is { } why)
                {
                    failed++;
                    await Console.Error.WriteLineAsync($"{path}: {why}").ConfigureAwait(false);
                }

                bar.Increment(1);
            }
        }).ConfigureAwait(false);
        await association.ReleaseAsync(cancellation).ConfigureAwait(false);
        await Console.Error.WriteLineAsync($"{files.Count - failed} stored, {failed} failed.").ConfigureAwait(false);
        return failed == 0 ? ExitCode.Done : ExitCode.SomeFailed;
    }

    private static Progress Progress(int count)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(count > 1 && !Console.IsErrorRedirected ? Console.Error : TextWriter.Null) });
        return console.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn());
    }

    private static async Task<string?> SendAsync(RequestorAssociation association, string path, string sopClass, string transferSyntax, CancellationToken cancellation)
    {
        if (!association.Accepts(sopClass, transferSyntax))
        {
            return $"the peer does not accept {SopClasses.NameOf(sopClass) ?? sopClass} in {TransferSyntax.Of(transferSyntax).Name}.";
        }

        using FileSource source = FileSource.Open(path);
        DicomFile file;
        try
        {
            file = DicomFile.Read(source);
        }
        catch (DicomContentException e)
        {
            return e.Message;
        }

        StoreResponse response = await association.StoreAsync(sopClass, file.DataSet.GetText(Tags.SOPInstanceUID) ?? "", transferSyntax,
            DataSetWriter.ToSource(file.DataSet, file.TransferSyntax), null, cancellation).ConfigureAwait(false);
        return response.Status.IsFailure
            ? $"the peer answered {response.Status}{(response.ErrorComment is { Length: > 0 } comment ? $": {comment}" : "")}"
            : null;
    }
}
