namespace PacsStegoGateway.Service;

/// <summary>What <c>psg service install</c> writes.</summary>
public static class ServiceContent
{
    public const string Name = "psg";

    /// <summary>A systemd unit (systemd.service(5)).</summary>
    /// <param name="program">Absolute path of psg.</param>
    /// <param name="configuration">Absolute path of the configuration file.</param>
    /// <param name="account">Account to run under; it owns the state folder.</param>
    public static string SystemdUnit(string program, string configuration, string account = "psg") =>
        $"""
        [Unit]
        Description=PacsStegoGateway, DICOM gateway
        Documentation=https://dicom.nema.org/medical/dicom/current/output/html/part04.html
        After=network-online.target postgresql.service
        Wants=network-online.target

        [Service]
        Type=notify
        ExecStart={Quote(program)} run --config {Quote(configuration)}
        ExecReload=/bin/kill -HUP $MAINPID
        User={account}
        StateDirectory=psg
        WorkingDirectory=/var/lib/psg
        Environment=PSG__DataFolder=/var/lib/psg
        # Nobody asks the runtime for a dump of its memory.
        Environment=DOTNET_EnableDiagnostics=0
        # PSG__Database__Password=... goes here, readable by root alone.
        EnvironmentFile=-/etc/psg/environment
        WatchdogSec=60
        TimeoutStopSec=90
        Restart=on-failure
        RestartSec=5
        LimitNOFILE=65536
        UMask=0077
        NoNewPrivileges=yes
        ProtectSystem=strict
        ProtectHome=yes
        PrivateTmp=yes
        AmbientCapabilities=CAP_NET_BIND_SERVICE
        CapabilityBoundingSet=CAP_NET_BIND_SERVICE
        LimitCORE=0
        MemorySwapMax=0

        [Install]
        WantedBy=multi-user.target

        """.ReplaceLineEndings("\n");

    /// <summary>The command line that the Windows service control manager starts.</summary>
    public static string WindowsCommandLine(string program, string configuration) =>
        $"\"{program}\" run --config \"{configuration}\"";

    private static string Quote(string path) => path.Contains(' ', StringComparison.Ordinal) ? $"\"{path}\"" : path;
}
