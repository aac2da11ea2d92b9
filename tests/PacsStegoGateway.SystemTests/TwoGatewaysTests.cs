using System.Text.Json.Nodes;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.SystemTests.Fixtures;
using PacsStegoGateway.Tests;

namespace PacsStegoGateway.SystemTests;

/// <summary>Two gateways on one PostgreSQL and one spool folder behind HAProxy: one dies or stands still, the other goes on.</summary>
public sealed class TwoGatewaysTests : IDisposable
{
    private const int Senders = 4;
    private const int ImagesEach = 12;
    private const int LeaseSeconds = 3;

    private readonly TemporaryFolder _folder = new("two");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Fault_09_of_two_gateways_one_is_killed_under_load_and_the_other_finishes_its_work_after_the_lease()
    {
        await using Pair pair = await Pair.Start(_folder);
        await pair.UnderLoad(async () =>
        {
            await pair.First.Kill();
            await Eventually.IsTrue("the other takes over", () => GatewayRows.CountEvents(pair.Second, "WorkTakenOver") == 1);
        });
        GatewayRows.Instances(pair.Second).Count.ShouldBe(Senders * ImagesEach);
    }

    [Fact]
    public async Task Fault_09_of_two_gateways_one_stands_still_beyond_its_lease_and_afterwards_doubles_and_undoes_nothing()
    {
        await using Pair pair = await Pair.Start(_folder);
        await pair.UnderLoad(async () =>
        {
            await pair.First.Process.Signal("STOP");
            try
            {
                await Eventually.IsTrue("the other takes over", () => GatewayRows.CountEvents(pair.Second, "WorkTakenOver") == 1);
            }
            finally
            {
                await pair.First.Process.Signal("CONT");
            }
        });
        // It is back in service under its name.
        (await DcmtkTools.Echo(pair.First.Port)).ShouldSucceed();
        (await pair.First.Stop()).ShouldBe(0, pair.First.Output);
    }

    private sealed class Pair(PostgresServer postgres, OrthancServer orthanc, GatewayProcess first, GatewayProcess second, HaProxy proxy, TemporaryFolder folder)
        : IAsyncDisposable
    {
        public GatewayProcess First => first;

        public GatewayProcess Second => second;

        public static async Task<Pair> Start(TemporaryFolder folder)
        {
            PostgresServer postgres = await PostgresServer.StartAsync();
            DatabaseOptions database = await postgres.CreateDatabaseAsync();
            OrthancServer orthanc = await OrthancServer.Start();
            string spool = folder.Folder("spool");
            GatewayProcess first = await GatewayProcess.Prepare(orthanc.DicomPort, change: c => Share(c, "first", null));
            GatewayProcess second = await GatewayProcess.Prepare(orthanc.DicomPort, change: c => Share(c, "second", first.KeyRingPath));
            await first.StartAgain();
            await second.StartAgain();
            return new Pair(postgres, orthanc, first, second, await HaProxy.Start(first.Port, second.Port), folder);

            void Share(JsonObject configuration, string name, string? keys)
            {
                configuration["Node"] = new JsonObject { ["Name"] = name, ["LeaseSeconds"] = LeaseSeconds };
                configuration["Spool"]!["Folder"] = spool;
                configuration["Database"] = GatewayProcess.Postgres(database);
                if (keys is not null)
                {
                    configuration["Keys"] = new JsonObject { ["RingPath"] = keys };
                }
            }
        }

        /// <summary>Lets something happen while four senders send and both gateways have work; afterwards everything must balance.</summary>
        public async Task UnderLoad(Func<Task> happens)
        {
            IReadOnlyList<string> images = Images.Copies(folder.Folder("images"), Senders * ImagesEach);
            List<LoadSender> senders = [.. Enumerable.Range(0, Senders).Select(n => new LoadSender(proxy.Port, folder.At($"sender-{n}.log")))];
            try
            {
                for (int i = 0; i < Senders; i++)
                {
                    senders[i].Add(images.Skip(i * ImagesEach).Take(ImagesEach / 2));
                }

                await Eventually.IsTrue("the first has taken some", () => GatewayRows.CountOf(first, "first") >= 4);
                for (int i = 0; i < Senders; i++)
                {
                    senders[i].Add(images.Skip((i * ImagesEach) + (ImagesEach / 2)).Take(ImagesEach / 2));
                }

                await happens();
                await Task.WhenAll(senders.Select(static s => s.Complete())).WaitAsync(TimeSpan.FromSeconds(120), TestContext.Current.CancellationToken);
                if (first.IsRunning)
                {
                    // What it could not record any more lies in its folder until it sweeps, at its start or within the hour.
                    (await first.Stop()).ShouldBe(0, first.Output);
                    await first.StartAgain();
                }

                await Ledger.ShouldBalance(second, orthanc, senders.SelectMany(static s => s.Acknowledged), 240);
            }
            finally
            {
                foreach (LoadSender sender in senders)
                {
                    await sender.DisposeAsync();
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            await proxy.DisposeAsync();
            await first.DisposeAsync();
            await second.DisposeAsync();
            await orthanc.DisposeAsync();
            await postgres.DisposeAsync();
        }
    }
}
