using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using static PacsStegoGateway.Tests.Network.TestObjects;

namespace PacsStegoGateway.Tests.Network;

/// <summary>What the acceptor answers to well-formed requests, seen as PDUs.</summary>
public sealed class AcceptorTests
{
    private readonly RecordingProvider _provider = new();

    [Fact]
    public async Task The_first_fault_in_the_order_of_the_standard_decides_the_rejection()
    {
        AssociateRq good = ScriptedPeer.Request();
        AssociateRq bad = good with
        {
            ProtocolVersion = 2,
            ApplicationContextName = "1.2.3",
            CalledAETitle = "A\\B",
            CallingAETitle = "",
            PresentationContexts = [],
        };
        await RejectedAsync(bad, 1, 2, 2);
        await RejectedAsync(bad with { ProtocolVersion = 1 }, 1, 1, 2);
        await RejectedAsync(bad with { ProtocolVersion = 3, ApplicationContextName = good.ApplicationContextName }, 1, 1, 7);
        await RejectedAsync(good with { CallingAETitle = "" }, 1, 1, 3);
        await RejectedAsync(good with { PresentationContexts = [] }, 1, 1, 1);
        await RejectedAsync(ScriptedPeer.Request(maxPduLength: 127), 1, 1, 1);
        await RejectedAsync(good, 1, 1, 7, static _ => AssociationDecision.CalledAETitleNotRecognized);
        await RejectedAsync(good, 2, 3, 2, static _ => AssociationDecision.LocalLimitExceeded);
        await RejectedAsync(good, 2, 3, 1, static _ => throw new TimeoutException("The database is away."));
    }

    [Fact]
    public async Task A_request_with_every_context_refused_is_accepted_all_the_same()
    {
        _provider.OnContext = static (abstractSyntax, _) => abstractSyntax == SopClasses.Verification
            ? ContextAnswer.TransferSyntaxesNotSupported
            : ContextAnswer.AbstractSyntaxNotSupported;
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.ConnectAsync(acceptor.Port);
        AssociateRq rq = ScriptedPeer.Request();
        await peer.SendAsync(rq with
        {
            UserInformation = rq.UserInformation with { RoleSelections = [new RoleSelection(SopClasses.CTImageStorage, true, true)] },
        });

        AssociateAc ac = (await peer.ReadAsync()).ShouldBeOfType<AssociateAc>();
        ac.PresentationContexts.Select(static c => (int)c.Result).ShouldBe([4, 3, 3, 3]);
        ac.PresentationContexts.Select(static c => c.ID).ShouldBe(new byte[] { 1, 3, 5, 7 });
        ac.UserInformation.MaxPduLength.ShouldBe(131_072u);
        ac.UserInformation.ImplementationClassUID.ShouldBe(FileMeta.ImplementationClassUID);
        ac.UserInformation.RoleSelections.ShouldBe([new RoleSelection(SopClasses.CTImageStorage, true, false)]);
        await peer.ReleaseAsync();
        peer.Dispose();
        (await _provider.Ended).Kind.ShouldBe(AssociationEndKind.Released);
    }

    [Fact]
    public async Task A_context_id_proposed_twice_is_aborted()
    {
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.ConnectAsync(acceptor.Port);
        AssociateRq rq = ScriptedPeer.Request();
        await peer.SendAsync(rq with { PresentationContexts = [rq.PresentationContexts[0], rq.PresentationContexts[0]] });
        await peer.ExpectAbortAsync(Abort.ServiceProvider, AbortReason.InvalidPduParameterValue);
    }

    [Fact]
    public async Task A_second_request_after_a_rejection_is_aborted()
    {
        _provider.OnNegotiate = static _ => AssociationDecision.CallingAETitleNotRecognized;
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.ConnectAsync(acceptor.Port);
        await peer.SendAsync(ScriptedPeer.Request());
        (await peer.ReadAsync()).ShouldBe(new AssociateRj(1, 1, 3));
        await peer.SendAsync(ScriptedPeer.Request());
        await peer.ExpectAbortAsync(Abort.ServiceProvider, AbortReason.UnexpectedPdu);
        peer.Dispose();
        (await _provider.Ended).Kind.ShouldBe(AssociationEndKind.Rejected);
    }

    [Fact]
    public async Task An_object_arrives_with_what_the_command_says()
    {
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        CommandSet command = Store(42);
        command.SetText(Tags.MoveOriginatorApplicationEntityTitle, "WORKSTATION");
        command.Set(Tags.MoveOriginatorMessageID, 9);
        byte[] dataSet = CtBytes();
        await peer.SendCommandAsync(3, command);
        await peer.SendFragmentAsync(3, false, true, dataSet);

        (CommandSet response, _) = await peer.ReadMessageAsync();
        response.Status.ShouldBe(DimseStatus.Success);
        response.MessageIDBeingRespondedTo.ShouldBe((ushort)42);
        response.AffectedSOPInstanceUID.ShouldBe(InstanceUID);
        (StoreRequest request, byte[] stored) = _provider.Stored.ShouldHaveSingleItem();
        stored.ShouldBe(dataSet);
        request.MoveOriginator.ShouldBe(new MoveOriginator("WORKSTATION", 9));
        request.TransferSyntaxUID.ShouldBe(TransferSyntax.ExplicitVRLittleEndian.UID);
        request.Association.CallingAETitle.ShouldBe("MODALITY1");
        await peer.ReleaseAsync();
    }

    [Fact]
    public async Task A_refusal_is_answered_before_the_data_set_has_come_and_the_rest_is_dropped()
    {
        _provider.OnStore = static (_, _) => ValueTask.FromResult(new StoreResponse(DimseStatus.OutOfResources, new string('x', 100)));
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        await peer.SendCommandAsync(3, Store(1));
        (CommandSet response, _) = await peer.ReadMessageAsync();
        response.Status.ShouldBe(DimseStatus.OutOfResources);
        response.ErrorComment!.Length.ShouldBe(64);
        for (int i = 0; i < 100; i++)
        {
            await peer.SendFragmentAsync(3, false, i == 99, new byte[100_000]);
        }

        await peer.SendCommandAsync(1, Echo(2));
        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.Success);
        await peer.ReleaseAsync();
    }

    [Fact]
    public async Task Success_is_never_answered_before_the_last_byte()
    {
        _provider.OnStore = static (_, _) => ValueTask.FromResult(StoreResponse.Success);
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        await peer.SendCommandAsync(3, Store(1));
        await peer.SendFragmentAsync(3, false, false, new byte[10]);
        Task<DimseStatus> status = peer.ReadStatusAsync();
        await Task.WhenAny(status, Task.Delay(100, TestContext.Current.CancellationToken));
        status.IsCompleted.ShouldBeFalse();
        await peer.SendFragmentAsync(3, false, true, new byte[10]);
        (await status).ShouldBe(DimseStatus.Success);
    }

    [Fact]
    public async Task A_slow_reader_holds_the_sender_back()
    {
        var go = new TaskCompletionSource();
        _provider.OnStore = async (request, ct) =>
        {
            await go.Task;
            (await RecordingProvider.ReadAllAsync(request.DataSet, ct)).Length.ShouldBe(24 << 20);
            return StoreResponse.Success;
        };
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        await peer.SendCommandAsync(3, Store(1));
        int sent = 0;
        Task sending = Task.Run(async () =>
        {
            byte[] fragment = new byte[1 << 16];
            for (; sent < 384; sent++)
            {
                await peer.SendFragmentAsync(3, false, sent == 383, fragment);
            }
        }, TestContext.Current.CancellationToken);
        int seen = -1;
        await UntilAsync(() => seen == (seen = Volatile.Read(ref sent)) && seen > 0, "sending came to a stop");
        seen.ShouldBeLessThan(300);
        go.SetResult();
        await sending;
        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.Success);
    }

    [Fact]
    public async Task Each_failure_of_the_provider_has_its_status_and_is_reported()
    {
        (Exception Thrown, DimseStatus Status)[] cases =
        [
            (new DicomContentException("bytes"), DimseStatus.CannotUnderstand),
            (new IOException("disk"), DimseStatus.OutOfResources),
            (new InvalidOperationException("bug"), DimseStatus.ProcessingFailure),
        ];
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        ushort id = 1;
        foreach ((Exception thrown, DimseStatus status) in cases)
        {
            _provider.OnStore = (_, _) => ValueTask.FromException<StoreResponse>(thrown);
            await peer.SendCommandAsync(3, Store(id++));
            await peer.SendFragmentAsync(3, false, true, new byte[10]);
            (await peer.ReadStatusAsync()).ShouldBe(status);
        }

        _provider.Faults.Select(static f => f.Exception).ShouldBe(cases.Select(static c => c.Thrown));
        _provider.OnEcho = static _ => throw new DimseProtocolException("no", AbortReason.UnexpectedPduParameter);
        await peer.SendCommandAsync(1, Echo(id));
        await peer.ExpectAbortAsync(Abort.ServiceProvider, AbortReason.UnexpectedPduParameter);
    }

    [Fact]
    public async Task Requests_that_cannot_be_served_get_the_status_of_the_standard()
    {
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);

        CommandSet create = CommandSet.Request((CommandField)0x0140, 1, SopClasses.StudyRootFind, hasDataSet: true);
        await peer.SendCommandAsync(5, create);
        await peer.SendDataSetAsync(5, StudyQuery());
        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.UnrecognizedOperation);
        await peer.SendCommandAsync(5, CommandSet.Request(CommandField.CGetRq, 1, SopClasses.StudyRootGet, hasDataSet: true));
        await peer.SendDataSetAsync(5, StudyQuery());
        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.SOPClassNotSupported);

        await StoreGivesAsync(3, Store(2, "not a uid"), DimseStatus.InvalidSOPInstance);
        await StoreGivesAsync(3, Store(3, ""), DimseStatus.CannotUnderstand);
        await StoreGivesAsync(1, Store(4), DimseStatus.SOPClassNotSupported);

        await peer.SendCommandAsync(3, CommandSet.Request(CommandField.CStoreRq, 5, SopClasses.CTImageStorage, hasDataSet: false));
        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.CannotUnderstand);
        await peer.SendCommandAsync(5, CommandSet.Request(CommandField.CFindRq, 6, SopClasses.StudyRootFind, hasDataSet: false));
        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.CannotUnderstand);
        await peer.SendCommandAsync(5, Find(7));
        await peer.SendFragmentAsync(5, false, true, [1, 2, 3]);
        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.CannotUnderstand);
        _provider.Stored.ShouldBeEmpty();
        await peer.ReleaseAsync();

        async Task StoreGivesAsync(byte context, CommandSet command, DimseStatus status)
        {
            await peer.SendCommandAsync(context, command);
            await peer.SendFragmentAsync(context, false, true, new byte[10]);
            (await peer.ReadStatusAsync()).ShouldBe(status);
        }
    }

    [Fact]
    public async Task A_message_id_in_use_is_refused_and_the_running_operation_goes_on()
    {
        var go = new TaskCompletionSource<DimseStatus>();
        _provider.OnEcho = _ => new ValueTask<DimseStatus>(go.Task);
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        await peer.SendCommandAsync(1, Echo(5));
        await peer.SendCommandAsync(1, Echo(5));
        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.DuplicateInvocation);
        go.SetResult(DimseStatus.Success);
        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.Success);
    }

    [Fact]
    public async Task A_peer_may_use_one_message_id_for_everything()
    {
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        for (int i = 0; i < 300; i++)
        {
            await peer.SendCommandAsync(1, Echo(1));
            (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.Success);
        }
    }

    [Fact]
    public async Task A_fault_of_ours_during_negotiation_is_reported_and_closes_the_connection()
    {
        _provider.OnContext = static (_, _) => throw new InvalidOperationException("bug");
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.ConnectAsync(acceptor.Port);
        await peer.SendAsync(ScriptedPeer.Request());
        (await peer.ReadAsync()).ShouldBeNull();
        (await _provider.Ended).Kind.ShouldBe(AssociationEndKind.AbortedHere);
        _provider.Faults.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Requests_that_do_not_wait_are_answered_one_after_the_other()
    {
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        for (ushort id = 1; id <= 20; id++)
        {
            await peer.SendCommandAsync(3, Store(id));
            await peer.SendFragmentAsync(3, false, true, CtBytes(rows: 1));
        }

        for (ushort id = 1; id <= 20; id++)
        {
            (await peer.ReadMessageAsync()).Command.MessageIDBeingRespondedTo.ShouldBe(id);
        }

        _provider.Stored.Count.ShouldBe(20);
    }

    [Theory]
    [InlineData(128u)] // the least we accept
    [InlineData(129u)] // odd: fragments stay even
    [InlineData(0u)] // any length
    public async Task Responses_keep_to_the_peers_pdu_length(uint length)
    {
        _provider.OnFind = static (_, _) => AcceptorQueryTests.Matches(3);
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port, length);
        await peer.SendCommandAsync(5, Find(1));
        await peer.SendDataSetAsync(5, StudyQuery());
        peer.LongestData = 0;
        for (int i = 0; i < 3; i++)
        {
            (await peer.ReadMessageAsync()).DataSet.Length.ShouldBeGreaterThan(30);
        }

        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.Success);
        peer.LongestData.ShouldBeLessThanOrEqualTo(length == 0 ? 400 : 128);
        await peer.ReleaseAsync();
    }

    [Fact]
    public async Task Shutting_down_finishes_what_is_under_way_and_then_releases()
    {
        var begun = new TaskCompletionSource();
        _provider.OnStore = async (request, ct) =>
        {
            begun.SetResult();
            await RecordingProvider.ReadAllAsync(request.DataSet, ct);
            return StoreResponse.Success;
        };
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        await peer.SendCommandAsync(3, Store(1));
        await peer.SendFragmentAsync(3, false, false, new byte[10]);
        await begun.Task;
        acceptor.ShutDown();
        await peer.SendFragmentAsync(3, false, true, new byte[10]);
        (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.Success);
        (await peer.ReadAsync()).ShouldBeOfType<ReleaseRq>();
        await peer.SendAsync(new ReleaseRp());
        (await peer.ReadAsync()).ShouldBeNull();
        (await _provider.Ended).Kind.ShouldBe(AssociationEndKind.ShutDown);
    }

    [Fact]
    public async Task When_both_sides_release_at_once_the_requestor_answers_first()
    {
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        acceptor.ShutDown();
        (await peer.ReadAsync()).ShouldBeOfType<ReleaseRq>();
        await peer.SendAsync(new ReleaseRq());
        await peer.SendAsync(new ReleaseRp());
        (await peer.ReadAsync()).ShouldBeOfType<ReleaseRp>();
        peer.Dispose();
        (await _provider.Ended).Kind.ShouldBe(AssociationEndKind.ShutDown);
    }

    private async Task RejectedAsync(AssociateRq rq, byte result, byte source, byte reason, Func<AssociationRequest, AssociationDecision>? decide = null)
    {
        var provider = new RecordingProvider { OnNegotiate = decide ?? _provider.OnNegotiate };
        await using var acceptor = new TestAcceptor(provider);
        using ScriptedPeer peer = await ScriptedPeer.ConnectAsync(acceptor.Port);
        await peer.SendAsync(rq);
        (await peer.ReadAsync()).ShouldBe(new AssociateRj(result, source, reason));
        peer.Dispose();
        (await provider.Ended).Kind.ShouldBe(AssociationEndKind.Rejected);
    }
}
