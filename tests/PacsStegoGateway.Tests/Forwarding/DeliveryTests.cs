using Dapper;
using Microsoft.Data.Sqlite;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Tests.Gateway;

namespace PacsStegoGateway.Tests.Forwarding;

/// <summary>A whole gateway with several destinations, some of which behave badly: what becomes of rows and trail.</summary>
public sealed class DeliveryTests
{
    private static readonly AuditFilter Sending = new() { Events = [AuditEvent.Forwarded, AuditEvent.ForwardFailed, AuditEvent.DeliveryDead] };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task By_its_rule_an_object_goes_to_each_of_several_destinations_once()
    {
        await using var archive = new HostilePacs();
        await using StowServer web = await StowServer.StartAsync();
        await using GatewayHarness gateway = await StartAsync(archive, g =>
        {
            g.Options.Destinations.Add(new DestinationOptions { Name = "WEB", Kind = DestinationKind.Stow, Url = web.Url });
            g.Options.Routes.Add(new RouteOptions { Name = "mr", Modalities = ["MR"], Refuse = true });
            g.Options.Routes.Add(new RouteOptions { Name = "ct", Modalities = ["CT"], CallingAETitles = ["CT*"], Destinations = ["WEB", "PACS", "ARCHIVE"] });
            g.Options.Routes.Add(new RouteOptions { Name = "rest", Destinations = ["PACS"] });
        });
        await gateway.SendAsync(1, 2, 3);
        await gateway.UntilAsync(InstanceState.Forwarded, 3);
        string[] uids = [.. ((int[])[1, 2, 3]).Select(static n => SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(n)))];
        gateway.Pacs.Requests.Select(static r => r.AffectedSOPInstanceUID).ShouldBe(uids, ignoreOrder: true);
        archive.Stored.ShouldBe(uids, ignoreOrder: true);
        web.Requests.Select(static r => StowServer.FileIn(r.Body).DataSet.GetText(Tags.SOPInstanceUID)).ShouldBe(uids, ignoreOrder: true);
        (await gateway.EventsAsync(Sending)).ShouldBe(Enumerable.Repeat(AuditEvent.Forwarded, 9));
        (await DeliveriesAsync(gateway)).ShouldAllBe(static d => d.State == "sent" && d.Attempts == 0);
        (await gateway.Host.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.Protected] }, Cancel))
            .ShouldAllBe(static e => e.Detail!.EndsWith("rule 'ct' to WEB, PACS, ARCHIVE"));
        gateway.SpoolFiles.ShouldBeEmpty();
    }

    [Fact]
    public async Task Destinations_that_hang_reject_or_are_away_hold_up_no_other_and_get_everything_once_when_they_are_back()
    {
        await using var hanging = new HostilePacs { OnStore = static _ => (Deed.SayNothing, default) };
        await using var rejecting = new HostilePacs { OnAssociate = static _ => new AssociateRj(2, 3, 2) };
        await using GatewayHarness gateway = await StartAsync(hanging, g =>
        {
            g.Options.Destinations.Add(At("FULL", rejecting.Port));
            g.Options.Routes.Add(new RouteOptions { Name = "all", Destinations = ["ARCHIVE", "FULL", "PACS"] });
        });
        int[] numbers = [.. Enumerable.Range(1, 12)];
        await gateway.SendAsync(numbers);
        await Eventually.BecomesTrueAsync(() => gateway.Pacs.Stored.Count == 12);
        hanging.Stored.ShouldBeEmpty();
        rejecting.Stored.ShouldBeEmpty();
        (await gateway.CountAsync(InstanceState.Protected)).ShouldBe(12);
        // Who was not reached is not written about.
        (await DeliveriesAsync(gateway)).Where(static d => d.Destination == "FULL").ShouldAllBe(static d => d.State == "pending" && d.Attempts == 0);

        hanging.OnStore = static _ => (Deed.Answer, DimseStatus.Success);
        rejecting.OnAssociate = static _ => null;
        await gateway.UntilAsync(InstanceState.Forwarded, 12);
        foreach (IEnumerable<string> stored in (IEnumerable<string>[])[gateway.Pacs.Requests.Select(static r => r.AffectedSOPInstanceUID), hanging.Stored, rejecting.Stored])
        {
            stored.Count().ShouldBe(12);
            stored.ShouldBeUnique();
        }
    }

    [Theory]
    [InlineData(Deed.Answer, 0x0000, "sent", AuditEvent.Forwarded)]
    [InlineData(Deed.Answer, 0xB000, "sent", AuditEvent.Forwarded)]
    [InlineData(Deed.Answer, 0xB007, "sent", AuditEvent.Forwarded)]
    [InlineData(Deed.Answer, 0xB006, "dead", AuditEvent.DeliveryDead)]
    [InlineData(Deed.Answer, 0xA900, "dead", AuditEvent.DeliveryDead)]
    [InlineData(Deed.Answer, 0xC000, "dead", AuditEvent.DeliveryDead)]
    [InlineData(Deed.Answer, 0xA700, "sent", AuditEvent.ForwardFailed, AuditEvent.Forwarded)]
    [InlineData(Deed.Answer, 0x0213, "sent", AuditEvent.ForwardFailed, AuditEvent.Forwarded)]
    [InlineData(Deed.AbortWhenAllHasCome, 0, "sent", AuditEvent.ForwardFailed, AuditEvent.Forwarded)]
    [InlineData(Deed.AbortInTheMiddle, 0, "sent", AuditEvent.ForwardFailed, AuditEvent.Forwarded)]
    [InlineData(Deed.CloseInTheMiddle, 0, "sent", AuditEvent.ForwardFailed, AuditEvent.Forwarded)]
    [InlineData(Deed.SayNothing, 0, "sent", AuditEvent.ForwardFailed, AuditEvent.Forwarded)]
    public async Task What_a_PACS_does_to_the_second_object_decides_about_that_one_alone(Deed deed, int status, string state, params AuditEvent[] events)
    {
        await using var pacs = new HostilePacs { OnStore = n => n == 1 ? (deed, new DimseStatus((ushort)status)) : (Deed.Answer, DimseStatus.Success) };
        await using GatewayHarness gateway = await StartAsync(pacs, static g =>
        {
            g.Options.Destinations[0].Associations = 1;
            g.Options.Routes.Add(new RouteOptions { Name = "all", Destinations = ["ARCHIVE"] });
        });
        await gateway.SendAsync(1);
        await gateway.UntilAsync(InstanceState.Forwarded, 1);
        await gateway.SendAsync(2);
        string uid = SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(2));
        await Eventually.BecomesTrueAsync(async () => (await DeliveriesAsync(gateway)).Any(d => d.Uid == uid && d.State == state));
        await gateway.SendAsync(3);
        await Eventually.BecomesTrueAsync(() => pacs.Stored.Contains(SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(3))));
        (await gateway.EventsAsync(Sending with { SopUID = uid })).ShouldBe(events);
        // A dead letter keeps its object and its files; nothing else is kept.
        await gateway.UntilAsync(InstanceState.Forwarded, state == "dead" ? 2 : 3);
        (await gateway.CountAsync(InstanceState.Protected)).ShouldBe(state == "dead" ? 1 : 0);
        await Eventually.BecomesTrueAsync(() => gateway.SpoolFiles.Count == (state == "dead" ? 2 : 0));
        pacs.Stored.ShouldBeUnique();
    }

    [Fact]
    public async Task A_rejection_for_good_makes_a_dead_letter()
    {
        await using var pacs = new HostilePacs { OnAssociate = static _ => new AssociateRj(1, 1, 3) };
        await using GatewayHarness gateway = await StartAsync(pacs, static g => g.Options.Routes.Add(new RouteOptions { Name = "all", Destinations = ["ARCHIVE"] }));
        await gateway.SendAsync(1);
        await Eventually.BecomesTrueAsync(async () => (await DeliveriesAsync(gateway)).Any(static d => d.State == "dead"));
        (await gateway.EventsAsync(Sending)).ShouldBe([AuditEvent.DeliveryDead]);
        gateway.LogLines.ShouldContain(static l => l.StartsWith("4002 ") && l.Contains("ARCHIVE"));
    }

    [Fact]
    public async Task Whatever_fails_again_and_again_nothing_is_lost_or_stored_twice()
    {
        await using var pacs = new HostilePacs
        {
            OnStore = static n => (n % 7) switch
            {
                2 => (Deed.AbortWhenAllHasCome, default),
                4 => (Deed.Answer, DimseStatus.OutOfResources),
                5 => (Deed.CloseInTheMiddle, default),
                _ => (Deed.Answer, DimseStatus.Success),
            },
        };
        await using GatewayHarness gateway = await StartAsync(pacs, static g => g.Options.Routes.Add(new RouteOptions { Name = "all", Destinations = ["ARCHIVE", "PACS"] }));
        await gateway.SendAsync([.. Enumerable.Range(1, 20)]);
        await gateway.UntilAsync(InstanceState.Forwarded, 20);
        pacs.Stored.Count.ShouldBe(20);
        pacs.Stored.ShouldBeUnique();
        gateway.Pacs.Requests.Count.ShouldBe(20);
        gateway.SpoolFiles.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_no_rule_sends_anywhere_is_quarantined_and_the_rules_of_the_next_start_decide_anew()
    {
        await using var pacs = new HostilePacs();
        await using GatewayHarness gateway = await StartAsync(pacs, static g => g.Options.Routes.Add(new RouteOptions { Name = "mr", Modalities = ["MR"], Destinations = ["ARCHIVE"] }));
        await gateway.SendAsync(1);
        await gateway.UntilAsync(InstanceState.Quarantined, 1);
        (await gateway.Host.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.Quarantined] }, Cancel)).Single().Reason.ShouldBe(nameof(RefusalReason.NoRoute));
        await gateway.StopAsync();
        gateway.Options.Routes.Clear();
        gateway.Options.Routes.Add(new RouteOptions { Name = "ct", Modalities = ["CT"], Refuse = true });
        await gateway.StartAgainAsync();
        await gateway.SendAsync(1); // The same bytes again are a retry.
        await Eventually.BecomesTrueAsync(async () =>
            (await gateway.Host.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.Quarantined] }, Cancel)).Last().Reason == nameof(RefusalReason.RefusedByRoute));
        await gateway.StopAsync();
        gateway.Options.Routes.Clear();
        gateway.Options.Routes.Add(new RouteOptions { Name = "all", Tags = { ["StudyDate"] = "20240101-20241231" }, Destinations = ["ARCHIVE"] });
        await gateway.StartAgainAsync();
        await gateway.SendAsync(1);
        await gateway.UntilAsync(InstanceState.Forwarded, 1);
        pacs.Stored.ShouldHaveSingleItem();
        gateway.Pacs.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Outside_its_hours_a_destination_waits_and_its_rows_are_not_touched()
    {
        await using var pacs = new HostilePacs();
        TimeOnly now = TimeOnly.FromDateTime(TimeProvider.System.GetLocalNow().DateTime);
        await using GatewayHarness gateway = await StartAsync(pacs, g =>
        {
            g.Options.Destinations[0].Hours = $"{now.AddHours(2):HH':'mm}-{now.AddHours(20):HH':'mm}";
            g.Options.Routes.Add(new RouteOptions { Name = "all", Destinations = ["ARCHIVE", "PACS"] });
        });
        await gateway.SendAsync(1, 2);
        await Eventually.BecomesTrueAsync(() => gateway.Pacs.Stored.Count == 2);
        await Eventually.BecomesTrueAsync(() => gateway.LogLines.Any(static l => l.StartsWith("4008 ARCHIVE waits")));
        pacs.Associations.ShouldBe(0);
        (await DeliveriesAsync(gateway)).Where(static d => d.Destination == "ARCHIVE").ShouldAllBe(static d => d.State == "pending" && d.Attempts == 0);
        await gateway.StopAsync();
        gateway.Options.Destinations[0].Hours = $"{now.AddHours(-2):HH':'mm}-{now.AddHours(2):HH':'mm}";
        await gateway.StartAgainAsync();
        await gateway.UntilAsync(InstanceState.Forwarded, 2);
        pacs.Stored.Count.ShouldBe(2);
    }

    [Fact]
    public async Task What_waits_for_a_destination_that_is_gone_is_told_and_kept()
    {
        await using var pacs = new HostilePacs { OnAssociate = static _ => new AssociateRj(2, 3, 2) };
        await using GatewayHarness gateway = await StartAsync(pacs, static g => g.Options.Routes.Add(new RouteOptions { Name = "all", Destinations = ["ARCHIVE", "PACS"] }));
        await gateway.SendAsync(1, 2);
        await Eventually.BecomesTrueAsync(() => gateway.Pacs.Stored.Count == 2);
        await gateway.StopAsync();
        DestinationOptions archive = gateway.Options.Destinations[0];
        gateway.Options.Destinations.Clear();
        gateway.Options.Routes.Clear();
        await gateway.StartAgainAsync();
        await Eventually.BecomesTrueAsync(() => gateway.LogLines.Any(static l => l.StartsWith("4010 2 objects wait for ARCHIVE")));
        DeliverySummary open = (await gateway.Host.Store.SummarizeQueuesAsync(Cancel)).ShouldHaveSingleItem();
        (open.Destination, open.State, open.Count).ShouldBe(("ARCHIVE", DeliveryState.Pending, 2));
        await gateway.StopAsync();
        pacs.OnAssociate = static _ => null;
        gateway.Options.Destinations.Add(archive);
        await gateway.StartAgainAsync();
        await gateway.UntilAsync(InstanceState.Forwarded, 2);
        pacs.Stored.Count.ShouldBe(2);
    }

    private static Task<GatewayHarness> StartAsync(HostilePacs archive, Action<GatewayHarness> prepare) => GatewayHarness.StartAsync(g =>
    {
        g.Options.Destinations.Add(At("ARCHIVE", archive.Port));
        prepare(g);
        GatewayOptionsValidator.Validate(g.Options).Where(static p => p.Path.StartsWith("Routes") || p.Path.StartsWith("Dest")).ShouldBeEmpty();
    });

    private static DestinationOptions At(string title, int port) =>
        new() { AETitle = title, Host = "127.0.0.1", Port = port, AnswerTimeoutSeconds = 2, ConnectTimeoutSeconds = 5 };

    private static async Task<IReadOnlyList<(string Uid, string Destination, string State, int Attempts)>> DeliveriesAsync(GatewayHarness gateway)
    {
        await using var connection = new SqliteConnection($"Data Source={gateway.DatabaseFile}");
        return (await connection.QueryAsync<(string, string, string, int)>(
            "SELECT i.sop_uid, d.destination, d.state, d.attempts FROM deliveries d JOIN instances i ON i.id = d.instance_id")).AsList();
    }
}
