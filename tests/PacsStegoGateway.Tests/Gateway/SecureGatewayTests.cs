using System.Security.Cryptography.X509Certificates;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Security;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>The gateway over TLS: who may call is proved, not claimed, and what we call is verified.</summary>
public sealed class SecureGatewayTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task A_calling_title_is_believed_only_with_its_certificate()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(g =>
        {
            Secure(g);
            g.Options.Callers[0].Certificates = ["ct1.example"];
        });
        TlsFiles ct1 = _authority.Client("ct1", names: ["ct1.example"]);
        TlsFiles other = _authority.Client("ct2", names: ["ct2.example"]);
        (await EchoAsync(gateway, "CT1", ct1)).ShouldBe(DimseStatus.Success);
        (await EchoAsync(gateway, "READER", other)).ShouldBe(DimseStatus.Success);
        (await Should.ThrowAsync<AssociationException>(EchoAsync(gateway, "CT1", other))).Rejection.ShouldBe(AssociationDecision.CallingAETitleNotRecognized);
        (await Should.ThrowAsync<AssociationException>(gateway.ConnectAsync("CT1"))).Rejection.ShouldBe(AssociationDecision.CallingAETitleNotRecognized);
    }

    [Fact]
    public async Task Tls_alone_and_a_refused_handshake_that_is_recorded_with_its_reason()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(g =>
        {
            Secure(g);
            g.Options.Listen.Plain = false;
        });
        gateway.Host.EndPoint.ShouldBe(gateway.Host.TlsEndPoint);
        using X509Certificate2 expired = _authority.Issue("expired", days: -1);
        await Should.ThrowAsync<AssociationException>(EchoAsync(gateway, "READER", _authority.Files("expired")));
        await Eventually.BecomesTrueAsync(async () => (await gateway.EventsAsync(new AuditFilter { Events = [AuditEvent.TlsRefused] })).Count == 1);
        AuditRecord record = (await gateway.Host.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.TlsRefused] }, Cancel))[0];
        (record.Outcome, record.RemoteAddress).ShouldBe((AuditOutcome.SeriousFailure, "127.0.0.1"));
        record.Detail!.ShouldContain("expired");

        using ScriptedPeer plain = await ScriptedPeer.ConnectAsync(gateway.Host.EndPoint.Port);
        await plain.SendAsync(ScriptedPeer.Request());
        (await plain.ReadAsync()).ShouldBeNull();
        await Eventually.BecomesTrueAsync(() => gateway.LogLines.Any(static l => l.Contains("plain DICOM")));
    }

    [Fact]
    public async Task Objects_are_forwarded_over_tls_when_the_PACS_can_be_verified_and_wait_when_it_cannot()
    {
        await using var pacs = new TestAcceptor(static () => new RecordingProvider(), tls: new TlsServer(
            new TlsCredentials(_authority.Server()), ClientCertificates.Required, TimeSpan.FromSeconds(10), TimeProvider.System));
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(g =>
        {
            TlsFiles ours = _authority.Client("psg");
            g.Options.Pacs.Retrieve = RetrieveMethod.Get;
            g.Options.Pacs.Port = pacs.Port;
            g.Options.Pacs.Tls = new TlsPeerOptions
            {
                Enabled = true,
                CertificatePath = ours.CertificatePath!,
                KeyPath = ours.KeyPath!,
                AuthoritiesPath = _authority.AuthoritiesPath,
                ServerName = "elsewhere.example",
            };
        });
        await gateway.SendAsync(1);
        await gateway.UntilAsync(InstanceState.Protected, 1);
        await Eventually.BecomesTrueAsync(() => gateway.LogLines.Any(static l => l.StartsWith("4001 ", StringComparison.Ordinal) && l.Contains("TlsFailed")));
        await gateway.StopAsync();
        gateway.Options.Pacs.Tls.ServerName = "localhost";
        await gateway.StartAgainAsync();
        await gateway.UntilAsync(InstanceState.Forwarded, 1);
    }

    [Fact]
    public async Task Silent_connections_to_the_tls_port_lock_nobody_out_and_storescu_delivers_over_it()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(Secure);
        var silent = new List<ScriptedPeer>();
        for (int i = 0; i < 100; i++)
        {
            silent.Add(await ScriptedPeer.ConnectAsync(gateway.Host.TlsEndPoint!.Port));
        }

        (await EchoAsync(gateway, "CT1", _authority.Client())).ShouldBe(DimseStatus.Success);
        string file = _authority.At("one.dcm");
        await File.WriteAllBytesAsync(file, [.. FileMeta.Prefix(SopClasses.CTImageStorage, SampleObjects.SopUID(1), TransferSyntax.ExplicitVRLittleEndian.UID),
            .. SampleObjects.Encode(SampleObjects.Create(1))], Cancel);
        (int code, string output) = await Dcmtk.RunAsync("storescu", "-aet", "CT1", "-aec", "PSG", "+tls", _authority.At("client.key"), _authority.At("client.pem"),
            "+cf", _authority.AuthoritiesPath, "127.0.0.1", gateway.Host.TlsEndPoint!.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), file);
        code.ShouldBe(0, output);
        await gateway.UntilAsync(InstanceState.Forwarded, 1);
        silent.ForEach(static s => s.Dispose());
        await gateway.StopAsync();
        gateway.LogLines.ShouldNotContain(static l => l.Contains("Unhandled"));
    }

    [Fact]
    public void Wrong_settings_and_unusable_files_are_all_named()
    {
        var options = new GatewayOptions();
        options.Listen.AETitles.Add("PSG");
        options.Pacs.AETitle = "PACS";
        options.Pacs.Host = "localhost";
        options.Listen.Plain = false;
        options.Callers.Add(new CallerOptions { AETitle = "CT1", Roles = [Role.Modality], Certificates = ["ct1.example"] });
        GatewayOptionsValidator.Validate(options).Select(static p => p.Path).ShouldBe(["Listen:Plain", "Callers:0:Certificates"]);
        options.Listen.Plain = true;
        options.Listen.Tls = new TlsListenOptions { Enabled = true, Port = options.Listen.Port, HandshakeTimeoutSeconds = 0 };
        GatewayOptionsValidator.Validate(options).Select(static p => p.Path).ShouldBe(
            ["Listen:Tls:HandshakeTimeoutSeconds", "Listen:Tls:CertificatePath", "Listen:Tls:AuthoritiesPath", "Listen:Tls:Port"]);

        options.Listen.Tls.CertificatePath = "/nowhere/cert.pem";
        options.MoveDestinations.Add(new PeerOptions { Tls = new TlsPeerOptions { Enabled = true, AuthoritiesPath = "/nowhere/ca.pem", Password = "s3cret" } });
        ConfigurationException e = Should.Throw<ConfigurationException>(() => new GatewayTls(options, static _ => { }));
        e.Problems.Select(static p => p.Path).ShouldBe(["Listen:Tls", "MoveDestinations:0:Tls"]);
        GatewayConfiguration.Print(options).ShouldNotContain("s3cret");
    }

    private void Secure(GatewayHarness gateway)
    {
        TlsFiles files = _authority.Server();
        gateway.Options.Listen.Tls = new TlsListenOptions
        {
            Enabled = true,
            Port = 0,
            CertificatePath = files.CertificatePath!,
            KeyPath = files.KeyPath!,
            AuthoritiesPath = files.AuthoritiesPath!,
        };
    }

    private static async Task<DimseStatus> EchoAsync(GatewayHarness gateway, string callingAE, TlsFiles client)
    {
        var peer = new PeerAddress("127.0.0.1", gateway.Host.TlsEndPoint!.Port, "PSG", callingAE)
        {
            Tls = new TlsClient(new TlsCredentials(client), TlsVerification.Full),
        };
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(
            peer, [new ProposedContext(SopClasses.Verification, TransferSyntax.ImplicitVRLittleEndian.UID)], AssociationLimits.Default, Cancel);
        DimseStatus status = await association.EchoAsync(Cancel);
        await association.ReleaseAsync(Cancel);
        return status;
    }
}
