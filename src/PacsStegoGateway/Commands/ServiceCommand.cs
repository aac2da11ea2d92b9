using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.Versioning;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Service;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg service install | uninstall | status</c>: a systemd unit on Linux, a Windows service on Windows.</summary>
internal static class ServiceCommand
{
    private const string UnitFolder = "/etc/systemd/system";
    private const string UnitPath = UnitFolder + "/" + ServiceContent.Name + ".service";

    public static Command Create()
    {
        Option<string?> config = CommonOptions.Config();
        Option<string> account = new("--account") { Description = "Linux account to run under; it must exist.", DefaultValueFactory = static _ => "psg" };
        Option<bool> print = new("--print") { Description = "Only prints what would be installed." };
        var install = new Command("install", "Installs the gateway as a service that starts with the system.") { config, account, print };
        install.SetAction(result => Install(Configuration(result.GetValue(config)), result.GetRequiredValue(account), result.GetValue(print)));
        var uninstall = new Command("uninstall", "Removes the service; data, keys and configuration stay.");
        uninstall.SetAction(static _ => Uninstall());
        var status = new Command("status", "Says whether the service is installed and runs.");
        status.SetAction(static _ => Status());
        return new Command("service", "Installs, removes and asks for the system service.") { install, uninstall, status };
    }

    /// <summary>A service that cannot start is worse than none: the configuration is checked before anything is written.</summary>
    private static string Configuration(string? named)
    {
        string path = ConfigurationFile.Find(named) ?? throw new CommandException("There is no configuration file: name one with --config.");
        GatewayConfiguration.Load(path, []);
        return Path.GetFullPath(path);
    }

    private static int Install(string configuration, string account, bool print)
    {
        string program = Environment.ProcessPath ?? throw new CommandException("The path of this program is not known.");
        if (print)
        {
            Console.Write(OperatingSystem.IsWindows()
                ? ServiceContent.WindowsCommandLine(program, configuration) + Environment.NewLine
                : ServiceContent.SystemdUnit(program, configuration, account));
            return ExitCode.Done;
        }

        if (OperatingSystem.IsWindows())
        {
            return InstallOnWindows(ServiceContent.WindowsCommandLine(program, configuration));
        }

        if (!Directory.Exists(UnitFolder))
        {
            throw new CommandException($"{UnitFolder} does not exist: this system is not run by systemd. 'psg service install --print' shows the unit.");
        }

        File.WriteAllText(UnitPath, ServiceContent.SystemdUnit(program, configuration, account));
        Console.WriteLine($"""
            Wrote {UnitPath}. Next:
              useradd --system --home-dir /var/lib/psg --shell /usr/sbin/nologin {account}   (if the account does not exist)
              systemctl daemon-reload && systemctl enable --now {ServiceContent.Name}
            """);
        return ExitCode.Done;
    }

    private static int Uninstall()
    {
        if (OperatingSystem.IsWindows())
        {
            return OnWindows(WindowsService.Uninstall, "Removed.");
        }

        if (!File.Exists(UnitPath))
        {
            throw new CommandException($"{UnitPath} does not exist: the service is not installed.");
        }

        _ = Run("systemctl", ["disable", "--now", ServiceContent.Name]);
        File.Delete(UnitPath);
        _ = Run("systemctl", ["daemon-reload"]);
        Console.WriteLine($"Removed {UnitPath}.");
        return ExitCode.Done;
    }

    private static int Status()
    {
        if (OperatingSystem.IsWindows())
        {
            return Run("sc", ["query", ServiceContent.Name]) == 0 ? ExitCode.Done : ExitCode.SomeFailed;
        }

        if (!File.Exists(UnitPath))
        {
            Console.WriteLine("Not installed.");
            return ExitCode.SomeFailed;
        }

        return Run("systemctl", ["status", "--no-pager", ServiceContent.Name]) == 0 ? ExitCode.Done : ExitCode.SomeFailed;
    }

    /// <summary>The exit code, or -1 when the program is not there.</summary>
    private static int Run(string program, string[] arguments)
    {
        try
        {
            using Process process = Process.Start(program, arguments);
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (Win32Exception)
        {
            Console.Error.WriteLine($"{program} is not there.");
            return -1;
        }
    }

    [SupportedOSPlatform("windows")]
    private static int InstallOnWindows(string commandLine) =>
        OnWindows([SupportedOSPlatform("windows")] () => WindowsService.Install(commandLine), $"Installed. Start it with: sc start {ServiceContent.Name}");

    [SupportedOSPlatform("windows")]
    private static int OnWindows(Action change, string done)
    {
        try
        {
            change();
            Console.WriteLine(done);
            return ExitCode.Done;
        }
        catch (Win32Exception e)
        {
            Console.Error.WriteLine($"The service control manager refused: {e.Message}");
            return ExitCode.SomeFailed;
        }
    }
}
