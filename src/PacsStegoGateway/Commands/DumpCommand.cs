using System.CommandLine;
using System.Text.Json;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg dump FILE [--json] [--all] [--tag TAG]...</c>: a data set as text or DICOM JSON.</summary>
internal static class DumpCommand
{
    /// <summary>Characters of a value shown with --all: more is for other tools.</summary>
    private const int Longest = 1 << 20;

    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "A DICOM file." };
        var json = new Option<bool>("--json") { Description = "DICOM JSON (PS3.18 Annex F) instead of text." };
        var all = new Option<bool>("--all") { Description = "Shows long values to their end, up to a million characters, instead of the first 64." };
        var tags = new Option<string[]>("--tag") { Description = "Only this element, at any depth: a keyword or gggg,eeee. May be repeated." };
        var command = new Command("dump", "Prints a data set as text or DICOM JSON.") { file, json, all, tags };
        tags.Validators.Add(result =>
        {
            foreach (string text in result.Tokens.Select(static t => t.Value).Where(static t => !TryParse(t, out _)))
            {
                result.AddError($"{text} is neither a keyword nor a tag.");
            }
        });
        command.SetAction(result => Run(result.GetRequiredValue(file), result.GetValue(json), result.GetValue(all) ? Longest : 64, result.GetValue(tags) ?? []));
        return command;
    }

    private static bool TryParse(string text, out Tag tag) => Tag.TryParse(text, out tag) || DataDictionary.TryFindKeyword(text, out tag);

    private static int Run(string path, bool json, int maxValueLength, string[] only)
    {
        Tag[] tags = [.. only.Select(static t => TryParse(t, out Tag tag) ? tag : default)];
        using FileSource source = FileSource.Open(path);
        DicomFile file = DicomFile.Read(source);
        if (json)
        {
            using var writer = new Utf8JsonWriter(Console.OpenStandardOutput(), new JsonWriterOptions { Indented = true });
            DicomJson.Write(tags.Length == 0 ? file.DataSet : Chosen(file.DataSet, tags), writer);
            writer.Flush();
            Console.WriteLine();
        }
        else if (tags.Length > 0)
        {
            int found = DataSetText.Dump(file.FileMetaInformation, Console.Out, tags, maxValueLength) + DataSetText.Dump(file.DataSet, Console.Out, tags, maxValueLength);
            return found > 0 ? ExitCode.Done : ExitCode.SomeFailed;
        }
        else
        {
            DataSetText.Dump(file.FileMetaInformation, Console.Out, maxValueLength);
            DataSetText.Dump(file.DataSet, Console.Out, maxValueLength);
        }

        return ExitCode.Done;
    }

    /// <summary>The chosen elements of the outermost level, and the character set they are in.</summary>
    private static DataSet Chosen(DataSet all, Tag[] tags)
    {
        DataSet chosen = all.Clone();
        foreach (Element element in all)
        {
            if (element.Tag != Tags.SpecificCharacterSet && !tags.Contains(element.Tag))
            {
                chosen.Remove(element.Tag);
            }
        }

        return chosen;
    }
}
