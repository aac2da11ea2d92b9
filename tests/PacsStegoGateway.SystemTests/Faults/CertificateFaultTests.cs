using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.SystemTests.Fixtures;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.SystemTests.Faults;

/// <summary>Who shows the wrong certificate: DCMTK's <c>echoscu</c> at the running program's TLS port.</summary>
public sealed class CertificateFaultTests : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _elsewhere = new("Another Authority");

    public void Dispose()
    {
        _authority.Dispose();
        _elsewhere.Dispose();
    }

    [Fact]
    public async Task Fault_17_a_wrong_expired_revoked_or_missing_client_certificate_gets_no_association_and_each_attempt_is_recorded()
    {
        TlsFiles server = _authority.Server();
        using X509Certificate2 good = _authority.Issue("good");
        using X509Certificate2 expired = _authority.Issue("expired", days: -1);
        using X509Certificate2 revoked = _authority.Issue("revoked");
        using X509Certificate2 foreign = _elsewhere.Issue("foreign");
        int port = FreePort.Next();
        await using GatewayProcess gateway = await GatewayProcess.Start(FreePort.Next(), change: c => c["Listen"]!["Tls"] = new JsonObject
        {
            ["Enabled"] = true, ["Port"] = port, ["CertificatePath"] = server.CertificatePath, ["KeyPath"] = server.KeyPath,
            ["AuthoritiesPath"] = server.AuthoritiesPath, ["RevocationListPath"] = _authority.Revoke(3, revoked),
        });

        (await Echo(port, _authority, "good")).ShouldSucceed();
        (await Echo(port, _authority, "expired")).ExitCode.ShouldNotBe(0);
        (await Echo(port, _authority, "revoked")).ExitCode.ShouldNotBe(0);
        (await Echo(port, _elsewhere, "foreign")).ExitCode.ShouldNotBe(0);
        (await DcmtkTools.Echo(port, options: ["+tla", "+cf", _authority.AuthoritiesPath])).ExitCode.ShouldNotBe(0);
        await Eventually.IsTrue("each is recorded", () => GatewayRows.CountEvents(gateway, "TlsRefused") == 4);
        GatewayRows.CountEvents(gateway, "AssociationAccepted").ShouldBe(1);
        (await Echo(port, _authority, "good")).ShouldSucceed();
    }

    private Task<Finished> Echo(int port, TestAuthority owner, string name) =>
        DcmtkTools.Echo(port, options: ["+tls", owner.At(name + ".key"), owner.At(name + ".pem"), "+cf", _authority.AuthoritiesPath]);
}
