namespace PacsStegoGateway.Configuration;

/// <summary>What becomes of the audit trail outside the database. The trail itself cannot be switched off.</summary>
public sealed class AuditOptions
{
    /// <summary>
    /// File that a signed line is appended to now and then: what proves that the end of the trail was not cut off. Below
    /// DataFolder; best where the database's administrator cannot write. Empty: none. Default <c>audit-checkpoints.log</c>.
    /// </summary>
    public string CheckpointPath { get; set; } = "audit-checkpoints.log";

    /// <summary>A checkpoint after so many entries, 1 to 10000000. Default 10000.</summary>
    public int CheckpointEntries { get; set; } = 10_000;

    /// <summary>And after so many minutes in which there were any, 1 to 1440. Default 15.</summary>
    public int CheckpointMinutes { get; set; } = 15;

    public SyslogOptions Syslog { get; set; } = new();
}

public enum SyslogTransport
{
    /// <summary>A stream of octet-counted messages: RFC 5425 over TLS, RFC 6587 without.</summary>
    Tcp,

    /// <summary>A datagram a message (RFC 5426): nobody tells whether it came.</summary>
    Udp,
}

/// <summary>DICOM audit messages (PS3.15 A.5) to an Audit Record Repository over syslog (RFC 5424).</summary>
public sealed class SyslogOptions
{
    /// <summary>Default false: nothing is sent.</summary>
    public bool Enabled { get; set; }

    /// <summary>Host name or address of the repository.</summary>
    public string Host { get; set; } = "";

    /// <summary>1 to 65535. Default 6514, the one of syslog over TLS.</summary>
    public int Port { get; set; } = 6514;

    /// <summary>tcp or udp. Default tcp.</summary>
    public SyslogTransport Transport { get; set; } = SyslogTransport.Tcp;

    /// <summary>Over TLS unless Tls:Enabled is set to false; not with udp.</summary>
    public TlsPeerOptions Tls { get; set; } = new() { Enabled = true };

    /// <summary>Longest wait for the connection, and for a message to be taken, seconds, 1 to 300. Default 10.</summary>
    public int TimeoutSeconds { get; set; } = 10;

    /// <summary>
    /// An entry counts as received when the connection that took it is still open so much later, seconds, 0 to 300; what was sent later
    /// when a connection breaks is sent again. Default 10.
    /// </summary>
    public int ConfirmSeconds { get; set; } = 10;

    /// <summary>Wait before a receiver that was away is tried again, seconds, 1 to 3600. Default 10.</summary>
    public int RetrySeconds { get; set; } = 10;
}
