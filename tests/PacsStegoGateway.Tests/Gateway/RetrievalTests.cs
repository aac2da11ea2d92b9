using System.Net;
using System.Net.Sockets;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Retrieval;
using PacsStegoGateway.Service;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

public sealed class RetrievalTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_authorised_caller_finds_by_original_identifiers_what_nobody_else_can()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        await gateway.SendAsync(1, 2, 3);
        await gateway.UntilAsync(InstanceState.Forwarded, 3);
        await using RequestorAssociation clinic = await gateway.ConnectAsync("CLINIC");
        async Task<List<DataSet>> FindAsync(params (Tag Tag, string Text)[] keys)
        {
            var identifier = new DataSet();
            foreach ((Tag tag, string text) in keys)
            {
                identifier.SetText(tag, text);
            }

            var found = new List<DataSet>();
            await foreach (DataSet match in clinic.FindAsync(SopClasses.StudyRootFind, identifier, Cancel))
            {
                found.Add(match);
            }

            return found;
        }

        (Tag, string) study = (Tags.QueryRetrieveLevel, "STUDY");
        DataSet match = (await FindAsync(study, (Tags.PatientID, SampleObjects.PatientID), (Tags.PatientName, ""), (Tags.StudyInstanceUID, ""))).ShouldHaveSingleItem();
        match.GetText(Tags.PatientName).ShouldBe(SampleObjects.PatientName);
        match.GetText(Tags.StudyInstanceUID).ShouldBe(SampleObjects.StudyUID);
        (await FindAsync(study, (Tags.PatientName, "zwet*"))).Count.ShouldBe(1);
        (await FindAsync(study, (Tags.StudyDate, "20240101-20240201"))).Count.ShouldBe(1);
        (await FindAsync(study, (Tags.AccessionNumber, SampleObjects.AccessionNumber))).Count.ShouldBe(1);
        (await FindAsync(study, (Tags.StudyDate, "20240201-"))).ShouldBeEmpty();
        (await FindAsync(study, (Tags.PatientName, "other*"))).ShouldBeEmpty();
        (await FindAsync(study, (Tags.PatientID, "PLANTED-4712"))).ShouldBeEmpty();
        (await FindAsync((Tags.QueryRetrieveLevel, "SERIES"), (Tags.StudyInstanceUID, SampleObjects.StudyUID))).Count.ShouldBe(1);
        (await FindAsync((Tags.QueryRetrieveLevel, "IMAGE"), (Tags.StudyInstanceUID, SampleObjects.StudyUID), (Tags.SeriesInstanceUID, SampleObjects.SeriesUID), (Tags.SOPInstanceUID, "")))
            .Select(static d => d.GetText(Tags.SOPInstanceUID)).ShouldBe([SampleObjects.SopUID(1), SampleObjects.SopUID(2), SampleObjects.SopUID(3)], ignoreOrder: true);
        (await gateway.EventsAsync(new AuditFilter { CallingAE = "CLINIC", Events = [AuditEvent.Query] })).Count.ShouldBe(9);
        (await gateway.EventsAsync(new AuditFilter { CallingAE = "CLINIC", Events = [AuditEvent.Disclosed] }))
            .ShouldNotBeEmpty();
    }

    [Fact]
    public async Task An_authorised_move_brings_every_original_back_bit_for_bit_with_its_originator()
    {
        await using var clinic = new StoringPeer();
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(g => AddDestination(g, clinic.Port));
        IReadOnlyList<byte[]> sent = await gateway.SendAsync(1, 2, 3);
        await gateway.UntilAsync(InstanceState.Forwarded, 3);
        List<MoveResponse> responses = await MoveAsync(gateway, "CLINIC");
        MoveResponse final = responses[^1];
        (final.Status, final.Completed, final.Failed, final.Remaining).ShouldBe((DimseStatus.Success, 3, 0, 0));
        responses[..^1].ShouldAllBe(static r => r.Status.IsPending && r.Completed + r.Failed + r.Warning + r.Remaining == 3);
        for (int i = 0; i < 3; i++)
        {
            clinic.Stored[SampleObjects.SopUID(i + 1)].ShouldBe(sent[i]);
        }

        clinic.Requests.ShouldAllBe(static r => r.MoveOriginator!.ApplicationEntityTitle == "CLINIC");
        (await gateway.EventsAsync(new AuditFilter { CallingAE = "CLINIC", Events = [AuditEvent.Reidentified, AuditEvent.RetrieveCompleted] }))
            .ShouldBe([AuditEvent.Reidentified, AuditEvent.Reidentified, AuditEvent.Reidentified, AuditEvent.RetrieveCompleted]);
    }

    [Fact]
    public async Task What_has_not_left_yet_is_given_from_the_spool()
    {
        await using var clinic = new StoringPeer();
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(g => AddDestination(g, clinic.Port));
        await gateway.Pacs.StopAsync();
        IReadOnlyList<byte[]> sent = await gateway.SendAsync(1);
        await gateway.UntilAsync(InstanceState.Protected, 1);
        (await MoveAsync(gateway, "CLINIC"))[^1].Status.ShouldBe(DimseStatus.Success);
        clinic.Stored[SampleObjects.SopUID(1)].ShouldBe(sent[0]);
    }

    [Fact]
    public async Task What_cannot_be_revealed_is_failed_with_its_UID_and_the_others_arrive()
    {
        await using var clinic = new StoringPeer();
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(g =>
        {
            AddDestination(g, clinic.Port);
            g.Parts = new ProtectionParts(SampleObjects.Keys, SampleObjects.Protect, static (stored, transferSyntax) =>
                stored.GetText(Tags.SOPInstanceUID) == SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(2))
                    ? new RevealOutcome.NotRevealed(RefusalReason.PixelsAltered, "Altered.")
                    : SampleObjects.Reveal(stored, transferSyntax));
        });
        await gateway.SendAsync(1, 2, 3);
        await gateway.UntilAsync(InstanceState.Forwarded, 3);
        MoveResponse final = (await MoveAsync(gateway, "CLINIC"))[^1];
        (final.Status, final.Completed, final.Failed).ShouldBe((DimseStatus.SuboperationsCompleteWithFailures, 2, 1));
        final.FailedSOPInstanceUIDList.ShouldBe([SampleObjects.SopUID(2)]);
        clinic.Stored.Keys.ShouldBe([SampleObjects.SopUID(1), SampleObjects.SopUID(3)], ignoreOrder: true);
    }

    [Fact]
    public async Task An_object_that_the_PACS_lost_is_failed()
    {
        await using var clinic = new StoringPeer();
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(g => AddDestination(g, clinic.Port));
        await gateway.SendAsync(1, 2);
        await gateway.UntilAsync(InstanceState.Forwarded, 2);
        gateway.Pacs.Stored.TryRemove(SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(1)), out _).ShouldBeTrue();
        MoveResponse final = (await MoveAsync(gateway, "CLINIC"))[^1];
        (final.Status, final.Completed, final.Failed).ShouldBe((DimseStatus.SuboperationsCompleteWithFailures, 1, 1));
    }

    [Fact]
    public async Task Unknown_destination_wrong_identifier_and_a_destination_that_is_off()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        int nobody = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(g => AddDestination(g, nobody));
        await gateway.SendAsync(1, 2);
        await gateway.UntilAsync(InstanceState.Forwarded, 2);
        (await MoveAsync(gateway, "NOWHERE"))[^1].Status.ShouldBe(DimseStatus.MoveDestinationUnknown);
        (await MoveAsync(gateway, "CLINIC", study: "*"))[^1].Status.ShouldBe(DimseStatus.DataSetDoesNotMatch);
        (await MoveAsync(gateway, "CLINIC", study: ""))[^1].Status.ShouldBe(DimseStatus.DataSetDoesNotMatch);
        MoveResponse none = (await MoveAsync(gateway, "CLINIC", study: "1.2.3"))[^1];
        (none.Status, none.Completed, none.Failed).ShouldBe((DimseStatus.Success, 0, 0));
        MoveResponse off = (await MoveAsync(gateway, "CLINIC"))[^1];
        (off.Status, off.Completed, off.Failed).ShouldBe((DimseStatus.UnableToPerformSuboperations, 0, 2));
        off.FailedSOPInstanceUIDList.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(3, 0, false, 0x0000)]
    [InlineData(2, 1, false, 0xB000)]
    [InlineData(0, 3, false, 0xA702)]
    [InlineData(1, 1, true, 0xFE00)]
    [InlineData(3, 0, true, 0x0000)]
    public void The_final_status_says_what_became_of_all_and_the_counts_add_up(int completed, int failed, bool canceled, int status)
    {
        FoundInstance[] all = [.. Enumerable.Range(1, 3).Select(static i => new FoundInstance(new InstanceRow { SopUID = $"2.25.{i}" }, $"1.2.{i}"))];
        var progress = new MoveProgress(all);
        for (int i = 0; i < completed + failed; i++)
        {
            progress.Settle(all[i], i < completed ? DimseStatus.Success : DimseStatus.OutOfResources);
            progress.Settle(all[i], DimseStatus.Success);
        }

        MoveResponse final = progress.Final(canceled);
        final.Status.Code.ShouldBe((ushort)status);
        (final.Completed, final.Failed, final.Remaining).ShouldBe((completed, failed, 3 - completed - failed));
        final.FailedSOPInstanceUIDList.Count.ShouldBe(failed);
    }

    private static void AddDestination(GatewayHarness gateway, int port) =>
        gateway.Options.MoveDestinations.Add(new PeerOptions { AETitle = "CLINIC", Host = "127.0.0.1", Port = port });

    private static async Task<List<MoveResponse>> MoveAsync(GatewayHarness gateway, string destination, string study = SampleObjects.StudyUID)
    {
        await using RequestorAssociation clinic = await gateway.ConnectAsync("CLINIC");
        var identifier = new DataSet();
        identifier.SetText(Tags.QueryRetrieveLevel, "STUDY");
        identifier.SetText(Tags.StudyInstanceUID, study);
        var responses = new List<MoveResponse>();
        await foreach (MoveResponse response in clinic.MoveAsync(SopClasses.StudyRootMove, destination, identifier, Cancel))
        {
            responses.Add(response);
        }

        return responses;
    }
}
