using System.Buffers;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>C-GET at the gateway, and objects that have to be written anew for a peer that takes less.</summary>
public sealed class GetTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("psg-get-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task An_authorised_caller_gets_the_originals_on_its_own_association_and_that_is_recorded()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        IReadOnlyList<byte[]> sent = await gateway.SendAsync(1, 2, 3);
        await gateway.UntilAsync(InstanceState.Forwarded, 3);
        var got = new Dictionary<string, byte[]>();
        RetrieveResult result = await GetAsync(gateway, "CLINIC", got);
        (result.Status, result.Completed, result.Failed).ShouldBe((DimseStatus.Success, 3, 0));
        for (int i = 0; i < 3; i++)
        {
            got[SampleObjects.SopUID(i + 1)].ShouldBe(sent[i]);
        }

        (await gateway.EventsAsync(new AuditFilter { CallingAE = "CLINIC", Events = [AuditEvent.Reidentified, AuditEvent.RetrieveCompleted] }))
            .ShouldBe([AuditEvent.Reidentified, AuditEvent.Reidentified, AuditEvent.Reidentified, AuditEvent.RetrieveCompleted]);
        (await GetAsync(gateway, "CLINIC", got, study: "*")).Status.ShouldBe(DimseStatus.DataSetDoesNotMatch);
    }

    [Theory]
    [InlineData("READER")]
    [InlineData("CT1")]
    public async Task Nobody_else_gets_anything_and_the_attempt_is_recorded(string callingAE)
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        await gateway.SendAsync(1);
        await gateway.UntilAsync(InstanceState.Forwarded, 1);
        var got = new Dictionary<string, byte[]>();
        (await GetAsync(gateway, callingAE, got)).Status.ShouldBe(DimseStatus.NotAuthorized);
        got.ShouldBeEmpty();
        (await gateway.EventsAsync(new AuditFilter { CallingAE = callingAE, Events = [AuditEvent.RetrieveRefused] })).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Getscu_of_dcmtk_gets_the_originals_bit_for_bit()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        IReadOnlyList<byte[]> sent = await gateway.SendAsync(1, 2);
        await gateway.UntilAsync(InstanceState.Forwarded, 2);
        (int exitCode, string output) = await Dcmtk.RunAsync("getscu", "-v", "-S", "-aet", "CLINIC", "-aec", "PSG", "-od", _folder.FullName, "+B",
            "-k", "QueryRetrieveLevel=STUDY", "-k", $"StudyInstanceUID={SampleObjects.StudyUID}",
            "127.0.0.1", gateway.Host.EndPoint.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        exitCode.ShouldBe(0, output);
        byte[][] files = [.. _folder.GetFiles().OrderBy(static f => f.Name).Select(static f =>
            DataSetWriter.ToArray(DicomFile.Read(File.ReadAllBytes(f.FullName)).DataSet, TransferSyntax.ExplicitVRLittleEndian))];
        files.Length.ShouldBe(2, output);
        files.ShouldAllBe(f => sent.Any(s => s.SequenceEqual(f)));
    }

    [Fact]
    public async Task A_peer_that_takes_implicit_only_gets_the_same_values_in_it()
    {
        await using var clinic = new StoringPeer { StorageSyntaxes = [TransferSyntax.ImplicitVRLittleEndian.UID] };
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(g =>
        {
            g.Pacs.StorageSyntaxes = [TransferSyntax.ImplicitVRLittleEndian.UID];
            g.Options.MoveDestinations.Add(new PeerOptions { AETitle = "CLINIC", Host = "127.0.0.1", Port = clinic.Port });
        });
        IReadOnlyList<byte[]> sent = await gateway.SendAsync(1);
        await gateway.UntilAsync(InstanceState.Forwarded, 1);
        gateway.Pacs.Requests.ShouldHaveSingleItem().TransferSyntaxUID.ShouldBe(TransferSyntax.ImplicitVRLittleEndian.UID);

        // The PACS of this test gives back bytes as they are; what it was given is put into the syntax that it sends in.
        string pseudonym = gateway.Pacs.Stored.Keys.Single();
        gateway.Pacs.Stored[pseudonym] = DataSetWriter.ToArray(
            DataSetReader.Read(gateway.Pacs.Stored[pseudonym], TransferSyntax.ImplicitVRLittleEndian), TransferSyntax.ExplicitVRLittleEndian);
        await using RequestorAssociation caller = await gateway.ConnectAsync("CLINIC");
        MoveResponse final = await caller.MoveAsync(SopClasses.StudyRootMove, "CLINIC", Study(SampleObjects.StudyUID), Cancel).LastAsync(Cancel);
        (final.Status, final.Completed).ShouldBe((DimseStatus.Success, 1));
        DataSetWriter.ToArray(DataSetReader.Read(clinic.Stored[SampleObjects.SopUID(1)], TransferSyntax.ImplicitVRLittleEndian), TransferSyntax.ExplicitVRLittleEndian)
            .ShouldBe(sent[0]);
    }

    [Fact]
    public async Task An_unknown_storage_class_is_refused_unless_it_is_configured()
    {
        const string Private = "1.2.826.0.1.3680043.10.99.1";
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(static g => g.Options.Listen.PrivateStorageClasses.Add(Private));
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(gateway.Peer("CT1"),
            [new ProposedContext(Private, TransferSyntax.ExplicitVRLittleEndian.UID), new ProposedContext(Private + ".2", TransferSyntax.ExplicitVRLittleEndian.UID)],
            AssociationLimits.Default, Cancel);
        association.Accepts(Private, TransferSyntax.ExplicitVRLittleEndian.UID).ShouldBeTrue();
        association.Accepts(Private + ".2", TransferSyntax.ExplicitVRLittleEndian.UID).ShouldBeFalse();
        DataSet instance = SampleObjects.Create(1);
        instance.SetText(Tags.SOPClassUID, Private);
        (await association.StoreAsync(Private, SampleObjects.SopUID(1), TransferSyntax.ExplicitVRLittleEndian.UID,
            new ReadOnlySequence<byte>(SampleObjects.Encode(instance)), null, Cancel)).Status.ShouldBe(DimseStatus.Success);
        await association.ReleaseAsync(Cancel);
    }

    private static DataSet Study(string uid)
    {
        var identifier = new DataSet();
        identifier.SetText(Tags.QueryRetrieveLevel, "STUDY");
        identifier.SetText(Tags.StudyInstanceUID, uid);
        return identifier;
    }

    private static async Task<RetrieveResult> GetAsync(GatewayHarness gateway, string callingAE, Dictionary<string, byte[]> got, string study = SampleObjects.StudyUID)
    {
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(gateway.Peer(callingAE),
            [
                new ProposedContext(SopClasses.StudyRootGet, TransferSyntax.ExplicitVRLittleEndian.UID),
                new ProposedContext(SopClasses.CTImageStorage, TransferSyntax.ExplicitVRLittleEndian.UID) { ScpRole = true },
            ], AssociationLimits.Default, Cancel);
        RetrieveResult result = await association.GetAsync(SopClasses.StudyRootGet, Study(study), async (request, ct) =>
        {
            got[request.AffectedSOPInstanceUID] = await RecordingProvider.ReadAllAsync(request.DataSet, ct);
            return StoreResponse.Success;
        }, Cancel);
        await association.ReleaseAsync(Cancel);
        return result;
    }
}
