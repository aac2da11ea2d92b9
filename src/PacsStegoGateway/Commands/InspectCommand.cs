using System.CommandLine;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg inspect FILE</c>: what is hidden in a file, how well, and whether our keys open it.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "A DICOM image, protected or not." };
        var picture = new Option<string?>("--picture") { Description = "Draws cover, mask, stego and difference side by side into this PNG." };
        var identity = new Option<bool>("--identity") { Description = "Also prints the identity that was found. Without it, only whether one was found." };
        Option<bool> json = CommonOptions.Json();
        RoomOptions rooms = new();
        var command = new Command("inspect", "Says what is hidden in an image and draws it. An image without anything hidden is protected in memory to show what would happen.")
        {
            file, picture, identity, json,
        };
        rooms.AddTo(command);
        command.SetAction(result =>
        {
            using ProtectionRooms opened = rooms.Open(result);
            using FileSource source = FileSource.Open(result.GetRequiredValue(file));
            Inspection inspection = Inspection.Of(DicomFile.Read(source), opened);
            if (result.GetValue(json))
            {
                Output.WriteJson(inspection.ToReport(result.GetValue(identity)));
            }
            else
            {
                inspection.Print(Console.Out, result.GetValue(identity));
            }

            if (result.GetValue(picture) is { } path)
            {
                if (inspection.Draw() is not { } drawn)
                {
                    Console.Error.WriteLine($"{path}: nothing to draw, {inspection.Detail}");
                    return ExitCode.SomeFailed;
                }

                using FileStream output = File.Create(path);
                PngWriter.Write(drawn, output);
            }

            return inspection.Outcome is InspectionOutcome.NotPossible or InspectionOutcome.NotOurs ? ExitCode.SomeFailed : ExitCode.Done;
        });
        return command;
    }
}
