using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.Json.Nodes;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.SystemTests.Fixtures;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.SystemTests.Faults;

/// <summary>Those who connect and do not speak as they should, at the door of the running program.</summary>
public sealed class ConnectionFaultTests(ConnectionFaultTests.Door door) : IClassFixture<ConnectionFaultTests.Door>
{
    /// <summary>Many more by hand: PSG_FAULT_ABORTS=1000.</summary>
    private static readonly int Aborts =
        int.TryParse(Environment.GetEnvironmentVariable("PSG_FAULT_ABORTS"), CultureInfo.InvariantCulture, out int set) ? set : 100;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fault_01_who_connects_and_says_nothing_is_closed_when_ARTIM_expires_and_holds_up_nobody()
    {
        using ScriptedPeer silent = await ScriptedPeer.ConnectAsync(door.Gateway.Port);
        (await DcmtkTools.Echo(door.Gateway.Port)).ShouldSucceed();
        (await silent.ReadAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task Fault_02_half_a_PDU_and_silence_is_aborted_by_the_provider_after_the_DIMSE_timeout()
    {
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(door.Gateway.Port);
        await peer.SendAsync(4, 0, 0, 0, 1, 0, 0, 0, 0, 200);
        (await DcmtkTools.Echo(door.Gateway.Port)).ShouldSucceed();
        await peer.ExpectAbortAsync(Abort.ServiceProvider, AbortReason.NotSpecified);
    }

    [Fact]
    public async Task Fault_03_HTTP_on_the_port_is_named_in_the_log_and_closed_without_an_answer()
    {
        using ScriptedPeer peer = await ScriptedPeer.ConnectAsync(door.Gateway.Port);
        await peer.SendAsync(Encoding.ASCII.GetBytes("GET /dicom-web/studies HTTP/1.1\r\nHost: psg\r\n\r\n"));
        (await peer.ReadAsync()).ShouldBeNull();
        await Eventually.IsTrue("the log names it", () => door.Gateway.Process.Output.Contains("speaks HTTP", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Fault_03_TLS_on_the_plain_port_is_named_in_the_log_and_closed()
    {
        using var client = new TcpClient("127.0.0.1", door.Gateway.Port);
        await using var tls = new SslStream(client.GetStream());
        await Should.ThrowAsync<Exception>(tls.AuthenticateAsClientAsync("psg", null, SslProtocols.None, checkCertificateRevocation: false));
        await Eventually.IsTrue("the log names it", () => door.Gateway.Process.Output.Contains("speaks TLS", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Fault_03_plain_DICOM_on_the_TLS_port_is_named_in_the_log_and_closed()
    {
        (await DcmtkTools.Echo(door.TlsPort)).ExitCode.ShouldNotBe(0);
        await Eventually.IsTrue("the log names it", () => door.Gateway.Process.Output.Contains("speaks plain DICOM", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Fault_04_a_PDU_that_claims_four_gibibytes_is_aborted_from_its_header(bool isAssociated)
    {
        using ScriptedPeer peer = isAssociated ? await ScriptedPeer.AssociateAsync(door.Gateway.Port) : await ScriptedPeer.ConnectAsync(door.Gateway.Port);
        long before = ProcessFigures.ResidentMegabytes(door.Gateway.Process.Id);
        await peer.SendAsync(isAssociated ? (byte)4 : (byte)1, 0, 0xFF, 0xFF, 0xFF, 0xFF);
        // Before there is an association the standard has the acceptor abort as service user, without a reason (PS3.8 9.2.3, AA-1).
        await peer.ExpectAbortAsync(isAssociated ? Abort.ServiceProvider : Abort.ServiceUser, isAssociated ? AbortReason.InvalidPduParameterValue : AbortReason.NotSpecified);
        (ProcessFigures.ResidentMegabytes(door.Gateway.Process.Id) - before).ShouldBeLessThan(50);
    }

    [Fact]
    public async Task Fault_06_aborts_and_broken_connections_in_the_middle_of_objects_leave_no_file_no_row_and_no_socket()
    {
        int descriptors = ProcessFigures.Descriptors(door.Gateway.Process.Id);
        for (int i = 0; i < Aborts; i++)
        {
            using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(door.Gateway.Port);
            await peer.SendCommandAsync(3, TestObjects.Store(1));
            await peer.SendFragmentAsync(3, false, false, TestObjects.CtBytes()[..(100 + (i * 131))]);
            if (i % 2 == 0)
            {
                await peer.SendAsync(new Abort(Abort.ServiceUser, 0));
            }
        }

        await Eventually.IsTrue("nothing is left in the spool", () => !Ledger.SpoolFiles(door.Gateway).Any());
        GatewayRows.Instances(door.Gateway).ShouldBeEmpty();
        await Eventually.IsTrue("every socket is closed", () => ProcessFigures.Descriptors(door.Gateway.Process.Id) <= descriptors + 10);
        await Eventually.IsTrue("every abort is recorded", () => GatewayRows.CountEvents(door.Gateway, "AssociationAborted") >= Aborts);
        (await DcmtkTools.Echo(door.Gateway.Port)).ShouldSucceed();
    }

    /// <summary>A gateway with short patience, plain and over TLS.</summary>
    public sealed class Door : IAsyncLifetime
    {
        private readonly TestAuthority _authority = new();

        public GatewayProcess Gateway { get; private set; } = null!;

        public int TlsPort { get; } = FreePort.Next();

        public async ValueTask InitializeAsync()
        {
            TlsFiles files = _authority.Server();
            Gateway = await GatewayProcess.Start(FreePort.Next(), change: c =>
            {
                c["Listen"]!["AETitles"] = new JsonArray("PSG", "GATEWAY");
                c["Listen"]!["ArtimTimeoutSeconds"] = 2;
                c["Listen"]!["DimseTimeoutSeconds"] = 2;
                c["Listen"]!["Tls"] = new JsonObject
                {
                    ["Enabled"] = true, ["Port"] = TlsPort, ["ClientCertificates"] = "none",
                    ["CertificatePath"] = files.CertificatePath, ["KeyPath"] = files.KeyPath, ["AuthoritiesPath"] = files.AuthoritiesPath,
                };
                c["Callers"]!.AsArray().Add(new JsonObject { ["AETitle"] = "MODALITY1", ["Roles"] = new JsonArray("modality") });
            });
        }

        public async ValueTask DisposeAsync()
        {
            await Gateway.DisposeAsync();
            _authority.Dispose();
        }
    }
}
