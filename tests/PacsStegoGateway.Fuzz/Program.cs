using System.Diagnostics;
using System.Globalization;
using PacsStegoGateway.Fuzz;

// Mutated data sets, files, PDUs, command sets and JSON against the oracle. Exit: 0 all held, 1 something failed, 2 wrong usage.
const string Usage = """
    usage: PacsStegoGateway.Fuzz [--count N | --forever] [--seed N] [--first N] [--threads N] [--corpus FOLDER] [--failures FOLDER] [--seconds N]
           PacsStegoGateway.Fuzz --replay FILE
    """;
var switches = new Dictionary<string, string>();
for (int i = 0; i < args.Length; i++)
{
    if (args[i] == "--forever")
    {
        switches[args[i]] = "";
    }
    else if (args[i] is "--count" or "--seed" or "--first" or "--threads" or "--corpus" or "--failures" or "--seconds" or "--replay" && i + 1 < args.Length)
    {
        switches[args[i]] = args[++i];
    }
    else
    {
        Console.Error.WriteLine(Usage);
        return 2;
    }
}

long Number(string name, long otherwise) => switches.TryGetValue(name, out string? text) ? long.Parse(text, CultureInfo.InvariantCulture) : otherwise;

if (switches.TryGetValue("--replay", out string? path))
{
    string? failure = FuzzRun.Replay(Input.Load(path));
    Console.WriteLine(failure ?? "holds");
    return failure is null ? 0 : 1;
}

bool isForever = switches.ContainsKey("--forever");
long count = isForever ? long.MaxValue : Number("--count", 1_000_000);
int seed = (int)Number("--seed", isForever ? Random.Shared.Next() : 20260301);
ulong first = (ulong)Number("--first", 0);
int threads = (int)Number("--threads", Math.Min(Environment.ProcessorCount, count));
var options = new FuzzOptions(seed, switches.GetValueOrDefault("--corpus"), switches.GetValueOrDefault("--failures", "artifacts/fuzz"), TimeSpan.FromSeconds(Number("--seconds", 10)));
var run = new FuzzRun(options);
Console.WriteLine($"seed {seed}, first {first}, {(isForever ? "until stopped" : $"{count} inputs")}, from {run.Seeds} inputs, {threads} threads");

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};
long start = Stopwatch.GetTimestamp();
using var progress = new Timer(_ => Console.Error.Write($"\r{run.Done} inputs, {run.Done / Stopwatch.GetElapsedTime(start).TotalSeconds:F0}/s, {run.FailureCount} failed   "),
    null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
Thread[] workers = [.. Enumerable.Range(0, threads).Select(t => new Thread(() =>
    run.Check(first + (ulong)t, (count / threads) + (t < count % threads ? 1 : 0), (ulong)threads, stop.Token)))];
foreach (Thread worker in workers)
{
    worker.Start();
}

foreach (Thread worker in workers)
{
    worker.Join();
}

FuzzReport report = run.Report();
Console.Error.WriteLine();
foreach (string failure in report.Failures)
{
    Console.WriteLine(failure);
}

foreach ((InputKind kind, (long given, long accepted)) in report.Counts.OrderBy(static c => c.Key))
{
    Console.WriteLine($"  {kind,-9} {given,9} checked, {accepted,8} accepted");
}

Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $"{report.Inputs} inputs in {Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s, slowest {report.Slowest.TotalMilliseconds:F0} ms, {report.Failures.Count} failed"));
return report.Failures.Count == 0 ? 0 : 1;
