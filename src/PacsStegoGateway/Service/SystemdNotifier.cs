using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace PacsStegoGateway.Service;

/// <summary>Tells systemd how we are (sd_notify(3)): a datagram to the socket that NOTIFY_SOCKET names. Without it nothing is said.</summary>
public sealed class SystemdNotifier(string? socketPath, string? watchdogMicroseconds)
{
    public static SystemdNotifier FromEnvironment() => new(
        Environment.GetEnvironmentVariable("NOTIFY_SOCKET"), Environment.GetEnvironmentVariable("WATCHDOG_USEC"));

    public bool IsPresent => !string.IsNullOrEmpty(socketPath);

    /// <summary>How often the watchdog wants to hear of us, halved as sd_watchdog_enabled(3) advises; null when it does not.</summary>
    public TimeSpan? WatchdogInterval =>
        IsPresent && long.TryParse(watchdogMicroseconds, NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds / 2)
            : null;

    public void Ready() => Send("READY=1\nSTATUS=Accepting associations");

    public void Stopping() => Send("STOPPING=1\nSTATUS=Finishing what is under way");

    public void Watchdog() => Send("WATCHDOG=1");

    public void Status(string text) => Send($"STATUS={text}");

    private void Send(string message)
    {
        if (!IsPresent)
        {
            return;
        }

        // '@' stands for the NUL of an abstract socket.
        string path = socketPath![0] == '@' ? "\0" + socketPath[1..] : socketPath;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(message), new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException)
        {
            // A manager that does not listen is no reason to stop receiving images; its watchdog will say so.
        }
    }
}
