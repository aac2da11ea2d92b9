using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using PacsStegoGateway.Configuration;

namespace PacsStegoGateway.Tests;

/// <summary>A throw-away PostgreSQL server in a temporary folder; it can be stopped and started to rehearse its absence.</summary>
/// <remarks>PostgreSQL refuses to run as root: then it runs as the account <c>postgres</c>, which the Debian package makes.</remarks>
public sealed class PostgresServer : IAsyncDisposable
{
    private readonly string _folder;
    private readonly string _binaries;

    private PostgresServer(string binaries)
    {
        _binaries = binaries;
        _folder = Directory.CreateTempSubdirectory("psg-pg-").FullName;
        Port = FreePort();
    }

    public int Port { get; }

    public string ConnectionString => $"Host=127.0.0.1;Port={Port};Database=postgres;Username=postgres";

    /// <summary>Starts a new server, or skips the test when no PostgreSQL is installed.</summary>
    public static async Task<PostgresServer> StartAsync()
    {
        string? binaries = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").Select(static d => Path.Combine(d, "bin"))
                .Where(static d => File.Exists(Path.Combine(d, "initdb"))).Order().LastOrDefault()
            : null;
        if (binaries is null)
        {
            Assert.Skip("PostgreSQL is not installed.");
        }

        var server = new PostgresServer(binaries);
        if (Environment.UserName == "root")
        {
            await RunAsync("chown", ["postgres", server._folder]);
        }

        await server.AsPostgresAsync("initdb", "-D", server.Data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8");
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Starts the server after <see cref="StopAsync"/>, on the same port with the same data.</summary>
    public Task StartAgainAsync() => AsPostgresAsync(
        "pg_ctl", "-D", Data, "-w", "-l", Path.Combine(_folder, "log"),
        "-o", $"-p {Port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={_folder}", "start");

    public Task StopAsync() => AsPostgresAsync("pg_ctl", "-D", Data, "-w", "-m", "immediate", "stop");

    /// <summary>A new, empty database; the options to reach it.</summary>
    public async Task<DatabaseOptions> CreateDatabaseAsync()
    {
        string name = $"t{Guid.NewGuid():N}";
        await using var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await command.ExecuteNonQueryAsync();
        return new DatabaseOptions
        {
            Kind = DatabaseKind.PostgreSql,
            ConnectionString = $"Host=127.0.0.1;Port={Port};Database={name};Username=postgres",
            TimeoutSeconds = 5,
        };
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await StopAsync();
        }
        catch (InvalidOperationException)
        {
            // A test had stopped it.
        }

        if (Environment.GetEnvironmentVariable("PSG_TEST_KEEP") != "1")
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private string Data => Path.Combine(_folder, "data");

    private Task AsPostgresAsync(string program, params string[] arguments)
    {
        string path = Path.Combine(_binaries, program);
        return Environment.UserName == "root"
            ? RunAsync("runuser", ["-u", "postgres", "--", path, .. arguments])
            : RunAsync(path, arguments);
    }

    private static async Task RunAsync(string program, IEnumerable<string> arguments)
    {
        // Output goes nowhere: pg_ctl's server would keep a pipe open for ever.
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, WorkingDirectory = "/tmp" };
        foreach (string argument in (string[])["-c", "exec \"$0\" \"$@\" >/dev/null 2>&1 </dev/null", program, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}.");
        }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}

/// <summary>One PostgreSQL server for all tests of a collection.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    public PostgresServer? Server { get; private set; }

    public async ValueTask InitializeAsync()
    {
        if (Directory.Exists("/usr/lib/postgresql"))
        {
            Server = await PostgresServer.StartAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Server is { } server)
        {
            await server.DisposeAsync();
        }
    }
}
