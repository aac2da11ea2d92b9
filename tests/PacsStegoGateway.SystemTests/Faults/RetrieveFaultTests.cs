using System.Text.Json.Nodes;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.SystemTests.Fixtures;

namespace PacsStegoGateway.SystemTests.Faults;

/// <summary>C-MOVE that does not go to its end: asked by <c>movescu</c>, given by Orthanc, delivered to <c>storescp</c>.</summary>
public sealed class RetrieveFaultTests(RetrieveFaultTests.Archive archive) : IClassFixture<RetrieveFaultTests.Archive>
{
    [Fact]
    public async Task Fault_16_one_of_N_that_the_PACS_lost_is_B000_with_exact_counts_and_all_others_arrive()
    {
        int before = archive.Clinic.Received.Count;
        await archive.Orthanc.Delete(archive.PseudonymOf(archive.Lost));
        Finished moved = await DcmtkTools.Move(archive.Gateway.Port, "CLINIC", "PSG", "CLINIC", "STUDY", $"StudyInstanceUID={archive.Study}");
        DcmtkTools.Statuses(moved)[^1].ShouldBe("B000");

        moved.Output.Contains($"Completed Suboperations       : {archive.Images.Count - 1}", StringComparison.Ordinal).ShouldBeTrue(archive.Gateway.Process.Output);
        moved.Output.ShouldContain("Failed Suboperations          : 1");
        (archive.Clinic.Received.Count - before).ShouldBe(archive.Images.Count - 1);
    }

    [Fact]
    public async Task Fault_16_after_a_cancel_the_answer_is_FE00_and_the_rest_is_not_sent()
    {
        Finished moved = await ChildProcess.Run("movescu", [.. Arguments("SLOW"), "--cancel", "1"]);
        DcmtkTools.Statuses(moved)[^1].ShouldBe("FE00");
        archive.Slow.Received.Count.ShouldBeLessThan(archive.Images.Count - 1);
    }

    [Fact]
    public async Task Fault_16_when_the_requester_vanishes_no_more_is_sent()
    {
        await using (var requester = ChildProcess.Start("movescu", Arguments("SLOWER")))
        {
            await Eventually.IsTrue("the first arrives", () => archive.Slower.Received.Count >= 1);
            await requester.Kill();
        }

        await Eventually.IsTrue("the delivery ends", () => archive.Slower.HasEnded);
        archive.Slower.Received.Count.ShouldBeLessThan(archive.Images.Count - 1);
        (await DcmtkTools.Echo(archive.Gateway.Port)).ShouldSucceed();
    }

    private string[] Arguments(string destination) =>
        ["-d", "-S", "-aet", "CLINIC", "-aec", "PSG", "-aem", destination, "-k", "QueryRetrieveLevel=STUDY", "-k", $"StudyInstanceUID={archive.Study}",
         "127.0.0.1", archive.Gateway.Port.ToString(System.Globalization.CultureInfo.InvariantCulture)];

    /// <summary>A study that is at the PACS alone, and three who may have it: two of them take a second for each image.</summary>
    public sealed class Archive : IAsyncLifetime
    {
        private readonly TemporaryFolder _folder = new("archive");
        private Pseudonymizer _pseudonyms = null!;

        public OrthancServer Orthanc { get; private set; } = null!;

        public StoreScp Clinic { get; private set; } = null!;

        public StoreScp Slow { get; private set; } = null!;

        public StoreScp Slower { get; private set; } = null!;

        public GatewayProcess Gateway { get; private set; } = null!;

        public IReadOnlyList<string> Images { get; private set; } = [];

        public string Lost => Images[^1];

        public string Study { get; private set; } = "";

        public string PseudonymOf(string path) => _pseudonyms.MapUID(Part10.At(path).SOPInstanceUID);

        public async ValueTask InitializeAsync()
        {
            Images = Fixtures.Images.Copies(_folder.Folder("images"), 8);
            Study = Part10.At(Images[0]).DataSet.GetText(Tags.StudyInstanceUID)!;
            Orthanc = await OrthancServer.Start();
            Clinic = await StoreScp.Start("CLINIC");
            Slow = await StoreScp.Start("SLOW", "--sleep-after", "1");
            Slower = await StoreScp.Start("SLOWER", "--sleep-after", "1");
            Gateway = await GatewayProcess.Start(Orthanc.DicomPort, Clinic, c =>
            {
                foreach (StoreScp slow in (StoreScp[])[Slow, Slower])
                {
                    c["MoveDestinations"]!.AsArray().Add(new JsonObject { ["AETitle"] = slow.AETitle, ["Host"] = "127.0.0.1", ["Port"] = slow.Port });
                }

                c["Retrieval"] = new JsonObject { ["PendingSeconds"] = 1 };
            });
            _pseudonyms = new Pseudonymizer(KeyRing.Load(Gateway.KeyRingPath).PseudonymKey);
            (await DcmtkTools.Store(Gateway.Port, "MODALITY", "PSG", Images)).ShouldSucceed();
            await Eventually.IsTrue("the study is at the PACS", async () => await Orthanc.Count() == Images.Count, 120);
            await Eventually.IsTrue("its files are gone", () => !Ledger.SpoolFiles(Gateway).Any());
        }

        public async ValueTask DisposeAsync()
        {
            await Gateway.DisposeAsync();
            await Slower.DisposeAsync();
            await Slow.DisposeAsync();
            await Clinic.DisposeAsync();
            await Orthanc.DisposeAsync();
            _folder.Dispose();
        }
    }
}
