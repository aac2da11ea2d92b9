using System.Text.Json;
using System.Text.Json.Nodes;
using PacsStegoGateway.SystemTests.Fixtures;

namespace PacsStegoGateway.SystemTests;

/// <summary>An object that a rule sent elsewhere than to the PACS comes back from where it is.</summary>
public sealed class OtherHolderTests
{
    [Fact]
    public async Task An_original_comes_back_from_the_destination_that_holds_it_while_the_PACS_knows_nothing_of_it()
    {
        using var folder = new TemporaryFolder("holder");
        string phantom = Images.Phantoms(folder.Folder("made"), slices: 1)[0];
        await using OrthancServer pacs = await OrthancServer.Start();
        await using OrthancServer research = await OrthancServer.Start();
        await using StoreScp clinic = await StoreScp.Start("CLINIC");
        await using GatewayProcess gateway = await GatewayProcess.Start(pacs.DicomPort, clinic, c =>
        {
            c["Segmentation"] = new JsonObject { ["Kind"] = "threshold" };
            c["Destinations"] = new JsonArray(new JsonObject
            {
                ["Name"] = "RESEARCH", ["AETitle"] = "RESEARCH", ["Host"] = "127.0.0.1", ["Port"] = research.DicomPort,
            });
            c["Routes"] = new JsonArray(new JsonObject { ["Name"] = "all", ["Destinations"] = new JsonArray("RESEARCH") });
        });
        (await DcmtkTools.Store(gateway.Port, "MODALITY", "PSG", [phantom])).ShouldSucceed();
        await Eventually.IsTrue("the image is at the other destination", async () => await research.Count() == 1, 120);
        // Until its file is gone here, it would be given from it.
        await Eventually.IsTrue("the image has left the gateway", async () => JsonDocument.Parse(
            (await gateway.Psg("audit", "list", "--json", "--event", "forwarded")).ShouldSucceed().StandardOutput).RootElement.GetArrayLength() == 1, 60);

        Part10 sent = Part10.At(phantom);
        Finished moved = await DcmtkTools.Move(
            gateway.Port, "CLINIC", "PSG", "CLINIC", "STUDY", $"StudyInstanceUID={sent.DataSet.GetText(Dicom.Tags.StudyInstanceUID)}");
        DcmtkTools.Statuses(moved)[^1].ShouldBe("0000", moved.Output);
        Part10.At(clinic.Received.ShouldHaveSingleItem()).PixelHash.ShouldBe(sent.PixelHash);
        (await pacs.Count()).ShouldBe(0);
    }
}
