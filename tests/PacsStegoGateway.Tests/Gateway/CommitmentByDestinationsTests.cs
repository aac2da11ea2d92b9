using System.Collections.Concurrent;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Commitment;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Tests.Network;
using static PacsStegoGateway.Tests.Gateway.CommitmentHarness;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>What is asked of a PACS, and what follows from everything it may say, or not say.</summary>
public sealed class CommitmentByDestinationsTests(PostgresFixture postgres) : StoreRoom(postgres)
{
    private readonly ConcurrentQueue<CommitmentMessage> _asked = new();

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_was_sent_is_gathered_and_its_files_go_when_the_PACS_has_committed_it_and_not_before(DatabaseKind kind)
    {
        await using CommitmentHarness commitment = await StartAsync(kind);
        await commitment.StoreAsync(InstanceState.Forwarded, 1, 2, 3);
        await UntilAskedAsync(commitment, 1);
        CommitmentMessage asked = _asked.Single();
        asked.TransactionUID.ShouldStartWith("2.25.");
        asked.References.ShouldBe([Sent(1), Sent(2), Sent(3)]);
        commitment.Deleted.ShouldBeEmpty();
        (await commitment.CountAsync(InstanceState.Forwarded)).ShouldBe(3);

        (await commitment.ReportAsync(asked, "PACS")).Status.ShouldBe(DimseStatus.Success);
        (await commitment.CountAsync(InstanceState.Committed)).ShouldBe(3);
        commitment.Deleted.Count.ShouldBe(6);
        (await commitment.AuditAsync(AuditEvent.Committed)).Select(static r => r.SopUID).ShouldBe([PseudonymOf(1), PseudonymOf(2), PseudonymOf(3)]);
        (await commitment.AuditAsync(AuditEvent.CommitmentRequested)).ShouldHaveSingleItem().Detail.ShouldBe($"Of PACS: 3 objects, transaction {asked.TransactionUID}.");
        (await TransactionAsync(commitment)).State.ShouldBe(CommitTransactionState.Reported);

        // Said again, it changes nothing.
        (await commitment.ReportAsync(asked, "PACS")).Status.ShouldBe(DimseStatus.Success);
        (await commitment.AuditAsync(AuditEvent.Committed)).Count.ShouldBe(3);
        (await TransactionAsync(commitment)).Committed.ShouldBe(3);
        commitment.Deleted.Count.ShouldBe(6);
    }

    [Fact]
    public async Task So_many_objects_are_asked_about_at_once_and_no_more_in_one_transaction()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite, static c =>
        {
            c.Options.Commitment.MaxInstances = 4;
            c.Options.Commitment.GatherSeconds = 600;
        });
        await commitment.StoreAsync(InstanceState.Forwarded, [.. Enumerable.Range(1, 11)]);
        await Eventually.BecomesTrueAsync(() => _asked.Count == 2);
        _asked.Select(static a => a.References.Count).ShouldBe([4, 4]);
        commitment.Time.Advance(TimeSpan.FromMinutes(10));
        await Eventually.BecomesTrueAsync(() => _asked.Count == 3);
        _asked.Last().References.ShouldBe([Sent(9), Sent(10), Sent(11)]);
        _asked.Select(static a => a.TransactionUID).Distinct().Count().ShouldBe(3);
    }

    [Fact]
    public async Task A_report_on_the_association_of_the_request_counts()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite, c => c.Pacs.OnAction = request =>
        {
            CommitmentMessage asked = Read(request);
            _asked.Enqueue(asked);
            _ = request.Requestor.EventReportAsync(SopClasses.StorageCommitment, SopClasses.StorageCommitmentInstance, 1, asked.ToInformation(), Cancel);
            return Task.FromResult(NormalizedResponse.Success);
        });
        await commitment.StoreAsync(InstanceState.Forwarded, 1, 2);
        await commitment.UntilAsync(async () => await commitment.CountAsync(InstanceState.Committed) == 2);
        _asked.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_report_that_comes_before_the_answer_counts_and_the_answer_after_it_changes_nothing()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite);
        await commitment.Pacs.StopAsync();
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, commitment.Pacs.Port);
        listener.Start();
        await commitment.StoreAsync(InstanceState.Forwarded, 3);
        Task<ScriptedPeer> accepting = AcceptAsync(listener);
        await commitment.UntilAsync(() => accepting.IsCompleted);
        using ScriptedPeer archive = await accepting;
        (CommandSet action, byte[] information) = await archive.ReadMessageAsync();
        await archive.SendCommandAsync(1, CommandSet.EventReport(9, SopClasses.StorageCommitment, SopClasses.StorageCommitmentInstance, 1, hasDataSet: true));
        await archive.SendDataSetAsync(1, DataSetReader.Read(information, TransferSyntax.ImplicitVRLittleEndian));
        (await archive.ReadMessageAsync()).Command.Status.ShouldBe(DimseStatus.Success);
        (await commitment.CountAsync(InstanceState.Committed)).ShouldBe(1);
        await archive.SendCommandAsync(1, action.Answer(DimseStatus.Success));
        Task<Pdu?> next = archive.ReadAsync();
        await commitment.UntilAsync(() => next.IsCompleted);
        (await next).ShouldBeOfType<ReleaseRq>();
        await archive.SendAsync(new ReleaseRp());
        (await commitment.Store.ListCommitTransactionsAsync(false, 10, Cancel)).ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_the_PACS_does_not_have_is_sent_again_and_after_some_times_a_person_decides(DatabaseKind kind)
    {
        await using CommitmentHarness commitment = await StartAsync(kind, static c => c.Options.Commitment.MaxResends = 2);
        await commitment.StoreAsync(InstanceState.Forwarded, 1, 2);
        for (int i = 1; i <= 3; i++)
        {
            await UntilAskedAsync(commitment, i);
            CommitmentMessage asked = _asked.Last();
            asked.References.ShouldContain(Sent(1));
            await commitment.ReportAsync(new CommitmentMessage(asked.TransactionUID, i == 1 ? [Sent(2)] : [], [new FailedReference(Sent(1), DimseStatus.NoSuchSOPInstance)]), "PACS");
            (await commitment.SendAsync()).ShouldBe(i < 3 ? 1 : 0);
        }

        (await commitment.CountAsync(InstanceState.Committed)).ShouldBe(1);
        (await commitment.CountAsync(InstanceState.Protected)).ShouldBe(1);
        commitment.Deleted.ShouldBe(["received-2-2", "protected-2-2"], ignoreOrder: true);
        (await commitment.AuditAsync(AuditEvent.CommitmentFailed)).Select(static r => (r.SopUID, r.Outcome, r.Detail)).ShouldBe(
        [
            (PseudonymOf(1), AuditOutcome.MinorFailure, "PACS did not commit it: 0112H."),
            (PseudonymOf(1), AuditOutcome.MinorFailure, "PACS did not commit it: 0112H."),
            (PseudonymOf(1), AuditOutcome.SeriousFailure, "PACS did not commit it: 0112H."),
        ]);
    }

    [Theory]
    [InlineData(0x0110, true)]
    [InlineData(0x0213, true)]
    [InlineData(0x0131, true)]
    [InlineData(0x0119, false)]
    [InlineData(0x0122, false)]
    public async Task What_may_pass_is_asked_again_later_and_what_never_will_is_a_dead_letter(int reason, bool asksAgain)
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite);
        await commitment.StoreAsync(InstanceState.Forwarded, 1);
        await UntilAskedAsync(commitment, 1);
        DateTimeOffset told = commitment.Time.GetUtcNow();
        CommitmentMessage first = _asked.Single();
        await commitment.ReportAsync(new CommitmentMessage(first.TransactionUID, [], [new FailedReference(Sent(1), new DimseStatus((ushort)reason))]), "PACS");
        (await commitment.SendAsync()).ShouldBe(0);
        (await TransactionAsync(commitment)).State.ShouldBe(CommitTransactionState.Reported);
        if (asksAgain)
        {
            await UntilAskedAsync(commitment, 2);
            commitment.Time.GetUtcNow().ShouldBeGreaterThan(told.AddSeconds(3));
            _asked.Last().TransactionUID.ShouldNotBe(first.TransactionUID);
            await commitment.ReportAsync(_asked.Last(), "PACS");
            (await commitment.CountAsync(InstanceState.Committed)).ShouldBe(1);
        }
        else
        {
            (await commitment.AuditAsync(AuditEvent.CommitmentFailed)).ShouldHaveSingleItem().Outcome.ShouldBe(AuditOutcome.SeriousFailure);
            (await commitment.CountAsync(InstanceState.Protected)).ShouldBe(1);
            commitment.Deleted.ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task A_report_is_believed_about_what_was_asked_and_no_more_and_what_it_leaves_out_stays_open()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite);
        await commitment.StoreAsync(InstanceState.Forwarded, 1, 2);
        await UntilAskedAsync(commitment, 1);
        string uid = _asked.Single().TransactionUID;
        // 3 is on its way to the PACS and was not asked about; 9 does not exist.
        await commitment.StoreAsync(InstanceState.Protected, 3);
        (await commitment.ReportAsync(new CommitmentMessage(uid, [Sent(1), Sent(3), Sent(9)], []), "PACS")).Status.ShouldBe(DimseStatus.Success);
        (await commitment.CountAsync(InstanceState.Committed)).ShouldBe(1);
        (await commitment.CountAsync(InstanceState.Forwarded)).ShouldBe(1);
        (await commitment.CountAsync(InstanceState.Protected)).ShouldBe(1);
        (await TransactionAsync(commitment)).State.ShouldBe(CommitTransactionState.Asked);
        (await commitment.AuditAsync(AuditEvent.CommitmentReported)).ShouldHaveSingleItem().Outcome.ShouldBe(AuditOutcome.MinorFailure);
        (await commitment.ReportAsync(new CommitmentMessage(uid, [Sent(2)], []), "PACS")).Status.ShouldBe(DimseStatus.Success);
        (await TransactionAsync(commitment)).State.ShouldBe(CommitTransactionState.Reported);
    }

    [Fact]
    public async Task A_report_of_nobodys_or_anothers_transaction_is_refused_and_recorded()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite);
        await commitment.StoreAsync(InstanceState.Forwarded, 1);
        await UntilAskedAsync(commitment, 1);
        (await commitment.ReportAsync(new CommitmentMessage("2.25.1", [Sent(1)], []), "PACS")).Status.ShouldBe(DimseStatus.InvalidArgumentValue);
        (await commitment.ReportAsync(_asked.Single(), "OTHER")).Status.ShouldBe(DimseStatus.InvalidArgumentValue);
        (await commitment.CountAsync(InstanceState.Committed)).ShouldBe(0);
        (await commitment.AuditAsync(AuditEvent.CommitmentFailed)).Select(static r => r.Detail).ShouldBe(
            ["A report about a transaction that this caller was never asked.", "A report about a transaction that this caller was never asked."]);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Without_a_report_it_is_asked_again_and_a_late_one_still_counts(DatabaseKind kind)
    {
        await using CommitmentHarness commitment = await StartAsync(kind);
        await commitment.StoreAsync(InstanceState.Forwarded, 1, 2);
        await UntilAskedAsync(commitment, 1);
        commitment.Time.Advance(TimeSpan.FromMinutes(59));
        await commitment.StopAsync();
        await commitment.StartAgainAsync();
        _asked.Count.ShouldBe(1);
        commitment.Time.Advance(TimeSpan.FromMinutes(1));
        await UntilAskedAsync(commitment, 2);
        (CommitmentMessage first, CommitmentMessage second) = (_asked.First(), _asked.Last());
        second.TransactionUID.ShouldNotBe(first.TransactionUID);
        second.References.ShouldBe(first.References);

        // What an old transaction misses, the present one will tell; what it has is good.
        await commitment.ReportAsync(new CommitmentMessage(first.TransactionUID, [Sent(1)], [new FailedReference(Sent(2), DimseStatus.NoSuchSOPInstance)]), "PACS");
        (await commitment.CountAsync(InstanceState.Committed)).ShouldBe(1);
        (await commitment.SendAsync()).ShouldBe(0);
        await commitment.ReportAsync(second, "PACS");
        (await commitment.CountAsync(InstanceState.Committed)).ShouldBe(2);
        (await commitment.AuditAsync(AuditEvent.Committed)).Count.ShouldBe(2);
        (await commitment.Store.ListCommitTransactionsAsync(true, 10, Cancel)).Select(static t => t.State)
            .ShouldBe([CommitTransactionState.Reported, CommitTransactionState.Lapsed]);
    }

    [Fact]
    public async Task An_association_that_is_aborted_instead_of_an_answer_is_asked_again_under_another_UID_and_both_reports_count()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite);
        await commitment.Pacs.StopAsync();
        using (var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, commitment.Pacs.Port))
        {
            listener.Start();
            await commitment.StoreAsync(InstanceState.Forwarded, 1, 2);
            Task<ScriptedPeer> accepting = AcceptAsync(listener);
            await commitment.UntilAsync(() => accepting.IsCompleted);
            using ScriptedPeer archive = await accepting;
            (_, byte[] information) = await archive.ReadMessageAsync();
            _asked.Enqueue(CommitmentMessage.Read(DataSetReader.Read(information, TransferSyntax.ImplicitVRLittleEndian), false, 10, out _)!);
            await archive.SendAsync(new Abort(Abort.ServiceUser, 0));
        }

        commitment.Pacs.Start();
        await UntilAskedAsync(commitment, 2);
        _asked.Last().TransactionUID.ShouldNotBe(_asked.First().TransactionUID);
        await commitment.ReportAsync(_asked.First() with { References = [Sent(2)] }, "PACS");
        await commitment.ReportAsync(_asked.Last() with { References = [Sent(1)] }, "PACS");
        (await commitment.CountAsync(InstanceState.Committed)).ShouldBe(2);
    }

    [Fact]
    public async Task A_transaction_that_was_written_down_when_the_process_died_lapses_and_its_objects_are_asked_about_again()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite, static c => c.Options.Commitment.GatherSeconds = 3600);
        await commitment.StoreAsync(InstanceState.Forwarded, 1);
        (await commitment.Store.BeginCommitAsync("2.25.99", "PACS", 10, commitment.Time.GetUtcNow().AddHours(1))).ShouldHaveSingleItem();
        await commitment.UntilAsync(async () => (await TransactionAsync(commitment)).State == CommitTransactionState.Lapsed);
        commitment.Time.Advance(TimeSpan.FromHours(1));
        await UntilAskedAsync(commitment, 1);
        _asked.Single().References.ShouldBe([Sent(1)]);
        await commitment.ReportAsync(_asked.Single() with { TransactionUID = "2.25.99" }, "PACS");
        (await commitment.CountAsync(InstanceState.Committed)).ShouldBe(1);
    }

    [Fact]
    public async Task A_PACS_that_refuses_or_does_not_offer_commitment_is_asked_again_and_nothing_is_dropped()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite, c => c.Pacs.OnAction = request =>
        {
            _asked.Enqueue(Read(request));
            return Task.FromResult(_asked.Count < 3 ? new NormalizedResponse(DimseStatus.ProcessingFailure) : NormalizedResponse.Success);
        });
        await commitment.StoreAsync(InstanceState.Forwarded, 1);
        await UntilAskedAsync(commitment, 3);
        (await commitment.AuditAsync(AuditEvent.CommitmentFailed)).Count.ShouldBe(2);
        await commitment.UntilAsync(async () => (await commitment.Store.ListCommitTransactionsAsync(false, 10, Cancel)).SingleOrDefault()?.State == CommitTransactionState.Asked);
        commitment.Deleted.ShouldBeEmpty();
        await commitment.ReportAsync(_asked.First(), "PACS");
        (await commitment.CountAsync(InstanceState.Committed)).ShouldBe(1);
    }

    [Fact]
    public async Task When_the_PACS_is_not_asked_any_more_what_it_had_is_done_at_the_next_start()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite);
        await commitment.StoreAsync(InstanceState.Forwarded, 1, 2);
        await commitment.StoreAsync(InstanceState.Protected, 3);
        await UntilAskedAsync(commitment, 1);
        await commitment.StopAsync();
        commitment.Options.Pacs.StorageCommitment = false;
        await commitment.StartAgainAsync();
        await commitment.UntilAsync(() => commitment.Deleted.Count == 4);
        (await commitment.Store.SettleDeliverySentAsync((await commitment.Store.DueDeliveriesAsync("PACS", 10, Cancel)).Single(), "0000H")).FilesUnneeded.ShouldBeTrue();
        (await commitment.CountAsync(InstanceState.Forwarded)).ShouldBe(3);
        (await commitment.AuditAsync(AuditEvent.CommitmentFailed)).ShouldHaveSingleItem().Detail
            .ShouldBe("PACS is not asked any more: 2 objects that it had not committed are done.");
    }

    [Fact]
    public async Task A_report_says_the_status_of_the_standard_when_it_cannot_be_understood()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite);
        var report = new EventReportRequest
        {
            AffectedSOPClassUID = SopClasses.StorageCommitment,
            AffectedSOPInstanceUID = SopClasses.StorageCommitmentInstance,
            MessageID = 1,
            EventTypeID = 1,
            Association = new AssociationRequest { CalledAETitle = "PSG", CallingAETitle = "PACS", PresentationContexts = [] },
        };
        (await commitment.Service.ReportAsync(report with { AffectedSOPInstanceUID = "1.2" }, ["PACS"], "")).Status.ShouldBe(DimseStatus.NoSuchSOPInstance);
        (await commitment.Service.ReportAsync(report with { EventTypeID = 3 }, ["PACS"], "")).Status.ShouldBe(DimseStatus.NoSuchEventType);
        (await commitment.Service.ReportAsync(report, ["PACS"], "")).Status.ShouldBe(DimseStatus.InvalidArgumentValue);
    }

    private async Task<CommitmentHarness> StartAsync(DatabaseKind kind, Action<CommitmentHarness>? prepare = null) =>
        await CommitmentHarness.StartAsync(await DialectAsync(kind), c =>
        {
            c.Pacs.OnAction = request =>
            {
                _asked.Enqueue(Read(request));
                return Task.FromResult(NormalizedResponse.Success);
            };
            prepare?.Invoke(c);
        });

    private async Task UntilAskedAsync(CommitmentHarness commitment, int times)
    {
        await commitment.UntilAsync(() => _asked.Count >= times);
        _asked.Count.ShouldBe(times);
    }

    private static CommitmentMessage Read(ActionRequest request) => CommitmentMessage.Read(request.Information, isResult: false, 10_000, out _).ShouldNotBeNull();

    private static async Task<CommitTransactionRow> TransactionAsync(CommitmentHarness commitment) =>
        (await commitment.Store.ListCommitTransactionsAsync(all: true, 10, Cancel)).ShouldHaveSingleItem();

    /// <summary>An archive that says what the test says, associated.</summary>
    private static async Task<ScriptedPeer> AcceptAsync(System.Net.Sockets.TcpListener listener)
    {
        var archive = new ScriptedPeer(await listener.AcceptSocketAsync(Cancel));
        await archive.ReadAsync();
        await archive.SendAsync(new AssociateAc
        {
            CalledAETitle = "PACS",
            CallingAETitle = "PSG",
            PresentationContexts = [new AnsweredContext(1, PresentationContextResult.Acceptance, TransferSyntax.ImplicitVRLittleEndian.UID)],
            UserInformation = new UserInformation { MaxPduLength = 0, ImplementationClassUID = "1.2" },
        });
        return archive;
    }
}
