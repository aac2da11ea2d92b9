using System.Globalization;
using Microsoft.Data.Sqlite;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>Looks into the gateway's SQLite file from outside, as an operator would.</summary>
public static class GatewayRows
{
    /// <summary>Rows of instances in this state.</summary>
    public static int CountInstances(GatewayProcess gateway, string state) => Count(gateway, "instances", "state", state);

    /// <summary>Records of the audit trail of this event.</summary>
    public static int CountEvents(GatewayProcess gateway, string name) => Count(gateway, "audit", "event", name);

    private static int Count(GatewayProcess gateway, string table, string column, string value)
    {
        string path = Path.Combine(gateway.DataFolder, "gateway.db");
        using var connection = new SqliteConnection($"Data Source={path};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = $"SELECT COUNT(*) FROM {table} WHERE {column} = $value";
        command.Parameters.AddWithValue("$value", value);
        return Convert.ToInt32(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }
}
