using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Npgsql;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Benchmarks;

/// <summary>
/// The way of one row, durable, with its audit entries, without any file or image: received, read as due, protected with one
/// delivery, read as due, sent. Four at a time, as four senders and four workers do. The time is that of one row through one step.
/// Run: <c>PSG_BENCH_POSTGRES='Host=127.0.0.1;Database=bench;Username=postgres' dotnet run -c Release --project
/// tests/PacsStegoGateway.Benchmarks -- --filter '*Rows*'</c>; without the variable SQLite alone.
/// </summary>
[Config(typeof(FiveRuns))]
[MedianColumn]
public class Rows
{
    private const int Count = 400;
    private const int AtATime = 4;

    private readonly string _folder = Directory.CreateTempSubdirectory("psg-bench-rows-").FullName;
    private readonly ForwardTarget _pacs = new("PACS");
    private GatewayStore _store = null!;
    private int _next;

    private sealed class FiveRuns : ManualConfig
    {
        public FiveRuns() => AddJob(Job.Default
            .WithToolchain(InProcessEmitToolchain.Instance)
            .WithStrategy(RunStrategy.Monitoring)
            .WithWarmupCount(2)
            .WithIterationCount(5)
            .WithInvocationCount(1)
            .WithUnrollFactor(1));
    }

    public static IEnumerable<string> Databases => Environment.GetEnvironmentVariable("PSG_BENCH_POSTGRES") is null
        ? ["sqlite"]
        : ["sqlite", "postgresql", "postgresql, nothing prepared"];

    [ParamsSource(nameof(Databases))]
    public string Database { get; set; } = "";

    [GlobalSetup]
    public async Task OpenAsync()
    {
        KeyRing keys = KeyRing.Create(Path.Combine(_folder, $"{Guid.NewGuid():N}.json"));
        StoreDialect dialect = Database == "sqlite"
            ? new SqliteDialect(Path.Combine(_folder, $"{Guid.NewGuid():N}.db"), 10)
            : new PostgreSqlDialect(new DatabaseOptions { Kind = DatabaseKind.PostgreSql, ConnectionString = await NewDatabaseAsync() });
        _store = await GatewayStore.OpenAsync(dialect, keys, TimeProvider.System, CancellationToken.None);
        await _store.JoinAsync("bench", TimeSpan.FromHours(1), _pacs);
    }

    [GlobalCleanup]
    public async Task CloseAsync() => await _store.DisposeAsync();

    [Benchmark(OperationsPerInvoke = Count)]
    public async Task Receive() => await Parallel.ForAsync(0, Count, new ParallelOptions { MaxDegreeOfParallelism = AtATime }, async (_, _) =>
        await _store.ReceiveAsync(NewRow()));

    [IterationSetup(Target = nameof(Protect))]
    public void Fill() => Receive().GetAwaiter().GetResult();

    [Benchmark(OperationsPerInvoke = Count)]
    public async Task Protect()
    {
        for (int done = 0; done < Count;)
        {
            IReadOnlyList<InstanceRow> due = await _store.DueAsync(InstanceState.Received, 64, CancellationToken.None);
            await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = AtATime }, async (row, _) =>
                await _store.SetProtectedAsync(row, Guid.NewGuid().ToString("N"), [_pacs], "detail"));
            done += due.Count;
        }
    }

    [IterationSetup(Target = nameof(Send))]
    public void FillProtected()
    {
        Receive().GetAwaiter().GetResult();
        Protect().GetAwaiter().GetResult();
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public async Task Send()
    {
        for (int done = 0; done < Count;)
        {
            IReadOnlyList<DeliveryRow> due = await _store.DueDeliveriesAsync("PACS", 64, CancellationToken.None);
            await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = AtATime }, async (delivery, _) =>
                await _store.SettleDeliverySentAsync(delivery, "PACS answered 0000H."));
            done += due.Count;
        }
    }

    private InstanceRow NewRow() => new()
    {
        SopUID = $"2.25.{Interlocked.Increment(ref _next)}",
        StudyUID = $"2.25.1{_next / 100}",
        SeriesUID = "2.25.101",
        Patient = "P",
        PatientIndex = "PI",
        AccessionIndex = "AI",
        SopClassUID = "1.2.840.10008.5.1.4.1.1.2",
        TransferSyntaxUID = "1.2.840.10008.1.2.1",
        Essentials = new byte[400],
        ContentHash = new byte[32],
        CallingAE = "CT1",
        CalledAE = "PSG",
        RemoteAddress = "127.0.0.1",
        ReceivedFile = Guid.NewGuid().ToString("N"),
        ReceivedBytes = 525_000,
    };

    /// <summary>Beside the one that the variable names, and left there.</summary>
    private async Task<string> NewDatabaseAsync()
    {
        var server = new NpgsqlConnectionStringBuilder(Environment.GetEnvironmentVariable("PSG_BENCH_POSTGRES"));
        string name = $"bench{Guid.NewGuid():N}";
        await using (var connection = new NpgsqlConnection(server.ConnectionString + ";Pooling=false"))
        {
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
            await command.ExecuteNonQueryAsync();
        }

        server.Database = name;
        if (Database != "postgresql")
        {
            server.MaxAutoPrepare = 0;
        }

        return server.ConnectionString;
    }
}
