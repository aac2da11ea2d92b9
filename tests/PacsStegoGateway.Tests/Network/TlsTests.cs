using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using static PacsStegoGateway.Tests.Network.TestObjects;

namespace PacsStegoGateway.Tests.Network;

/// <summary>TLS as BCP 195 wants it, at both ends, with certificates good and bad.</summary>
public sealed class TlsTests : IDisposable
{
    private static readonly TimeSpan Handshake = TimeSpan.FromSeconds(10);

    private readonly TestAuthority _authority = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task Both_ends_know_each_other_and_objects_arrive_byte_for_byte()
    {
        var provider = new RecordingProvider();
        await using TestAcceptor acceptor = Serve(_authority.Server(), provider: provider);
        await using RequestorAssociation association = await ConnectAsync(acceptor, _authority.Client("CT1.example", names: ["ct1.example", "127.0.0.1"]));
        byte[] bytes = CtBytes(rows: 512);
        StoreResponse response = await association.StoreAsync(SopClasses.CTImageStorage, InstanceUID, TransferSyntax.ExplicitVRLittleEndian.UID, Sequence(bytes), null, Ct);
        response.Status.ShouldBe(DimseStatus.Success);
        await association.ReleaseAsync(Ct);
        await association.DisposeAsync();
        provider.Stored.ShouldHaveSingleItem().DataSet.ShouldBe(bytes);
        (await provider.Ended).Kind.ShouldBe(AssociationEndKind.Released);

        PeerCertificate peer = acceptor.Handshakes.ShouldHaveSingleItem().ShouldBeOfType<TlsOutcome.Secured>().Peer!;
        peer.Names.ShouldBe(["CT1.example", "ct1.example", "127.0.0.1"]);
        peer.Is("ct1.example").ShouldBeTrue();
        peer.Is("CN=CT1.example").ShouldBeTrue();
        peer.Is("sha256:" + peer.Fingerprint).ShouldBeTrue();
        peer.Is("ct2.example").ShouldBeFalse();
    }

    [Theory]
    [InlineData(SslProtocols.Tls13, true)]
    [InlineData(SslProtocols.Tls12, true)]
#pragma warning disable SYSLIB0039 // The point is that it is refused.
    [InlineData(SslProtocols.Tls11, false)]
#pragma warning restore SYSLIB0039
    public async Task Versions_before_1_2_are_refused(SslProtocols version, bool isGood)
    {
        await using TestAcceptor acceptor = Serve(_authority.Server(), ClientCertificates.None);
        await ShakeAsync(acceptor, new SslClientAuthenticationOptions { EnabledSslProtocols = version }, isGood);
    }

    [Theory]
    [InlineData(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, true)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, true)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, false)]
    [InlineData(TlsCipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256, false)]
    public async Task Only_suites_with_forward_secrecy_and_authenticated_encryption_are_spoken(TlsCipherSuite suite, bool isGood)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The system's policy decides there.");
        await using TestAcceptor acceptor = Serve(_authority.Server(), ClientCertificates.None);
#pragma warning disable CA1416
        await ShakeAsync(acceptor, new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls12,
            CipherSuitesPolicy = new CipherSuitesPolicy([suite]),
        }, isGood);
#pragma warning restore CA1416
    }

    public static TheoryData<string, string> BadClients => new()
    {
        { "none", "there is none" },
        { "expired", "expired or not yet valid" },
        { "stranger", "no trusted authority issued it" },
        { "purpose", "another purpose" },
        { "revoked", "it was revoked" },
        { "stale list", "out of date" },
        { "no list", "no revocation list of its issuer" },
    };

    [Theory]
    [MemberData(nameof(BadClients))]
    public async Task A_client_that_is_not_to_be_trusted_is_refused_with_the_reason(string kind, string reason)
    {
        using var elsewhere = new TestAuthority("Elsewhere");
        TlsFiles server = _authority.Server();
        TlsFiles client = kind == "expired" ? _authority.Client(days: -1) : kind == "stranger" ? elsewhere.Client() : _authority.Client();
        if (kind == "none")
        {
            client = client with { CertificatePath = null, KeyPath = null };
        }
        else if (kind == "purpose")
        {
            client = _authority.Server("impostor");
        }

        using X509Certificate2 revoked = _authority.Issue("revoked");
        server = kind switch
        {
            "revoked" => server with { RevocationListPath = _authority.Revoke(2, revoked) },
            "stale list" => server with { RevocationListPath = _authority.Revoke(-1) },
            "no list" => server with { RevocationListPath = elsewhere.Revoke(2) },
            _ => server,
        };
        client = kind == "revoked" ? _authority.Files("revoked") : client;
        await using TestAcceptor acceptor = Serve(server);
        AssociationException e = await Should.ThrowAsync<AssociationException>(
            ConnectAsync(acceptor, client with { AuthoritiesPath = _authority.AuthoritiesPath }));
        e.Failure.ShouldBeOneOf(AssociationFailure.TlsFailed, AssociationFailure.ConnectionLost);
        await UntilAsync(() => !acceptor.Handshakes.IsEmpty, "the handshake ended");
        acceptor.Handshakes.ShouldHaveSingleItem().ShouldBeOfType<TlsOutcome.Refused>().Detail.ShouldContain(reason);
    }

    [Fact]
    public async Task A_good_client_passes_a_list_that_revokes_another_and_needs_no_certificate_where_none_is_asked()
    {
        using X509Certificate2 other = _authority.Issue("other");
        await using TestAcceptor checking = Serve(_authority.Server() with { RevocationListPath = _authority.Revoke(2, other) });
        await EchoAsync(checking, _authority.Client());
        foreach (ClientCertificates mode in (ClientCertificates[])[ClientCertificates.Optional, ClientCertificates.None])
        {
            await using TestAcceptor lax = Serve(_authority.Server(), mode);
            await EchoAsync(lax, _authority.Client() with { CertificatePath = null, KeyPath = null });
            lax.Handshakes.ShouldHaveSingleItem().ShouldBeOfType<TlsOutcome.Secured>().Peer.ShouldBeNull();
        }
    }

    [Theory]
    [InlineData("expired", TlsVerification.Full, "expired or not yet valid")]
    [InlineData("expired", TlsVerification.Authority, "expired or not yet valid")]
    [InlineData("expired", TlsVerification.None, null)]
    [InlineData("name", TlsVerification.Full, "another name")]
    [InlineData("name", TlsVerification.Authority, null)]
    [InlineData("stranger", TlsVerification.Authority, "no trusted authority issued it")]
    [InlineData("stranger", TlsVerification.None, null)]
    public async Task A_server_is_verified_as_far_as_is_asked(string kind, TlsVerification verification, string? reason)
    {
        using var elsewhere = new TestAuthority("Elsewhere");
        TlsFiles server = kind switch
        {
            "expired" => _authority.Server(days: -1),
            "name" => _authority.Server(names: ["pacs.example"]),
            _ => elsewhere.Server(),
        };
        await using TestAcceptor acceptor = Serve(server with { AuthoritiesPath = _authority.AuthoritiesPath });
        if (reason is null)
        {
            await EchoAsync(acceptor, _authority.Client(), verification);
            return;
        }

        AssociationException e = await Should.ThrowAsync<AssociationException>(ConnectAsync(acceptor, _authority.Client(), verification));
        e.Failure.ShouldBe(AssociationFailure.TlsFailed);
        e.Message.ShouldContain(reason);
        e.IsTransient.ShouldBeFalse();
    }

    [Fact]
    public async Task A_server_name_of_our_own_choice_is_verified_instead_of_the_host()
    {
        await using TestAcceptor acceptor = Serve(_authority.Server(names: ["pacs.example"]));
        var tls = new TlsClient(new TlsCredentials(_authority.Client()), TlsVerification.Full) { ServerName = "pacs.example" };
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(acceptor.Address with { Tls = tls }, Contexts, AssociationLimits.Default, Ct);
        (await association.EchoAsync(Ct)).ShouldBe(DimseStatus.Success);
    }

    [Fact]
    public async Task New_certificate_files_are_used_for_new_associations_and_open_ones_go_on()
    {
        var told = new System.Collections.Concurrent.ConcurrentQueue<string>();
        TlsFiles files = _authority.Server();
        var credentials = new TlsCredentials(files, told.Enqueue);
        await using var acceptor = new TestAcceptor(static () => new RecordingProvider(), tls: new TlsServer(credentials, ClientCertificates.Required, Handshake, TimeProvider.System));
        await using RequestorAssociation open = await ConnectAsync(acceptor, _authority.Client());
        DateTimeOffset first = credentials.NotAfter!.Value;

        _authority.Server(days: 7);
        await EchoAsync(acceptor, _authority.Client());
        credentials.NotAfter!.Value.ShouldBeGreaterThan(first.AddDays(1));
        told.ShouldHaveSingleItem().ShouldContain("in use");

        // Half written: what was there before stays, and it is said once.
        File.WriteAllText(files.CertificatePath!, "-----BEGIN CERT");
        await EchoAsync(acceptor, _authority.Client());
        await EchoAsync(acceptor, _authority.Client());
        told.Count.ShouldBe(2);
        told.Last().ShouldContain("not used");
        _authority.Server(days: 8);
        await EchoAsync(acceptor, _authority.Client());
        told.Count.ShouldBe(3);

        (await open.EchoAsync(Ct)).ShouldBe(DimseStatus.Success);
        await open.ReleaseAsync(Ct);
    }

    [Fact]
    public async Task Fifty_handshakes_that_stand_still_hold_up_nobody_and_end_by_their_own_limit()
    {
        var time = new ManualTime();
        var server = new TlsServer(new TlsCredentials(_authority.Server()), ClientCertificates.Required, Handshake, time);
        await using var acceptor = new TestAcceptor(static () => new RecordingProvider(), tls: server);
        var slow = new List<ScriptedPeer>();
        for (int i = 0; i < 50; i++)
        {
            slow.Add(await ScriptedPeer.ConnectAsync(acceptor.Port));
            await slow[^1].SendAsync(0x16, 0x03, 0x01);
        }

        await EchoAsync(acceptor, _authority.Client());
        await UntilAsync(
            () =>
            {
                time.Advance(Handshake);
                return acceptor.Handshakes.Count == 51;
            }, "the slow ones were given up");
        acceptor.Handshakes.OfType<TlsOutcome.Refused>().Count(static r => r.Detail.Contains("No TLS handshake within")).ShouldBe(50);
        slow.ForEach(static s => s.Dispose());
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "HTTP")]
    [InlineData("\u0001\u0000\u0000\u0000", "plain DICOM")]
    [InlineData("\u0000\u0000", "something unknown")]
    public async Task What_is_no_tls_on_the_tls_port_is_named_and_closed(string bytes, string name)
    {
        await using TestAcceptor acceptor = Serve(_authority.Server());
        using ScriptedPeer peer = await ScriptedPeer.ConnectAsync(acceptor.Port);
        await peer.SendAsync(System.Text.Encoding.Latin1.GetBytes(bytes));
        (await peer.ReadAsync()).ShouldBeNull();
        await UntilAsync(() => !acceptor.Handshakes.IsEmpty, "the handshake ended");
        acceptor.Handshakes.ShouldHaveSingleItem().ShouldBeOfType<TlsOutcome.Refused>().Detail.ShouldContain(name);
    }

    [Fact]
    public async Task A_connection_that_says_nothing_on_the_tls_port_is_no_failure_and_a_plain_port_is_told_from_a_tls_one()
    {
        await using TestAcceptor acceptor = Serve(_authority.Server());
        (await ScriptedPeer.ConnectAsync(acceptor.Port)).Dispose();
        await UntilAsync(() => !acceptor.Handshakes.IsEmpty, "the handshake ended");
        acceptor.Handshakes.ShouldHaveSingleItem().ShouldBeOfType<TlsOutcome.NothingSaid>();

        var provider = new RecordingProvider();
        await using var plain = new TestAcceptor(provider);
        AssociationException e = await Should.ThrowAsync<AssociationException>(ConnectAsync(plain, _authority.Client()));
        e.Failure.ShouldBe(AssociationFailure.TlsFailed);
        AssociationEnd end = await provider.Ended;
        (end.Kind, end.Detail.Contains("TLS")).ShouldBe((AssociationEndKind.NotDicom, true));
    }

    [Fact]
    public async Task A_bit_that_was_changed_on_the_way_ends_the_association_and_nothing_half_received_is_kept()
    {
        var provider = new RecordingProvider();
        await using TestAcceptor acceptor = Serve(_authority.Server(), provider: provider);
        await using var proxy = new TamperingProxy(acceptor.Port);
        var tls = new TlsClient(new TlsCredentials(_authority.Client()), TlsVerification.Full);
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(
            new PeerAddress("127.0.0.1", proxy.Port, "GATEWAY", "MODALITY1") { Tls = tls }, Contexts, AssociationLimits.Default, Ct);
        proxy.Tamper();
        await Should.ThrowAsync<AssociationException>(association.StoreAsync(SopClasses.CTImageStorage, InstanceUID,
            TransferSyntax.ExplicitVRLittleEndian.UID, Sequence(CtBytes(rows: 64)), null, Ct));
        (await provider.Ended).Kind.ShouldBe(AssociationEndKind.IntegrityLost);
        provider.Stored.ShouldBeEmpty();
    }

    [Fact]
    public async Task Waiting_that_is_cut_short_in_the_middle_of_a_record_loses_nothing()
    {
        var provider = new RecordingProvider();
        provider.OnFind = static (request, ct) => UntilCanceled(request, ct);
        var limits = new AssociationLimits { IdleTimeout = TimeSpan.FromSeconds(1) };
        await using var acceptor = new TestAcceptor(provider, limits, tls: new TlsServer(
            new TlsCredentials(_authority.Server()), ClientCertificates.Required, Handshake, TimeProvider.System));
        await using var proxy = new TamperingProxy(acceptor.Port);
        var tls = new TlsClient(new TlsCredentials(_authority.Client()), TlsVerification.Full);
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(
            new PeerAddress("127.0.0.1", proxy.Port, "GATEWAY", "MODALITY1") { Tls = tls },
            [new ProposedContext(SopClasses.StudyRootFind, TransferSyntax.ImplicitVRLittleEndian.UID)], AssociationLimits.Default, Ct);
        int matches = 0;
        await foreach (DataSet match in association.FindAsync(SopClasses.StudyRootFind, StudyQuery(), Ct))
        {
            // The C-CANCEL drips for longer than the other side waits at a time: it is read in many parts.
            matches++;
            proxy.Drip();
            break;
        }

        matches.ShouldBe(1);
        association.IsEstablished.ShouldBeTrue();
        provider.Faults.ShouldBeEmpty();

        static async IAsyncEnumerable<FindResponse> UntilCanceled(QueryRequest request, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
        {
            yield return FindResponse.Match(StudyQuery("1.2.3"));
            await Task.Delay(TimeSpan.FromSeconds(30), ct);
        }
    }

    [Fact]
    public void Files_that_cannot_be_used_are_named()
    {
        TlsFiles good = _authority.Client();
        foreach (TlsFiles bad in (TlsFiles[])
            [good with { CertificatePath = "/nowhere/cert.pem" }, good with { KeyPath = _authority.AuthoritiesPath },
                good with { AuthoritiesPath = good.KeyPath }, good with { RevocationListPath = good.CertificatePath }])
        {
            Should.Throw<TlsException>(() => new TlsCredentials(bad)).Message.ShouldContain("cannot be");
        }

        File.WriteAllBytes(_authority.At("both.pfx"), X509Certificate2.CreateFromPemFile(good.CertificatePath!, good.KeyPath).Export(X509ContentType.Pkcs12, "pass"));
        new TlsCredentials(new TlsFiles { CertificatePath = _authority.At("both.pfx"), Password = "pass" }).NotAfter.ShouldNotBeNull();
        Should.Throw<TlsException>(() => new TlsCredentials(new TlsFiles { CertificatePath = _authority.At("both.pfx"), Password = "fail" }));
    }

    private static ProposedContext[] Contexts =>
    [
        new(SopClasses.Verification, TransferSyntax.ImplicitVRLittleEndian.UID),
        new(SopClasses.CTImageStorage, TransferSyntax.ExplicitVRLittleEndian.UID),
    ];

    private static TestAcceptor Serve(TlsFiles files, ClientCertificates clients = ClientCertificates.Required, IDimseServiceProvider? provider = null) =>
        new(() => provider ?? new RecordingProvider(), tls: new TlsServer(new TlsCredentials(files), clients, Handshake, TimeProvider.System));

    private static Task<RequestorAssociation> ConnectAsync(TestAcceptor acceptor, TlsFiles client, TlsVerification verification = TlsVerification.Full) =>
        RequestorAssociation.ConnectAsync(acceptor.Address with { Tls = new TlsClient(new TlsCredentials(client), verification) }, Contexts, AssociationLimits.Default, Ct);

    private static async Task EchoAsync(TestAcceptor acceptor, TlsFiles client, TlsVerification verification = TlsVerification.Full)
    {
        await using RequestorAssociation association = await ConnectAsync(acceptor, client, verification);
        (await association.EchoAsync(Ct)).ShouldBe(DimseStatus.Success);
        await association.ReleaseAsync(Ct);
    }

    private static async Task ShakeAsync(TestAcceptor acceptor, SslClientAuthenticationOptions options, bool isGood)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, acceptor.Port, Ct);
        await using var stream = new SslStream(client.GetStream(), false, static (_, _, _, _) => true);
        options.TargetHost = "localhost";
        if (isGood)
        {
            await stream.AuthenticateAsClientAsync(options, Ct);
            await UntilAsync(() => acceptor.Handshakes.Any(static h => h is TlsOutcome.Secured), "the handshake was done");
        }
        else
        {
            await Should.ThrowAsync<Exception>(stream.AuthenticateAsClientAsync(options, Ct));
            await UntilAsync(() => acceptor.Handshakes.Any(static h => h is TlsOutcome.Refused), "the handshake failed");
        }
    }
}
