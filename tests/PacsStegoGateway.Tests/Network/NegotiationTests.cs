using System.Text;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Tests.Network;

/// <summary>What the two sides agree on before the first message: roles, identities, windows, reasons.</summary>
public sealed class NegotiationTests
{
    private readonly RecordingProvider _provider = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, "modality", "")]
    [InlineData(2, "modality", "passcode")]
    [InlineData(3, "kerberos ticket", "")]
    [InlineData(4, "saml assertion", "")]
    [InlineData(5, "json.web.token", "")]
    public async Task A_user_identity_of_each_type_is_put_before_the_host_and_answered_when_asked(byte type, string primary, string secondary)
    {
        UserIdentity? seen = null;
        _provider.OnNegotiate = request =>
        {
            seen = request.UserIdentity;
            return new AssociationDecision.Accepted { UserIdentityResponse = type == 3 ? "server ticket"u8.ToArray() : [] };
        };
        await using var acceptor = new TestAcceptor(_provider);
        PeerAddress peer = acceptor.Address with
        {
            UserIdentity = new UserIdentity(type, true, Encoding.ASCII.GetBytes(primary), Encoding.ASCII.GetBytes(secondary)),
        };
        await using RequestorAssociation association = await ConnectAsync(peer);
        seen!.Type.ShouldBe(type);
        Encoding.ASCII.GetString(seen.PrimaryField.Span).ShouldBe(primary);
        Encoding.ASCII.GetString(seen.SecondaryField.Span).ShouldBe(secondary);
        association.UserIdentityResponse!.Value.ToArray().ShouldBe(type == 3 ? "server ticket"u8.ToArray() : []);
        await association.ReleaseAsync(Ct);
    }

    [Fact]
    public async Task An_identity_is_not_answered_when_nobody_asked_or_nobody_looked()
    {
        _provider.OnNegotiate = static _ => new AssociationDecision.Accepted { UserIdentityResponse = Array.Empty<byte>() };
        await using var acceptor = new TestAcceptor(_provider);
        await using RequestorAssociation unasked = await ConnectAsync(acceptor.Address with { UserIdentity = new UserIdentity(1, false, "a"u8.ToArray(), default) });
        unasked.UserIdentityResponse.ShouldBeNull();

        await using var ignorant = new TestAcceptor(new RecordingProvider());
        await using RequestorAssociation unheard = await ConnectAsync(ignorant.Address with { UserIdentity = new UserIdentity(1, true, "a"u8.ToArray(), default) });
        unheard.UserIdentityResponse.ShouldBeNull();
    }

    [Fact]
    public async Task A_wrong_identity_can_be_rejected()
    {
        _provider.OnNegotiate = static request => request.UserIdentity is { Type: 2 } identity && identity.SecondaryField.Span.SequenceEqual("right"u8)
            ? AssociationDecision.Accept
            : new AssociationDecision.Rejected(RejectResult.Permanent, RejectSource.ServiceUser, RejectReason.NoReasonGiven);
        await using var acceptor = new TestAcceptor(_provider);
        AssociationException e = await Should.ThrowAsync<AssociationException>(
            ConnectAsync(acceptor.Address with { UserIdentity = new UserIdentity(2, true, "user"u8.ToArray(), "wrong"u8.ToArray()) }));
        e.Rejection!.Reason.ShouldBe(RejectReason.NoReasonGiven);
        e.ToString().ShouldNotContain("wrong");
    }

    [Fact]
    public async Task Roles_are_granted_by_the_host_and_never_beyond_the_proposal()
    {
        _provider.OnRole = static _ => new RoleSelection("ignored", ScuRole: true, ScpRole: true);
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.ConnectAsync(acceptor.Port);
        AssociateRq rq = ScriptedPeer.Request();
        RoleSelection[] proposed = [new(SopClasses.CTImageStorage, true, true), new(SopClasses.MRImageStorage, false, true), new("1.2.3", true, false)];
        await peer.SendAsync(rq with { UserInformation = rq.UserInformation with { RoleSelections = proposed } });
        (await peer.ReadAsync()).ShouldBeOfType<AssociateAc>().UserInformation.RoleSelections.ShouldBe(proposed);
        await peer.ReleaseAsync();
    }

    [Fact]
    public async Task An_asynchronous_window_is_declined_with_one_and_one_and_only_when_asked()
    {
        await using var acceptor = new TestAcceptor(() => new RecordingProvider());
        using ScriptedPeer asking = await ScriptedPeer.ConnectAsync(acceptor.Port);
        AssociateRq rq = ScriptedPeer.Request();
        await asking.SendAsync(rq with { UserInformation = rq.UserInformation with { AsynchronousOperationsWindow = new AsynchronousOperationsWindow(0, 16) } });
        (await asking.ReadAsync()).ShouldBeOfType<AssociateAc>().UserInformation.AsynchronousOperationsWindow
            .ShouldBe(new AsynchronousOperationsWindow(1, 1));
        await asking.ReleaseAsync();

        using ScriptedPeer silent = await ScriptedPeer.ConnectAsync(acceptor.Port);
        await silent.SendAsync(rq);
        (await silent.ReadAsync()).ShouldBeOfType<AssociateAc>().UserInformation.AsynchronousOperationsWindow.ShouldBeNull();
        await silent.ReleaseAsync();
    }

    [Fact]
    public async Task Extended_negotiation_goes_to_the_host_and_its_answer_back()
    {
        AssociationRequest? seen = null;
        _provider.OnNegotiate = request =>
        {
            seen = request;
            return new AssociationDecision.Accepted
            {
                ExtendedNegotiations = [new ExtendedNegotiation(SopClasses.StudyRootFind, new byte[] { 1, 0, 0 })],
            };
        };
        await using var acceptor = new TestAcceptor(_provider);
        PeerAddress peer = acceptor.Address with { ExtendedNegotiations = [new ExtendedNegotiation(SopClasses.StudyRootFind, new byte[] { 1, 1, 1 })] };
        await using RequestorAssociation association = await ConnectAsync(peer);
        seen!.ExtendedNegotiations.ShouldHaveSingleItem().ApplicationInformation.ToArray().ShouldBe([1, 1, 1]);
        association.ExtendedNegotiations.ShouldHaveSingleItem().ApplicationInformation.ToArray().ShouldBe([1, 0, 0]);
        await association.ReleaseAsync(Ct);
    }

    public static TheoryData<RejectResult, RejectReason> EveryRejection =>
        [.. from result in Enum.GetValues<RejectResult>() from reason in Enum.GetValues<RejectReason>() select (result, reason)];

    [Theory]
    [MemberData(nameof(EveryRejection))]
    public async Task Every_reason_of_table_9_21_goes_over_the_wire_and_is_understood(RejectResult result, RejectReason reason)
    {
        var rejection = new AssociationDecision.Rejected(result, (RejectSource)((ushort)reason >> 8), reason);
        _provider.OnNegotiate = _ => rejection;
        await using var acceptor = new TestAcceptor(_provider);
        AssociationException e = await Should.ThrowAsync<AssociationException>(ConnectAsync(acceptor.Address));
        e.Rejection.ShouldBe(rejection);
        e.IsTransient.ShouldBe(result == RejectResult.Transient);
        (await _provider.Ended).Kind.ShouldBe(AssociationEndKind.Rejected);
    }

    public static TheoryData<AbortReason> EveryAbortReason => [.. Enum.GetValues<AbortReason>()];

    [Theory]
    [MemberData(nameof(EveryAbortReason))]
    public async Task Every_reason_of_an_abort_by_the_provider_is_sent_and_named(AbortReason reason)
    {
        _provider.OnEcho = _ => throw new DimseProtocolException("As the test wants it.", reason);
        await using var acceptor = new TestAcceptor(_provider);
        RequestorAssociation association = await ConnectAsync(acceptor.Address);
        AssociationException e = await Should.ThrowAsync<AssociationException>(association.EchoAsync(Ct));
        await association.DisposeAsync();
        e.Failure.ShouldBe(AssociationFailure.Aborted);
        e.Message.ShouldContain(reason.ToString());
        (await _provider.Ended).Kind.ShouldBe(AssociationEndKind.AbortedHere);
    }

    [Theory]
    [InlineData(Abort.ServiceUser, "service user")]
    [InlineData(Abort.ServiceProvider, "service provider, InvalidPduParameterValue")]
    public async Task An_abort_from_either_source_ends_the_association_and_says_whose_it_was(byte source, string words)
    {
        await using var acceptor = new TestAcceptor(_provider);
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        await peer.SendAsync(new Abort(source, (byte)AbortReason.InvalidPduParameterValue));
        (await peer.ReadAsync()).ShouldBeNull();
        AssociationEnd end = await _provider.Ended;
        end.Kind.ShouldBe(AssociationEndKind.AbortedByPeer);
        end.Detail.ShouldContain(words);
    }

    private static Task<RequestorAssociation> ConnectAsync(PeerAddress peer) => RequestorAssociation.ConnectAsync(
        peer, [new ProposedContext(SopClasses.Verification, TransferSyntax.ImplicitVRLittleEndian.UID)], AssociationLimits.Default, Ct);
}
