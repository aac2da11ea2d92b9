namespace PacsStegoGateway.Configuration;

public static partial class GatewayOptionsValidator
{
    private static void CheckAudit(AuditOptions audit, Problems found)
    {
        found.Range("Audit:CheckpointEntries", audit.CheckpointEntries, 1, 10_000_000);
        found.Range("Audit:CheckpointMinutes", audit.CheckpointMinutes, 1, 1440);
        SyslogOptions syslog = audit.Syslog;
        found.Range("Audit:Syslog:Port", syslog.Port, 1, 65_535);
        found.Range("Audit:Syslog:TimeoutSeconds", syslog.TimeoutSeconds, 1, 300);
        found.Range("Audit:Syslog:ConfirmSeconds", syslog.ConfirmSeconds, 0, 300);
        found.Range("Audit:Syslog:RetrySeconds", syslog.RetrySeconds, 1, 3600);
        if (!syslog.Enabled)
        {
            return;
        }

        found.NotEmpty("Audit:Syslog:Host", syslog.Host);
        if (syslog is { Transport: SyslogTransport.Udp, Tls.Enabled: true })
        {
            found.Add("Audit:Syslog:Tls:Enabled", "must be false with Transport udp: there is no TLS over datagrams here.");
        }
    }
}
