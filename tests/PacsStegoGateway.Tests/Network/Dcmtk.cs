using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace PacsStegoGateway.Tests.Network;

/// <summary>Runs DCMTK's tools: peers that we did not write.</summary>
public static class Dcmtk
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>Runs a tool to its end; its output, both streams, and its exit code.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string tool, params string[] arguments)
    {
        using Process process = Start(tool, ".", arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return (process.ExitCode, await output + await errors);
    }

    /// <summary>Starts a server and waits until its port accepts.</summary>
    public static async Task<Server> ServeAsync(string tool, int port, string folder, params string[] arguments)
    {
        Process process = Start(tool, folder, arguments);
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var server = new Server(process);
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            using var probe = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await probe.ConnectAsync(IPAddress.Loopback, port, deadline.Token);
                return server;
            }
            catch (SocketException)
            {
                process.HasExited.ShouldBeFalse($"{tool} did not start.");
                await Task.Delay(20, deadline.Token);
            }
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static Process Start(string tool, string folder, string[] arguments)
    {
        var start = new ProcessStartInfo(tool, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };

        // Without it DCMTK leaves Nagle's algorithm on and every small message waits 40 ms.
        start.Environment["TCP_NODELAY"] = "1";
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip($"DCMTK's {tool} is not installed.");
            throw;
        }
    }

    public sealed class Server(Process process) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }
}
