using System.CommandLine;
using PacsStegoGateway.Audit;

namespace PacsStegoGateway.Commands;

internal static partial class AuditCommand
{
    private static Command CreateExport()
    {
        Option<string?> config = CommonOptions.Config();
        Option<AuditFormat> format = new("--format") { Description = "csv, json, or dicom (audit messages of PS3.15 A.5).", DefaultValueFactory = static _ => AuditFormat.Csv };
        Option<string> file = new("--out") { Description = "The file to write, complete or not at all; '-' is the standard output.", Required = true };
        var switches = new AuditSwitches();
        var command = new Command("export", "Writes audit records, as many as there are, by pseudonym.") { config, format, file };
        switches.AddTo(command);
        command.SetAction(async (result, cancellation) =>
        {
            await using Opened opened = await OpenAsync(result.GetValue(config), cancellation).ConfigureAwait(false);
            AuditFilter filter = switches.Read(result, opened.Keys);
            AuditFormat wanted = result.GetValue(format);
            await RecordReadAsync(opened.Store, filter, $"Export as {wanted}, {AuditSwitches.Words(filter)}.").ConfigureAwait(false);
            long total = Console.IsErrorRedirected ? 0 : await opened.Store.CountAuditAsync(filter, cancellation).ConfigureAwait(false);
            string path = result.GetValue(file)!;
            long count = 0;
            await ProgressBar.RunAsync("Exporting", async bar =>
            {
                bar.MaxValue = Math.Max(1, total);
                count = path == "-"
                    ? await ExportAsync(Console.OpenStandardOutput()).ConfigureAwait(false)
                    : await ExportToFileAsync(path, ExportAsync).ConfigureAwait(false);

                Task<long> ExportAsync(Stream target) => opened.Store.ReadAuditAsync(
                    filter, records => AuditExport.WriteAsync(target, wanted, records, done => bar.Value = done), cancellation);
            }).ConfigureAwait(false);
            await Console.Error.WriteLineAsync($"{count} records.").ConfigureAwait(false);
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>Readable by its owner alone: who looked at whose images is nobody else's business.</summary>
    private static async Task<long> ExportToFileAsync(string path, Func<Stream, Task<long>> export)
    {
        string temporary = path + ".part";
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 1 << 16 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            long count;
            using (var target = new FileStream(temporary, options))
            {
                count = await export(target).ConfigureAwait(false);
                target.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
            return count;
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
