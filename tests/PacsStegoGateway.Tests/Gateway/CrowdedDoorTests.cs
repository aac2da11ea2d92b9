using System.Net;
using System.Net.Sockets;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Dimse;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>Many who come and do not behave must not keep out the one who does.</summary>
public sealed class CrowdedDoorTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Three_hundred_silent_connections_lock_nobody_out()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        var silent = new List<Socket>();
        try
        {
            for (int i = 0; i < 300; i++)
            {
                silent.Add(await ConnectAsync(gateway));
            }

            await using RequestorAssociation modality = await gateway.ConnectAsync("CT1");
            (await modality.EchoAsync(Cancel)).ShouldBe(DimseStatus.Success);
            await modality.ReleaseAsync(Cancel);
            gateway.LogLines.ShouldContain(static l => l.StartsWith("1004 ", StringComparison.Ordinal));
        }
        finally
        {
            silent.ForEach(static s => s.Dispose());
        }
    }

    [Fact]
    public async Task Fault_05_of_two_hundred_associations_at_a_limit_of_one_hundred_half_are_rejected_as_transient()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(static g =>
        {
            g.Options.Listen.MaxAssociations = 100;
            g.Options.Listen.MaxAssociationsPerAE = 100;
        });
        var open = new List<RequestorAssociation>();
        int rejected = 0;
        for (int i = 0; i < 200; i++)
        {
            try
            {
                open.Add(await gateway.ConnectAsync("CT1"));
            }
            catch (AssociationException e)
            {
                e.Rejection.ShouldBe(AssociationDecision.LocalLimitExceeded);
                rejected++;
            }
        }

        (open.Count, rejected).ShouldBe((100, 100));
        foreach (RequestorAssociation association in open)
        {
            (await association.EchoAsync(Cancel)).ShouldBe(DimseStatus.Success);
            await association.ReleaseAsync(Cancel);
            await association.DisposeAsync();
        }

        await Eventually.BecomesTrueAsync(async () =>
        {
            try
            {
                await using RequestorAssociation again = await gateway.ConnectAsync("CT1");
                return true;
            }
            catch (AssociationException e) when (e.IsTransient)
            {
                return false;
            }
        });
    }

    [Fact]
    public async Task A_full_gateway_still_answers_who_only_asks_whether_it_is_well()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(static g =>
        {
            g.Options.Listen.MaxAssociations = g.Options.Listen.MaxAssociationsPerAE = 2;
            g.Options.Limits.VerificationReserve = 1;
        });
        await using RequestorAssociation one = await gateway.ConnectAsync("CT1"), two = await gateway.ConnectAsync("CT1");
        (await Should.ThrowAsync<AssociationException>(gateway.ConnectAsync("CT1"))).Rejection.ShouldBe(AssociationDecision.LocalLimitExceeded);
        await using (RequestorAssociation echo = await VerifyAsync(gateway))
        {
            (await echo.EchoAsync(Cancel)).ShouldBe(DimseStatus.Success);
            (await Should.ThrowAsync<AssociationException>(VerifyAsync(gateway))).Rejection.ShouldBe(AssociationDecision.LocalLimitExceeded, "The reserve has an end too.");
        }
    }

    [Fact]
    public async Task Http_on_the_port_is_named_in_the_log_and_closed()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        using var peer = new ScriptedPeer(await ConnectAsync(gateway));
        await peer.SendAsync("GET /studies HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        (await peer.ReadAsync()).ShouldBeNull();
        await Eventually.BecomesTrueAsync(() => gateway.LogLines.Any(static l => l.StartsWith("1005 ", StringComparison.Ordinal) && l.Contains("HTTP")));
    }

    [Fact]
    public void The_oldest_of_the_same_address_goes_first_and_else_the_oldest_of_all()
    {
        var pending = new PendingConnections(static () => new ListenOptions { MaxPendingConnections = 3, MaxPendingConnectionsPerAddress = 2 });
        var closed = new List<string>();
        IPAddress one = IPAddress.Parse("10.0.0.1"), two = IPAddress.Parse("10.0.0.2"), three = IPAddress.Parse("10.0.0.3");
        pending.Enter(one, () => closed.Add("1a"), out _);
        PendingConnections.Entry second = pending.Enter(two, () => closed.Add("2a"), out _);
        pending.Enter(two, () => closed.Add("2b"), out IPAddress? evicted);
        evicted.ShouldBeNull();

        pending.Enter(two, () => closed.Add("2c"), out evicted);
        evicted.ShouldBe(two);
        pending.Enter(three, () => closed.Add("3a"), out evicted);
        evicted.ShouldBe(one);
        closed.ShouldBe(["2a", "1a"]);
        second.Dispose();
        second.Dispose();
        pending.Count.ShouldBe(3);
    }

    private static Task<RequestorAssociation> VerifyAsync(GatewayHarness gateway) => RequestorAssociation.ConnectAsync(
        gateway.Peer("CT1"), [new ProposedContext(SopClasses.Verification, "1.2.840.10008.1.2")], AssociationLimits.Default, Cancel);

    private static async Task<Socket> ConnectAsync(GatewayHarness gateway)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, gateway.Host.EndPoint.Port, Cancel);
        return socket;
    }
}
