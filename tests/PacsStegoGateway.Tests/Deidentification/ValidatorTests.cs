using System.Diagnostics;
using System.Text.RegularExpressions;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Deidentification;

/// <summary>dciodvfy (dicom3tools) as the judge of what is legal in an IOD.</summary>
public sealed partial class ValidatorTests
{
    [Fact]
    public async Task Dciodvfy_finds_no_error_that_the_original_did_not_have()
    {
        if (!File.Exists("/usr/bin/dciodvfy"))
        {
            Assert.Skip("dciodvfy (package dicom3tools) is not installed.");
        }

        var deidentifier = new Deidentifier(DeidentificationProfile.Basic, new Pseudonymizer(new byte[32]));
        string folder = Directory.CreateTempSubdirectory("deid-validator-").FullName;
        var found = new List<string>();
        int files = 0;
        try
        {
            // Every fourth file holds every vendor and both modalities.
            foreach ((string path, DicomFile file) in DataFiles.ReadAll("data/train").Where(static (_, i) => i % 4 == 0))
            {
                DataSet clean = deidentifier.Deidentify(file.DataSet).Clean;
                DataSet meta = FileMeta.Create(clean.GetText(Tags.SOPClassUID)!, clean.GetText(Tags.SOPInstanceUID)!, file.TransferSyntax.UID);
                string output = Path.Combine(folder, "clean.dcm");
                await File.WriteAllBytesAsync(output, new DicomFile(meta, clean).ToArray(), TestContext.Current.CancellationToken);
                HashSet<string> before = await ErrorsOf(path);
                if (before.Any(static e => e.Contains("wrong transfer syntax", StringComparison.Ordinal)))
                {
                    // The header lies about the encoding: the judge cannot read the original, so it has nothing to compare.
                    continue;
                }

                found.AddRange((await ErrorsOf(output)).Except(before).Select(e => $"{Path.GetFileName(path)}: {e}"));
                files++;
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        found.ShouldBeEmpty();
        files.ShouldBeGreaterThan(80);
    }

    private static async Task<HashSet<string>> ErrorsOf(string path)
    {
        using Process validator = Process.Start(new ProcessStartInfo("/usr/bin/dciodvfy", [path]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        Task<string> rest = validator.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string report = await validator.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken) + await rest;
        await validator.WaitForExitAsync(TestContext.Current.CancellationToken);
        return report.Split('\n').Where(static l => l.StartsWith("Error", StringComparison.Ordinal)).Select(static l => Values().Replace(l, "")).ToHashSet();
    }

    /// <summary>Values and numbers differ between original and copy; the error is the same.</summary>
    [GeneratedRegex("= *<[^>]*>|[0-9]+")]
    private static partial Regex Values();
}
