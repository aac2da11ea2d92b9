using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Phantoms;
using PacsStegoGateway.SystemTests.Fixtures;
using PacsStegoGateway.Tests;

namespace PacsStegoGateway.SystemTests;

/// <summary>Bad input and bad days: each gets its status or its reason in quarantine, and nothing is lost.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly TemporaryFolder _folder = new("bad");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_image_without_background_is_accepted_and_quarantined_with_that_reason()
    {
        await using OrthancServer orthanc = await OrthancServer.Start();
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort);
        PhantomInstance phantom = Phantom();
        byte[] tissue = new byte[512 * 512 * 2];
        var random = new Random(1);
        for (int i = 0; i < tissue.Length; i += 2)
        {
            BitConverter.TryWriteBytes(tissue.AsSpan(i), (ushort)random.Next(1040, 1120));
        }

        phantom.DataSet.Set(Element.Raw(Tags.PixelData, Vr.OW, tissue));
        (await Send(gateway, phantom)).Status.ShouldBe(DimseStatus.Success);
        await ShouldBeQuarantined(gateway, "NoBackground");
        (await orthanc.Count()).ShouldBe(0);
    }

    [Fact]
    public async Task A_structured_report_is_accepted_and_quarantined_because_nothing_can_be_hidden_in_it()
    {
        await using OrthancServer orthanc = await OrthancServer.Start();
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort);
        PhantomInstance phantom = Phantom();
        const string BasicTextSR = "1.2.840.10008.5.1.4.1.1.88.11";
        phantom.DataSet.SetText(Tags.SOPClassUID, BasicTextSR);
        phantom.DataSet.SetText(Tags.Modality, "SR");
        phantom.DataSet.Remove(Tags.PixelData);
        (await Send(gateway, phantom with { SopClassUID = BasicTextSR })).Status.ShouldBe(DimseStatus.Success);
        JsonElement record = await ShouldBeQuarantined(gateway, null);
        record.GetProperty("reason").GetString().ShouldBeOneOf("NoPixelData", "UnsupportedObject");
    }

    [Fact]
    public async Task A_data_set_cut_short_is_answered_C000_and_one_of_another_instance_A900()
    {
        await using OrthancServer orthanc = await OrthancServer.Start();
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort);
        PhantomInstance phantom = Phantom();
        byte[] whole = DataSetWriter.ToArray(phantom.DataSet, phantom.TransferSyntax);
        (await Send(gateway, phantom, whole[..(whole.Length / 2)])).Status.ShouldBe(DimseStatus.CannotUnderstand);
        (await Send(gateway, phantom with { SopInstanceUID = "1.2.3.4" }, whole)).Status.ShouldBe(DimseStatus.DataSetDoesNotMatch);
        // The gateway is none the worse for it.
        (await Send(gateway, phantom, whole)).Status.ShouldBe(DimseStatus.Success);
        await Eventually.IsTrue("the good one arrives", async () => await orthanc.Count() == 1, 120);
        GatewayRows.CountEvents(gateway, "ReceiveRefused").ShouldBe(2);
    }

    [Fact]
    public async Task An_unknown_SOP_class_is_not_accepted_in_negotiation_and_the_others_are()
    {
        await using GatewayProcess gateway = await GatewayProcess.Start(FreePort.Next());
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(
            Peer(gateway, "PSG", "MODALITY"),
            [new ProposedContext("1.2.826.0.1.3680043.9.1", TransferSyntax.ExplicitVRLittleEndian.UID), new ProposedContext(SopClasses.CTImageStorage, TransferSyntax.ExplicitVRLittleEndian.UID)],
            new AssociationLimits(), TestContext.Current.CancellationToken);
        association.Accepts("1.2.826.0.1.3680043.9.1", TransferSyntax.ExplicitVRLittleEndian.UID).ShouldBeFalse();
        association.Accepts(SopClasses.CTImageStorage, TransferSyntax.ExplicitVRLittleEndian.UID).ShouldBeTrue();
        await association.ReleaseAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Wrong_AE_titles_are_rejected_with_their_reasons_and_recorded()
    {
        await using GatewayProcess gateway = await GatewayProcess.Start(FreePort.Next());
        string file = Images.Phantoms(_folder.Path, slices: 1)[0];
        Finished called = await DcmtkTools.Store(gateway.Port, "MODALITY", "OTHER", [file]);
        called.ExitCode.ShouldNotBe(0);
        called.Output.ShouldContain("Called AE Title Not Recognized");
        Finished calling = await DcmtkTools.Store(gateway.Port, "NOBODY", "PSG", [file]);
        calling.ExitCode.ShouldNotBe(0);
        calling.Output.ShouldContain("Calling AE Title Not Recognized");
        await Eventually.IsTrue("both are in the audit trail", () => GatewayRows.CountEvents(gateway, "AssociationRejected") == 2);
    }

    [Fact]
    public async Task A_caller_who_may_only_verify_cannot_store()
    {
        await using GatewayProcess gateway = await GatewayProcess.Start(FreePort.Next());
        (await Send(gateway, Phantom(), calling: "VISITOR")).Status.ShouldBe(DimseStatus.NotAuthorized);
        GatewayRows.CountInstances(gateway, "received").ShouldBe(0);
    }

    [Fact]
    public async Task A_full_spool_answers_A700_and_takes_again_what_is_sent_when_there_is_room()
    {
        await using OrthancServer orthanc = await OrthancServer.Start();
        await orthanc.Stop();
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort, change: static c => c["Spool"]!["QuotaMegabytes"] = 4);
        List<PhantomInstance> images = PhantomStudy.Create(new PhantomOptions { SlicesPerSeries = 8 }).Take(12).ToList();
        var refused = new List<PhantomInstance>();
        foreach (PhantomInstance image in images)
        {
            DimseStatus status = (await Send(gateway, image)).Status;
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
            await Eventually.IsTrue("the refused one is taken now", async () => (await Send(gateway, image)).Status == DimseStatus.Success);
        }

        await Eventually.IsTrue("everything arrives", async () => await orthanc.Count() == images.Count, 180);
    }

    [Fact]
    public async Task With_the_database_away_for_half_a_minute_nothing_is_accepted_and_nothing_is_lost()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        DatabaseOptions database = await postgres.CreateDatabaseAsync();
        await using OrthancServer orthanc = await OrthancServer.Start();
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort, change: c => c["Database"] = new JsonObject
        {
            ["Kind"] = "postgresql",
            ["ConnectionString"] = database.ConnectionString,
            ["TimeoutSeconds"] = 3,
        });
        List<PhantomInstance> images = PhantomStudy.Create(new PhantomOptions { SlicesPerSeries = 2 }).ToList();
        foreach (PhantomInstance image in images.Take(4))
        {
            (await Send(gateway, image)).Status.ShouldBe(DimseStatus.Success);
        }

        // Whoever is in the middle of sending is told A700; whoever comes is sent away for the moment: both try again later.
        await using (RequestorAssociation open = await Connect(gateway, images[4], "MODALITY"))
        {
            await postgres.StopAsync();
            (await Store(open, images[4])).Status.ShouldBe(DimseStatus.OutOfResources);
        }

        using (var halfMinute = new CancellationTokenSource(TimeSpan.FromSeconds(30)))
        {
            while (!halfMinute.IsCancellationRequested)
            {
                (await IsTakenNow(gateway, images[4])).ShouldBeFalse();
                await Task.Delay(2000, halfMinute.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
            }
        }

        await postgres.StartAgainAsync();
        foreach (PhantomInstance image in images.Skip(4))
        {
            await Eventually.IsTrue("the gateway takes images again", () => IsTakenNow(gateway, image));
        }

        await Eventually.IsTrue("every image is at the PACS", async () => await orthanc.Count() == images.Count, 180);
    }

    [Fact]
    public async Task The_same_object_again_is_success_and_goes_out_once_other_content_under_its_UID_is_quarantined()
    {
        await using OrthancServer orthanc = await OrthancServer.Start();
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort);
        PhantomInstance image = Phantom();
        (await Send(gateway, image)).Status.ShouldBe(DimseStatus.Success);
        (await Send(gateway, image)).Status.ShouldBe(DimseStatus.Success);
        await Eventually.IsTrue("it is forwarded", () => GatewayRows.CountEvents(gateway, "Forwarded") == 1, 120);
        image.DataSet.SetText(Tags.PatientWeight, "72.5");
        (await Send(gateway, image)).Status.ShouldBe(DimseStatus.Success);
        await ShouldBeQuarantined(gateway, "ConflictingContent");
        (await orthanc.Count()).ShouldBe(1);
        GatewayRows.CountEvents(gateway, "Forwarded").ShouldBe(1);
    }

    private static PhantomInstance Phantom() => PhantomStudy.Create(new PhantomOptions { SlicesPerSeries = 1 }).First();

    private static PeerAddress Peer(GatewayProcess gateway, string called, string calling) => new("127.0.0.1", gateway.Port, called, calling);

    private static Task<RequestorAssociation> Connect(GatewayProcess gateway, PhantomInstance image, string calling) =>
        RequestorAssociation.ConnectAsync(Peer(gateway, "PSG", calling), [new ProposedContext(image.SopClassUID, image.TransferSyntax.UID)],
            new AssociationLimits(), TestContext.Current.CancellationToken);

    private static Task<StoreResponse> Store(RequestorAssociation association, PhantomInstance image, byte[]? dataSet = null) =>
        association.StoreAsync(image.SopClassUID, image.SopInstanceUID, image.TransferSyntax.UID,
            new ReadOnlySequence<byte>(dataSet ?? DataSetWriter.ToArray(image.DataSet, image.TransferSyntax)), null, TestContext.Current.CancellationToken);

    private static async Task<StoreResponse> Send(GatewayProcess gateway, PhantomInstance image, byte[]? dataSet = null, string calling = "MODALITY")
    {
        await using RequestorAssociation association = await Connect(gateway, image, calling);
        StoreResponse response = await Store(association, image, dataSet);
        await association.ReleaseAsync(TestContext.Current.CancellationToken);
        return response;
    }

    /// <summary>True for success; false for "not now", be it A700 or a transient rejection. Anything else fails.</summary>
    private static async Task<bool> IsTakenNow(GatewayProcess gateway, PhantomInstance image)
    {
        try
        {
            DimseStatus status = (await Send(gateway, image)).Status;
            status.ShouldBeOneOf(DimseStatus.Success, DimseStatus.OutOfResources);
            return status == DimseStatus.Success;
        }
        catch (AssociationException e)
        {
            e.Failure.ShouldBe(AssociationFailure.Rejected);
            e.IsTransient.ShouldBeTrue();
            return false;
        }
    }

    private static async Task<JsonElement> ShouldBeQuarantined(GatewayProcess gateway, string? reason)
    {
        await Eventually.IsTrue("it is in quarantine", () => GatewayRows.CountInstances(gateway, "quarantined") == 1, 120);
        Finished listed = (await gateway.Psg("audit", "list", "--json", "--event", "Quarantined")).ShouldSucceed();
        JsonElement record = JsonDocument.Parse(listed.StandardOutput).RootElement.EnumerateArray().Single();
        if (reason is not null)
        {
            record.GetProperty("reason").GetString().ShouldBe(reason, StringCompareShould.IgnoreCase);
        }

        return record;
    }
}
