using System.Diagnostics;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Forwarding;
using PacsStegoGateway.Tests.Gateway;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Forwarding;

public sealed class BandwidthLimitTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_a_tenth_of_a_second_at_once_bytes_flow_at_the_rate_whoever_writes_them()
    {
        var time = new ManualTime();
        time.Advance(TimeSpan.FromHours(1));
        var limit = new BandwidthLimit(8, time); // A million bytes a second.
        int taken = 0;
        async Task WriteAsync()
        {
            while (true)
            {
                await limit.TakeAsync(10_000, Cancel);
                Interlocked.Add(ref taken, 10_000);
            }
        }

        _ = WriteAsync();
        _ = WriteAsync();
        Volatile.Read(ref taken).ShouldBe(100_000);
        for (int tick = 1; tick <= 200; tick++)
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            int expected = tick * 10_000;
            await Eventually.BecomesTrueAsync(() => Volatile.Read(ref taken) >= expected);
        }

        // Two seconds, and the burst.
        Volatile.Read(ref taken).ShouldBeInRange(2_000_000, 2_120_000);
        // What was not used for an hour is not saved up.
        int before = Volatile.Read(ref taken);
        time.Advance(TimeSpan.FromHours(1));
        await Eventually.BecomesTrueAsync(() => Volatile.Read(ref taken) >= before + 100_000);
        Volatile.Read(ref taken).ShouldBeLessThan(before + 150_000);
    }

    [Theory]
    [InlineData(DestinationKind.Dimse)]
    [InlineData(DestinationKind.Stow)]
    public async Task What_goes_over_the_wire_stays_below_the_limit(DestinationKind kind)
    {
        const int Bytes = 2_000_000;
        const int MegabitsPerSecond = 16; // Two million bytes a second.
        await using var pacs = new HostilePacs();
        await using StowServer server = await StowServer.StartAsync();
        var options = new DestinationOptions
        {
            Name = "SLOW", Kind = kind, AETitle = "PACS", Host = "127.0.0.1", Port = pacs.Port, Url = server.Url, MaxMegabitsPerSecond = MegabitsPerSecond,
        };
        using var destination = new Destination(
            options, new GatewayTls(new GatewayOptions(), static _ => { }), SampleObjects.Reveal, spool: null!, TimeProvider.System);
        long started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, 2).Select(async i =>
        {
            await using IObjectSender sender = destination.OpenSender();
            byte[] image = SampleObjects.Encode(SampleObjects.Create(i, Bytes / 2));
            (await sender.SendAsync(new ObjectToSend(SopClasses.CTImageStorage, SampleObjects.SopUID(i), TransferSyntax.ExplicitVRLittleEndian, ByteSource.Of(image)), Cancel))
                .ShouldBeOfType<SendOutcome.Stored>();
            await sender.ReleaseAsync(Cancel);
        }));
        TimeSpan took = Stopwatch.GetElapsedTime(started);
        // The first tenth of a second goes at once. How much longer it takes is the machine's load.
        took.TotalSeconds.ShouldBeInRange(0.88, 30);
    }
}
