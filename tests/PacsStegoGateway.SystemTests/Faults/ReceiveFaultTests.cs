using System.Text.Json.Nodes;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Phantoms;
using PacsStegoGateway.SystemTests.Fixtures;
using PacsStegoGateway.Tests;

namespace PacsStegoGateway.SystemTests.Faults;

/// <summary>No room, no database, the same thing twice: what a modality is told, and that it comes right by itself.</summary>
public sealed class ReceiveFaultTests : IDisposable
{
    private readonly TemporaryFolder _folder = new("receive");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Fault_07_a_disk_that_is_full_at_any_byte_is_A700_and_comes_right_by_itself(bool holdsTheDatabaseToo)
    {
        await using SmallFileSystem disk = await SmallFileSystem.Mount(megabytes: 24);
        await using OrthancServer orthanc = await OrthancServer.Start();
        await orthanc.Stop();
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort, change: c =>
        {
            c["Spool"]!["Folder"] = Path.Combine(disk.Path, "spool");
            if (holdsTheDatabaseToo)
            {
                c["Database"] = new JsonObject { ["Path"] = Path.Combine(disk.Path, "gateway.db"), ["TimeoutSeconds"] = 3 };
            }
        });
        List<PhantomInstance> images = Images.Small(_folder.Folder("images"), 14);
        var refused = new List<PhantomInstance>();
        long[] room = [0, 4_096, 8_192, 20_480, 61_440, 102_400, 131_072, 135_168, 139_264, 163_840, 204_800, 266_240, 401_408, 802_816];
        foreach ((PhantomInstance image, long free) in images.Zip(room))
        {
            disk.LeaveFree(free);
            if (!await Modality.IsTakenNow(gateway, image))
            {
                refused.Add(image);
            }
        }

        refused.Count.ShouldBeGreaterThanOrEqualTo(5);
        gateway.IsRunning.ShouldBeTrue(gateway.Process.Output);
        disk.Release();
        foreach (PhantomInstance image in refused)
        {
            await Eventually.IsTrue("the refused one is taken now", () => Modality.IsTakenNow(gateway, image));
        }

        await orthanc.StartAgain();
        await Ledger.ShouldBalance(gateway, orthanc, Directory.GetFiles(_folder.Folder("images")), 120);
    }

    [Fact]
    public async Task Fault_07_a_spool_at_its_quota_is_A700_and_takes_again_when_there_is_room()
    {
        await using OrthancServer orthanc = await OrthancServer.Start();
        await orthanc.Stop();
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort, change: static c => c["Spool"]!["QuotaMegabytes"] = 4);
        List<PhantomInstance> images = [.. Modality.Phantoms(slices: 8).Take(12)];
        var refused = new List<PhantomInstance>();
        foreach (PhantomInstance image in images)
        {
            DimseStatus status = (await Modality.Send(gateway, image)).Status;
            if (status != DimseStatus.Success)
            {
                status.ShouldBe(DimseStatus.OutOfResources);
                refused.Add(image);
            }
        }

        refused.Count.ShouldBeInRange(1, images.Count - 1);
        await orthanc.StartAgain();
        await Eventually.IsTrue("what was accepted arrives", async () => await orthanc.Count() == images.Count - refused.Count, 180);
        foreach (PhantomInstance image in refused)
        {
            await Eventually.IsTrue("the refused one is taken now", async () => (await Modality.Send(gateway, image)).Status == DimseStatus.Success);
        }

        await Eventually.IsTrue("everything arrives", async () => await orthanc.Count() == images.Count, 180);
    }

    [Fact]
    public async Task Fault_08_with_the_database_away_it_is_A700_inside_an_association_and_a_transient_rejection_before_one()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        DatabaseOptions database = await postgres.CreateDatabaseAsync();
        await using OrthancServer orthanc = await OrthancServer.Start();
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort, change: c => c["Database"] = GatewayProcess.Postgres(database, timeoutSeconds: 3));
        List<PhantomInstance> images = Modality.Phantoms(slices: 2);
        foreach (PhantomInstance image in images.Take(4))
        {
            (await Modality.Send(gateway, image)).Status.ShouldBe(DimseStatus.Success);
        }

        // Whoever is in the middle of sending is told A700; whoever comes is sent away for the moment: both try again later.
        await using (RequestorAssociation open = await Modality.Connect(gateway, images[4]))
        {
            await postgres.StopAsync();
            (await Modality.Store(open, images[4])).Status.ShouldBe(DimseStatus.OutOfResources);
        }

        for (int attempt = 0; attempt < 3; attempt++)
        {
            (await Modality.IsTakenNow(gateway, images[4])).ShouldBeFalse();
        }

        await postgres.StartAgainAsync();
        foreach (PhantomInstance image in images.Skip(4))
        {
            await Eventually.IsTrue("the gateway takes images again", () => Modality.IsTakenNow(gateway, image));
        }

        await Eventually.IsTrue("every image is at the PACS", async () => await orthanc.Count() == images.Count, 180);
    }

    [Fact]
    public async Task Fault_12_the_same_object_again_is_success_and_goes_out_once_other_content_under_its_UID_is_quarantined()
    {
        await using OrthancServer orthanc = await OrthancServer.Start();
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort);
        PhantomInstance image = Modality.Phantom();
        (await Modality.Send(gateway, image)).Status.ShouldBe(DimseStatus.Success);
        (await Modality.Send(gateway, image)).Status.ShouldBe(DimseStatus.Success);
        await Eventually.IsTrue("it is forwarded", () => GatewayRows.CountEvents(gateway, "Forwarded") == 1, 120);
        image.DataSet.SetText(Tags.PatientWeight, "72.5");
        (await Modality.Send(gateway, image)).Status.ShouldBe(DimseStatus.Success);
        await Quarantine.ShouldHold(gateway, "ConflictingContent");
        (await orthanc.Count()).ShouldBe(1);
        GatewayRows.CountEvents(gateway, "Forwarded").ShouldBe(1);
    }
}
