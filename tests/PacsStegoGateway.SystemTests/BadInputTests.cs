using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Phantoms;
using PacsStegoGateway.SystemTests.Fixtures;

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
        PhantomInstance phantom = Modality.Phantom();
        byte[] tissue = new byte[512 * 512 * 2];
        var random = new Random(1);
        for (int i = 0; i < tissue.Length; i += 2)
        {
            BitConverter.TryWriteBytes(tissue.AsSpan(i), (ushort)random.Next(1040, 1120));
        }

        phantom.DataSet.Set(Element.Raw(Tags.PixelData, Vr.OW, tissue));
        (await Modality.Send(gateway, phantom)).Status.ShouldBe(DimseStatus.Success);
        await Quarantine.ShouldHold(gateway, "NoBackground");
        (await orthanc.Count()).ShouldBe(0);
    }

    [Fact]
    public async Task A_data_set_cut_short_is_answered_C000_and_one_of_another_instance_A900()
    {
        await using OrthancServer orthanc = await OrthancServer.Start();
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort);
        PhantomInstance phantom = Modality.Phantom();
        byte[] whole = DataSetWriter.ToArray(phantom.DataSet, phantom.TransferSyntax);
        (await Modality.Send(gateway, phantom, whole[..(whole.Length / 2)])).Status.ShouldBe(DimseStatus.CannotUnderstand);
        (await Modality.Send(gateway, phantom with { SopInstanceUID = "1.2.3.4" }, whole)).Status.ShouldBe(DimseStatus.DataSetDoesNotMatch);
        // The gateway is none the worse for it.
        (await Modality.Send(gateway, phantom, whole)).Status.ShouldBe(DimseStatus.Success);
        await Eventually.IsTrue("the good one arrives", async () => await orthanc.Count() == 1, 120);
        GatewayRows.CountEvents(gateway, "ReceiveRefused").ShouldBe(2);
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
        (await Modality.Send(gateway, Modality.Phantom(), calling: "VISITOR")).Status.ShouldBe(DimseStatus.NotAuthorized);
        GatewayRows.CountInstances(gateway, "received").ShouldBe(0);
    }
}
