using System.Data.Common;
using Dapper;
using PacsStegoGateway.Audit;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>Looks into the gateway's database from outside, as an operator would; SQLite and PostgreSQL alike.</summary>
public static class GatewayRows
{
    /// <summary>Rows of instances in this state.</summary>
    public static int CountInstances(GatewayProcess gateway, string state) =>
        Count(gateway, "SELECT COUNT(*) FROM instances WHERE state = @value", state);

    /// <summary>Records of the audit trail of this event.</summary>
    public static int CountEvents(GatewayProcess gateway, string name) =>
        Count(gateway, "SELECT COUNT(*) FROM audit WHERE event = @value", NumberOf(name));

    /// <summary>Rows of instances that still have a way to go: the queue.</summary>
    public static int CountUnfinished(GatewayProcess gateway) =>
        Count(gateway, "SELECT COUNT(*) FROM instances WHERE state IN (@value, 'protected')", "received");

    /// <summary>Every row: the SOP Instance UID that the PACS knows, and its state.</summary>
    public static IReadOnlyList<(string SopUID, string State)> Instances(GatewayProcess gateway)
    {
        using DbConnection connection = gateway.OpenDatabase();
        return [.. connection.Query<(string, string)>("SELECT sop_uid, state FROM instances")];
    }

    /// <summary>Rows of instances that this gateway works on, or worked on last.</summary>
    public static int CountOf(GatewayProcess gateway, string node) =>
        Count(gateway, "SELECT COUNT(*) FROM instances WHERE node = @value", node);

    /// <summary>SOP Instance UIDs of the records of this event, one for each record.</summary>
    public static IReadOnlyList<string> Events(GatewayProcess gateway, string name)
    {
        using DbConnection connection = gateway.OpenDatabase();
        return [.. connection.Query<string>("SELECT sop_uid FROM audit WHERE event = @number", new { number = NumberOf(name) })];
    }

    /// <summary>Names of the spool files that rows own: those of every row that has not gone all its way.</summary>
    public static IReadOnlySet<string> OwnedFiles(GatewayProcess gateway)
    {
        using DbConnection connection = gateway.OpenDatabase();
        return connection.Query<(string Received, string? Protected)>(
                "SELECT received_file, protected_file FROM instances WHERE state IN ('received', 'protected', 'quarantined')")
            .SelectMany(static r => (string?[])[r.Received, r.Protected])
            .OfType<string>()
            .Select(static n => Path.GetFileName(n))
            .ToHashSet();
    }

    /// <summary>When the newest record of the audit trail was written, by the gateway's clock.</summary>
    public static DateTimeOffset LastRecordAt(GatewayProcess gateway)
    {
        using DbConnection connection = gateway.OpenDatabase();
        return DateTimeOffset.FromUnixTimeMilliseconds(connection.ExecuteScalar<long>("SELECT at FROM audit ORDER BY sequence DESC LIMIT 1"));
    }

    /// <summary>What the column says of this event.</summary>
    public static int NumberOf(string name) => (int)Enum.Parse<AuditEvent>(name);

    private static int Count(GatewayProcess gateway, string sql, object value)
    {
        using DbConnection connection = gateway.OpenDatabase();
        return connection.ExecuteScalar<int>(sql, new { value });
    }
}
