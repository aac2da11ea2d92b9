using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Npgsql;
using PacsStegoGateway.Configuration;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>The built program, <c>psg run</c>, with a configuration and folders of its own.</summary>
/// <remarks>Callers: MODALITY (modality), CLINIC (reidentifier), VISITOR (reader). Its AE title is PSG.</remarks>
public sealed class GatewayProcess : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new("gateway");
    private ChildProcess? _process;
    private string? _postgres;
    private string _sqlite = "";

    private GatewayProcess()
    {
    }

    public int Port { get; } = FreePort.Next();

    /// <summary>Where its data is: spool, database, key ring.</summary>
    public string DataFolder => _folder.Folder("data");

    public string ConfigurationPath => _folder.At("gateway.json");

    public string KeyRingPath { get; private set; } = "";

    /// <summary>Everything it said in the starts that have ended.</summary>
    public string Output { get; private set; } = "";

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Its spool, wherever the configuration puts it.</summary>
    public string SpoolFolder { get; private set; } = "";

    public ChildProcess Process => _process ?? throw new InvalidOperationException("The gateway is not running.");

    /// <summary>The program that was built with this test, in the same configuration.</summary>
    public static string Program { get; } = Path.Combine(
        Tests.SharedData.RepositoryRoot, "src", "PacsStegoGateway", "bin",
        new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0", "psg");

    /// <summary>Makes keys and configuration, starts the program and waits until it listens.</summary>
    /// <param name="pacsPort">DICOM port of the PACS on 127.0.0.1.</param>
    /// <param name="destination">Where C-MOVE may send to, or none.</param>
    /// <param name="change">Changes the configuration before it is written.</param>
    public static async Task<GatewayProcess> Start(int pacsPort, StoreScp? destination = null, Action<JsonObject>? change = null)
    {
        GatewayProcess gateway = await Prepare(pacsPort, destination, change);
        await gateway.StartAgain();
        return gateway;
    }

    /// <summary>Makes keys and configuration only.</summary>
    public static async Task<GatewayProcess> Prepare(int pacsPort, StoreScp? destination = null, Action<JsonObject>? change = null)
    {
        var gateway = new GatewayProcess();
        var configuration = new JsonObject
        {
            ["DataFolder"] = gateway.DataFolder,
            ["Listen"] = new JsonObject { ["Address"] = "127.0.0.1", ["Port"] = gateway.Port, ["AETitles"] = new JsonArray("PSG") },
            ["Callers"] = new JsonArray(Caller("MODALITY", "modality"), Caller("CLINIC", "reidentifier"), Caller("VISITOR", "reader")),
            ["MoveDestinations"] = new JsonArray(destination is null ? [] : [Peer(destination.AETitle, destination.Port)]),
            ["Pacs"] = Peer("ORTHANC", pacsPort),
            ["Spool"] = new JsonObject { ["MinFreeMegabytes"] = 0 },
            ["Work"] = new JsonObject { ["RetryFirstSeconds"] = 1, ["RetryMaxSeconds"] = 2 },
        };
        change?.Invoke(configuration);
        gateway._postgres = configuration["Database"]?["ConnectionString"]?.GetValue<string>();
        gateway.KeyRingPath = Path.Combine(gateway.DataFolder, configuration["Keys"]?["RingPath"]?.GetValue<string>() ?? "keyring.json");
        gateway._sqlite = Path.Combine(gateway.DataFolder, configuration["Database"]?["Path"]?.GetValue<string>() ?? "gateway.db");
        gateway.SpoolFolder = Path.Combine(gateway.DataFolder, configuration["Spool"]?["Folder"]?.GetValue<string>() ?? "spool");
        await File.WriteAllTextAsync(gateway.ConfigurationPath, configuration.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        if (configuration["Keys"] is null)
        {
            (await gateway.Psg("keys", "new")).ShouldSucceed();
        }

        return gateway;
    }

    /// <summary>The section of the configuration for a database of <see cref="Tests.PostgresServer"/>.</summary>
    public static JsonObject Postgres(DatabaseOptions database, int timeoutSeconds = 5) =>
        new() { ["Kind"] = "postgresql", ["ConnectionString"] = database.ConnectionString, ["TimeoutSeconds"] = timeoutSeconds };

    /// <summary>Starts it (again) with the same configuration and data.</summary>
    /// <param name="environment">More of its environment.</param>
    public async Task StartAgain(IReadOnlyDictionary<string, string>? environment = null)
    {
        Launch(environment);
        await Process.UntilListening(Port);
    }

    /// <summary>Starts it and does not wait until it listens.</summary>
    public void Launch(IReadOnlyDictionary<string, string>? environment = null) => _process = ChildProcess.Start(
        Program, ["run", "--config", ConfigurationPath], environment, Tests.SharedData.RepositoryRoot);

    /// <summary>A connection to its database, to look into it from outside as an operator would.</summary>
    public DbConnection OpenDatabase()
    {
        DbConnection connection = _postgres is null
            ? new SqliteConnection($"Data Source={_sqlite};Mode=ReadOnly;Pooling=False")
            : new NpgsqlConnection(_postgres + ";Pooling=false");
        connection.Open();
        return connection;
    }

    /// <summary>SIGKILL.</summary>
    public async Task Kill()
    {
        await Process.Kill();
        await Forget();
    }

    /// <summary>SIGTERM and the way an orderly stop goes.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> Stop()
    {
        int code = await Process.Stop();
        await Forget();
        return code;
    }

    /// <summary>Runs another verb on the same configuration.</summary>
    public Task<Finished> Psg(params string[] arguments) =>
        ChildProcess.Run(Program, [.. arguments, "--config", ConfigurationPath], workingFolder: Tests.SharedData.RepositoryRoot);

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Dispose();
    }

    private static JsonObject Caller(string aeTitle, string role) => new() { ["AETitle"] = aeTitle, ["Roles"] = new JsonArray(role) };

    private static JsonObject Peer(string aeTitle, int port) =>
        new() { ["AETitle"] = aeTitle, ["Host"] = "127.0.0.1", ["Port"] = port };

    private async Task Forget()
    {
        Output += Process.Output;
        await Process.DisposeAsync();
        _process = null;
    }
}
