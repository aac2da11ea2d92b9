using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using static PacsStegoGateway.Tests.Network.TestObjects;

namespace PacsStegoGateway.Tests.Network;

/// <summary>TLS with peers that we did not write: DCMTK's tools and Orthanc, as clients and as servers.</summary>
public sealed class PeersOverTlsTests : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("psg-tls-");
    private readonly RecordingProvider _provider = new()
    {
        OnContext = static (_, proposed) => ContextAnswer.FirstOf([TransferSyntax.ExplicitVRLittleEndian.UID, TransferSyntax.ImplicitVRLittleEndian.UID], proposed),
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Echoscu_with_its_certificate_is_answered_and_without_a_good_one_it_is_not()
    {
        using var elsewhere = new TestAuthority("Elsewhere");
        await using TestAcceptor acceptor = Serve();
        _authority.Client();
        (await EchoscuAsync(acceptor, Identity(_authority.Files("client")))).ShouldBe(0);

        using X509Certificate2 expired = _authority.Issue("expired", days: -1);
        elsewhere.Client("stranger");
        (await EchoscuAsync(acceptor, Identity(_authority.Files("expired")))).ShouldNotBe(0);
        (await EchoscuAsync(acceptor, Identity(elsewhere.Files("stranger")))).ShouldNotBe(0);
        (await EchoscuAsync(acceptor, "+tla")).ShouldNotBe(0);
        (await EchoscuAsync(acceptor)).ShouldNotBe(0);

        // A peer that trusts another authority than ours does not take us.
        (await Dcmtk.RunAsync("echoscu", ["-to", "10", .. Identity(_authority.Files("client"))[..3], "+cf", elsewhere.AuthoritiesPath, "--require-peer-cert",
            "127.0.0.1", Text(acceptor.Port)])).ExitCode.ShouldNotBe(0);
        await UntilAsync(() => acceptor.Handshakes.Count == 6, "every handshake ended");
        string[] details = [.. acceptor.Handshakes.OfType<TlsOutcome.Refused>().Select(static r => r.Detail)];
        foreach (string reason in (string[])["expired", "no trusted authority", "there is none", "plain DICOM", "unknown ca"])
        {
            details.ShouldContain(d => d.Contains(reason), $"{reason}: {string.Join(" | ", details)}");
        }
    }

    [Fact]
    public async Task Storescu_and_findscu_work_over_tls()
    {
        _provider.OnFind = static (_, _) => AcceptorQueryTests.Matches(3);
        await using TestAcceptor acceptor = Serve();
        string[] tls = Identity(_authority.Client());
        string file = Path.Combine(_folder.FullName, "one.dcm");
        await File.WriteAllBytesAsync(file, [.. FileMeta.Prefix(SopClasses.CTImageStorage, InstanceUID, TransferSyntax.ExplicitVRLittleEndian.UID), .. CtBytes(rows: 512)], Stop);

        (int code, string output) = await Dcmtk.RunAsync("storescu", [.. tls, "-pdu", "4096", "127.0.0.1", Text(acceptor.Port), file]);
        code.ShouldBe(0, output);
        _provider.Stored.ShouldHaveSingleItem().DataSet.ShouldBe(CtBytes(rows: 512));
        (code, output) = await Dcmtk.RunAsync("findscu", [.. tls, "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", "127.0.0.1", Text(acceptor.Port)]);
        code.ShouldBe(0, output);
    }

    [Fact]
    public async Task Storescp_that_requires_certificates_takes_our_objects_and_refuses_us_without_one()
    {
        int port = Dcmtk.FreePort();
        TlsFiles server = _authority.Server("archive");
        await using Dcmtk.Server scp = await Dcmtk.ServeAsync("storescp", port, _folder.FullName, [.. Identity(server), "--require-peer-cert", "+B", Text(port)]);
        var peer = new PeerAddress("127.0.0.1", port, "ARCHIVE", "PSG");
        ProposedContext[] contexts = [new(SopClasses.CTImageStorage, TransferSyntax.ExplicitVRLittleEndian.UID)];
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(peer with { Tls = Client() }, contexts, AssociationLimits.Default, Stop);
        (await association.StoreAsync(SopClasses.CTImageStorage, InstanceUID, TransferSyntax.ExplicitVRLittleEndian.UID, Sequence(CtBytes(rows: 512)), null, Stop))
            .Status.ShouldBe(DimseStatus.Success);
        await association.ReleaseAsync(Stop);
        byte[] stored = await File.ReadAllBytesAsync(_folder.GetFiles().ShouldHaveSingleItem().FullName, Stop);
        DataSetWriter.ToArray(DicomFile.Read(stored).DataSet, TransferSyntax.ExplicitVRLittleEndian).ShouldBe(CtBytes(rows: 512));

        var anonymous = new TlsClient(new TlsCredentials(new TlsFiles { AuthoritiesPath = _authority.AuthoritiesPath }), TlsVerification.Full);
        await Should.ThrowAsync<AssociationException>(RequestorAssociation.ConnectAsync(peer with { Tls = anonymous }, contexts, AssociationLimits.Default, Stop));
        await Should.ThrowAsync<AssociationException>(RequestorAssociation.ConnectAsync(
            peer, contexts, AssociationLimits.Default with { ArtimTimeout = TimeSpan.FromSeconds(5) }, Stop));
    }

    [Fact]
    public async Task Orthanc_and_we_talk_over_tls_in_both_directions()
    {
        await using TestAcceptor acceptor = Serve();
        int port = Dcmtk.FreePort();
        int http = Dcmtk.FreePort();
        TlsFiles server = _authority.Server("orthanc");

        // Orthanc has one certificate for its two parts.
        using X509Certificate2 both = _authority.Issue("orthanc", ["127.0.0.1"], TestAuthority.ServerPurpose, alsoFor: TestAuthority.ClientPurpose);
        string configuration = Path.Combine(_folder.FullName, "orthanc.json");
        await File.WriteAllTextAsync(configuration, JsonSerializer.Serialize(new
        {
            Name = "ORTHANC",
            DicomAet = "ORTHANC",
            DicomPort = port,
            HttpPort = http,
            AuthenticationEnabled = false,
            StorageDirectory = _folder.CreateSubdirectory("storage").FullName,
            IndexDirectory = _folder.CreateSubdirectory("index").FullName,
            Plugins = Array.Empty<string>(),
            DicomTlsEnabled = true,
            DicomTlsCertificate = server.CertificatePath,
            DicomTlsPrivateKey = server.KeyPath,
            DicomTlsTrustedCertificates = server.AuthoritiesPath,
            DicomTlsRemoteCertificateRequired = true,
            DicomAlwaysAllowFind = true,
            DicomAlwaysAllowGet = true,
            DicomAlwaysAllowMove = true,
            DicomModalities = new { gateway = new { AET = "GATEWAY", Host = "127.0.0.1", acceptor.Port, UseDicomTls = true } },
        }), Stop);
        await using Dcmtk.Server orthanc = await Dcmtk.ServeAsync("Orthanc", http, _folder.FullName, configuration);
        var peer = new PeerAddress("127.0.0.1", port, "ORTHANC", "GATEWAY") { Tls = Client() };
        string explicitLE = TransferSyntax.ExplicitVRLittleEndian.UID;
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(peer,
            [new(SopClasses.StudyRootFind, explicitLE), new(SopClasses.StudyRootMove, explicitLE), new(SopClasses.StudyRootGet, explicitLE),
                new(SopClasses.CTImageStorage, explicitLE) { ScpRole = true }], AssociationLimits.Default, Stop);
        for (int i = 1; i <= 3; i++)
        {
            string uid = $"1.2.826.0.1.3680043.10.2.{i}";
            (await association.StoreAsync(SopClasses.CTImageStorage, uid, explicitLE, Sequence(CtBytes(uid, 64)), null, Stop)).Status.ShouldBe(DimseStatus.Success);
        }

        DataSet study = [];
        study.SetText(Tags.QueryRetrieveLevel, "STUDY");
        study.SetText(Tags.StudyInstanceUID, "1.2.826.0.1.3680043.10.1");
        (await association.FindAsync(SopClasses.StudyRootFind, study, Stop).ToListAsync(Stop)).Count.ShouldBe(1);
        int got = 0;
        RetrieveResult result = await association.GetAsync(SopClasses.StudyRootGet, study, async (request, ct) =>
        {
            (await RecordingProvider.ReadAllAsync(request.DataSet, ct)).Length.ShouldBeGreaterThan(64 * 1024);
            got++;
            return StoreResponse.Success;
        }, Stop);
        (result.Status, got).ShouldBe((DimseStatus.Success, 3));
        MoveResponse final = await association.MoveAsync(SopClasses.StudyRootMove, "GATEWAY", study, Stop).LastAsync(Stop);
        final.Status.ShouldBe(DimseStatus.Success);
        _provider.Stored.Count.ShouldBe(3);
        await association.ReleaseAsync(Stop);

        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{http}") };
        using HttpResponseMessage echo = await client.PostAsJsonAsync("/modalities/gateway/echo", new { }, Stop);
        echo.IsSuccessStatusCode.ShouldBeTrue();
        acceptor.Handshakes.OfType<TlsOutcome.Secured>().ShouldAllBe(static s => s.Peer!.Subject == "CN=orthanc");
    }

    private TestAcceptor Serve() => new(_provider, tls: new TlsServer(
        new TlsCredentials(_authority.Server()), ClientCertificates.Required, TimeSpan.FromSeconds(10), TimeProvider.System));

    private TlsClient Client() => new(new TlsCredentials(_authority.Client("ours")), TlsVerification.Full);

    private async Task<int> EchoscuAsync(TestAcceptor acceptor, params string[] tls) =>
        (await Dcmtk.RunAsync("echoscu", ["-to", "10", "-ta", "10", .. tls, .. tls is ["+tla"] ? ["+cf", _authority.AuthoritiesPath] : Array.Empty<string>(),
            "127.0.0.1", Text(acceptor.Port)])).ExitCode;

    private string[] Identity(TlsFiles files) => ["+tls", files.KeyPath!, files.CertificatePath!, "+cf", _authority.AuthoritiesPath];

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
