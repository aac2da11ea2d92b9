using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Security;

/// <summary>Opens the key ring from wherever the configuration says that it is kept.</summary>
public static class KeySource
{
    /// <exception cref="KeyRingException">There is none, it is damaged, others may read it, or the command did not give it; says what to do.</exception>
    public static KeyRing Open(GatewayOptions options) => options.Keys switch
    {
        { Ring: { } ring } => KeyRing.Parse(Encoding.UTF8.GetBytes(ring), "PSG__Keys__Ring"),
        { Command.Count: > 0 } keys => KeyRing.Parse(Run(keys.Command, TimeSpan.FromSeconds(keys.CommandTimeoutSeconds)), "what Keys:Command printed"),
        { } keys => KeyRing.Load(options.InDataFolder(keys.RingPath)),
    };

    /// <summary>True when there is something to open.</summary>
    public static bool Exists(GatewayOptions options) => !options.Keys.IsFile || File.Exists(options.InDataFolder(options.Keys.RingPath));

    /// <summary>What it printed. Its standard error is ours, so that it can say what is wrong; what it prints is told nobody.</summary>
    private static byte[] Run(List<string> command, TimeSpan limit)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardInput = true, UseShellExecute = false };
        byte[] buffer = new byte[KeyRing.MaxLength + 1];
        try
        {
            using Process process = Process.Start(start) ?? throw Failed("could not be started");
            try
            {
                process.StandardInput.Close();
                using var deadline = new CancellationTokenSource(limit);
                int length = ReadAsync(process, buffer, deadline.Token).GetAwaiter().GetResult();
                return process.ExitCode == 0 ? buffer[..length] : throw Failed($"ended with {process.ExitCode}");
            }
            finally
            {
                if (!process.HasExited)
                {
                    process.Kill(entireProcessTree: true);
                }
            }
        }
        catch (OperationCanceledException)
        {
            throw Failed($"took longer than {limit.TotalSeconds} s");
        }
        catch (Win32Exception e)
        {
            throw Failed($"could not be started: {e.Message}");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    private static async Task<int> ReadAsync(Process process, byte[] buffer, CancellationToken cancellationToken)
    {
        int length = await process.StandardOutput.BaseStream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (length == buffer.Length)
        {
            throw Failed($"printed more than {KeyRing.MaxLength} bytes");
        }

        await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        return length;
    }

    private static KeyRingException Failed(string how) => new(KeyRingError.NotFound, $"Keys:Command {how}.");
}
