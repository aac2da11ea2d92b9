using System.Buffers;
using Dapper;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Service;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>In at the door, through protection, out to the PACS; over real sockets.</summary>
public sealed class GatewayTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_modality_sends_reaches_the_PACS_protected_once_and_leaves_no_file_and_no_identity_behind()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        await gateway.SendAsync(1, 2, 3, 4, 5);
        await gateway.UntilAsync(InstanceState.Forwarded, 5);
        gateway.Pacs.Stored.Keys.ShouldBe(Enumerable.Range(1, 5).Select(static i => SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(i))), ignoreOrder: true);
        gateway.Pacs.Requests.Count.ShouldBe(5);
        await Eventually.BecomesTrueAsync(() => gateway.SpoolFiles.Count == 0);
        (await gateway.EventsAsync(new AuditFilter { SopUID = SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(3)) }))
            .ShouldBe([AuditEvent.Received, AuditEvent.Protected, AuditEvent.Forwarded]);
        (await gateway.EventsAsync()).Take(2).ShouldBe([AuditEvent.ServiceStarted, AuditEvent.AssociationAccepted]);
        await gateway.StopAsync();

        // Every column of every table, and whatever else the database keeps, is in its files.
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        foreach (string file in Directory.GetFiles(gateway.Options.DataFolder, "gateway.db*"))
        {
            string text = System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, Cancel));
            foreach (string planted in SampleObjects.Planted)
            {
                text.Contains(planted, StringComparison.OrdinalIgnoreCase).ShouldBeFalse(planted);
            }
        }

        string log = string.Join('\n', gateway.LogLines);
        log.ShouldNotBeEmpty();
        SampleObjects.Planted.ShouldAllBe(planted => !log.Contains(planted, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Who_is_not_listed_or_calls_someone_else_or_from_elsewhere_is_rejected_and_recorded()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        async Task<AssociationDecision.Rejected> RejectionAsync(string calling, string called) =>
            (await Should.ThrowAsync<AssociationException>(() => gateway.ConnectAsync(calling, called))).Rejection!;
        (await RejectionAsync("STRANGER", "PSG")).ShouldBe(AssociationDecision.CallingAETitleNotRecognized);
        (await RejectionAsync("CT1", "OTHER")).ShouldBe(AssociationDecision.CalledAETitleNotRecognized);
        (await RejectionAsync("FAR", "PSG")).ShouldBe(AssociationDecision.CallingAETitleNotRecognized);
        (await gateway.EventsAsync(new AuditFilter { Events = [AuditEvent.AssociationRejected] })).Count.ShouldBe(3);
    }

    [Fact]
    public async Task One_association_too_many_is_rejected_as_transient_and_accepted_later()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(static g =>
        {
            g.Options.Listen.MaxAssociations = 3;
            g.Options.Listen.MaxAssociationsPerAE = 2;
        });
        RequestorAssociation first = await gateway.ConnectAsync("CT1");
        await using RequestorAssociation second = await gateway.ConnectAsync("CT1");
        (await Should.ThrowAsync<AssociationException>(() => gateway.ConnectAsync("CT1"))).Rejection.ShouldBe(AssociationDecision.LocalLimitExceeded);
        await using RequestorAssociation other = await gateway.ConnectAsync("READER");
        (await Should.ThrowAsync<AssociationException>(() => gateway.ConnectAsync("CLINIC"))).IsTransient.ShouldBeTrue();
        await first.ReleaseAsync(Cancel);
        await first.DisposeAsync();
        await Eventually.BecomesTrueAsync(async () =>
        {
            try
            {
                await using RequestorAssociation again = await gateway.ConnectAsync("CT1");
                return (await again.EchoAsync(Cancel)).IsSuccess;
            }
            catch (AssociationException e) when (e.IsTransient)
            {
                return false;
            }
        });
    }

    [Fact]
    public async Task A_caller_without_the_role_is_told_so_and_recorded()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        await using RequestorAssociation reader = await gateway.ConnectAsync("READER");
        (await reader.EchoAsync(Cancel)).ShouldBe(DimseStatus.Success);
        StoreResponse store = await reader.StoreAsync(SopClasses.CTImageStorage, SampleObjects.SopUID(1), TransferSyntax.ExplicitVRLittleEndian.UID,
            new ReadOnlySequence<byte>(SampleObjects.Encode(SampleObjects.Create(1))), null, Cancel);
        store.Status.ShouldBe(DimseStatus.NotAuthorized);
        store.ErrorComment.ShouldNotBeNullOrEmpty();
        var identifier = new DataSet();
        identifier.SetText(Tags.QueryRetrieveLevel, "STUDY");
        identifier.SetText(Tags.StudyInstanceUID, SampleObjects.StudyUID);
        AssociationException find = await Should.ThrowAsync<AssociationException>(async () =>
        {
            await foreach (DataSet _ in reader.FindAsync(SopClasses.StudyRootFind, identifier, Cancel))
            {
            }
        });
        find.Status.ShouldBe(DimseStatus.NotAuthorized);
        MoveResponse move = default!;
        await foreach (MoveResponse response in reader.MoveAsync(SopClasses.StudyRootMove, "CLINIC", identifier, Cancel))
        {
            move = response;
        }

        move.Status.ShouldBe(DimseStatus.NotAuthorized);
        (await gateway.EventsAsync(new AuditFilter { CallingAE = "READER", Outcome = AuditOutcome.SeriousFailure }))
            .ShouldBe([AuditEvent.ReceiveRefused, AuditEvent.QueryRefused, AuditEvent.RetrieveRefused]);
    }

    [Fact]
    public async Task A_PACS_that_is_away_or_full_gets_everything_when_it_is_back_and_nothing_twice()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        gateway.Pacs.Answer = static n => n is 1 or 2 ? DimseStatus.OutOfResources : DimseStatus.Success;
        await gateway.Pacs.StopAsync();
        await gateway.SendAsync(1, 2, 3);
        await gateway.UntilAsync(InstanceState.Protected, 3);
        gateway.Pacs.Start();
        await gateway.UntilAsync(InstanceState.Forwarded, 3);
        gateway.Pacs.Requests.Count.ShouldBe(5);
        (await gateway.EventsAsync(new AuditFilter { Events = [AuditEvent.ForwardFailed] })).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_row_that_somebody_changed_sends_neither_an_original_nor_another_object_in_its_place()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        await gateway.Pacs.StopAsync();
        await gateway.SendAsync(1, 2, 3, 4);
        await gateway.UntilAsync(InstanceState.Protected, 4);
        await gateway.StopAsync();
        await using (var database = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={gateway.DatabaseFile}"))
        {
            await database.OpenAsync(Cancel);
            await database.ExecuteAsync("UPDATE instances SET protected_file = received_file WHERE id = 1");
            string second = (await database.ExecuteScalarAsync<string>("SELECT protected_file FROM instances WHERE id = 2"))!;
            string third = (await database.ExecuteScalarAsync<string>("SELECT protected_file FROM instances WHERE id = 3"))!;
            await database.ExecuteAsync("UPDATE instances SET protected_file = NULL WHERE id IN (2, 3)");
            await database.ExecuteAsync("UPDATE instances SET protected_file = CASE id WHEN 2 THEN @third ELSE @second END WHERE id IN (2, 3)", new { second, third });
        }

        gateway.Pacs.Start();
        await gateway.StartAgainAsync();
        await gateway.UntilAsync(InstanceState.Quarantined, 3);
        await gateway.UntilAsync(InstanceState.Forwarded, 1);
        gateway.Pacs.Requests.ShouldHaveSingleItem().AffectedSOPInstanceUID.ShouldBe(SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(4)));
        (await gateway.Host.Store.QuarantinedAsync(new QuarantineFilter(), Cancel)).ShouldAllBe(static r => r.Reason == nameof(RefusalReason.ProofFailed));
    }

    [Fact]
    public async Task An_object_that_the_PACS_refuses_for_good_is_a_dead_letter_with_the_reason_and_holds_nothing_up()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        gateway.Pacs.Answer = static n => n == 0 ? DimseStatus.CannotUnderstand : new DimseStatus(0xB000);
        await gateway.SendAsync(1);
        await Eventually.BecomesTrueAsync(async () => (await gateway.EventsAsync(new AuditFilter { Events = [AuditEvent.DeliveryDead] })).Count == 1);
        await gateway.SendAsync(2);
        await gateway.UntilAsync(InstanceState.Forwarded, 1);
        InstanceRow row = (await gateway.Host.Store.DueAsync(InstanceState.Protected, 10, Cancel)).ShouldHaveSingleItem();
        row.SopUID.ShouldBe(SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(1)));
        AuditRecord dead = (await gateway.Host.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.DeliveryDead] }, Cancel)).ShouldHaveSingleItem();
        (dead.Reason, dead.Detail).ShouldBe((nameof(RefusalReason.RefusedByDestination), "PACS answered C000H."));
        (await gateway.CountAsync(InstanceState.Quarantined)).ShouldBe(0);
    }

    [Fact]
    public async Task What_cannot_be_protected_is_quarantined_and_never_leaves()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(static g => g.Parts = new ProtectionParts(
            SampleObjects.Keys,
            static (bytes, syntax, keep) => DataSetReader.Read(bytes, syntax).GetText(Tags.InstanceNumber) switch
            {
                "1" => new ProtectionOutcome.Quarantined(RefusalReason.NoBackground, "No background."),
                "2" => throw new InvalidOperationException("A fault of our own."),
                _ => SampleObjects.Protect(bytes, syntax, keep),
            },
            SampleObjects.Reveal));
        await gateway.SendAsync(1, 2, 3);
        await gateway.UntilAsync(InstanceState.Quarantined, 2);
        await gateway.UntilAsync(InstanceState.Forwarded, 1);
        gateway.Pacs.Stored.Count.ShouldBe(1);
        (await gateway.Host.Store.DueAsync(InstanceState.Quarantined, 10, Cancel)).Select(static r => r.Reason)
            .ShouldBe([nameof(RefusalReason.NoBackground), nameof(RefusalReason.ProofFailed)], ignoreOrder: true);
    }

    [Fact]
    public async Task After_a_stop_in_the_middle_everything_goes_on_where_it_was()
    {
        using var gate = new SemaphoreSlim(0);
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(g => g.Parts = new ProtectionParts(
            SampleObjects.Keys,
            (bytes, syntax, keep) =>
            {
                // The first two come through, the others fail as a process does that is killed: nothing is written.
                if (!gate.Wait(TimeSpan.Zero))
                {
                    throw new StoreUnavailableException("killed");
                }

                return SampleObjects.Protect(bytes, syntax, keep);
            },
            SampleObjects.Reveal));
        await gateway.Pacs.StopAsync();
        gate.Release(2);
        IReadOnlyList<byte[]> sent = await gateway.SendAsync(1, 2, 3, 4);
        await gateway.UntilAsync(InstanceState.Protected, 2);
        await gateway.StopAsync();
        string orphan = Path.Combine(gateway.SpoolFolder, "gateway", "00", "00000000000000000000000000000000");
        await File.WriteAllBytesAsync(orphan, [1, 2, 3], Cancel);

        gateway.Parts = SampleObjects.Parts;
        gateway.Pacs.Start();
        await gateway.StartAgainAsync();
        File.Exists(orphan).ShouldBeFalse();
        await gateway.UntilAsync(InstanceState.Forwarded, 4);
        gateway.Pacs.Requests.Count.ShouldBe(4);
        foreach (byte[] bytes in sent)
        {
            string uid = SampleObjects.Pseudonyms.MapUID(DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian).GetText(Tags.SOPInstanceUID)!);
            ((RevealOutcome.Revealed)SampleObjects.Reveal(DataSetReader.Read(gateway.Pacs.Stored[uid], TransferSyntax.ExplicitVRLittleEndian), TransferSyntax.ExplicitVRLittleEndian))
                .Original.DataSet.ToArray().ShouldBe(bytes);
        }
    }
}
