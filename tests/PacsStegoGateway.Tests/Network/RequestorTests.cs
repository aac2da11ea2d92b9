using System.Net;
using System.Net.Sockets;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using static PacsStegoGateway.Tests.Network.TestObjects;

namespace PacsStegoGateway.Tests.Network;

/// <summary>The requestor against our own acceptor, and against a peer that breaks the rules.</summary>
public sealed class RequestorTests
{
    private static readonly ProposedContext[] Contexts =
    [
        new(SopClasses.Verification, TransferSyntax.ImplicitVRLittleEndian.UID),
        new(SopClasses.CTImageStorage, TransferSyntax.ExplicitVRLittleEndian.UID),
        new(SopClasses.CTImageStorage, TransferSyntax.ImplicitVRLittleEndian.UID),
        new(SopClasses.StudyRootFind, TransferSyntax.ImplicitVRLittleEndian.UID),
        new(SopClasses.StudyRootMove, TransferSyntax.ImplicitVRLittleEndian.UID),
        new(SopClasses.StudyRootGet, TransferSyntax.ImplicitVRLittleEndian.UID),
    ];

    private readonly RecordingProvider _provider = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Echo_store_find_and_move_work_on_one_association()
    {
        byte[] dataSet = CtBytes(rows: 512);
        _provider.OnFind = static (_, _) => Matches();
        _provider.OnMove = static (_, _) => Moves();
        _provider.OnContext = static (abstractSyntax, proposed) => proposed[0] == TransferSyntax.ImplicitVRLittleEndian.UID && abstractSyntax == SopClasses.CTImageStorage
            ? ContextAnswer.TransferSyntaxesNotSupported
            : ContextAnswer.Accept(proposed[0]);
        await using var acceptor = new TestAcceptor(_provider);
        await using RequestorAssociation association = await ConnectAsync(acceptor);

        (await association.EchoAsync(Ct)).ShouldBe(DimseStatus.Success);
        association.Accepts(SopClasses.CTImageStorage, TransferSyntax.ExplicitVRLittleEndian.UID).ShouldBeTrue();
        association.Accepts(SopClasses.CTImageStorage, TransferSyntax.ImplicitVRLittleEndian.UID).ShouldBeFalse();
        (await StoreAsync(association, dataSet)).ShouldBe(StoreResponse.Success);
        (await association.StoreAsync(SopClasses.CTImageStorage, "1.2.3", TransferSyntax.ExplicitVRLittleEndian.UID,
            ByteSource.Of(dataSet), new MoveOriginator("CALLER", 5), Ct)).ShouldBe(StoreResponse.Success);
        _provider.Stored.Count.ShouldBe(2);
        _provider.Stored.ShouldAllBe(s => s.DataSet.SequenceEqual(dataSet));
        _provider.Stored.Last().Request.MoveOriginator.ShouldBe(new MoveOriginator("CALLER", 5));

        var matches = new List<DataSet>();
        await foreach (DataSet match in association.FindAsync(SopClasses.StudyRootFind, StudyQuery(), Ct))
        {
            matches.Add(match);
        }

        matches.Select(static m => m.GetText(Tags.StudyInstanceUID)).ShouldBe(["1.2.0", "1.2.1", "1.2.2"]);
        List<MoveResponse> moves = await association.MoveAsync(SopClasses.StudyRootMove, "DEST", StudyQuery(), Ct).ToListAsync(Ct);
        moves.Select(static m => m.Status).ShouldBe([DimseStatus.Pending, DimseStatus.UnableToPerformSuboperations]);
        moves[1].FailedSOPInstanceUIDList.ShouldBe(["1.2.9"]);
        moves[1].Failed.ShouldBe(1);
        await association.ReleaseAsync(Ct);
        association.IsEstablished.ShouldBeFalse();
        await association.DisposeAsync();
        (await _provider.Ended).Kind.ShouldBe(AssociationEndKind.Released);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(131_066)] // one fragment exactly
    [InlineData(131_067)]
    [InlineData(262_132)] // two fragments exactly
    [InlineData(1_000_001)]
    public async Task A_source_and_a_sequence_arrive_as_they_are_at_every_fragment_boundary(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        await using var acceptor = new TestAcceptor(_provider);
        await using RequestorAssociation association = await ConnectAsync(acceptor);
        await StoreAsync(association, bytes);
        await association.StoreAsync(SopClasses.CTImageStorage, InstanceUID, TransferSyntax.ExplicitVRLittleEndian.UID, ByteSource.Of(bytes), null, Ct);
        _provider.Stored.Count.ShouldBe(2);
        _provider.Stored.ShouldAllBe(s => s.DataSet.SequenceEqual(bytes));
    }

    [Fact]
    public async Task Leaving_a_query_early_cancels_it_and_the_association_is_still_good()
    {
        bool? canceled = null;
        _provider.OnFind = (request, ct) => Endless(request, ct);
        await using var acceptor = new TestAcceptor(_provider);
        await using RequestorAssociation association = await ConnectAsync(acceptor);
        await foreach (DataSet match in association.FindAsync(SopClasses.StudyRootFind, StudyQuery(), Ct))
        {
            match.GetText(Tags.StudyInstanceUID).ShouldBe("1.2");
            break;
        }

        canceled.ShouldBe(true);
        (await association.EchoAsync(Ct)).ShouldBe(DimseStatus.Success);

        async IAsyncEnumerable<FindResponse> Endless(QueryRequest request, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
        {
            try
            {
                while (true)
                {
                    yield return FindResponse.Match(StudyQuery("1.2"));
                    await Task.Delay(1, ct);
                }
            }
            finally
            {
                canceled = request.IsCanceled;
            }
        }
    }

    [Fact]
    public async Task A_failing_query_throws_its_status_and_the_association_is_still_good()
    {
        _provider.OnFind = static (_, _) => new[] { new FindResponse(DimseStatus.OutOfResources, ErrorComment: "later") }.ToAsyncEnumerable();
        await using var acceptor = new TestAcceptor(_provider);
        await using RequestorAssociation association = await ConnectAsync(acceptor);
        AssociationException e = await Should.ThrowAsync<AssociationException>(
            association.FindAsync(SopClasses.StudyRootFind, StudyQuery(), Ct).ToListAsync(Ct).AsTask());
        e.Failure.ShouldBe(AssociationFailure.OperationFailed);
        e.Status.ShouldBe(DimseStatus.OutOfResources);
        e.ErrorComment.ShouldBe("later");
        e.Message.ShouldNotContain("later");
        e.IsTransient.ShouldBeTrue();
        (await association.EchoAsync(Ct)).ShouldBe(DimseStatus.Success);
    }

    [Fact]
    public async Task A_rejection_says_whether_to_try_again()
    {
        _provider.OnNegotiate = static _ => AssociationDecision.LocalLimitExceeded;
        await using var acceptor = new TestAcceptor(_provider);
        AssociationException e = await Should.ThrowAsync<AssociationException>(ConnectAsync(acceptor));
        e.Rejection!.Reason.ShouldBe(RejectReason.LocalLimitExceeded);
        e.IsTransient.ShouldBeTrue();

        var strict = new RecordingProvider { OnNegotiate = static _ => AssociationDecision.CalledAETitleNotRecognized };
        await using var other = new TestAcceptor(strict);
        e = await Should.ThrowAsync<AssociationException>(ConnectAsync(other));
        e.Rejection!.Reason.ShouldBe(RejectReason.CalledAETitleNotRecognized);
        e.IsTransient.ShouldBeFalse();
    }

    [Fact]
    public async Task Nobody_listening_is_transient()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        AssociationException e = await Should.ThrowAsync<AssociationException>(RequestorAssociation.ConnectAsync(
            new PeerAddress("127.0.0.1", port, "A", "B"), Contexts, AssociationLimits.Default, Ct));
        e.Failure.ShouldBe(AssociationFailure.NotConnected);
        e.IsTransient.ShouldBeTrue();
    }

    [Fact]
    public async Task A_peer_that_accepts_tcp_and_says_nothing_is_given_up()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var time = new ManualTime();
        Task<RequestorAssociation> connecting = RequestorAssociation.ConnectAsync(
            new PeerAddress("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, "A", "B"), Contexts, AssociationLimits.Default, time, Ct);
        await UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(5));
            return connecting.IsCompleted;
        }, "the requestor gave up");
        (await Should.ThrowAsync<AssociationException>(connecting)).Failure.ShouldBe(AssociationFailure.TimedOut);
    }

    [Fact]
    public async Task A_peer_that_never_answers_an_echo_is_given_up_and_aborted()
    {
        var time = new ManualTime();
        (RequestorAssociation association, ScriptedPeer peer) = await ScriptedAsync(time);
        Task<DimseStatus> echo = association.EchoAsync(Ct);
        (await peer.ReadMessageAsync()).Command.Field.ShouldBe(CommandField.CEchoRq);
        await UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(15));
            return echo.IsCompleted;
        }, "the requestor gave up");
        (await Should.ThrowAsync<AssociationException>(echo)).Failure.ShouldBe(AssociationFailure.TimedOut);
        await peer.ExpectAbortAsync(Abort.ServiceProvider, AbortReason.NotSpecified);
        await Should.ThrowAsync<InvalidOperationException>(association.EchoAsync(Ct));
        await association.DisposeAsync();
    }

    [Fact]
    public async Task A_peer_that_aborts_while_we_send_is_noticed()
    {
        (RequestorAssociation association, ScriptedPeer peer) = await ScriptedAsync();
        Task<StoreResponse> store = StoreAsync(association, new byte[100 << 20]);
        await peer.ReadAsync();
        await peer.SendAsync(new Abort(Abort.ServiceProvider, 0));
        peer.Dispose();
        AssociationException e = await Should.ThrowAsync<AssociationException>(store);
        e.Failure.ShouldBeOneOf(AssociationFailure.Aborted, AssociationFailure.ConnectionLost);
        e.IsTransient.ShouldBeTrue();
        await association.DisposeAsync();
    }

    [Fact]
    public async Task An_answer_to_another_message_is_a_violation()
    {
        (RequestorAssociation association, ScriptedPeer peer) = await ScriptedAsync();
        Task<DimseStatus> echo = association.EchoAsync(Ct);
        await peer.ReadMessageAsync();
        await peer.SendCommandAsync(1, Echo(77).Answer(DimseStatus.Success));
        (await Should.ThrowAsync<AssociationException>(echo)).Failure.ShouldBe(AssociationFailure.ProtocolViolation);
        (await peer.ReadAsync()).ShouldBeOfType<Abort>();
        await association.DisposeAsync();
    }

    [Fact]
    public async Task A_canceled_echo_leaves_at_once_and_disposing_aborts()
    {
        (RequestorAssociation association, ScriptedPeer peer) = await ScriptedAsync();
        using var cancel = new CancellationTokenSource();
        Task<DimseStatus> echo = association.EchoAsync(cancel.Token);
        await peer.ReadMessageAsync();
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(echo);
        await association.DisposeAsync();
        await peer.ExpectAbortAsync(Abort.ServiceUser, AbortReason.NotSpecified);
    }

    [Fact]
    public async Task A_release_collision_is_settled_by_the_requestor_answering_first()
    {
        (RequestorAssociation association, ScriptedPeer peer) = await ScriptedAsync();
        Task release = association.ReleaseAsync(Ct);
        (await peer.ReadAsync()).ShouldBeOfType<ReleaseRq>();
        await peer.SendAsync(new ReleaseRq());
        (await peer.ReadAsync()).ShouldBeOfType<ReleaseRp>();
        await peer.SendAsync(new ReleaseRp());
        await release;
        await association.DisposeAsync();
    }

    [Fact]
    public async Task A_peer_that_releases_instead_of_answering_is_answered_and_reported()
    {
        (RequestorAssociation association, ScriptedPeer peer) = await ScriptedAsync();
        Task<DimseStatus> echo = association.EchoAsync(Ct);
        await peer.ReadMessageAsync();
        await peer.SendAsync(new ReleaseRq());
        (await peer.ReadAsync()).ShouldBeOfType<ReleaseRp>();
        (await Should.ThrowAsync<AssociationException>(echo)).IsTransient.ShouldBeTrue();
        await association.DisposeAsync();
    }

    [Fact]
    public async Task The_peers_tiny_pdu_length_is_kept_to()
    {
        (RequestorAssociation association, ScriptedPeer peer) = await ScriptedAsync(maxPduLength: 128);
        byte[] bytes = CtBytes(rows: 2);
        Task<StoreResponse> store = StoreAsync(association, bytes);
        (CommandSet command, byte[] dataSet) = await peer.ReadMessageAsync();
        dataSet.ShouldBe(bytes);
        peer.LongestData.ShouldBe(128);
        await peer.SendCommandAsync(3, command.Answer(new DimseStatus(0xA700), errorComment: "full"));
        (await store).ShouldBe(new StoreResponse(DimseStatus.OutOfResources, "full"));
        await association.DisposeAsync();
    }

    [Fact]
    public async Task Two_operations_at_once_are_our_own_misuse()
    {
        (RequestorAssociation association, ScriptedPeer peer) = await ScriptedAsync();
        Task<DimseStatus> echo = association.EchoAsync(Ct);
        await Should.ThrowAsync<InvalidOperationException>(association.EchoAsync(Ct));
        (CommandSet command, _) = await peer.ReadMessageAsync();
        await peer.SendCommandAsync(1, command.Answer(DimseStatus.Success));
        (await echo).ShouldBe(DimseStatus.Success);
        (await Should.ThrowAsync<AssociationException>(association.StoreAsync("1.2.3", "1.2", "1.2.840.10008.1.2", Sequence([0, 0]), null, Ct)))
            .Failure.ShouldBe(AssociationFailure.NoPresentationContext);
        association.IsEstablished.ShouldBeTrue();
        await association.DisposeAsync();
    }

    private static Task<RequestorAssociation> ConnectAsync(TestAcceptor acceptor) =>
        RequestorAssociation.ConnectAsync(acceptor.Address, Contexts, AssociationLimits.Default, Ct);

    private static Task<StoreResponse> StoreAsync(RequestorAssociation association, byte[] bytes) =>
        association.StoreAsync(SopClasses.CTImageStorage, InstanceUID, TransferSyntax.ExplicitVRLittleEndian.UID, Sequence(bytes), null, Ct);

    /// <summary>A requestor whose acceptor is a script that has already accepted every context.</summary>
    private static async Task<(RequestorAssociation Association, ScriptedPeer Peer)> ScriptedAsync(TimeProvider? time = null, uint maxPduLength = 16384)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task<RequestorAssociation> connecting = RequestorAssociation.ConnectAsync(
            new PeerAddress("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, "A", "B"), Contexts, AssociationLimits.Default, time ?? TimeProvider.System, Ct);
        var peer = new ScriptedPeer(await listener.AcceptSocketAsync(Ct));
        var rq = (AssociateRq)(await peer.ReadAsync())!;
        await peer.SendAsync(new AssociateAc
        {
            CalledAETitle = rq.CalledAETitle,
            CallingAETitle = rq.CallingAETitle,
            PresentationContexts = [.. rq.PresentationContexts.Select(static c => new AnsweredContext(c.ID, PresentationContextResult.Acceptance, c.TransferSyntaxes[0]))],
            UserInformation = new UserInformation { MaxPduLength = maxPduLength, ImplementationClassUID = "1.2.3" },
        });
        return (await connecting, peer);
    }

    private static async IAsyncEnumerable<FindResponse> Matches()
    {
        for (int i = 0; i < 3; i++)
        {
            await Task.Yield();
            yield return FindResponse.Match(StudyQuery($"1.2.{i}"));
        }
    }

    private static async IAsyncEnumerable<MoveResponse> Moves()
    {
        await Task.Yield();
        yield return new MoveResponse(DimseStatus.Pending) { Remaining = 1 };
        yield return new MoveResponse(DimseStatus.UnableToPerformSuboperations) { Failed = 1, FailedSOPInstanceUIDList = ["1.2.9"] };
    }
}
