using System.Collections.Concurrent;
using System.CommandLine;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg protect IN... --out DIR</c>: the first verb of the product, on files.</summary>
internal static class ProtectCommand
{
    public static Command Create()
    {
        Argument<string[]> inputs = CommonOptions.Inputs("DICOM files or folders to protect.");
        Option<string> output = CommonOptions.Out();
        RoomOptions rooms = new();
        var command = new Command("protect", "De-identifies images and hides the sealed identity in their background. Results are named by their new SOP Instance UID.") { inputs, output };
        rooms.AddTo(command);
        command.SetAction((result, cancellation) => Task.Run(
            () => Run(InputFiles.Find(result.GetRequiredValue(inputs)), result.GetRequiredValue(output), rooms.Open(result), cancellation), cancellation));
        return command;
    }

    private static int Run(IReadOnlyList<(string Path, string RelativePath)> files, string output, ProtectionRooms opened, CancellationToken cancellation)
    {
        using ProtectionRooms rooms = opened;
        Directory.CreateDirectory(output);
        var taken = new ConcurrentDictionary<string, byte>();
        return BatchRun.ForEach(files, "protect", path =>
        {
            using FileSource source = FileSource.Open(path);
            DicomFile file = DicomFile.Read(source);
            using var result = new ResultFile(output, taken);
            switch (rooms.Protector.Protect(DataSetWriter.ToSource(file.DataSet, file.TransferSyntax), file.TransferSyntax, Keep))
            {
                case ProtectionOutcome.Protected:
                    result.Complete();
                    return null;
                case ProtectionOutcome.Quarantined refused:
                    return $"{refused.Reason}: {refused.Detail}";
                default:
                    throw new InvalidOperationException("There is no third outcome.");
            }

            ByteSource Keep(ProtectedInstance instance)
            {
                ByteSource written = result.Write(instance.SOPInstanceUID, instance.ToPart10());
                return written.Slice(written.Length - instance.DataSet.Length, instance.DataSet.Length);
            }
        }, cancellation);
    }
}
