using System.Net.Http.Json;
using System.Text.Json;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Security;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>A whole gateway and Orthanc, which is the PACS that commits and the modality that asks.</summary>
public sealed class CommitmentWithOrthancTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("psg-orthanc-");
    private readonly int _dicom = Dcmtk.FreePort();
    private readonly int _http = Dcmtk.FreePort();
    private readonly int _gateway = Dcmtk.FreePort();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Orthanc_commits_what_it_got_from_us_and_is_told_about_what_the_modality_sent()
    {
        await using Dcmtk.Server orthanc = await StartOrthancAsync();
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(Configure);
        await gateway.SendAsync(1, 2, 3);
        await gateway.UntilAsync(InstanceState.Committed, 3);
        await Eventually.BecomesTrueAsync(() => gateway.SpoolFiles.Count == 0);
        (await gateway.EventsAsync(new AuditFilter { SopUID = SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(2)) }))
            .ShouldBe([AuditEvent.Received, AuditEvent.Protected, AuditEvent.Forwarded, AuditEvent.Committed]);

        (await AskAsync(SampleObjects.SopUID(1), SampleObjects.SopUID(3))).GetProperty("Status").GetString().ShouldBe("Success");
        JsonElement report = await AskAsync(SampleObjects.SopUID(1), SampleObjects.SopUID(9));
        report.GetProperty("Status").GetString().ShouldBe("Failure");
        report.GetProperty("Success").EnumerateArray().Single().GetProperty("SOPInstanceUID").GetString().ShouldBe(SampleObjects.SopUID(1));
        JsonElement failure = report.GetProperty("Failures").EnumerateArray().Single();
        failure.GetProperty("SOPInstanceUID").GetString().ShouldBe(SampleObjects.SopUID(9));
        failure.GetProperty("FailureReason").GetInt32().ShouldBe(0x0112);
    }

    [Fact]
    public async Task What_the_PACS_lost_after_its_answer_is_sent_again_and_then_committed()
    {
        await using Dcmtk.Server orthanc = await StartOrthancAsync();
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(g =>
        {
            Configure(g);
            g.Options.Commitment.GatherSeconds = 3;
        });
        await gateway.SendAsync(1);
        await gateway.UntilAsync(InstanceState.Forwarded, 1);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_http}") };
        string id = (await client.GetFromJsonAsync<string[]>("/instances", Cancel))!.ShouldHaveSingleItem();
        (await client.DeleteAsync($"/instances/{id}", Cancel)).IsSuccessStatusCode.ShouldBeTrue();
        await gateway.UntilAsync(InstanceState.Committed, 1);
        (await client.GetFromJsonAsync<string[]>("/instances", Cancel)).ShouldBe([id]);
        (await gateway.EventsAsync(new AuditFilter { SopUID = SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(1)) })).ShouldBe(
            [AuditEvent.Received, AuditEvent.Protected, AuditEvent.Forwarded, AuditEvent.CommitmentFailed, AuditEvent.Forwarded, AuditEvent.Committed]);
    }

    [Fact]
    public async Task At_the_door_everybody_may_do_what_he_is_and_no_more()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(static g => g.Options.Pacs.StorageCommitment = true);
        var information = new Commitment.CommitmentMessage("2.25.7", [new Commitment.SopReference(SopClasses.CTImageStorage, "1.2.3")], []).ToInformation();
        async Task<(DimseStatus Asked, DimseStatus Reported, bool IsScp)> TryAsync(string callingAE)
        {
            await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(
                gateway.Peer(callingAE), Commitment.CommitmentContext.AsScp, AssociationLimits.Default, Cancel);
            NormalizedResponse asked = await association.ActionAsync(SopClasses.StorageCommitment, SopClasses.StorageCommitmentInstance, 1, information, Cancel);
            NormalizedResponse reported = await association.EventReportAsync(SopClasses.StorageCommitment, SopClasses.StorageCommitmentInstance, 1, information, Cancel);
            return (asked.Status, reported.Status, association.RoleSelections.Any(static r => r.ScpRole));
        }

        (await TryAsync("CT1")).ShouldBe((DimseStatus.Success, DimseStatus.NotAuthorized, false));
        (await TryAsync("READER")).ShouldBe((DimseStatus.NotAuthorized, DimseStatus.NotAuthorized, false));
        (await TryAsync("PACS")).ShouldBe((DimseStatus.NotAuthorized, DimseStatus.InvalidArgumentValue, true));
        (await gateway.EventsAsync(new AuditFilter { Events = [AuditEvent.CommitmentFailed], Outcome = AuditOutcome.SeriousFailure })).Count.ShouldBe(4);
    }

    private void Configure(GatewayHarness gateway)
    {
        gateway.Options.Listen.Port = _gateway;
        gateway.Options.Pacs.AETitle = "ORTHANC";
        gateway.Options.Pacs.Port = _dicom;
        gateway.Options.Pacs.StorageCommitment = true;
        gateway.Options.Commitment.GatherSeconds = 1;
        gateway.Options.Commitment.UnknownMinutes = 0;
        gateway.Options.Callers.Add(new CallerOptions
        {
            AETitle = "ORTHANC",
            Roles = [Role.Modality],
            Commitment = new PeerOptions { Host = "127.0.0.1", Port = _dicom },
        });
    }

    private Task<Dcmtk.Server> StartOrthancAsync()
    {
        string configuration = Path.Combine(_folder.FullName, "orthanc.json");
        File.WriteAllText(configuration, JsonSerializer.Serialize(new
        {
            Name = "ORTHANC",
            DicomAet = "ORTHANC",
            DicomPort = _dicom,
            HttpPort = _http,
            StorageDirectory = _folder.FullName,
            IndexDirectory = _folder.FullName,
            RemoteAccessAllowed = false,
            AuthenticationEnabled = false,
            DicomModalities = new { psg = new object[] { "PSG", "127.0.0.1", _gateway } },
            DicomAlwaysAllowStore = true,
        }));
        return Dcmtk.ServeAsync("Orthanc", _http, _folder.FullName, configuration);
    }

    /// <summary>Orthanc as a modality: asks us, and waits until it was told.</summary>
    private async Task<JsonElement> AskAsync(params string[] sopInstanceUIDs)
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_http}") };
        using HttpResponseMessage asked = await client.PostAsync(new Uri("/modalities/psg/storage-commitment", UriKind.Relative), JsonContent.Create(new
        {
            DicomInstances = sopInstanceUIDs.Select(static uid => new { SOPClassUID = SopClasses.CTImageStorage, SOPInstanceUID = uid }),
        }, options: JsonSerializerOptions.Default), Cancel);
        asked.IsSuccessStatusCode.ShouldBeTrue(await asked.Content.ReadAsStringAsync(Cancel));
        string id = (await asked.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("ID").GetString()!;
        JsonElement report = default;
        await Eventually.BecomesTrueAsync(async () =>
        {
            report = await client.GetFromJsonAsync<JsonElement>($"/storage-commitment/{id}", Cancel);
            return report.GetProperty("Status").GetString() != "Pending";
        });
        return report;
    }
}
