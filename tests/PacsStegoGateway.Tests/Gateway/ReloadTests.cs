using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Security;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>A configuration file that changes while the gateway runs.</summary>
public sealed class ReloadTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rights_come_and_go_while_an_association_is_open_and_sending_and_nothing_is_dropped()
    {
        await using GatewayHarness gateway = await StartAsync();
        await using RequestorAssociation sender = await gateway.ConnectAsync("CT1");
        using var enough = new CancellationTokenSource();
        int sent = 0;
        Task<DimseStatus> sending = Task.Run(async () =>
        {
            DimseStatus last;
            do
            {
                last = await StoreAsync(sender, ++sent);
            }
            while (last.IsSuccess && !enough.IsCancellationRequested);
            return last;
        }, Cancel);

        await Eventually.BecomesTrueAsync(() => Volatile.Read(ref sent) > 3);
        (await Should.ThrowAsync<AssociationException>(gateway.ConnectAsync("CT2"))).Rejection.ShouldBe(AssociationDecision.CallingAETitleNotRecognized);
        Change(gateway, static o => o.Callers.Add(new CallerOptions { AETitle = "CT2", Roles = [Role.Modality] }));
        await TakenAsync(gateway, 1);
        await using (RequestorAssociation fresh = await gateway.ConnectAsync("CT2"))
        {
            (await fresh.EchoAsync(Cancel)).ShouldBe(DimseStatus.Success);
        }

        int before = Volatile.Read(ref sent);
        await Eventually.BecomesTrueAsync(() => Volatile.Read(ref sent) > before + 3);
        sending.IsCompleted.ShouldBeFalse("The association goes on.");

        Change(gateway, static o => o.Callers.Single(static c => c.AETitle == "CT1").Roles = [Role.Reader]);
        (await sending).ShouldBe(DimseStatus.NotAuthorized);
        (await sender.EchoAsync(Cancel)).ShouldBe(DimseStatus.Success, "What was lost is the right, not the association.");
        await enough.CancelAsync();
        await sender.ReleaseAsync(Cancel);
        gateway.LogLines.ShouldNotContain(static l => l.Contains("AbortedHere"));

        IReadOnlyList<AuditRecord> changes = await gateway.Host.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.ConfigurationChanged] }, Cancel);
        changes.Count.ShouldBe(2);
        changes[0].Detail!.ShouldStartWith("Changed: Callers[CT2]:AETitle: (none) -> CT2; Callers[CT2]:Roles: (none) -> Modality; ");
        changes[1].Detail.ShouldBe("Changed: Callers[CT1]:Roles: Modality -> Reader.");
        await gateway.UntilAsync(InstanceState.Forwarded, sent - 1);
    }

    [Fact]
    public async Task A_wrong_configuration_is_refused_whole_and_the_old_file_put_back_is_no_change()
    {
        await using GatewayHarness gateway = await StartAsync();
        string old = await File.ReadAllTextAsync(gateway.Source!.File!, Cancel);
        Change(gateway, static o =>
        {
            o.Callers.Add(new CallerOptions { AETitle = "CT2", Roles = [Role.Modality] });
            o.Retrieval.MaxMatches = 0;
        });
        await Eventually.BecomesTrueAsync(() => gateway.LogLines.Any(static l => l.StartsWith("6103 ", StringComparison.Ordinal) && l.Contains("Retrieval:MaxMatches: is 0")));
        await Eventually.BecomesTrueAsync(async () => (await gateway.EventsAsync()).Contains(AuditEvent.ConfigurationRefused));
        await Should.ThrowAsync<AssociationException>(gateway.ConnectAsync("CT2"));
        (await gateway.Host.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.ConfigurationRefused] }, Cancel)).ShouldHaveSingleItem().Detail
            .ShouldBe("Wrong: Retrieval:MaxMatches.");

        await File.WriteAllTextAsync(gateway.Source.File!, "{ \"Listen\": ", Cancel);
        await Eventually.BecomesTrueAsync(() => gateway.LogLines.Count(static l => l.StartsWith("6103 ", StringComparison.Ordinal)) == 2);
        await File.WriteAllTextAsync(gateway.Source.File!, old, Cancel);
        await TakenAsync(gateway, 1);
        gateway.LogLines.ShouldContain(static l => l.StartsWith("6101 ", StringComparison.Ordinal) && l.Contains("Changed: nothing"));
        (await gateway.EventsAsync()).ShouldNotContain(AuditEvent.ConfigurationChanged);
    }

    [Fact]
    public async Task What_waits_for_a_restart_is_named_and_stays_as_it_runs_and_the_rest_is_in_effect()
    {
        await using GatewayHarness gateway = await StartAsync();
        Change(gateway, static o =>
        {
            o.Listen.Port = 11112;
            o.Spool.Folder = "elsewhere";
            o.Callers.Add(new CallerOptions { AETitle = "CT2", Roles = [Role.Modality] });
        });
        await TakenAsync(gateway, 1);
        gateway.LogLines.ShouldContain(static l => l.StartsWith("6102 ", StringComparison.Ordinal) && l.Contains("Listen:Port, Spool:Folder."));
        await using RequestorAssociation fresh = await gateway.ConnectAsync("CT2");
        (await fresh.EchoAsync(Cancel)).ShouldBe(DimseStatus.Success);
        (await gateway.Host.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.ConfigurationChanged] }, Cancel)).ShouldHaveSingleItem().Detail!
            .ShouldEndWith("At the next start: Listen:Port; Spool:Folder.");
        var problems = new List<ConfigurationProblem>();
        GatewayOptions running = GatewayConfiguration.Read(LastGoodConfiguration.PathOf(gateway.Options), problems)!;
        problems.ShouldBeEmpty();
        (running.Listen.Port, running.Spool.Folder, running.Callers.Count).ShouldBe((0, "spool", 5));
    }

    [Fact]
    public async Task Rules_decide_anew_and_one_that_names_a_destination_of_the_next_start_is_refused()
    {
        await using GatewayHarness gateway = await StartAsync();
        Change(gateway, static o => o.Routes.Add(new RouteOptions { Name = "nothing", Refuse = true }));
        await TakenAsync(gateway, 1);
        await gateway.SendAsync(1);
        await gateway.UntilAsync(InstanceState.Quarantined, 1);
        Change(gateway, static o =>
        {
            o.Destinations.Add(new DestinationOptions { Name = "second", AETitle = "SECOND", Host = "127.0.0.1", Port = 1 });
            o.Routes[0] = new RouteOptions { Name = "all", Destinations = ["second"] };
        });
        await Eventually.BecomesTrueAsync(() => gateway.LogLines.Any(static l => l.StartsWith("6103 ", StringComparison.Ordinal) && l.Contains("at a restart only")));
        await gateway.SendAsync(2);
        await gateway.UntilAsync(InstanceState.Quarantined, 2);
    }

    [Fact]
    public async Task Limits_and_move_destinations_change_too()
    {
        await using GatewayHarness gateway = await StartAsync();
        await using RequestorAssociation clinic = await gateway.ConnectAsync("CLINIC");
        (await MoveAsync(clinic)).ShouldBe(DimseStatus.MoveDestinationUnknown);
        await using var workstation = new StoringPeer();
        Change(gateway, o => o.MoveDestinations.Add(new PeerOptions { AETitle = "WORKSTATION", Host = "127.0.0.1", Port = workstation.Port }));
        await TakenAsync(gateway, 1);
        (await MoveAsync(clinic)).ShouldBe(DimseStatus.Success);
        Change(gateway, static o => o.Limits.RetrievalsPerMinute = 1);
        await TakenAsync(gateway, 2);
        DimseStatus[] answers = [await MoveAsync(clinic), await MoveAsync(clinic)];
        answers.ShouldContain(DimseStatus.UnableToCalculateNumberOfMatches);
        Change(gateway, static o => o.Listen.MaxAssociations = o.Listen.MaxAssociationsPerAE = 1);
        await TakenAsync(gateway, 3);
        (await Should.ThrowAsync<AssociationException>(gateway.ConnectAsync("CT1"))).Rejection.ShouldBe(AssociationDecision.LocalLimitExceeded);
    }

    [Fact]
    public async Task A_change_made_while_the_gateway_was_stopped_is_recorded_at_its_start()
    {
        await using GatewayHarness gateway = await StartAsync();
        await gateway.StopAsync();
        gateway.Options.Retrieval.MaxMatches = 77;
        Write(gateway.Source!.File!, gateway.Options);
        await gateway.StartAgainAsync();
        await Eventually.BecomesTrueAsync(async () => (await gateway.EventsAsync()).Contains(AuditEvent.ConfigurationChanged));
        (await gateway.Host.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.ConfigurationChanged] }, Cancel)).ShouldHaveSingleItem().Detail
            .ShouldBe("Since the last run: Retrieval:MaxMatches: 10000 -> 77.");
    }

    [Fact]
    public async Task SIGHUP_is_a_reason_to_look_at_once_and_not_to_stop()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no SIGHUP.");
        await using GatewayHarness gateway = await StartAsync();
        using Process signal = Process.Start("kill", ["-HUP", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)]);
        await signal.WaitForExitAsync(Cancel);
        await TakenAsync(gateway, 1);
        await using RequestorAssociation association = await gateway.ConnectAsync("CT1");
        (await association.EchoAsync(Cancel)).ShouldBe(DimseStatus.Success);
    }

    [Fact]
    public async Task The_last_good_configuration_is_for_its_owner_alone_and_holds_no_secret()
    {
        await using GatewayHarness gateway = await StartAsync(static g => g.Options.Database.Password = "s3cret");
        string path = LastGoodConfiguration.PathOf(gateway.Options);
        (await File.ReadAllTextAsync(path, Cancel)).ShouldNotContain("s3cret");
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        Change(gateway, static o => o.Database.Password = "0ther");
        await TakenAsync(gateway, 1);
        (await gateway.Host.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.ConfigurationChanged] }, Cancel)).ShouldHaveSingleItem().Detail
            .ShouldBe("At the next start: Database:Password.");
        gateway.LogLines.ShouldAllBe(static l => !l.Contains("s3cret") && !l.Contains("0ther"));
    }

    /// <summary>A gateway that watches a file, once it does.</summary>
    private static async Task<GatewayHarness> StartAsync(Action<GatewayHarness>? prepare = null)
    {
        GatewayHarness gateway = await GatewayHarness.StartAsync(g =>
        {
            prepare?.Invoke(g);
            Write(Path.Combine(g.Options.DataFolder, "gateway.json"), g.Options);
            g.Source = new ConfigurationSource(Path.Combine(g.Options.DataFolder, "gateway.json"), []);
        });
        await Eventually.BecomesTrueAsync(() => File.Exists(LastGoodConfiguration.PathOf(gateway.Options)));
        return gateway;
    }

    /// <summary>Changes the file alone: what the gateway holds must not change with it.</summary>
    private static void Change(GatewayHarness gateway, Action<GatewayOptions> change)
    {
        var problems = new List<ConfigurationProblem>();
        GatewayOptions copy = GatewayConfiguration.Read(gateway.Source!.File!, problems).ShouldNotBeNull();
        problems.ShouldBeEmpty();
        change(copy);
        Write(gateway.Source.File!, copy);
    }

    private static void Write(string path, GatewayOptions options)
    {
        string text = GatewayConfiguration.Print(options);
        File.WriteAllText(path, options.Database.Password is { } password ? text.Replace("(set)", password, StringComparison.Ordinal) : text);
    }

    private static Task TakenAsync(GatewayHarness gateway, int times) =>
        Eventually.BecomesTrueAsync(() => gateway.LogLines.Count(static l => l.StartsWith("6101 ", StringComparison.Ordinal)) == times);

    private static async Task<DimseStatus> StoreAsync(RequestorAssociation association, int number) => (await association.StoreAsync(
        SopClasses.CTImageStorage, SampleObjects.SopUID(number), TransferSyntax.ExplicitVRLittleEndian.UID,
        new ReadOnlySequence<byte>(SampleObjects.Encode(SampleObjects.Create(number))), null, Cancel)).Status;

    private static async Task<DimseStatus> MoveAsync(RequestorAssociation association)
    {
        var identifier = new DataSet();
        identifier.SetText(Tags.QueryRetrieveLevel, "STUDY");
        identifier.SetText(Tags.StudyInstanceUID, "1.2.3.4.5");
        DimseStatus status = default;
        await foreach (MoveResponse response in association.MoveAsync(SopClasses.StudyRootMove, "WORKSTATION", identifier, Cancel))
        {
            status = response.Status;
        }

        return status;
    }
}
