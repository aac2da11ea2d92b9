using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Work;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>An object goes to each destination on its own; what becomes of it is decided by the last.</summary>
public sealed class DeliveryStoreTests(PostgresFixture postgres) : StoreRoom(postgres)
{
    private static readonly ForwardTarget Pacs = new("PACS");
    private static readonly ForwardTarget Archive = new("ARCHIVE", StorageCommitment: true);

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_last_delivery_decides_the_state_and_when_the_files_may_go(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        InstanceRow row = await ProtectAsync(store, "2.25.1", Pacs, Archive);
        (await store.SettleDeliverySentAsync(await DueAsync(store, "PACS"), "0000H")).ShouldBe(new Settlement(true));
        (await StateAsync(store)).ShouldBe(InstanceState.Protected);
        DeliveryRow archive = await DueAsync(store, "ARCHIVE");
        archive.WantsCommitment.ShouldBeTrue();
        (await store.SettleDeliverySentAsync(archive, "0000H")).ShouldBe(new Settlement(true));
        (await StateAsync(store)).ShouldBe(InstanceState.Forwarded);
        (await store.UnownedFilesAsync([row.ReceivedFile, row.ProtectedFile!], Cancel)).ShouldBeEmpty();

        DeliveryRow sent = (await store.QueuedAsync(new DeliveryFilter(), Cancel)).ShouldHaveSingleItem();
        (sent.State, sent.SentAt.HasValue).ShouldBe((DeliveryState.Sent, true));
        (await store.SettleDeliveryCommittedAsync(sent, new AuditRecord(AuditEvent.Committed))).ShouldBe(new Settlement(true, FilesUnneeded: true));
        (await store.SettleDeliveryCommittedAsync(sent, new AuditRecord(AuditEvent.Committed))).ShouldBe(new Settlement(false));
        (await StateAsync(store)).ShouldBe(InstanceState.Committed);
        (await store.UnownedFilesAsync([row.ReceivedFile, row.ProtectedFile!], Cancel)).Count.ShouldBe(2);
        (await store.QueuedAsync(new DeliveryFilter(), Cancel)).ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_destination_that_has_not_got_it_after_all_is_sent_it_again(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        await ProtectAsync(store, "2.25.1", Archive);
        await store.SettleDeliverySentAsync(await DueAsync(store, "ARCHIVE"), "0000H");
        DeliveryRow sent = (await store.QueuedAsync(new DeliveryFilter { State = DeliveryState.Sent }, Cancel)).ShouldHaveSingleItem();
        (await store.SettleDeliveryRetryAsync(sent, DateTimeOffset.UtcNow, "Not committed: 0112H.")).ShouldBeTrue();
        DeliveryRow again = await DueAsync(store, "ARCHIVE");
        (again.Attempts, again.Detail).ShouldBe((1, "Not committed: 0112H."));
        await store.SettleDeliverySentAsync(again, "0000H");
        sent = (await store.QueuedAsync(new DeliveryFilter { State = DeliveryState.Sent }, Cancel)).ShouldHaveSingleItem();
        (await store.SettleDeliveryCommittedAsync(sent, new AuditRecord(AuditEvent.Committed))).FilesUnneeded.ShouldBeTrue();
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_failed_attempt_waits_for_its_time_without_holding_up_another_destination(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        await ProtectAsync(store, "2.25.1", Pacs, Archive);
        (await store.SettleDeliveryRetryAsync(await DueAsync(store, "PACS"), DateTimeOffset.UtcNow.AddHours(1), "A700H")).ShouldBeTrue();
        (await store.DueDeliveriesAsync("PACS", 10, Cancel)).ShouldBeEmpty();
        (await store.DueDeliveriesAsync("ARCHIVE", 10, Cancel)).Count.ShouldBe(1);
        (await EventsAsync(store)).ShouldBe([AuditEvent.Received, AuditEvent.Protected, AuditEvent.ForwardFailed]);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_dead_letter_keeps_its_files_until_a_person_retries_or_drops_it(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        InstanceRow row = await ProtectAsync(store, "2.25.1", Pacs, new ForwardTarget("ARCHIVE"));
        await store.SettleDeliverySentAsync(await DueAsync(store, "ARCHIVE"), "0000H");
        (await store.SettleDeliveryDeadAsync(await DueAsync(store, "PACS"), "C000H")).ShouldBe(new Settlement(true));
        (await store.DueDeliveriesAsync("PACS", 10, Cancel)).ShouldBeEmpty();
        (await StateAsync(store)).ShouldBe(InstanceState.Protected);
        (await store.UnownedFilesAsync([row.ReceivedFile, row.ProtectedFile!], Cancel)).ShouldBeEmpty();

        DeliverySummary summary = (await store.SummarizeQueuesAsync(Cancel)).ShouldHaveSingleItem();
        (summary.Destination, summary.State, summary.Count).ShouldBe(("PACS", DeliveryState.Dead, 1));
        DeliveryRow dead = (await store.QueuedAsync(new DeliveryFilter { Destination = "PACS", State = DeliveryState.Dead }, Cancel)).ShouldHaveSingleItem();
        (await store.RetryDeliveryAsync(dead, "by a test")).ShouldBeTrue();
        (await store.RetryDeliveryAsync(dead, "by a test")).ShouldBeFalse();
        DeliveryRow again = await DueAsync(store, "PACS");
        again.Attempts.ShouldBe(0);
        await store.SettleDeliveryDeadAsync(again, "C000H");
        dead = (await store.QueuedAsync(new DeliveryFilter(), Cancel)).ShouldHaveSingleItem();
        (await store.DropDeliveryAsync(dead, "by a test")).ShouldBe(DropResult.DroppedLast);
        (await store.DropDeliveryAsync(dead, "by a test")).ShouldBe(DropResult.Gone);
        (await StateAsync(store)).ShouldBe(InstanceState.Forwarded);
        (await store.UnownedFilesAsync([row.ReceivedFile, row.ProtectedFile!], Cancel)).Count.ShouldBe(2);
        (await EventsAsync(store)).Skip(3).ShouldBe([AuditEvent.DeliveryDead, AuditEvent.DeliveryRetried, AuditEvent.DeliveryDead, AuditEvent.DeliveryDropped]);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_is_dropped_from_its_only_queue_is_in_quarantine_and_released_goes_everywhere_again(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        InstanceRow row = await ProtectAsync(store, "2.25.1", Pacs);
        (await store.DropDeliveryAsync(await DueAsync(store, "PACS"), "by a test")).ShouldBe(DropResult.Quarantined);
        InstanceRow quarantined = (await store.QuarantinedAsync(new QuarantineFilter(), Cancel)).ShouldHaveSingleItem();
        quarantined.Detail.ShouldBe("Dropped from the queue of PACS: no destination has it.");
        (await store.UnownedFilesAsync([row.ReceivedFile, row.ProtectedFile!], Cancel)).ShouldBeEmpty();
        await store.ReleaseAsync(quarantined, "by a test");
        InstanceRow received = (await store.DueAsync(InstanceState.Received, 10, Cancel)).ShouldHaveSingleItem();
        (await store.SetProtectedAsync(received, Guid.NewGuid().ToString("N"), [Pacs], null)).ShouldBeTrue();
        await DueAsync(store, "PACS");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task One_that_was_sent_need_not_be_waited_for_and_one_that_is_quarantined_is_not_sent(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        await ProtectAsync(store, "2.25.1", Archive);
        await store.SettleDeliverySentAsync(await DueAsync(store, "ARCHIVE"), "0000H");
        (await store.DropDeliveryAsync((await store.QueuedAsync(new DeliveryFilter(), Cancel))[0], "by a test")).ShouldBe(DropResult.DroppedLast);
        (await StateAsync(store)).ShouldBe(InstanceState.Forwarded);

        InstanceRow row = await ProtectAsync(store, "2.25.2", Pacs);
        (await store.QuarantineAsync(row, RefusalReason.ProofFailed, null)).ShouldBeTrue();
        (await store.QueuedAsync(new DeliveryFilter(), Cancel)).ShouldBeEmpty();
        await store.ReleaseAsync((await store.QuarantinedAsync(new QuarantineFilter(), Cancel))[0], "by a test");
        await store.SetProtectedAsync((await store.DueAsync(InstanceState.Received, 10, Cancel))[0], Guid.NewGuid().ToString("N"), [Pacs, Archive], null);
        (await store.QueuedAsync(new DeliveryFilter(), Cancel)).Select(static d => d.Destination).ShouldBe(["PACS", "ARCHIVE"], ignoreOrder: true);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_is_in_quarantine_or_to_be_protected_again_keeps_its_files_whatever_a_destination_reports(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        foreach (string sop in (string[])["2.25.1", "2.25.2", "2.25.3", "2.25.4"])
        {
            InstanceRow row = await ProtectAsync(store, sop, Pacs, Archive);
            await store.SettleDeliverySentAsync((await store.DueDeliveriesAsync("ARCHIVE", 100, Cancel)).Single(d => d.Instance.SopUID == sop), "0000H");
            (await store.QuarantineAsync(row, RefusalReason.ProofFailed, null)).ShouldBeTrue();
        }

        (await store.BeginCommitAsync("2.25.90", "ARCHIVE", 3, DateTimeOffset.UtcNow.AddHours(1))).Count.ShouldBe(3);
        // The second is to be protected once more; the fourth is only waited for no longer.
        await store.ReleaseAsync((await store.QuarantinedAsync(new QuarantineFilter(), Cancel)).Single(static r => r.SopUID == "2.25.2"), "by a test");
        CommitReportOutcome heard = await store.ApplyCommitReportAsync("2.25.90", ["ARCHIVE"],
            [new("2.25.1", CommitVerdict.Committed, ""), new("2.25.2", CommitVerdict.Committed, ""), new("2.25.3", CommitVerdict.SendAgain, "")],
            static _ => default, 3, new AuditRecord(AuditEvent.CommitmentReported));
        (heard.Committed, heard.SentAgain).ShouldBe((2, 1));
        heard.FilesUnneeded.ShouldBeEmpty();
        DeliveryRow fourth = (await store.QueuedAsync(new DeliveryFilter { State = DeliveryState.Sent }, Cancel)).ShouldHaveSingleItem();
        (await store.DropDeliveryAsync(fourth, "by a test")).ShouldBe(DropResult.Dropped);
        (await store.DueDeliveriesAsync("ARCHIVE", 100, Cancel)).ShouldBeEmpty("what is in quarantine is not sent");

        IReadOnlyDictionary<InstanceState, long> states = await store.CountAsync(Cancel);
        (states[InstanceState.Quarantined], states[InstanceState.Received]).ShouldBe((3, 1));
        InstanceRow again = (await store.DueAsync(InstanceState.Received, 10, Cancel)).ShouldHaveSingleItem();
        (await store.UnownedFilesAsync([again.ReceivedFile], Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Two_who_drop_the_last_two_deliveries_at_a_time_leave_the_object_in_quarantine()
    {
        StoreDialect dialect = await DialectAsync(DatabaseKind.PostgreSql);
        await using GatewayStore one = await OpenAsync(dialect);
        await using GatewayStore two = await OpenAsync(dialect);
        for (int i = 1; i <= 20; i++)
        {
            InstanceRow row = await ProtectAsync(one, $"2.25.{i}", Pacs, Archive);
            IReadOnlyList<DeliveryRow> queued = await one.QueuedAsync(new DeliveryFilter(), Cancel);
            DropResult[] results = await Task.WhenAll(one.DropDeliveryAsync(queued[0], "one"), two.DropDeliveryAsync(queued[1], "two"));
            results.Order().ShouldBe(new[] { DropResult.Dropped, DropResult.Quarantined }.Order());
            (await one.UnownedFilesAsync([row.ReceivedFile, row.ProtectedFile!], Cancel)).ShouldBeEmpty();
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Queue_filters_and_pages_hold_together(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        for (int i = 1; i <= 3; i++)
        {
            await ProtectAsync(store, $"2.25.{i}", Pacs, Archive);
        }

        await store.SettleDeliveryDeadAsync(await DueAsync(store, "PACS"), "C000H");
        async Task<int> CountAsync(DeliveryFilter filter) => (await store.QueuedAsync(filter, Cancel)).Count;
        (await CountAsync(new DeliveryFilter())).ShouldBe(6);
        (await CountAsync(new DeliveryFilter { Destination = "PACS" })).ShouldBe(3);
        (await CountAsync(new DeliveryFilter { Destination = "PACS", State = DeliveryState.Pending })).ShouldBe(2);
        (await CountAsync(new DeliveryFilter { QueuedBefore = DateTimeOffset.UtcNow.AddHours(-1) })).ShouldBe(0);
        (await CountAsync(new DeliveryFilter { Ids = [1, 2, 99] })).ShouldBe(2);
        (await CountAsync(new DeliveryFilter { Ids = [] })).ShouldBe(0);
        (await CountAsync(new DeliveryFilter { Limit = 4 })).ShouldBe(4);
        (await CountAsync(new DeliveryFilter { AfterId = 4 })).ShouldBe(2);
        (await store.SummarizeQueuesAsync(Cancel)).Select(static s => $"{s.Destination} {s.State} {s.Count}")
            .ShouldBe(["ARCHIVE Pending 3", "PACS Dead 1", "PACS Pending 2"], ignoreOrder: true);
        (await store.CountUnfinishedAsync(Cancel))[InstanceState.Protected].Count.ShouldBe(3);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_same_conflicting_bytes_lie_in_quarantine_once_however_often_they_come(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        await store.ReceiveAsync(Row("2.25.1"));
        (await store.ReceiveAsync(Row("2.25.1", content: 2))).ShouldBe(new Receipt(ReceiptKind.Conflict));
        for (int i = 0; i < 5; i++)
        {
            InstanceRow again = Row("2.25.1", content: 2);
            (await store.ReceiveAsync(again)).ShouldBe(new Receipt(ReceiptKind.Conflict, again.ReceivedFile));
        }

        (await store.ReceiveAsync(Row("2.25.1", content: 3))).ShouldBe(new Receipt(ReceiptKind.Conflict));
        (await store.QuarantinedAsync(new QuarantineFilter(), Cancel)).Count.ShouldBe(2);
        (await EventsAsync(store)).Count(static e => e == AuditEvent.Duplicate).ShouldBe(5);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task More_than_may_wait_are_not_taken_in_until_some_are_done(DatabaseKind kind)
    {
        await using GatewayStore store = await OpenAsync(await DialectAsync(kind));
        var waiting = new WaitingRows(store, 3, TimeProvider.System);
        for (int i = 0; i < 3; i++)
        {
            (await waiting.HasRoomAsync(Cancel)).ShouldBeTrue();
            await store.ReceiveAsync(Row($"2.25.{i}"));
            waiting.Added();
        }

        (await waiting.HasRoomAsync(Cancel)).ShouldBeFalse();
        (await store.CountWaitingAsync(100, Cancel)).ShouldBe(3);
        (await store.CountWaitingAsync(2, Cancel)).ShouldBe(2);
        await store.SetProtectedAsync((await store.DueAsync(InstanceState.Received, 1, Cancel))[0], Guid.NewGuid().ToString("N"), [Pacs], null);
        (await store.CountWaitingAsync(100, Cancel)).ShouldBe(3);
        await store.SettleDeliverySentAsync(await DueAsync(store, "PACS"), "0000H");
        await Eventually.BecomesTrueAsync(async () => await waiting.HasRoomAsync(Cancel));
        (await new WaitingRows(store, 2, TimeProvider.System).HasRoomAsync(Cancel)).ShouldBeFalse();
        (await new WaitingRows(store, 0, TimeProvider.System).HasRoomAsync(Cancel)).ShouldBeTrue();
    }

    private static async Task<DeliveryRow> DueAsync(GatewayStore store, string destination) => (await store.DueDeliveriesAsync(destination, 100, Cancel))[0];

    private static async Task<InstanceState> StateAsync(GatewayStore store) => (await store.CountAsync(Cancel)).ShouldHaveSingleItem().Key;

    private static async Task<IEnumerable<AuditEvent>> EventsAsync(GatewayStore store) =>
        (await store.QueryAuditAsync(new AuditFilter(), Cancel)).Select(static r => r.Event);
}
