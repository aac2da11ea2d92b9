namespace PacsStegoGateway.Configuration;

public enum DatabaseKind
{
    Sqlite,
    PostgreSql,
}

/// <summary>Rows of instances and the audit trail.</summary>
public sealed class DatabaseOptions
{
    /// <summary>sqlite or postgresql. Default sqlite.</summary>
    public DatabaseKind Kind { get; set; } = DatabaseKind.Sqlite;

    /// <summary>SQLite file. Default <c>gateway.db</c> (below DataFolder).</summary>
    public string Path { get; set; } = "gateway.db";

    /// <summary>PostgreSQL connection string without a password: <c>Host=...;Database=...;Username=...</c>.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>PostgreSQL password; set it by the environment variable PSG__Database__Password, not in a file.</summary>
    [Secret]
    public string? Password { get; set; }

    /// <summary>Longest wait for a connection or a statement, seconds, 1 to 300. Default 10.</summary>
    public int TimeoutSeconds { get; set; } = 10;
}
