using System.Text.Json;
using System.Text.Json.Nodes;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.SystemTests.Fixtures;

namespace PacsStegoGateway.SystemTests;

/// <summary>What comes back of an image that the PACS did not leave as it was: less, said to be less. What comes back of a recompressed one: ObjectFaultTests.</summary>
public sealed class ChangedAtThePacsTests
{
    [Fact]
    public async Task Without_its_encrypted_attributes_an_image_has_its_pixels_and_identity_back_as_a_warning()
    {
        await using World world = await World.Start();
        await world.Change(file => ChildProcess.Run("dcmodify",
            ["-nb", "-ie", "-ea", "(0400,0500)", "-ea", "(0008,2111)", "-ea", "(0012,0063)", "-ea", "(0012,0064)", "-ea", "(0028,0303)", file]));

        Finished moved = await world.Move();
        DcmtkTools.Statuses(moved)[^1].ShouldBe("B000", moved.Output);
        Part10 back = Part10.At(world.Clinic.Received.ShouldHaveSingleItem());
        back.PixelHash.ShouldBe(world.Sent.PixelHash);
        foreach (Tag tag in (Tag[])[Tags.PatientName, Tags.PatientID, Tags.PatientBirthDate, Tags.PatientSex, Tags.AccessionNumber,
            Tags.StudyInstanceUID, Tags.SeriesInstanceUID, Tags.SOPInstanceUID])
        {
            back.DataSet.GetText(tag).ShouldBe(world.Sent.DataSet.GetText(tag));
        }

        back.DataSet.GetText(Tags.PatientIdentityRemoved).ShouldBe("NO");
        JsonElement told = (await world.Audit("reidentified")).ShouldHaveSingleItem();
        told.GetProperty("reason").GetString().ShouldBe("OriginalNotProven");
        (await world.Audit("retrieveCompleted")).ShouldHaveSingleItem().GetProperty("detail").GetString()!.ShouldContain("0 completed, 0 failed, 1 with warning, 0 not tried, status B000H");
    }

    /// <summary>One phantom sent through a gateway to an Orthanc, and a clinic that may have it back.</summary>
    private sealed class World : IAsyncDisposable
    {
        private readonly TemporaryFolder _folder = new("changed");
        private OrthancServer _orthanc = null!;
        private GatewayProcess _gateway = null!;

        public StoreScp Clinic { get; private set; } = null!;

        public Part10 Sent { get; private set; } = null!;

        public static async Task<World> Start()
        {
            var world = new World();
            string phantom = Images.Phantoms(world._folder.Folder("made"), slices: 1)[0];
            world.Sent = Part10.At(phantom);
            world._orthanc = await OrthancServer.Start();
            world.Clinic = await StoreScp.Start("CLINIC");
            world._gateway = await GatewayProcess.Start(world._orthanc.DicomPort, world.Clinic, static c =>
            {
                c["Retrieval"] = new JsonObject { ["SymbolAlone"] = "deliver" };
                c["Segmentation"] = new JsonObject { ["Kind"] = "threshold" };
            });
            (await DcmtkTools.Store(world._gateway.Port, "MODALITY", "PSG", [phantom])).ShouldSucceed();
            await Eventually.IsTrue("the image is at the PACS", async () => await world._orthanc.Count() == 1, 120);
            // Until its file is gone here, it would be given from it.
            await Eventually.IsTrue("the image has left the gateway", async () => (await world.Audit("forwarded")).Count == 1, 60);
            return world;
        }

        /// <summary>Takes the image out of the PACS, lets a program change the file, and puts it back.</summary>
        public async Task Change(Func<string, Task<Finished>> change)
        {
            string file = _folder.At("held.dcm");
            await File.WriteAllBytesAsync(file, (await _orthanc.Files()).ShouldHaveSingleItem());
            (await change(file)).ShouldSucceed();
            await _orthanc.Replace(Part10.At(file).SOPInstanceUID, await File.ReadAllBytesAsync(file));
        }

        public Task<Finished> Move() => DcmtkTools.Move(
            _gateway.Port, "CLINIC", "PSG", "CLINIC", "STUDY", $"StudyInstanceUID={Sent.DataSet.GetText(Tags.StudyInstanceUID)}");

        public async Task<IReadOnlyList<JsonElement>> Audit(string @event) =>
            [.. JsonDocument.Parse((await _gateway.Psg("audit", "list", "--json", "--event", @event)).ShouldSucceed().StandardOutput).RootElement.EnumerateArray()];

        public async ValueTask DisposeAsync()
        {
            await _gateway.DisposeAsync();
            await Clinic.DisposeAsync();
            await _orthanc.DisposeAsync();
            _folder.Dispose();
        }
    }
}
