using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Security;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Tests.Gateway;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Security;

/// <summary>A whole day of a gateway in a few seconds, with planted identities in every place that a peer can write to; then everything it said.</summary>
public sealed class NoIdentityInLogsTests
{
    private const string Passcode = "PLANTEDPASSCODE";

    private static readonly string[] Planted = [.. SampleObjects.Planted, Passcode, "PLANTEDUSER", "PLANTEDCOMMENT"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_log_line_at_any_level_and_no_audit_entry_names_anybody_whatever_peers_send()
    {
        await using var workstation = new StoringPeer();
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(g =>
        {
            g.LeastLogged = LogLevel.Trace;
            g.Options.Listen.ArtimTimeoutSeconds = g.Options.Listen.DimseTimeoutSeconds = 2;
            g.Options.MoveDestinations.Add(new PeerOptions { AETitle = "WORKSTATION", Host = "127.0.0.1", Port = workstation.Port });
            g.Options.MoveDestinations.Add(new PeerOptions { AETitle = "AWAY", Host = "127.0.0.1", Port = 1 });
            g.Options.Callers.Add(new CallerOptions
            {
                AETitle = "USERS", Roles = [Role.Reidentifier],
                Users = [new CallerUserOptions { Name = "meier", Passcode = PasscodeHash.Create("right", iterations: 1000) }],
            });
        });

        // What goes well, and what the PACS does not like.
        gateway.Pacs.Answer = static n => n == 1 ? DimseStatus.CannotUnderstand : DimseStatus.Success;
        await gateway.SendAsync(1, 2, 3);
        await gateway.UntilAsync(InstanceState.Forwarded, 2);
        // An association that is open outlives the listener.
        gateway.Pacs.Answer = static _ => DimseStatus.OutOfResources;
        await gateway.Pacs.StopAsync();
        await gateway.SendAsync(4);
        await gateway.UntilAsync(InstanceState.Protected, 2);

        await StoreHostileObjectsAsync(gateway);
        foreach (string caller in (string[])["CLINIC", "READER", "CT1"])
        {
            foreach (string destination in (string[])["WORKSTATION", "AWAY", "UNKNOWN"])
            {
                await AskAsync(gateway, caller, destination);
            }
        }

        foreach ((string name, string passcode, byte type) in ((string, string, byte)[])[("PLANTEDUSER", Passcode, 2), ("meier", Passcode, 2), ("PLANTEDUSER", Passcode, 5)])
        {
            await Should.ThrowAsync<AssociationException>(gateway.ConnectAsync("USERS", user: new UserIdentity(type, true, Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(passcode))));
        }

        await SendNonsenseAsync(gateway);
        string[] trail = [.. (await gateway.Host.Store.QueryAuditAsync(new AuditFilter { Limit = 100_000 }, Cancel)).Select(static r => r.ToString())];
        await gateway.StopAsync();

        gateway.LogLines.Count.ShouldBeGreaterThan(20);
        trail.Length.ShouldBeGreaterThan(20);
        foreach (string planted in Planted)
        {
            gateway.LogLines.ShouldAllBe(l => !l.Contains(planted, StringComparison.OrdinalIgnoreCase), $"the log, {planted}");
            trail.ShouldAllBe(l => !l.Contains(planted, StringComparison.OrdinalIgnoreCase), $"the trail, {planted}");
        }
    }

    /// <summary>Identity where something is wrong with the object, so that somebody may want to say what.</summary>
    private static async Task StoreHostileObjectsAsync(GatewayHarness gateway)
    {
        byte[] whole = SampleObjects.Encode(SampleObjects.Create(50));
        DataSet strange = SampleObjects.Create(51);
        strange.Set(Element.Raw(Tags.StudyInstanceUID, Vr.UI, Encoding.ASCII.GetBytes($"{SampleObjects.PatientName}-is-no-UID ")));
        strange.SetText(Tags.ImageComments, "PLANTEDCOMMENT");
        DataSet nameless = SampleObjects.Create(52);
        nameless.Remove(Tags.SOPInstanceUID);
        (byte[] Bytes, string Uid)[] objects =
        [
            (whole[..^100], SampleObjects.SopUID(50)), (whole[..60], SampleObjects.SopUID(50)), (whole, SampleObjects.SopUID(99)), (whole, SampleObjects.PatientID),
            (SampleObjects.Encode(strange), SampleObjects.SopUID(51)), (SampleObjects.Encode(nameless), SampleObjects.SopUID(52)),
            (Encoding.ASCII.GetBytes(SampleObjects.PatientName + SampleObjects.PatientID), SampleObjects.SopUID(53)),
            (SampleObjects.Encode(SampleObjects.Create(1, fill: 9)), SampleObjects.SopUID(1)),
        ];
        foreach ((byte[] bytes, string uid) in objects)
        {
            try
            {
                await using RequestorAssociation association = await gateway.ConnectAsync("CT1");
                await association.StoreAsync(SopClasses.CTImageStorage, uid, TransferSyntax.ExplicitVRLittleEndian.UID, new ReadOnlySequence<byte>(bytes), null, Cancel);
            }
            catch (AssociationException)
            {
                // Aborted for it: as good an answer as any.
            }
        }
    }

    private static async Task AskAsync(GatewayHarness gateway, string caller, string destination)
    {
        var identifier = new DataSet();
        identifier.SetText(Tags.QueryRetrieveLevel, "STUDY");
        identifier.SetText(Tags.PatientName, "Zwetsch*");
        identifier.SetText(Tags.PatientID, SampleObjects.PatientID);
        identifier.SetText(Tags.StudyInstanceUID, SampleObjects.StudyUID);
        var wrong = new DataSet();
        wrong.SetText(Tags.QueryRetrieveLevel, SampleObjects.PatientName[..16]);
        wrong.SetText(Tags.PatientName, SampleObjects.PatientName);
        await using RequestorAssociation association = await gateway.ConnectAsync(caller);
        foreach (DataSet asked in (DataSet[])[identifier, wrong])
        {
            try
            {
                await foreach (DataSet answer in association.FindAsync(SopClasses.StudyRootFind, asked, Cancel))
                {
                    answer.ShouldNotBeNull();
                }
            }
            catch (AssociationException)
            {
                // Refused.
            }

            await foreach (MoveResponse response in association.MoveAsync(SopClasses.StudyRootMove, destination, asked, Cancel))
            {
                response.ShouldNotBeNull();
            }
        }
    }

    /// <summary>Connections that speak no DICOM, or begin and then say a name.</summary>
    private static async Task SendNonsenseAsync(GatewayHarness gateway)
    {
        byte[] name = Encoding.ASCII.GetBytes(SampleObjects.PatientName);
        byte[] request = ScriptedPeer.Bytes(ScriptedPeer.Request() with { CalledAETitle = "PSG", CallingAETitle = "CT1" });
        foreach (byte[] bytes in (byte[][])
            [
                Encoding.ASCII.GetBytes($"GET /{SampleObjects.PatientName} HTTP/1.1\r\n\r\n"), name, [1, 0, 0, 0, 0, 24, .. name],
                [.. request, 4, 0, 0, 0, 0, 24, .. name], [.. request, .. name], [7, 0, 0, 0, 0, 4, .. name[..4]],
            ])
        {
            using ScriptedPeer peer = await ScriptedPeer.ConnectAsync(gateway.Host.EndPoint.Port);
            await peer.SendAsync(bytes);
            while (await peer.ReadAsync() is not null)
            {
                // Until it is closed.
            }
        }
    }
}
