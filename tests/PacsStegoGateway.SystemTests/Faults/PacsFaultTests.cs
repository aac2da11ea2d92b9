using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Phantoms;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.SystemTests.Fixtures;

namespace PacsStegoGateway.SystemTests.Faults;

/// <summary>A PACS that is away, refuses, warns, hangs up; and a clock that jumps meanwhile.</summary>
public sealed class PacsFaultTests : IDisposable
{
    private readonly TemporaryFolder _folder = new("pacs");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Fault_10_a_PACS_away_for_a_day_fills_the_spool_until_A700_and_gets_everything_afterwards_oldest_first()
    {
        using var clock = FakeClock.Create();
        await using var pacs = new ScriptedPacs();
        await pacs.StopListening();
        await using GatewayProcess gateway = await GatewayProcess.Prepare(pacs.Port, change: static c =>
        {
            c["Spool"]!["QuotaMegabytes"] = 5;
            // One at a time, or neighbours overtake each other.
            c["Pacs"]!["Associations"] = 1;
            c["Work"]!["Workers"] = 1;
        });
        await gateway.StartAgain(clock.Environment);
        List<PhantomInstance> images = Images.Small(_folder.Folder("images"), 24);
        var taken = new List<PhantomInstance>();
        foreach (PhantomInstance image in images)
        {
            if (!await Modality.IsTakenNow(gateway, image))
            {
                break;
            }

            taken.Add(image);
        }

        taken.Count.ShouldBeInRange(5, images.Count - 1);
        clock.Set("+1d");
        await Eventually.IsTrue("as much is protected as there is room for", () => GatewayRows.CountInstances(gateway, "protected") > 0);
        (await Modality.IsTakenNow(gateway, images[taken.Count])).ShouldBeFalse();
        GatewayRows.CountUnfinished(gateway).ShouldBe(taken.Count);

        pacs.Start();
        await Eventually.IsTrue("what was accepted arrives", () => pacs.Stored.Count == taken.Count, 120);
        await Eventually.IsTrue("the next one is taken", () => Modality.IsTakenNow(gateway, images[taken.Count]));
        var pseudonyms = new Pseudonymizer(KeyRing.Load(gateway.KeyRingPath).PseudonymKey);
        pacs.Stored.Take(taken.Count).ShouldBe(taken.Select(i => pseudonyms.MapUID(i.SopInstanceUID)));
    }

    [Fact]
    public async Task Fault_11_what_a_PACS_answers_decides_A700_and_aborts_are_tried_again_B000_is_stored_A900_is_a_dead_letter()
    {
        await using var pacs = new ScriptedPacs(static n => n switch
        {
            0 => PacsDeed.Refuse(0xA700),
            2 => PacsDeed.Refuse(0xA900),
            3 => new PacsDeed(new DimseStatus(0xB000)),
            4 => new PacsDeed(DimseStatus.Success, IsStored: false, AbortsInside: true),
            6 => new PacsDeed(DimseStatus.Success, AbortsUnanswered: true),
            _ => PacsDeed.Store,
        });
        await using GatewayProcess gateway = await GatewayProcess.Start(pacs.Port, change: static c => c["Pacs"]!["Associations"] = 1);
        IReadOnlyList<string> images = Images.Copies(_folder.Folder("images"), 10);
        (await DcmtkTools.Store(gateway.Port, "MODALITY", "PSG", images)).ShouldSucceed();

        await Eventually.IsTrue("all but one are forwarded", () => GatewayRows.CountEvents(gateway, "Forwarded") == images.Count - 1, 120);
        GatewayRows.CountEvents(gateway, "DeliveryDead").ShouldBe(1);
        GatewayRows.CountInstances(gateway, "protected").ShouldBe(1);
        // The one whose answer was lost came twice under one UID, which is the same object for a PACS; nothing else did.
        pacs.Stored.Count.ShouldBe(images.Count);
        pacs.Stored.Distinct().Count().ShouldBe(images.Count - 1);
        pacs.Requests.ShouldBe(images.Count + 3);
        GatewayRows.CountEvents(gateway, "ForwardFailed").ShouldBe(3);
    }

    [Fact]
    public async Task Fault_19_a_clock_that_jumps_a_day_ahead_and_two_back_holds_nothing_up()
    {
        using var clock = FakeClock.Create();
        bool isFull = true;
        await using var pacs = new ScriptedPacs(_ => Volatile.Read(ref isFull) ? PacsDeed.Refuse(0xA700) : PacsDeed.Store);
        await using GatewayProcess gateway = await GatewayProcess.Prepare(pacs.Port);
        await gateway.StartAgain(clock.Environment);
        IReadOnlyList<string> images = Images.Copies(_folder.Folder("images"), 6);

        clock.Set("+1d");
        await ShouldFollow(gateway, TimeSpan.FromDays(1));
        (await DcmtkTools.Store(gateway.Port, "MODALITY", "PSG", images.Take(3))).ShouldSucceed();
        await Eventually.IsTrue("the PACS is full", () => GatewayRows.CountEvents(gateway, "ForwardFailed") >= 3);
        clock.Set("-1d");
        await ShouldFollow(gateway, TimeSpan.FromDays(-1));
        // By the clock as it is now, those that were refused wait for a time that is two days away.
        Volatile.Write(ref isFull, false);
        (await DcmtkTools.Store(gateway.Port, "MODALITY", "PSG", images.Skip(3))).ShouldSucceed();
        await Eventually.IsTrue("everything arrives", () => pacs.Stored.Count == images.Count);
        pacs.Stored.Distinct().Count().ShouldBe(images.Count);
    }

    /// <summary>Waits until what the gateway writes now bears the time that it is told.</summary>
    private static Task ShouldFollow(GatewayProcess gateway, TimeSpan offset) => Eventually.IsTrue("the gateway's clock has jumped", async () =>
    {
        (await DcmtkTools.Echo(gateway.Port)).ShouldSucceed();
        return Math.Abs((GatewayRows.LastRecordAt(gateway) - DateTimeOffset.UtcNow - offset).TotalMinutes) < 5;
    });
}
