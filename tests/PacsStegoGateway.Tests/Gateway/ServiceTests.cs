using System.Net.Sockets;
using System.Text;
using PacsStegoGateway.Service;

namespace PacsStegoGateway.Tests.Gateway;

public sealed class ServiceTests
{
    [Fact]
    public void Systemd_is_told_over_its_socket_and_silence_without_one_is_no_error()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("systemd is no Windows program.");
        }

        string path = Path.Combine(Directory.CreateTempSubdirectory("psg-notify-").FullName, "notify");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 5000 };
        socket.Bind(new UnixDomainSocketEndPoint(path));
        var notifier = new SystemdNotifier(path, "60000000");
        notifier.WatchdogInterval.ShouldBe(TimeSpan.FromSeconds(30));
        byte[] buffer = new byte[256];
        notifier.Ready();
        Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer)).ShouldStartWith("READY=1\n");
        notifier.Watchdog();
        Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer)).ShouldBe("WATCHDOG=1");
        notifier.Stopping();
        Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer)).ShouldStartWith("STOPPING=1");
        new SystemdNotifier(null, null).Ready();
        new SystemdNotifier(null, "60000000").WatchdogInterval.ShouldBeNull();
        new SystemdNotifier("/nobody/listens/here", null).Ready();
    }

    [Fact]
    public void The_unit_starts_the_program_with_its_configuration_and_lets_systemd_watch_it()
    {
        string unit = ServiceContent.SystemdUnit("/opt/psg/psg", "/etc/psg/gateway.json");
        unit.ShouldContain("ExecStart=/opt/psg/psg run --config /etc/psg/gateway.json\n");
        unit.ShouldContain("Type=notify\n");
        unit.ShouldContain("WatchdogSec=60\n");
        ServiceContent.SystemdUnit("/opt/my psg/psg", "/etc/c.json").ShouldContain("ExecStart=\"/opt/my psg/psg\" run");
        ServiceContent.WindowsCommandLine(@"C:\psg\psg.exe", @"C:\psg\gateway.json").ShouldBe("\"C:\\psg\\psg.exe\" run --config \"C:\\psg\\gateway.json\"");
    }
}
