using System.Globalization;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.SystemTests.Fixtures;
using PacsStegoGateway.Tests;

namespace PacsStegoGateway.SystemTests;

/// <summary>
/// The power fails at any moment, again and again, while four modalities send. <c>scripts/crash-test.sh</c> runs the same with
/// a hundred rounds.
/// </summary>
public sealed class CrashTests : IDisposable
{
    private const int Senders = 4;

    private readonly TemporaryFolder _folder = new("crash");

    private static int Rounds { get; } = Setting("PSG_CRASH_ROUNDS", 4);

    private static int Seed { get; } = Setting("PSG_CRASH_SEED", Environment.ProcessId);

    /// <summary>New images of each sender in each round.</summary>
    private static int ImagesEach { get; } = Setting("PSG_CRASH_IMAGES", 6);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Fault_09_killed_at_random_moments_under_load_of_four_senders_nothing_is_lost_or_doubled()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        DatabaseOptions database = await postgres.CreateDatabaseAsync();
        await using OrthancServer orthanc = await OrthancServer.Start();
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort, change: c => c["Database"] = GatewayProcess.Postgres(database));
        Say($"seed {Seed}, {Rounds} rounds, {ImagesEach} new images of each of {Senders} senders in each");
        IReadOnlyList<string> images = Images.Copies(_folder.At("images"), Rounds * Senders * ImagesEach, Seed);
        List<LoadSender> senders = [.. Enumerable.Range(1, Senders).Select(n => new LoadSender(gateway.Port, _folder.At($"sender-{n}.log")))];
        try
        {
            var random = new Random(Seed);
            for (int round = 0; round < Rounds; round++)
            {
                for (int sender = 0; sender < Senders; sender++)
                {
                    senders[sender].Add(images.Skip(((round * Senders) + sender) * ImagesEach).Take(ImagesEach));
                }

                // Half of the blows fall while objects come in, the others while they are protected and forwarded.
                var after = TimeSpan.FromSeconds(random.NextDouble() * (random.Next(2) == 0 ? 0.3 : 2.5));
                await Task.Delay(after, TestContext.Current.CancellationToken);
                await gateway.Kill();
                bool onceMore = random.Next(4) == 0;
                if (onceMore)
                {
                    // Whoever falls may fall again while getting up: at the migration, at the sweep, before the port is open.
                    gateway.Launch();
                    await Task.Delay(TimeSpan.FromSeconds(random.NextDouble() * 1.5), TestContext.Current.CancellationToken);
                    await gateway.Kill();
                }

                await gateway.StartAgain();
                int arrived = await orthanc.Count();
                Say(string.Create(CultureInfo.InvariantCulture,
                    $"round {round + 1} of {Rounds}: killed after {after.TotalSeconds:0.00} s{(onceMore ? ", and once more while it started" : "")}; {senders.Sum(static s => s.Acknowledged.Count)} acknowledged, {GatewayRows.CountUnfinished(gateway)} in the queue, {arrived} at the PACS"));
            }

            await Task.WhenAll(senders.Select(static s => s.Complete())).WaitAsync(TimeSpan.FromSeconds(120), TestContext.Current.CancellationToken);
            string[] acknowledged = [.. senders.SelectMany(static s => s.Acknowledged)];
            acknowledged.Length.ShouldBe(images.Count);
            await Ledger.ShouldBalance(gateway, orthanc, acknowledged, 120 + images.Count);
            Say($"{acknowledged.Length} acknowledged, {senders.Sum(static s => s.Interrupted)} associations cut short, {await orthanc.Count()} at the PACS: none lost, none doubled");
        }
        finally
        {
            foreach (LoadSender sender in senders)
            {
                await sender.DisposeAsync();
            }
        }
    }

    private static int Setting(string name, int value) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int set) ? set : value;

    private static void Say(string line) => TestContext.Current.TestOutputHelper!.WriteLine(line);
}
