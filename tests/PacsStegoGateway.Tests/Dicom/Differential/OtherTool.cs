using System.Diagnostics;

namespace PacsStegoGateway.Tests.Dicom;

/// <summary>A program of somebody else that reads DICOM too, called once for many files.</summary>
internal static class OtherTool
{
    public const string Python = "/usr/bin/python3";
    public const string DcmDump = "/usr/bin/dcmdump";
    public const string DcmConv = "/usr/bin/dcmconv";

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    /// <summary>Runs it to its end and gives what it wrote; it is killed when it takes two minutes.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(string program, IEnumerable<string> arguments, string input = "")
    {
        Assert.SkipUnless(File.Exists(program), $"{program} is not installed.");
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = System.Text.Encoding.UTF8,
        })!;
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(deadline.Token);
            Task<string> errors = process.StandardError.ReadToEndAsync(deadline.Token);
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            await process.WaitForExitAsync(deadline.Token);
            return (process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}
