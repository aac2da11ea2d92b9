using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>What a finished process left.</summary>
/// <param name="Output">Standard output and standard error as they came, mixed.</param>
/// <param name="StandardOutput">Standard output alone.</param>
public sealed record Finished(int ExitCode, string Output, string StandardOutput)
{
    /// <summary>Fails with the whole output when the exit code is not 0.</summary>
    public Finished ShouldSucceed()
    {
        ExitCode.ShouldBe(0, Output);
        return this;
    }
}

/// <summary>A real process: run to its end, or kept as a server until it is stopped or killed.</summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _standardOutput = new();

    private ChildProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Everything said so far on both streams.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="TimeoutException">It was still running after <paramref name="seconds"/>; it has been killed.</exception>
    public static async Task<Finished> Run(string program, IEnumerable<string> arguments, double seconds = 120,
        IReadOnlyDictionary<string, string>? environment = null, string? workingFolder = null)
    {
        await using ChildProcess child = Start(program, arguments, environment, workingFolder);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(seconds));
        try
        {
            await child._process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"{Path.GetFileName(program)} ran longer than {seconds} s. It said: {child.Output}");
        }

        lock (child._output)
        {
            return new Finished(child._process.ExitCode, child._output.ToString(), child._standardOutput.ToString());
        }
    }

    /// <summary>Starts a program and leaves it running.</summary>
    public static ChildProcess Start(string program, IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null, string? workingFolder = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = workingFolder ?? "",
        };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        // DCMTK's tools wait up to 40 ms an image for an acknowledgement without it.
        start.Environment["TCP_NODELAY"] = "1";
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var process = new Process { StartInfo = start };
        var child = new ChildProcess(process);
        process.OutputDataReceived += (_, e) => child.Append(e.Data, child._standardOutput);
        process.ErrorDataReceived += (_, e) => child.Append(e.Data, null);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Waits until something answers on the port.</summary>
    /// <exception cref="InvalidOperationException">The process ended first; its output is in the message.</exception>
    public Task UntilListening(int port, double seconds = 60) => Eventually.IsTrue($"port {port} answers", async () =>
    {
        if (HasExited)
        {
            throw new InvalidOperationException($"The server ended with {_process.ExitCode} before it listened: {Output}");
        }

        try
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }, seconds);

    /// <summary>Stands still (STOP) or goes on (CONT), as a machine does that is moved or starved.</summary>
    public async Task Signal(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(CancellationToken.None);
        kill.ExitCode.ShouldBe(0);
    }

    /// <summary>SIGKILL, as a power failure would: nothing is flushed, nothing is said.</summary>
    public async Task Kill()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>SIGTERM, then waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> Stop(double seconds = 30)
    {
        if (!HasExited)
        {
            using Process terminate = Process.Start("kill", ["-TERM", Id.ToString()]);
            await terminate.WaitForExitAsync(CancellationToken.None);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                await Kill();
                throw new TimeoutException($"Process {Id} did not end within {seconds} s of being asked. It said: {Output}");
            }
        }

        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!HasExited)
        {
            await Kill();
        }

        _process.Dispose();
    }

    private void Append(string? line, StringBuilder? also)
    {
        if (line is not null)
        {
            lock (_output)
            {
                _output.AppendLine(line);
                also?.AppendLine(line);
            }
        }
    }
}
