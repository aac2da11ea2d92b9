using System.Diagnostics;
using System.Text.Json;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Commands;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary><c>psg queue</c> and <c>psg status</c> as processes of their own, beside a gateway that runs.</summary>
public sealed class QueueCommandTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_dead_letter_is_told_of_with_advice_and_reaches_the_PACS_when_a_person_retries_it()
    {
        bool isMended = false;
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        gateway.Pacs.Answer = _ => Volatile.Read(ref isMended) ? DimseStatus.Success : DimseStatus.CannotUnderstand;
        await gateway.SendAsync(1, 2);
        await DeadAsync(gateway, 2);

        (int code, string status, _) = await RunAsync(gateway, "status", "--check");
        code.ShouldBe(ExitCode.SomeFailed);
        status.ShouldContain("PACS refused 2 objects for good");
        status.ShouldContain("runs since");
        using (JsonDocument report = JsonDocument.Parse((await RunAsync(gateway, "status", "--json")).Output))
        {
            report.RootElement.GetProperty("nodes")[0].GetProperty("isAlive").GetBoolean().ShouldBeTrue();
            report.RootElement.GetProperty("queues")[0].GetProperty("count").GetInt64().ShouldBe(2);
            report.RootElement.GetProperty("attention").GetArrayLength().ShouldBe(1);
        }

        (_, string listed, _) = await RunAsync(gateway, "queue", "list", "--state", "dead", "--json");
        using (JsonDocument list = JsonDocument.Parse(listed))
        {
            // Two are protected at a time: either may be the first.
            JsonElement[] entries = [.. list.RootElement.EnumerateArray().OrderBy(static e => e.GetProperty("sopUID").GetString() != SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(1)))];
            entries.Length.ShouldBe(2);
            entries[0].GetProperty("detail").GetString().ShouldBe("PACS answered C000H.");
            entries[0].GetProperty("sopUID").GetString().ShouldBe(SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(1)));
        }

        (await RunAsync(gateway, "queue", "list", "--older-than", "6h")).Output.ShouldContain("0 shown of 2");
        (await RunAsync(gateway, "queue", "list", "--older-than", "soon")).Code.ShouldBe(ExitCode.Misused);
        (_, string shown, _) = await RunAsync(gateway, "queue", "show", "1");
        shown.ShouldContain("psg queue retry 1");
        shown.ShouldNotContain(SampleObjects.PatientID);

        Volatile.Write(ref isMended, true);
        (await RunAsync(gateway, "queue", "retry")).Code.ShouldBe(ExitCode.Misused);
        (code, string answer, string error) = await RunAsync(gateway, "queue", "retry", "1", "99");
        (code, error.Trim()).ShouldBe((ExitCode.SomeFailed, "99: waits in no queue: it is done, or was never there."));
        answer.ShouldStartWith("1 to be sent");
        await gateway.UntilAsync(InstanceState.Forwarded, 1);
        (await RunAsync(gateway, "queue", "retry", "--all")).Output.ShouldStartWith("1 to be sent");
        await gateway.UntilAsync(InstanceState.Forwarded, 2);
        await Eventually.BecomesTrueAsync(() => gateway.SpoolFiles.Count == 0);
        (code, status, _) = await RunAsync(gateway, "status", "--check");
        (code, status.Contains("All is well.", StringComparison.Ordinal)).ShouldBe((ExitCode.Done, true));
        (await gateway.Host.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.DeliveryRetried] }, Cancel))
            .ShouldAllBe(static r => r.User == Environment.UserName && r.Detail!.Contains("to PACS"));
    }

    [Fact]
    public async Task What_is_dropped_is_not_sent_and_lies_in_quarantine_and_without_yes_nothing_is_dropped()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        await gateway.Pacs.StopAsync();
        await gateway.SendAsync(1);
        await gateway.UntilAsync(InstanceState.Protected, 1);
        (await RunAsync(gateway, "queue", "drop", "--destination", "PACS", "--state", "pending")).Code.ShouldBe(ExitCode.Misused);
        (await gateway.CountAsync(InstanceState.Protected)).ShouldBe(1);
        (int code, string answer, _) = await RunAsync(gateway, "queue", "drop", "--destination", "PACS", "--state", "pending", "--yes");
        code.ShouldBe(ExitCode.Done);
        answer.ShouldStartWith("1 dropped.");
        answer.ShouldContain("1 objects are at no destination now");
        (await gateway.CountAsync(InstanceState.Quarantined)).ShouldBe(1);
        gateway.SpoolFiles.Count.ShouldBe(2);
        gateway.Pacs.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_gateway_that_does_not_run_is_what_status_tells_first()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        await gateway.StopAsync();
        (int code, string status, _) = await RunAsync(gateway, "status", "--check");
        code.ShouldBe(ExitCode.SomeFailed);
        status.ShouldContain("does not run");
        status.ShouldContain("No gateway runs");
    }

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("15m", 900)]
    [InlineData("6h", 21_600)]
    [InlineData("2d", 172_800)]
    [InlineData("h", -1)]
    [InlineData("6", -1)]
    [InlineData("-6h", -1)]
    [InlineData("9999999d", -1)]
    public void Ages_are_numbers_with_a_unit(string text, int seconds)
    {
        Age.TryParse(text, out TimeSpan age).ShouldBe(seconds >= 0);
        age.TotalSeconds.ShouldBe(Math.Max(0, seconds));
    }

    private static Task DeadAsync(GatewayHarness gateway, int count) => Eventually.BecomesTrueAsync(async () =>
        (await gateway.Host.Store.QueuedAsync(new DeliveryFilter { State = DeliveryState.Dead }, Cancel)).Count == count);

    [Fact]
    public async Task Commitment_list_shows_who_asked_whom_and_what_is_owed()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(static g =>
        {
            g.Options.Pacs.StorageCommitment = true;
            g.Options.Commitment.GatherSeconds = 1;
            g.Pacs.OnAction = static _ => Task.FromResult(NormalizedResponse.Success);
        });
        await gateway.SendAsync(1);
        await using RequestorAssociation modality = await RequestorAssociation.ConnectAsync(
            gateway.Peer("CT1"), Commitment.CommitmentContext.AsScu, AssociationLimits.Default, Cancel);
        await modality.ActionAsync(SopClasses.StorageCommitment, SopClasses.StorageCommitmentInstance, 1,
            new Commitment.CommitmentMessage("2.25.7", [CommitmentHarness.Original(1)], []).ToInformation(), Cancel);
        await Eventually.BecomesTrueAsync(async () => (await gateway.Host.Store.ListCommitTransactionsAsync(false, 10, Cancel)).SingleOrDefault()?.State == CommitTransactionState.Asked);
        (int code, string listed, _) = await RunAsync(gateway, "commitment", "list", "--json");
        code.ShouldBe(0);
        using var entries = JsonDocument.Parse(listed);
        entries.RootElement.EnumerateArray().Select(static e => (e.GetProperty("askedBy").GetString(), e.GetProperty("askedOf").GetString(), e.GetProperty("state").GetString(), e.GetProperty("objects").GetInt32()))
            .ShouldBe([("CT1", "gateway", "waiting", 1), ("gateway", "PACS", "asked", 1)]);
        (await RunAsync(gateway, "commitment", "list")).Output.ShouldContain("1 requests of modalities, 1 transactions with destinations.");
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(GatewayHarness gateway, params string[] arguments)
    {
        string config = Path.Combine(gateway.Options.DataFolder, "gateway.json");
        await File.WriteAllTextAsync(config, JsonSerializer.Serialize(new
        {
            gateway.Options.DataFolder,
            Keys = new { SampleObjects.RingPath },
            Spool = new { gateway.Options.Spool.MinFreeMegabytes },
        }), Cancel);
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "psg.dll"), .. arguments, "--config", config])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(Cancel);
        Task<string> error = process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, await output, await error);
    }
}
