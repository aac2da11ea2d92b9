using System.Globalization;
using System.Text;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Security;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Tests.Gateway;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Security;

/// <summary>User identity negotiation (PS3.7 D.3.3.7) at the door.</summary>
public sealed class UserIdentityTests : IDisposable
{
    private static readonly string Hash = PasscodeHash.Create("geheim", iterations: 1000);

    private readonly UserGate _gate = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void A_hash_fits_its_passcode_alone_and_no_two_are_alike()
    {
        string one = PasscodeHash.Create("geheim");
        one.ShouldNotBe(PasscodeHash.Create("geheim"));
        one.ShouldNotContain("geheim");
        (PasscodeHash.IsMatch(one, "geheim"u8), PasscodeHash.IsMatch(one, "Geheim"u8), PasscodeHash.IsMatch(null, "nobody"u8)).ShouldBe((true, false, false));
    }

    [Theory]
    [InlineData("none", true)]
    [InlineData("", false)]
    [InlineData("geheim", false)]
    [InlineData("pbkdf2-sha512$999$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", false)]
    [InlineData("pbkdf2-sha512$2000001$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", false)]
    [InlineData("pbkdf2-sha512$210000$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", true)]
    [InlineData("pbkdf2-sha512$210000$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", false)]
    [InlineData("pbkdf2-sha512$210000$AAAAAAAAAAAAAAAAAAAAAA==$AAAA", false)]
    public void Only_a_hash_or_none_is_a_passcode_of_the_configuration(string text, bool isRight)
    {
        var options = new GatewayOptions { Callers = [new CallerOptions { AETitle = "A", Roles = [Role.Modality], Users = [new CallerUserOptions { Name = "meier", Passcode = text }] }] };
        GatewayOptionsValidator.Validate(options).Any(static p => p.Path == "Callers:0:Users:0:Passcode").ShouldBe(!isRight);
    }

    [Theory]
    [InlineData(2, "meier", "geheim", true, "meier")]
    [InlineData(2, "meier", "Geheim", false, "meier")]
    [InlineData(2, "meier", "", false, "meier")]
    [InlineData(1, "meier", "geheim", false, "meier")]
    [InlineData(2, "mueller", "geheim", false, null)]
    [InlineData(1, "kiosk", "", true, "kiosk")]
    [InlineData(5, "meier", "geheim", false, null)]
    [InlineData(2, "", "geheim", false, null)]
    [InlineData(2, "mei\u0001er", "geheim", false, null)]
    public async Task One_of_the_users_must_be_named_and_prove_it(byte type, string name, string passcode, bool isAdmitted, string? recorded)
    {
        CallerUserOptions[] users = [new() { Name = "meier", Passcode = Hash }, new() { Name = "kiosk", Passcode = PasscodeHash.None }];
        (await _gate.AdmitAsync(users, Identity(name, passcode, type), Cancel)).ShouldBe(new UserDecision(isAdmitted, recorded));
        (await _gate.AdmitAsync(users, null, Cancel)).ShouldBe(new UserDecision(false, null));
        (await _gate.AdmitAsync([], Identity(name, passcode, type), Cancel)).ShouldBe(new UserDecision(true, null), "Nobody is asked for.");
    }

    [Fact]
    public async Task Where_anybody_is_believed_the_name_is_recorded_as_stated_and_too_long_ones_are_refused()
    {
        CallerUserOptions[] users = [new() { Name = "*", Passcode = PasscodeHash.None }, new() { Name = "meier", Passcode = Hash }];
        (await _gate.AdmitAsync(users, Identity("dr.who", "", 1), Cancel)).ShouldBe(new UserDecision(true, "dr.who (as stated)"));
        (await _gate.AdmitAsync(users, Identity("meier", "", 1), Cancel)).IsAdmitted.ShouldBeFalse("A listed name needs its passcode.");
        (await _gate.AdmitAsync(users, Identity(new string('x', 65), "", 1), Cancel)).IsAdmitted.ShouldBeFalse();
        (await _gate.AdmitAsync(users, Identity("x", new string('x', 257), 2), Cancel)).IsAdmitted.ShouldBeFalse();
    }

    [Fact]
    public async Task An_association_without_a_user_is_rejected_and_the_user_stands_in_the_trail_and_nowhere_else()
    {
        await using GatewayHarness gateway = await StartAsync();
        (await Should.ThrowAsync<AssociationException>(gateway.ConnectAsync("CLINIC"))).Rejection
            .ShouldBe(new AssociationDecision.Rejected(RejectResult.Permanent, RejectSource.ServiceUser, RejectReason.NoReasonGiven));
        await Should.ThrowAsync<AssociationException>(gateway.ConnectAsync("CLINIC", user: Identity("meier", "falsch-4711")));
        await using (RequestorAssociation association = await gateway.ConnectAsync("CLINIC", user: Identity("meier", "geheim")))
        {
            association.UserIdentityResponse!.Value.Length.ShouldBe(0);
            (await association.EchoAsync(Cancel)).ShouldBe(DimseStatus.Success);
            await association.ReleaseAsync(Cancel);
        }

        await using (RequestorAssociation unasked = await gateway.ConnectAsync("CT1", user: Identity("meier", "geheim")))
        {
            unasked.UserIdentityResponse.ShouldBeNull("Nobody looked at it.");
        }

        IReadOnlyList<AuditRecord> trail = await gateway.Host.Store.QueryAuditAsync(
            new AuditFilter { Events = [AuditEvent.AssociationAccepted, AuditEvent.AssociationRejected] }, Cancel);
        trail.Select(static r => (r.CallingAE, r.Event, r.User)).ShouldBe(
        [
            ("CLINIC", AuditEvent.AssociationRejected, null), ("CLINIC", AuditEvent.AssociationRejected, "meier"),
            ("CLINIC", AuditEvent.AssociationAccepted, "meier"), ("CT1", AuditEvent.AssociationAccepted, null),
        ]);
        trail.ShouldAllBe(static r => !r.ToString().Contains("falsch-4711") && !r.ToString().Contains("geheim"));
        gateway.LogLines.ShouldAllBe(static l => !l.Contains("falsch-4711") && !l.Contains("geheim"));
    }

    [Fact]
    public async Task Guessing_has_to_wait_and_locks_out_nobody_else()
    {
        await using GatewayHarness gateway = await StartAsync(static g => g.Options.Limits.RejectionsBeforePause = 3);
        for (int i = 0; i < 3; i++)
        {
            (await Should.ThrowAsync<AssociationException>(gateway.ConnectAsync("CLINIC", user: Identity("meier", $"guess{i}")))).IsTransient.ShouldBeFalse();
        }

        AssociationException waits = await Should.ThrowAsync<AssociationException>(gateway.ConnectAsync("CLINIC", user: Identity("meier", "geheim")));
        (waits.IsTransient, waits.Rejection!.Reason).ShouldBe((true, RejectReason.TemporaryCongestion));
        await using RequestorAssociation other = await gateway.ConnectAsync("CT1");
        (await other.EchoAsync(Cancel)).ShouldBe(DimseStatus.Success);
        await Eventually.BecomesTrueAsync(async () =>
        {
            try
            {
                await using RequestorAssociation later = await gateway.ConnectAsync("CLINIC", user: Identity("meier", "geheim"));
                return true;
            }
            catch (AssociationException e) when (e.IsTransient)
            {
                return false;
            }
        });
    }

    [Fact]
    public async Task Storescu_names_its_user()
    {
        await using GatewayHarness gateway = await StartAsync(static g => g.Options.Callers.Single(static c => c.AETitle == "CT1").Users =
            [new CallerUserOptions { Name = "meier", Passcode = Hash }]);
        string file = Path.Combine(gateway.Options.DataFolder, "one.dcm");
        await File.WriteAllBytesAsync(file, [.. FileMeta.Prefix(SopClasses.CTImageStorage, SampleObjects.SopUID(1), TransferSyntax.ExplicitVRLittleEndian.UID),
            .. SampleObjects.Encode(SampleObjects.Create(1))], Cancel);
        (await StoreAsync("geheim")).Code.ShouldBe(0);
        (await StoreAsync("falsch")).Code.ShouldNotBe(0);
        await gateway.UntilAsync(InstanceState.Forwarded, 1);

        Task<(int Code, string Output)> StoreAsync(string passcode) => Dcmtk.RunAsync("storescu", "-aet", "CT1", "-aec", "PSG", "-usr", "meier", "-pwd", passcode, "-rsp",
            "127.0.0.1", gateway.Host.EndPoint.Port.ToString(CultureInfo.InvariantCulture), file);
    }

    [Fact]
    public async Task What_user_hash_prints_is_believed()
    {
        (int code, string output, _) = await PsgProcess.RunAsync("geheim", ["user", "hash"]);
        code.ShouldBe(0);
        PasscodeHash.IsMatch(output.Trim(), "geheim"u8).ShouldBeTrue();
        (await PsgProcess.RunAsync("", ["user", "hash"])).Code.ShouldBe(2);
    }

    public void Dispose() => _gate.Dispose();

    private static Task<GatewayHarness> StartAsync(Action<GatewayHarness>? prepare = null) => GatewayHarness.StartAsync(g =>
    {
        g.Options.Callers.Single(static c => c.AETitle == "CLINIC").Users = [new CallerUserOptions { Name = "meier", Passcode = Hash }];
        prepare?.Invoke(g);
    });

    private static UserIdentity Identity(string name, string passcode, byte type = 2) =>
        new(type, true, Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(passcode));
}
