using System.Runtime.CompilerServices;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using static PacsStegoGateway.Tests.Network.TestObjects;

namespace PacsStegoGateway.Tests.Network;

/// <summary>C-GET as SCP: instances go back on the association of the request, and nothing can hang it up.</summary>
public sealed class AcceptorGetTests
{
    private static readonly string ExplicitLE = TransferSyntax.ExplicitVRLittleEndian.UID;

    private readonly RecordingProvider _provider = new() { OnRole = static r => r };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(16)]
    [InlineData(1024)] // 1 MiB: many PDUs
    public async Task Instances_arrive_byte_for_byte_and_are_counted(int rows)
    {
        _provider.OnGet = (request, ct) => Give(request, ct, 3, rows);
        await using var acceptor = new TestAcceptor(_provider);
        await using RequestorAssociation association = await ConnectAsync(acceptor);
        var received = new List<(StoreRequest Request, byte[] DataSet)>();
        RetrieveResult result = await association.GetAsync(SopClasses.StudyRootGet, StudyQuery("1.2.3"), async (request, ct) =>
        {
            received.Add((request, await RecordingProvider.ReadAllAsync(request.DataSet, ct)));
            return received.Count == 2 ? new StoreResponse(DimseStatus.OutOfResources) : StoreResponse.Success;
        }, Ct);
        (result.Status, result.Completed, result.Failed).ShouldBe((DimseStatus.SuboperationsCompleteWithFailures, 2, 1));
        result.FailedSOPInstanceUIDList.ShouldBe(["1.2.2"]);
        received.Select(static r => r.Request.AffectedSOPInstanceUID).ShouldBe(["1.2.1", "1.2.2", "1.2.3"]);
        received.Select(static r => r.Request.MoveOriginator).ShouldAllBe(static o => o == null);
        received.ShouldAllBe(r => r.DataSet.SequenceEqual(CtBytes(r.Request.AffectedSOPInstanceUID, rows)));
        (await association.EchoAsync(Ct)).ShouldBe(DimseStatus.Success);
        await association.ReleaseAsync(Ct);
    }

    [Fact]
    public async Task Without_the_scp_role_nothing_is_sent()
    {
        _provider.OnRole = static r => r with { ScpRole = false };
        _provider.OnGet = (request, ct) => Give(request, ct, 1, 1);
        await using var acceptor = new TestAcceptor(_provider);
        await using RequestorAssociation association = await ConnectAsync(acceptor);
        association.RoleSelections.ShouldBe([new RoleSelection(SopClasses.CTImageStorage, true, false)]);
        RetrieveResult result = await association.GetAsync(SopClasses.StudyRootGet, StudyQuery("1.2.3"),
            static (_, _) => throw new InvalidOperationException("Nothing may come."), Ct);
        (result.Status, result.Failed).ShouldBe((DimseStatus.UnableToPerformSuboperations, 1));
        await association.ReleaseAsync(Ct);
    }

    [Fact]
    public async Task A_cancel_between_two_instances_ends_with_fe00_and_true_counts()
    {
        _provider.OnGet = (request, ct) => Give(request, ct, 1000, 1);
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await StartGetAsync(acceptor);
        int stored = 0;
        while (true)
        {
            (CommandSet command, _) = await peer.ReadMessageAsync();
            if (command.Field == CommandField.CStoreRq)
            {
                stored++;
                if (stored == 2)
                {
                    await peer.SendCommandAsync(7, CommandSet.CancelOf(1));
                }

                await peer.SendCommandAsync(3, command.Answer(DimseStatus.Success));
            }
            else if (!command.Status.IsPending)
            {
                command.Status.ShouldBe(DimseStatus.Cancel);
                command.UInt16(Tags.NumberOfCompletedSuboperations).ShouldBe((ushort)stored);
                command.UInt16(Tags.NumberOfRemainingSuboperations).ShouldBe((ushort)(1000 - stored));
                break;
            }
        }

        stored.ShouldBeLessThan(1000);
        await peer.ReleaseAsync();
    }

    [Fact]
    public async Task A_request_in_the_middle_is_aborted_and_not_waited_for()
    {
        _provider.OnGet = (request, ct) => Give(request, ct, 2, 1);
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await StartGetAsync(acceptor);
        await NextStoreAsync(peer);
        await peer.SendCommandAsync(1, Echo(2));
        await peer.ExpectAbortAsync(Abort.ServiceProvider, AbortReason.NotSpecified);
        peer.Dispose();
        (await _provider.Ended).Detail.ShouldContain("C-GET");
    }

    [Fact]
    public async Task A_release_in_the_middle_ends_the_operation_and_is_answered()
    {
        _provider.OnGet = (request, ct) => Give(request, ct, 2, 1);
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await StartGetAsync(acceptor);
        await NextStoreAsync(peer);
        await peer.SendAsync(new ReleaseRq());
        Pdu? pdu;
        while ((pdu = await peer.ReadAsync()) is PDataTf)
        {
            // The final response may still come (AR-7).
        }

        pdu.ShouldBeOfType<ReleaseRp>();
        peer.Dispose();
        (await _provider.Ended).Kind.ShouldBe(AssociationEndKind.Released);
    }

    [Fact]
    public async Task A_sub_operation_that_is_never_answered_is_aborted_after_the_dimse_timeout()
    {
        var time = new ManualTime();
        _provider.OnGet = (request, ct) => Give(request, ct, 2, 1);
        await using var acceptor = new TestAcceptor(_provider, time: time);
        using ScriptedPeer peer = await StartGetAsync(acceptor);
        await NextStoreAsync(peer);
        // Pending responses may come before it: time goes on behind each of them.
        Task<Pdu?> answer;
        do
        {
            answer = peer.ReadAsync();
            await UntilAsync(
                () =>
                {
                    time.Advance(TimeSpan.FromSeconds(30));
                    return answer.IsCompleted;
                }, "the silence was noticed");
        }
        while (await answer is PDataTf);

        (await answer).ShouldBeOfType<Abort>();
        peer.Dispose();
        (await _provider.Ended).Detail.ShouldContain("sub-operation");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_to_something_else_is_a_violation_and_a_lost_peer_ends_the_work(bool answers)
    {
        var over = new TaskCompletionSource<Exception>();
        _provider.OnGet = (request, ct) => Watch(request, ct);
        await using var acceptor = new TestAcceptor(_provider);
        ScriptedPeer peer = await StartGetAsync(acceptor);
        CommandSet command = await NextStoreAsync(peer);
        if (answers)
        {
            CommandSet wrong = command.Answer(DimseStatus.Success);
            wrong.Set(Tags.MessageIDBeingRespondedTo, (ushort)(command.MessageID!.Value + 1));
            await peer.SendCommandAsync(3, wrong);
            await peer.ExpectAbortAsync(Abort.ServiceProvider, AbortReason.NotSpecified);
        }

        peer.Dispose();
        (await over.Task.WaitAsync(TimeSpan.FromSeconds(20), Ct)).ShouldBeOfType<AssociationException>().Failure.ShouldBe(AssociationFailure.ConnectionLost);
        (await _provider.Ended).Kind.ShouldBe(answers ? AssociationEndKind.AbortedHere : AssociationEndKind.ConnectionLost);

        async IAsyncEnumerable<MoveResponse> Watch(GetRequest request, [EnumeratorCancellation] CancellationToken ct)
        {
            try
            {
                await request.Requestor.StoreAsync(SopClasses.CTImageStorage, "1.2.1", ExplicitLE, ByteSource.Of(CtBytes("1.2.1", 1)), null, ct);
            }
            catch (Exception e)
            {
                over.SetResult(e);
            }

            yield return new MoveResponse(DimseStatus.Success);
        }
    }

    [Fact]
    public async Task Storage_commitment_is_asked_for_and_reported_on_associations_in_either_direction()
    {
        ActionRequest? asked = null;
        EventReportRequest? reported = null;
        _provider.OnAction = request =>
        {
            asked = request;
            return request.ActionTypeID == 1 ? NormalizedResponse.Success : new NormalizedResponse(DimseStatus.NoSuchAction, null, "Unknown");
        };
        _provider.OnEventReport = request =>
        {
            reported = request;
            return NormalizedResponse.Success;
        };
        await using var acceptor = new TestAcceptor(() => new RecordingProvider { OnRole = _provider.OnRole, OnAction = _provider.OnAction, OnEventReport = _provider.OnEventReport });
        var context = new ProposedContext(SopClasses.StorageCommitment, TransferSyntax.ImplicitVRLittleEndian.UID);
        await using RequestorAssociation scu = await RequestorAssociation.ConnectAsync(acceptor.Address, [context], AssociationLimits.Default, Ct);
        NormalizedResponse response = await scu.ActionAsync(SopClasses.StorageCommitment, SopClasses.StorageCommitmentInstance, 1, Transaction(), Ct);
        response.Status.ShouldBe(DimseStatus.Success);
        (asked!.RequestedSOPClassUID, asked.RequestedSOPInstanceUID, asked.ActionTypeID)
            .ShouldBe((SopClasses.StorageCommitment, SopClasses.StorageCommitmentInstance, (ushort)1));
        asked.Information!.GetText(Tags.TransactionUID).ShouldBe("2.25.1");
        (await scu.ActionAsync(SopClasses.StorageCommitment, SopClasses.StorageCommitmentInstance, 9, null, Ct)).Status.ShouldBe(DimseStatus.NoSuchAction);
        await scu.ReleaseAsync(Ct);

        await using RequestorAssociation scp = await RequestorAssociation.ConnectAsync(acceptor.Address, [context with { ScpRole = true }], AssociationLimits.Default, Ct);
        scp.RoleSelections.ShouldBe([new RoleSelection(SopClasses.StorageCommitment, ScuRole: false, ScpRole: true)]);
        (await scp.EventReportAsync(SopClasses.StorageCommitment, SopClasses.StorageCommitmentInstance, 2, Transaction(), Ct)).Status.ShouldBe(DimseStatus.Success);
        (reported!.EventTypeID, reported.Information!.GetText(Tags.TransactionUID)).ShouldBe(((ushort)2, "2.25.1"));
        await scp.ReleaseAsync(Ct);
    }

    [Fact]
    public async Task A_report_on_the_association_of_the_request_is_received_too()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var address = new PeerAddress("127.0.0.1", ((System.Net.IPEndPoint)listener.LocalEndpoint).Port, "ARCHIVE", "PSG");
        Task<RequestorAssociation> connecting = RequestorAssociation.ConnectAsync(address,
            [new ProposedContext(SopClasses.StorageCommitment, TransferSyntax.ImplicitVRLittleEndian.UID)], AssociationLimits.Default, Ct);
        using var archive = new ScriptedPeer(await listener.AcceptSocketAsync(Ct));
        await archive.ReadAsync();
        await archive.SendAsync(new AssociateAc
        {
            CalledAETitle = "ARCHIVE",
            CallingAETitle = "PSG",
            PresentationContexts = [new AnsweredContext(1, PresentationContextResult.Acceptance, TransferSyntax.ImplicitVRLittleEndian.UID)],
            UserInformation = new UserInformation { MaxPduLength = 0, ImplementationClassUID = "1.2" },
        });
        await using RequestorAssociation association = await connecting;
        Task<EventReportRequest> report = association.ReceiveEventReportAsync(static (_, _) => ValueTask.FromResult(NormalizedResponse.Success), Ct);
        await archive.SendCommandAsync(1, CommandSet.EventReport(77, SopClasses.StorageCommitment, SopClasses.StorageCommitmentInstance, 1, hasDataSet: true));
        await archive.SendDataSetAsync(1, Transaction());
        (await archive.ReadMessageAsync()).Command.MessageIDBeingRespondedTo.ShouldBe((ushort)77);
        (await report).Information!.GetText(Tags.TransactionUID).ShouldBe("2.25.1");
    }

    private static DataSet Transaction()
    {
        var information = new DataSet();
        information.SetText(Tags.TransactionUID, "2.25.1");
        return information;
    }

    private static async IAsyncEnumerable<MoveResponse> Give(GetRequest request, [EnumeratorCancellation] CancellationToken ct, int count, int rows)
    {
        var state = new MoveResponse(DimseStatus.Pending) { Remaining = count };
        for (int i = 1; i <= count && !ct.IsCancellationRequested; i++)
        {
            string uid = $"1.2.{i}";
            bool isGood = request.Requestor.Accepts(SopClasses.CTImageStorage, ExplicitLE)
                && (await request.Requestor.StoreAsync(SopClasses.CTImageStorage, uid, ExplicitLE, ByteSource.Of(CtBytes(uid, rows)), null, CancellationToken.None)).Status.IsSuccess;
            state = state with
            {
                Remaining = state.Remaining - 1,
                Completed = state.Completed + (isGood ? 1 : 0),
                Failed = state.Failed + (isGood ? 0 : 1),
                FailedSOPInstanceUIDList = isGood ? state.FailedSOPInstanceUIDList : [.. state.FailedSOPInstanceUIDList, uid],
            };
            yield return state;
        }

        yield return state with
        {
            Status = request.IsCanceled ? DimseStatus.Cancel
                : state.Failed == 0 ? DimseStatus.Success
                : state.Failed == count ? DimseStatus.UnableToPerformSuboperations : DimseStatus.SuboperationsCompleteWithFailures,
        };
    }

    private static Task<RequestorAssociation> ConnectAsync(TestAcceptor acceptor) => RequestorAssociation.ConnectAsync(acceptor.Address,
        [
            new ProposedContext(SopClasses.Verification, TransferSyntax.ImplicitVRLittleEndian.UID),
            new ProposedContext(SopClasses.StudyRootGet, TransferSyntax.ImplicitVRLittleEndian.UID),
            new ProposedContext(SopClasses.CTImageStorage, ExplicitLE) { ScpRole = true },
        ], AssociationLimits.Default, Ct);

    private static async Task<ScriptedPeer> StartGetAsync(TestAcceptor acceptor)
    {
        ScriptedPeer peer = await ScriptedPeer.ConnectAsync(acceptor.Port);
        AssociateRq rq = ScriptedPeer.Request();
        await peer.SendAsync(rq with
        {
            PresentationContexts = [.. rq.PresentationContexts.Take(2), new ProposedContext(SopClasses.StudyRootGet, "1.2.840.10008.1.2") { ID = 7 }],
            UserInformation = rq.UserInformation with { RoleSelections = [new RoleSelection(SopClasses.CTImageStorage, true, true)] },
        });
        (await peer.ReadAsync()).ShouldBeOfType<AssociateAc>();
        await peer.SendCommandAsync(7, Get(1));
        await peer.SendDataSetAsync(7, StudyQuery("1.2.3"));
        return peer;
    }

    private static async Task<CommandSet> NextStoreAsync(ScriptedPeer peer)
    {
        CommandSet command;
        do
        {
            (command, _) = await peer.ReadMessageAsync();
        }
        while (command.Field != CommandField.CStoreRq);
        return command;
    }
}
