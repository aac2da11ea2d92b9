using System.Diagnostics;

namespace PacsStegoGateway.Tests.Security;

/// <summary>The command line as a process of its own.</summary>
internal static class PsgProcess
{
    public static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) => RunAsync(null, arguments);

    /// <param name="input">Its standard input; null: none.</param>
    public static async Task<(int Code, string Output, string Error)> RunAsync(string? input, string[] arguments)
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "psg.dll"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string name in (string[])["SUDO_USER", "SUDO_UID", "SUDO_GID"])
        {
            start.Environment.Remove(name);
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(cancel);
        Task<string> error = process.StandardError.ReadToEndAsync(cancel);
        if (input is not null)
        {
            await process.StandardInput.WriteLineAsync(input.AsMemory(), cancel);
        }

        process.StandardInput.Close();
        await process.WaitForExitAsync(cancel);
        return (process.ExitCode, await output, await error);
    }
}
