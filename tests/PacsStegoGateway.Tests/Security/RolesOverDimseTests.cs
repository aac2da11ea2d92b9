using System.Globalization;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Security;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Tests.Gateway;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Security;

/// <summary>Every role against every operation, with DCMTK's tools and the whole gateway.</summary>
public sealed class RolesOverDimseTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<Role> Roles => [.. Enum.GetValues<Role>()];

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task A_role_may_do_by_dimse_what_the_table_says(Role role)
    {
        await using var workstation = new StoringPeer();
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(g =>
        {
            g.Options.Callers.Add(new CallerOptions { AETitle = "WHO", Roles = [role] });
            g.Options.MoveDestinations.Add(new PeerOptions { AETitle = "WORKSTATION", Host = "127.0.0.1", Port = workstation.Port });
        });
        await gateway.SendAsync(1);
        await gateway.UntilAsync(InstanceState.Forwarded, 1);

        (await RunAsync(gateway, "echoscu")).ShouldBeTrue("Whoever is listed may ask whether we are well.");
        (await RunAsync(gateway, "storescu", await FileAsync(gateway, 2))).ShouldBe(Allowed(role, Operation.Store));
        bool asks = Allowed(role, Operation.QueryOriginals);
        (await AnswersAsync(gateway)).ShouldBe(asks ? 1 : 0);
        bool gets = Allowed(role, Operation.RetrieveOriginals);
        await RunAsync(gateway, "movescu", "-S", "-aem", "WORKSTATION", "-k", "QueryRetrieveLevel=STUDY", "-k", $"StudyInstanceUID={SampleObjects.StudyUID}");
        workstation.Stored.ContainsKey(SampleObjects.SopUID(1)).ShouldBe(gets);
        string folder = Directory.CreateDirectory(Path.Combine(gateway.Options.DataFolder, "got")).FullName;
        await RunAsync(gateway, "getscu", "-S", "-od", folder, "-k", "QueryRetrieveLevel=STUDY", "-k", $"StudyInstanceUID={SampleObjects.StudyUID}");
        Directory.GetFiles(folder).Any(f => File.ReadAllText(f, System.Text.Encoding.Latin1).Contains(SampleObjects.PatientName)).ShouldBe(gets);

        IReadOnlyList<AuditEvent> trail = await gateway.EventsAsync(new AuditFilter { CallingAE = "WHO" });
        trail.Contains(AuditEvent.ReceiveRefused).ShouldBe(!Allowed(role, Operation.Store));
        (trail.Contains(AuditEvent.Disclosed), trail.Contains(AuditEvent.Reidentified)).ShouldBe((asks, gets));
        if (!Allowed(role, Operation.QueryPseudonyms) && !asks)
        {
            (trail.Contains(AuditEvent.QueryRefused), trail.Contains(AuditEvent.RetrieveRefused)).ShouldBe((true, true));
        }
    }

    [Fact]
    public async Task A_title_from_another_address_a_title_nobody_knows_and_a_title_that_is_not_ours_do_not_come_in()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        (await Should.ThrowAsync<AssociationException>(gateway.ConnectAsync("FAR"))).Rejection.ShouldBe(AssociationDecision.CallingAETitleNotRecognized);
        (await Should.ThrowAsync<AssociationException>(gateway.ConnectAsync("NOBODY"))).Rejection.ShouldBe(AssociationDecision.CallingAETitleNotRecognized);
        (await Should.ThrowAsync<AssociationException>(gateway.ConnectAsync("CT1", "ELSE"))).Rejection.ShouldBe(AssociationDecision.CalledAETitleNotRecognized);
        (await gateway.EventsAsync()).Count(static e => e == AuditEvent.AssociationRejected).ShouldBe(3);
    }

    [Fact]
    public async Task Queries_and_retrievals_above_the_limit_are_answered_with_the_statuses_of_a_lack_of_room()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(static g =>
        {
            g.Options.Limits.QueriesPerMinute = 2;
            g.Options.Limits.RetrievalsPerMinute = 1;
            g.Options.MoveDestinations.Add(new PeerOptions { AETitle = "WORKSTATION", Host = "127.0.0.1", Port = 1 });
        });
        await using RequestorAssociation clinic = await gateway.ConnectAsync("CLINIC");
        var identifier = new DataSet();
        identifier.SetText(Tags.QueryRetrieveLevel, "STUDY");
        identifier.SetText(Tags.StudyInstanceUID, "1.2.3");
        var found = new List<DimseStatus>();
        for (int i = 0; i < 3; i++)
        {
            try
            {
                await foreach (DataSet answer in clinic.FindAsync(SopClasses.StudyRootFind, identifier, Cancel))
                {
                    answer.ShouldBeNull("Nobody has that UID.");
                }

                found.Add(DimseStatus.Success);
            }
            catch (AssociationException e) when (e.Status is { } status)
            {
                found.Add(status);
            }
        }

        found.ShouldBe([DimseStatus.Success, DimseStatus.Success, DimseStatus.OutOfResources]);
        var moved = new List<DimseStatus>();
        for (int i = 0; i < 2; i++)
        {
            await foreach (MoveResponse response in clinic.MoveAsync(SopClasses.StudyRootMove, "WORKSTATION", identifier, Cancel))
            {
                moved.Add(response.Status);
            }
        }

        moved[^1].ShouldBe(DimseStatus.UnableToCalculateNumberOfMatches);
        moved.ShouldContain(DimseStatus.Success);
    }

    private static bool Allowed(Role role, Operation operation) => AccessTable.Allows([role], operation);

    private static async Task<bool> RunAsync(GatewayHarness gateway, string tool, params string[] arguments)
    {
        string[] files = tool == "storescu" ? arguments : [], options = tool == "storescu" ? [] : arguments;
        (int code, string output) = await Dcmtk.RunAsync(tool, ["-aet", "WHO", "-aec", "PSG", .. options, "127.0.0.1", Port(gateway), .. files]);
        return code == 0 && !output.Contains("Refused", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>How many answers name the patient.</summary>
    private static async Task<int> AnswersAsync(GatewayHarness gateway)
    {
        (_, string output) = await Dcmtk.RunAsync("findscu", "-v", "-S", "-aet", "WHO", "-aec", "PSG", "-k", "QueryRetrieveLevel=STUDY",
            "-k", $"PatientID={SampleObjects.PatientID}", "-k", "PatientName", "-k", "StudyInstanceUID", "127.0.0.1", Port(gateway));
        return output.Split('\n').Count(static l => l.Contains(SampleObjects.PatientName));
    }

    private static string Port(GatewayHarness gateway) => gateway.Host.EndPoint.Port.ToString(CultureInfo.InvariantCulture);

    private static async Task<string> FileAsync(GatewayHarness gateway, int number)
    {
        string file = Path.Combine(gateway.Options.DataFolder, $"{number}.dcm");
        await File.WriteAllBytesAsync(file, [.. FileMeta.Prefix(SopClasses.CTImageStorage, SampleObjects.SopUID(number), TransferSyntax.ExplicitVRLittleEndian.UID),
            .. SampleObjects.Encode(SampleObjects.Create(number))], Cancel);
        return file;
    }
}
