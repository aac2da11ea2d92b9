using System.Globalization;
using System.Text;

namespace PacsStegoGateway.Audit;

/// <summary>An entry as syslog message (RFC 5424) that carries a DICOM audit message (PS3.15 A.6).</summary>
public static class SyslogMessage
{
    /// <summary>Facility 10, security and authorization.</summary>
    private const int Facility = 10;

    /// <summary>As PS3.15 A.6 wants it, for receivers that sort by it.</summary>
    private const string MessageId = "DICOM+RFC3881";

    /// <summary>Longest HOSTNAME.</summary>
    private const int LongestHost = 255;

    private static readonly string Host = Printable(Environment.MachineName);

    /// <summary>The message without any framing, UTF-8; its text begins with the byte order mark that RFC 5424 6.4 asks for.</summary>
    public static byte[] Of(AuditRecord record) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
        $"<{(Facility * 8) + Severity(record.Outcome)}>1 {record.At.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ} {Host} psg {Environment.ProcessId} {MessageId} - \ufeff{DicomAuditMessage.ToXml(record)}"));

    /// <summary>As a stream carries it: its length in decimal, a space, the message (RFC 5425 4.3, RFC 6587 3.4.1).</summary>
    public static byte[] Framed(AuditRecord record)
    {
        byte[] message = Of(record);
        return [.. Encoding.ASCII.GetBytes($"{message.Length} "), .. message];
    }

    // notice, warning, error, critical
    private static int Severity(AuditOutcome outcome) => outcome switch
    {
        AuditOutcome.Success => 5,
        AuditOutcome.MinorFailure => 4,
        AuditOutcome.SeriousFailure => 3,
        _ => 2,
    };

    private static string Printable(string text)
    {
        string printable = string.Concat(text.Take(LongestHost).Select(static c => c is > ' ' and <= '~' ? c : '-'));
        return printable.Length == 0 ? "-" : printable;
    }
}
