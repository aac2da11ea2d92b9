using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Tests.Network;

/// <summary>N-ACTION and N-EVENT-REPORT in the orders that peers send them in.</summary>
public sealed class CommitmentProtocolTests
{
    private static readonly ProposedContext Context = new(SopClasses.StorageCommitment, TransferSyntax.ImplicitVRLittleEndian.UID);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_acceptor_reports_on_the_association_on_which_it_was_asked_after_its_answer_and_more_than_once()
    {
        IEventReportTarget? requestor = null;
        Task<NormalizedResponse>? first = null;
        var provider = new RecordingProvider
        {
            OnAction = request =>
            {
                requestor = request.Requestor;
                // Told before the answer is sent: it comes after it all the same.
                first = ReportAsync(requestor, "2.25.1");
                return NormalizedResponse.Success;
            },
        };
        await using var acceptor = new TestAcceptor(provider);
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(acceptor.Address, [Context], AssociationLimits.Default, Ct);
        (await AskAsync(association)).Status.ShouldBe(DimseStatus.Success);
        EventReportRequest report = await association.ReceiveEventReportAsync(static (_, _) => ValueTask.FromResult(NormalizedResponse.Success), Ct);
        report.Information!.GetText(Tags.TransactionUID).ShouldBe("2.25.1");
        (await first!).Status.ShouldBe(DimseStatus.Success);

        Task<NormalizedResponse> second = ReportAsync(requestor!, "2.25.2");
        Task<NormalizedResponse> third = ReportAsync(requestor!, "2.25.3");
        for (int i = 0; i < 2; i++)
        {
            await association.ReceiveEventReportAsync(
                static (r, _) => ValueTask.FromResult(new NormalizedResponse(r.Information!.GetText(Tags.TransactionUID) == "2.25.3" ? DimseStatus.ProcessingFailure : DimseStatus.Success)), Ct);
        }

        (await second).Status.ShouldBe(DimseStatus.Success);
        (await third).Status.ShouldBe(DimseStatus.ProcessingFailure);
        requestor!.IsEstablished.ShouldBeTrue();
        await association.ReleaseAsync(Ct);
        await association.DisposeAsync();
        await provider.Ended;
        requestor.IsEstablished.ShouldBeFalse();
        (await Should.ThrowAsync<AssociationException>(() => ReportAsync(requestor, "2.25.4"))).Failure.ShouldBe(AssociationFailure.ConnectionLost);
    }

    [Fact]
    public async Task A_report_that_comes_before_the_answer_is_taken_and_too_many_are_a_violation()
    {
        int heard = 0;
        (ScriptedPeer archive, RequestorAssociation association) = await ArchiveAsync();
        using (archive)
        await using (association)
        {
            association.OnEventReport = (_, _) =>
            {
                heard++;
                return ValueTask.FromResult(NormalizedResponse.Success);
            };
            Task<NormalizedResponse> asking = AskAsync(association);
            CommandSet action = (await archive.ReadMessageAsync()).Command;
            await SendReportAsync(archive, 7);
            (await archive.ReadMessageAsync()).Command.MessageIDBeingRespondedTo.ShouldBe((ushort)7);
            await archive.SendCommandAsync(1, action.Answer(DimseStatus.Success));
            (await asking).Status.ShouldBe(DimseStatus.Success);
            heard.ShouldBe(1);

            asking = AskAsync(association);
            await archive.ReadMessageAsync();
            for (ushort id = 1; id <= 16; id++)
            {
                await SendReportAsync(archive, id);
                await archive.ReadMessageAsync();
            }

            await SendReportAsync(archive, 17);
            (await Should.ThrowAsync<AssociationException>(() => asking)).Failure.ShouldBe(AssociationFailure.ProtocolViolation);
            heard.ShouldBe(17);
        }
    }

    [Fact]
    public async Task Waiting_for_a_report_for_a_while_leaves_the_association_usable()
    {
        (ScriptedPeer archive, RequestorAssociation association) = await ArchiveAsync();
        using (archive)
        await using (association)
        {
            static ValueTask<NormalizedResponse> Take(EventReportRequest report, CancellationToken ct) => ValueTask.FromResult(NormalizedResponse.Success);
            (await association.ReceiveEventReportAsync(TimeSpan.FromMilliseconds(30), Take, Ct)).ShouldBeNull();
            association.IsEstablished.ShouldBeTrue();
            await SendReportAsync(archive, 3);
            (await association.ReceiveEventReportAsync(TimeSpan.FromSeconds(20), Take, Ct)).ShouldNotBeNull().EventTypeID.ShouldBe((ushort)1);
            (await archive.ReadMessageAsync()).Command.MessageIDBeingRespondedTo.ShouldBe((ushort)3);
            (await association.ReceiveEventReportAsync(TimeSpan.FromMilliseconds(1), Take, Ct)).ShouldBeNull();
            Task<NormalizedResponse> asking = AskAsync(association);
            await archive.SendCommandAsync(1, (await archive.ReadMessageAsync()).Command.Answer(DimseStatus.Success));
            (await asking).Status.ShouldBe(DimseStatus.Success);
            Task<EventReportRequest?> waiting = association.ReceiveEventReportAsync(TimeSpan.FromSeconds(20), Take, Ct);
            await archive.SendAsync(new ReleaseRq());
            await Should.ThrowAsync<AssociationException>(() => waiting);
        }
    }

    [Fact]
    public async Task Information_may_be_longer_than_an_identifier_and_not_longer_than_its_own_limit()
    {
        int references = 0;
        var provider = new RecordingProvider
        {
            OnAction = request =>
            {
                references = request.Information!.Find(Tags.ReferencedSOPSequence)!.Items!.Count;
                return NormalizedResponse.Success;
            },
        };
        await using var acceptor = new TestAcceptor(provider, new AssociationLimits { MaxIdentifierLength = 4096, MaxInformationLength = 65_536 });
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(acceptor.Address, [Context], AssociationLimits.Default, Ct);
        (await AskAsync(association, 500)).Status.ShouldBe(DimseStatus.Success);
        references.ShouldBe(500);
        await Should.ThrowAsync<AssociationException>(() => AskAsync(association, 2000));
        await association.DisposeAsync();
        (await provider.Ended).Kind.ShouldBe(AssociationEndKind.AbortedHere);
    }

    private static DataSet Transaction(string uid, int references = 0)
    {
        var information = new DataSet();
        information.SetText(Tags.TransactionUID, uid);
        if (references > 0)
        {
            information.Set(Element.Sequence(Tags.ReferencedSOPSequence, [.. Enumerable.Range(0, references).Select(static i =>
            {
                var item = new DataSet();
                item.SetText(Tags.ReferencedSOPClassUID, SopClasses.CTImageStorage);
                item.SetText(Tags.ReferencedSOPInstanceUID, $"1.2.3.{i}");
                return item;
            })]));
        }

        return information;
    }

    private static Task<NormalizedResponse> AskAsync(RequestorAssociation association, int references = 1) =>
        association.ActionAsync(SopClasses.StorageCommitment, SopClasses.StorageCommitmentInstance, 1, Transaction("2.25.1", references), Ct);

    private static Task<NormalizedResponse> ReportAsync(IEventReportTarget target, string uid) =>
        target.EventReportAsync(SopClasses.StorageCommitment, SopClasses.StorageCommitmentInstance, 1, Transaction(uid), Ct);

    private static async Task SendReportAsync(ScriptedPeer archive, ushort messageID)
    {
        await archive.SendCommandAsync(1, CommandSet.EventReport(messageID, SopClasses.StorageCommitment, SopClasses.StorageCommitmentInstance, 1, hasDataSet: true));
        await archive.SendDataSetAsync(1, Transaction("2.25.1"));
    }

    private static async Task<(ScriptedPeer Archive, RequestorAssociation Association)> ArchiveAsync()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var address = new PeerAddress("127.0.0.1", ((System.Net.IPEndPoint)listener.LocalEndpoint).Port, "ARCHIVE", "PSG");
        Task<RequestorAssociation> connecting = RequestorAssociation.ConnectAsync(address, [Context], AssociationLimits.Default, Ct);
        var archive = new ScriptedPeer(await listener.AcceptSocketAsync(Ct));
        await archive.ReadAsync();
        await archive.SendAsync(new AssociateAc
        {
            CalledAETitle = "ARCHIVE",
            CallingAETitle = "PSG",
            PresentationContexts = [new AnsweredContext(1, PresentationContextResult.Acceptance, TransferSyntax.ImplicitVRLittleEndian.UID)],
            UserInformation = new UserInformation { MaxPduLength = 0, ImplementationClassUID = "1.2" },
        });
        return (archive, await connecting);
    }
}
