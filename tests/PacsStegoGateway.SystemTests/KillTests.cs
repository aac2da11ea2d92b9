using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.SystemTests.Fixtures;

namespace PacsStegoGateway.SystemTests;

/// <summary>The power fails: whatever was answered with success is at the PACS afterwards, once.</summary>
public sealed class KillTests : IDisposable
{
    private readonly TemporaryFolder _folder = new("kill");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Fault_09_killed_right_after_the_answer_it_loses_and_doubles_nothing()
    {
        IReadOnlyList<string> sent = Images.Phantoms(_folder.Path, slices: 3);
        await using OrthancServer orthanc = await OrthancServer.Start();
        await orthanc.Stop();
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort);
        (await DcmtkTools.Store(gateway.Port, "MODALITY", "PSG", sent)).ShouldSucceed();
        await gateway.Kill();

        await orthanc.StartAgain();
        await gateway.StartAgain();
        await ShouldArriveOnce(gateway, orthanc, sent);
    }

    [Fact]
    public async Task Fault_09_killed_during_protection_it_loses_and_doubles_nothing()
    {
        IReadOnlyList<string> sent = Images.Phantoms(_folder.Path, slices: 6);
        await using OrthancServer orthanc = await OrthancServer.Start();
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort, change: static c => c["Work"]!["Workers"] = 1);
        (await DcmtkTools.Store(gateway.Port, "MODALITY", "PSG", sent)).ShouldSucceed();
        await Eventually.IsTrue("some images are protected", () => GatewayRows.CountEvents(gateway, "Protected") >= 2);
        await gateway.Kill();
        GatewayRows.CountInstances(gateway, "received").ShouldBeGreaterThan(0, "The images were protected too fast to be interrupted.");

        await gateway.StartAgain();
        await ShouldArriveOnce(gateway, orthanc, sent);
    }

    [Fact]
    public async Task Fault_09_killed_in_the_middle_of_forwarding_an_object_it_loses_and_doubles_nothing()
    {
        IReadOnlyList<string> sent = Images.Phantoms(_folder.Path, slices: 3);
        await using OrthancServer orthanc = await OrthancServer.Start();
        // Two CT images and a half.
        await using var proxy = new StallingProxy(orthanc.DicomPort, stallAfter: 1_300_000);
        await using GatewayProcess gateway = await GatewayProcess.Start(proxy.Port, change: static c => c["Pacs"]!["Associations"] = 1);
        (await DcmtkTools.Store(gateway.Port, "MODALITY", "PSG", sent)).ShouldSucceed();
        await proxy.Stalled.WaitAsync(TimeSpan.FromSeconds(120), TestContext.Current.CancellationToken);
        await gateway.Kill();
        (await orthanc.Count()).ShouldBeLessThan(sent.Count);

        proxy.Release();
        await gateway.StartAgain();
        await ShouldArriveOnce(gateway, orthanc, sent);
    }

    [Fact]
    public async Task An_orderly_stop_ends_with_exit_code_0_and_the_next_start_goes_on()
    {
        IReadOnlyList<string> sent = Images.Phantoms(_folder.Path, slices: 2);
        await using OrthancServer orthanc = await OrthancServer.Start();
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort);
        (await DcmtkTools.Store(gateway.Port, "MODALITY", "PSG", sent)).ShouldSucceed();
        (await gateway.Stop()).ShouldBe(0, gateway.Output);
        await gateway.StartAgain();
        await ShouldArriveOnce(gateway, orthanc, sent);
    }

    private static async Task ShouldArriveOnce(GatewayProcess gateway, OrthancServer orthanc, IReadOnlyList<string> sent)
    {
        await Eventually.IsTrue("the PACS has every image", async () => await orthanc.Count() >= sent.Count, 180);
        await Eventually.IsTrue("every row is done", () => GatewayRows.CountInstances(gateway, "forwarded") == sent.Count);

        var pseudonyms = new Pseudonymizer(KeyRing.Load(gateway.KeyRingPath).PseudonymKey);
        (await orthanc.Files()).Select(static f => new Part10(f).SOPInstanceUID).Order()
            .ShouldBe(sent.Select(p => pseudonyms.MapUID(Part10.At(p).SOPInstanceUID)).Order());
        GatewayRows.CountEvents(gateway, "Received").ShouldBe(sent.Count);
        GatewayRows.CountEvents(gateway, "Protected").ShouldBe(sent.Count);
        GatewayRows.CountEvents(gateway, "Forwarded").ShouldBe(sent.Count);
        await Eventually.IsTrue("the spool is empty", () => !Ledger.SpoolFiles(gateway).Any());
    }
}
