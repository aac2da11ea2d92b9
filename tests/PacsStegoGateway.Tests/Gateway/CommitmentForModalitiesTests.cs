using System.Collections.Concurrent;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Commitment;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;
using static PacsStegoGateway.Tests.Gateway.CommitmentHarness;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>What a modality asks, what it is told, when, and what happens while it is not there.</summary>
public sealed class CommitmentForModalitiesTests(PostgresFixture postgres) : StoreRoom(postgres)
{
    private readonly ConcurrentQueue<EventReportRequest> _told = new();

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_modality_is_told_when_every_object_has_come_as_far_as_is_wanted(DatabaseKind kind)
    {
        await using CommitmentHarness commitment = await StartAsync(kind, static c => c.Options.Commitment.When = CommitmentLevel.Forwarded);
        await commitment.StoreAsync(InstanceState.Forwarded, 1, 2);
        await commitment.StoreAsync(InstanceState.Protected, 3);
        (await commitment.RequestAsync("2.25.7", 1, 2, 3)).Status.ShouldBe(DimseStatus.Success);
        await commitment.StoreAsync(InstanceState.Received, 4);
        (await commitment.RequestAsync("2.25.8", 1, 2)).Status.ShouldBe(DimseStatus.Success);
        await commitment.UntilAsync(() => _told.Count == 1);
        Told().ShouldBe(("2.25.8", 1));
        (await commitment.SendAsync()).ShouldBe(1);
        await commitment.UntilAsync(() => _told.Count == 2);
        Told().ShouldBe(("2.25.7", 1));
        CommitmentMessage message = MessageOf(_told.Last());
        message.References.ShouldBe([Original(1), Original(2), Original(3)]);
        message.Failures.ShouldBeEmpty();
        await commitment.UntilAsync(async () => (await commitment.AuditAsync(AuditEvent.CommitmentReported)).Count == 2);
        (await commitment.AuditAsync(AuditEvent.CommitmentRequested)).Where(static r => r.CallingAE == "CT1").Select(static r => r.Detail).ShouldBe(["3 objects.", "2 objects."]);
        (await commitment.AuditAsync(AuditEvent.CommitmentReported))[^1].Detail.ShouldBe("3 committed, 0 not.");
    }

    [Theory]
    [InlineData(CommitmentLevel.Received, InstanceState.Received)]
    [InlineData(CommitmentLevel.Forwarded, InstanceState.Forwarded)]
    public async Task Each_level_is_reached_where_its_name_says(CommitmentLevel when, InstanceState reached)
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite, c => c.Options.Commitment.When = when);
        await commitment.StoreAsync(reached, 1);
        await commitment.RequestAsync("2.25.7", 1);
        await commitment.UntilAsync(() => _told.Count == 1);
        MessageOf(_told.Single()).References.ShouldBe([Original(1)]);
    }

    [Fact]
    public async Task Committed_waits_for_the_word_of_the_PACS_where_that_is_asked_and_for_nothing_where_not()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite, static c => c.Pacs.OnAction = static _ => Task.FromResult(NormalizedResponse.Success));
        await commitment.StoreAsync(InstanceState.Forwarded, 1);
        commitment.Options.Pacs.StorageCommitment = false;
        await commitment.StoreAsync(InstanceState.Forwarded, 2);
        await commitment.RequestAsync("2.25.7", 1);
        await commitment.RequestAsync("2.25.8", 2);
        await commitment.UntilAsync(() => _told.Count == 1);
        Told().ShouldBe(("2.25.8", 1));
        await commitment.UntilAsync(async () => (await commitment.Store.ListCommitTransactionsAsync(true, 10, Cancel)).Any(static t => t.State == CommitTransactionState.Asked));
        CommitTransactionRow transaction = (await commitment.Store.ListCommitTransactionsAsync(true, 10, Cancel)).ShouldHaveSingleItem();
        _told.Count.ShouldBe(1);
        (await commitment.ReportAsync(new CommitmentMessage(transaction.UID, [Sent(1)], []), "PACS")).Status.ShouldBe(DimseStatus.Success);
        await commitment.UntilAsync(() => _told.Count == 2);
        Told().ShouldBe(("2.25.7", 1));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task After_the_longest_wait_it_is_told_exactly_what_failed_and_why(DatabaseKind kind)
    {
        await using CommitmentHarness commitment = await StartAsync(kind, static c =>
        {
            c.Options.Commitment.When = CommitmentLevel.Forwarded;
            c.Options.Commitment.MaxHours = 1;
        });
        await commitment.StoreAsync(InstanceState.Forwarded, 1, 2);
        await commitment.StoreAsync(InstanceState.Received, 3, 4);
        await commitment.Store.QuarantineAsync((await commitment.Store.DueAsync(InstanceState.Received, 10, Cancel))[1], RefusalReason.NoBackground, null);
        SopReference wrongClass = Original(2) with { SopClassUID = SopClasses.MRImageStorage };
        await commitment.RequestAsync(new CommitmentMessage("2.25.7", [Original(1), wrongClass, Original(3), Original(4), Original(5)], []).ToInformation());
        commitment.Time.Advance(TimeSpan.FromMinutes(58));
        await commitment.StoreAsync(InstanceState.Received, 6);
        await commitment.RequestAsync("2.25.8", 6, 7);
        commitment.Time.Advance(TimeSpan.FromSeconds(50));
        _told.ShouldBeEmpty();
        await commitment.UntilAsync(() => _told.Count == 1);
        Told().ShouldBe(("2.25.7", 2));
        CommitmentMessage message = MessageOf(_told.Single());
        message.References.ShouldBe([Original(1)]);
        message.Failures.ShouldBe(
        [
            new FailedReference(wrongClass, DimseStatus.ClassInstanceConflict),
            new FailedReference(Original(3), DimseStatus.ProcessingFailure),
            new FailedReference(Original(4), DimseStatus.ProcessingFailure),
            new FailedReference(Original(5), DimseStatus.NoSuchSOPInstance),
        ]);
        await commitment.UntilAsync(async () => (await commitment.AuditAsync(AuditEvent.CommitmentReported)).SingleOrDefault()?.Detail == "1 committed, 4 not.");
    }

    [Fact]
    public async Task An_object_that_never_came_is_unknown_after_a_while_and_one_that_is_late_is_not()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite, static c => c.Options.Commitment.When = CommitmentLevel.Received);
        await commitment.RequestAsync("2.25.7", 1, 2);
        commitment.Time.Advance(TimeSpan.FromMinutes(4));
        await commitment.StoreAsync(InstanceState.Received, 2);
        _told.ShouldBeEmpty();
        await commitment.UntilAsync(() => _told.Count == 1);
        commitment.Time.GetUtcNow().ShouldBeGreaterThanOrEqualTo(DateTimeOffset.UnixEpoch.AddMinutes(5));
        CommitmentMessage message = MessageOf(_told.Single());
        message.References.ShouldBe([Original(2)]);
        message.Failures.ShouldBe([new FailedReference(Original(1), DimseStatus.NoSuchSOPInstance)]);
    }

    [Fact]
    public async Task Who_sent_other_content_under_a_UID_is_not_told_that_it_is_committed_while_that_lies_in_quarantine()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite, static c =>
        {
            c.Options.Commitment.When = CommitmentLevel.Received;
            c.Options.Commitment.MaxHours = 1;
        });
        await commitment.StoreAsync(InstanceState.Forwarded, 1);
        InstanceRow other = CommitmentHarness.Row(1, content: 99);
        (await commitment.Store.ReceiveAsync(other)).Kind.ShouldBe(ReceiptKind.Conflict);
        await commitment.RequestAsync("2.25.7", 1);
        commitment.Time.Advance(TimeSpan.FromHours(1));
        await commitment.UntilAsync(() => _told.Count == 1);
        MessageOf(_told.Single()).Failures.ShouldBe([new FailedReference(Original(1), DimseStatus.ProcessingFailure)]);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_modality_that_is_off_for_an_hour_is_told_when_it_is_back_though_the_gateway_was_restarted_meanwhile(DatabaseKind kind)
    {
        await using CommitmentHarness commitment = await StartAsync(kind, static c => c.Options.Commitment.When = CommitmentLevel.Received);
        await commitment.StoreAsync(InstanceState.Received, 1);
        await commitment.Modality.StopAsync();
        await commitment.RequestAsync("2.25.7", 1);
        DateTimeOffset off = commitment.Time.GetUtcNow();
        await commitment.UntilAsync(async () => (await commitment.RequestRowAsync()).Attempts > 2);
        await commitment.StopAsync();
        commitment.Time.Advance(TimeSpan.FromMinutes(30));
        await commitment.StartAgainAsync();
        await commitment.UntilAsync(async () => (await commitment.RequestRowAsync()).Attempts > 4);
        commitment.Time.Advance(off.AddHours(1) - commitment.Time.GetUtcNow());
        _told.ShouldBeEmpty();
        CommitRequestRow waiting = await commitment.RequestRowAsync();
        (waiting.State, waiting.Detail).ShouldBe((CommitRequestState.Ready, "It cannot be reached: NotConnected."));
        commitment.Modality.Start();
        await commitment.UntilAsync(() => _told.Count == 1);
        Told().ShouldBe(("2.25.7", 1));
        await commitment.UntilAsync(async () => (await commitment.RequestRowAsync()).State == CommitRequestState.Reported);
        // The longest wait between two tries is ten minutes and a quarter.
        (commitment.Time.GetUtcNow() - off).ShouldBeLessThan(TimeSpan.FromMinutes(75));
        (await commitment.Store.OpenCommitRequestAsync(waiting.Id, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task A_modality_that_never_comes_back_is_given_up_and_that_is_recorded()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite, static c =>
        {
            c.Options.Commitment.When = CommitmentLevel.Received;
            c.Options.Commitment.GiveUpDays = 1;
        });
        await commitment.StoreAsync(InstanceState.Received, 1);
        await commitment.Modality.StopAsync();
        await commitment.RequestAsync("2.25.7", 1);
        await commitment.UntilAsync(async () => (await commitment.RequestRowAsync()).Attempts > 0);
        commitment.Time.Advance(TimeSpan.FromDays(1));
        await commitment.UntilAsync(async () => (await commitment.RequestRowAsync()).State == CommitRequestState.Abandoned);
        (await commitment.AuditAsync(AuditEvent.CommitmentFailed)).ShouldHaveSingleItem().Detail.ShouldBe("Not told within 1 days. It cannot be reached: NotConnected.");
        commitment.Time.Advance(TimeSpan.FromDays(31));
        await commitment.UntilAsync(async () => (await commitment.Store.ListCommitRequestsAsync(true, 10, Cancel)).Count == 0);
    }

    [Fact]
    public async Task The_same_request_again_is_answered_again_and_another_one_under_its_UID_is_not()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite, static c => c.Options.Commitment.When = CommitmentLevel.Received);
        await commitment.StoreAsync(InstanceState.Received, 1, 2);
        (await commitment.RequestAsync("2.25.7", 1, 2)).Status.ShouldBe(DimseStatus.Success);
        (await commitment.RequestAsync("2.25.7", 2, 1)).Status.ShouldBe(DimseStatus.Success);
        (await commitment.RequestAsync("2.25.7", 1)).Status.ShouldBe(DimseStatus.DuplicateTransactionUID);
        await commitment.UntilAsync(() => _told.Count == 1);
        await commitment.UntilAsync(async () => (await commitment.RequestRowAsync()).State == CommitRequestState.Reported);
        (await commitment.RequestAsync("2.25.7", 1, 2)).Status.ShouldBe(DimseStatus.Success);
        await commitment.UntilAsync(() => _told.Count == 2);
        // Another modality may use the same number.
        (await commitment.RequestAsync(new CommitmentMessage("2.25.7", [Original(2)], []).ToInformation(), "CT2")).Status.ShouldBe(DimseStatus.Success);
        (await commitment.Store.ListCommitRequestsAsync(true, 10, Cancel)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task What_is_no_request_is_refused_by_the_status_of_the_standard()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite, static c => c.Options.Commitment.MaxReferences = 2);
        DataSet good = new CommitmentMessage("2.25.7", [Original(1)], []).ToInformation();
        (await commitment.RequestAsync(good, instance: "1.2.3")).Status.ShouldBe(DimseStatus.NoSuchSOPInstance);
        (await commitment.RequestAsync(good, action: 2)).Status.ShouldBe(DimseStatus.NoSuchAction);
        (await commitment.RequestAsync((DataSet?)null)).Status.ShouldBe(DimseStatus.InvalidArgumentValue);
        (await commitment.RequestAsync("2.25.7", 1, 2, 3)).Status.ShouldBe(DimseStatus.ResourceLimitation);
        (await commitment.RequestAsync("2.25.7", 1, 2)).Status.ShouldBe(DimseStatus.Success);
        (await commitment.Store.ListCommitRequestsAsync(true, 10, Cancel)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_modality_that_answers_the_report_by_a_failure_is_told_again_only_when_that_can_pass()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite, static c => c.Options.Commitment.When = CommitmentLevel.Received);
        commitment.Modality.OnEventReport = report =>
        {
            _told.Enqueue(report);
            return Task.FromResult(new NormalizedResponse(_told.Count == 1 ? DimseStatus.ProcessingFailure : DimseStatus.InvalidArgumentValue));
        };
        await commitment.StoreAsync(InstanceState.Received, 1);
        await commitment.RequestAsync("2.25.7", 1);
        await commitment.UntilAsync(async () => (await commitment.RequestRowAsync()).State == CommitRequestState.Refused);
        _told.Count.ShouldBe(2);
        (await commitment.AuditAsync(AuditEvent.CommitmentFailed)).ShouldHaveSingleItem().Detail.ShouldBe("It answered 0115H.");
    }

    [Fact]
    public async Task Without_an_address_the_report_goes_over_the_association_of_the_request_while_that_is_open()
    {
        await using CommitmentHarness commitment = await StartAsync(DatabaseKind.Sqlite, static c =>
        {
            c.Options.Callers[0].Commitment.Host = "";
            c.Options.Commitment.When = CommitmentLevel.Received;
        });
        var requestor = new Requestor(_told);
        await commitment.StoreAsync(InstanceState.Received, 1);
        await commitment.RequestAsync(new CommitmentMessage("2.25.7", [Original(1)], []).ToInformation(), requestor: requestor);
        await commitment.UntilAsync(() => _told.Count == 1);
        requestor.IsEstablished = false;
        await commitment.RequestAsync("2.25.8", 1);
        await commitment.UntilAsync(async () => (await commitment.Store.ListCommitRequestsAsync(false, 10, Cancel)).SingleOrDefault()?.Attempts > 0);
        (await commitment.Store.ListCommitRequestsAsync(false, 10, Cancel)).Single().Detail
            .ShouldBe("It has no association open, and the configuration names no address for its reports.");
        // It asks something else: what it was owed comes over that association too.
        await commitment.RequestAsync(new CommitmentMessage("2.25.9", [Original(1)], []).ToInformation(), requestor: new Requestor(_told));
        await commitment.UntilAsync(() => _told.Count == 3);
        _told.Select(static r => MessageOf(r).TransactionUID).ShouldBe(["2.25.7", "2.25.8", "2.25.9"], ignoreOrder: true);
    }

    [Fact]
    public async Task No_UID_that_a_modality_named_stands_in_the_clear_in_the_database()
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("psg-commit-").FullName, "clear.db");
        await using (CommitmentHarness commitment = await CommitmentHarness.StartAsync(new SqliteDialect(file, 5), static c => c.Options.Commitment.When = CommitmentLevel.Received))
        {
            await commitment.RequestAsync(new CommitmentMessage("1.2.276.0.7230010.3.1.4.99999", [Original(1), Original(2)], []).ToInformation());
            await commitment.StoreAsync(InstanceState.Received, 1);
        }

        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        foreach (string part in Directory.GetFiles(Path.GetDirectoryName(file)!))
        {
            System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(part, Cancel)).ShouldNotContain("7230010");
        }

        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    private async Task<CommitmentHarness> StartAsync(DatabaseKind kind, Action<CommitmentHarness> prepare) =>
        await CommitmentHarness.StartAsync(await DialectAsync(kind), c =>
        {
            c.GiveModalityAnAddress();
            c.Modality.OnEventReport = report =>
            {
                _told.Enqueue(report);
                return Task.FromResult(NormalizedResponse.Success);
            };
            prepare(c);
        });

    private (string Transaction, int Event) Told() => (MessageOf(_told.Last()).TransactionUID, _told.Last().EventTypeID);

    private static CommitmentMessage MessageOf(EventReportRequest report) =>
        CommitmentMessage.Read(report.Information, isResult: true, 1000, out _).ShouldNotBeNull();

    private sealed class Requestor(ConcurrentQueue<EventReportRequest> told) : IEventReportTarget
    {
        public bool IsEstablished { get; set; } = true;

        public Task<NormalizedResponse> EventReportAsync(string sopClassUID, string sopInstanceUID, ushort eventTypeID, DataSet? information,
            CancellationToken cancellationToken)
        {
            told.Enqueue(new EventReportRequest
            {
                AffectedSOPClassUID = sopClassUID,
                AffectedSOPInstanceUID = sopInstanceUID,
                MessageID = 1,
                EventTypeID = eventTypeID,
                Information = information,
                Association = new AssociationRequest { CalledAETitle = "CT1", CallingAETitle = "PSG", PresentationContexts = [] },
            });
            return Task.FromResult(NormalizedResponse.Success);
        }
    }
}
