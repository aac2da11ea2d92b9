using System.CommandLine;
using System.Text.Json;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg dump FILE [--json]</c>: a data set as text or DICOM JSON.</summary>
internal static class DumpCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "A DICOM file." };
        var json = new Option<bool>("--json") { Description = "DICOM JSON (PS3.18 Annex F) instead of text." };
        var command = new Command("dump", "Prints a data set as text or DICOM JSON.") { file, json };
        command.SetAction(result => Run(result.GetRequiredValue(file), result.GetValue(json)));
        return command;
    }

    private static int Run(string path, bool json)
    {
        using FileSource source = FileSource.Open(path);
        DicomFile file = DicomFile.Read(source);
        if (json)
        {
            using var writer = new Utf8JsonWriter(Console.OpenStandardOutput(), new JsonWriterOptions { Indented = true });
            DicomJson.Write(file.DataSet, writer);
            writer.Flush();
            Console.WriteLine();
        }
        else
        {
            DataSetText.Dump(file.FileMetaInformation, Console.Out);
            DataSetText.Dump(file.DataSet, Console.Out);
        }

        return ExitCode.Done;
    }
}
