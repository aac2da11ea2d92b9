using System.Collections.Concurrent;
using System.CommandLine;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg reveal IN... --out DIR</c>: the second verb of the product, on files.</summary>
internal static class RevealCommand
{
    public static Command Create()
    {
        Argument<string[]> inputs = CommonOptions.Inputs("Protected DICOM files or folders.");
        Option<string> output = CommonOptions.Out();
        Option<bool> symbolAlone = new("--accept-symbol-alone")
        {
            Description = "Also write images whose Encrypted Attributes are gone: pixels exact, patient, study, series and instance identifiers true, the rest missing.",
        };
        RoomOptions rooms = new();
        var command = new Command("reveal", "Restores the originals of protected images: the data set is identical byte for byte, the file meta information is written anew. Results are named by their original SOP Instance UID.") { inputs, output, symbolAlone };
        rooms.AddTo(command);
        command.SetAction((result, cancellation) => Task.Run(() => Run(
            InputFiles.Find(result.GetRequiredValue(inputs)), result.GetRequiredValue(output), result.GetValue(symbolAlone), rooms.Open(result), cancellation), cancellation));
        return command;
    }

    private static int Run(IReadOnlyList<(string Path, string RelativePath)> files, string output, bool symbolAlone, ProtectionRooms opened, CancellationToken cancellation)
    {
        using ProtectionRooms rooms = opened;
        Directory.CreateDirectory(output);
        var taken = new ConcurrentDictionary<string, byte>();
        return BatchRun.ForEach(files, "reveal", path =>
        {
            using FileSource source = FileSource.Open(path);
            using var result = new ResultFile(output, taken);
            DicomFile file = DicomFile.Read(source);
            switch (rooms.Revealer.Reveal(file.DataSet, file.TransferSyntax))
            {
                case RevealOutcome.Revealed { Original: var original }:
                    result.Write(original.SOPInstanceUID, original.ToPart10());
                    result.Complete();
                    return null;
                case RevealOutcome.RevealedFromSymbolAlone { Instance: var instance } when symbolAlone:
                    result.Write(instance.SOPInstanceUID, instance.ToPart10());
                    result.Complete();
                    return null;
                case RevealOutcome.RevealedFromSymbolAlone:
                    return "The Encrypted Attributes are gone: only pixels and the essential identifiers can be restored. Use --accept-symbol-alone to write that.";
                case RevealOutcome.NotRevealed refused:
                    return $"{refused.Reason}: {refused.Detail}";
                default:
                    throw new InvalidOperationException("There is no fourth outcome.");
            }
        }, cancellation);
    }
}
