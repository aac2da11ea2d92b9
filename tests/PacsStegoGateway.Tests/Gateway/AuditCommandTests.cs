using System.Diagnostics;
using System.Text.Json;
using System.Xml.Linq;
using Dapper;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Commands;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary><c>psg audit</c> beside a gateway that runs.</summary>
public sealed class AuditCommandTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_trail_is_listed_shown_exported_and_verified_and_what_was_changed_is_named()
    {
        await using GatewayHarness gateway = await GatewayHarness.StartAsync();
        await gateway.SendAsync(1, 2);
        await gateway.UntilAsync(InstanceState.Forwarded, 2);

        (int code, string listed, _) = await RunAsync(gateway, "list", "--json", "--event", "received", "--original-patient", SampleObjects.PatientID);
        code.ShouldBe(ExitCode.Done);
        using var list = JsonDocument.Parse(listed);
        list.RootElement.GetArrayLength().ShouldBe(2);
        // Without the issuer, or with one too many, it is another patient: no entries, which is not to be taken for nothing done.
        (await RunAsync(gateway, "list", "--original-patient", "NOBODY")).Error.ShouldContain("ISSUER^ID");
        (await RunAsync(gateway, "list", "--original-patient", "ISSUER^NOBODY")).Error.ShouldBeEmpty();
        (await RunAsync(gateway, "list", "--original-patient", "NOBODY")).Error.ShouldContain("ISSUER^ID");
        long number = list.RootElement[0].GetProperty("sequence").GetInt64();
        SampleObjects.Planted.ShouldAllBe(p => !listed.Contains(p));

        (_, string closed, _) = await RunAsync(gateway, "show", $"{number}");
        closed.ShouldContain("sealed in entry");
        SampleObjects.Planted.ShouldAllBe(p => !closed.Contains(p));
        (_, string open, _) = await RunAsync(gateway, "show", $"{number}", "--identity", "--json");
        using var shown = JsonDocument.Parse(open);
        shown.RootElement.GetProperty("identity").GetProperty("PatientName").GetString().ShouldBe(SampleObjects.PatientName);
        // An entry that holds nothing sealed leads to the one of receipt.
        long forwarded = (await gateway.Host.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.Forwarded] }, Cancel))[0].Sequence;
        (await RunAsync(gateway, "show", $"{forwarded}", "--identity")).Output.ShouldContain(SampleObjects.PatientID);
        (code, _, string missing) = await RunAsync(gateway, "show", "99999");
        code.ShouldBe(ExitCode.Misused);
        missing.ShouldContain("no such entry");

        string file = Path.Combine(gateway.Options.DataFolder, "trail.xml");
        (code, _, _) = await RunAsync(gateway, "export", "--format", "dicom", "--out", file);
        code.ShouldBe(ExitCode.Done);
        string exported = await File.ReadAllTextAsync(file, Cancel);
        XElement.Parse(exported).Elements("AuditMessage").Count().ShouldBeGreaterThan(6);
        SampleObjects.Planted.ShouldAllBe(p => !exported.Contains(p));
        (_, string csv, _) = await RunAsync(gateway, "export", "--out", "-", "--event", "received");
        csv.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(3);

        IReadOnlyList<AuditRecord> reads = await gateway.Host.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.TrailRead] }, Cancel);
        reads.Count.ShouldBe(9);
        reads.ShouldAllBe(static r => r.User != null);
        reads[5].Detail!.ShouldContain(SampleObjects.Keys.ActiveKeyId.ToString("x8", System.Globalization.CultureInfo.InvariantCulture));

        await gateway.StopAsync();
        (code, string genuine, _) = await RunAsync(gateway, "verify");
        genuine.ShouldStartWith("Genuine: ");
        genuine.ShouldContain("1 checkpoints agree");
        code.ShouldBe(ExitCode.Done);
        await using (var source = new SqliteDialect(gateway.DatabaseFile, 5).CreateDataSource())
        await using (System.Data.Common.DbConnection connection = await source.OpenConnectionAsync(Cancel))
        {
            await connection.ExecuteAsync($"DROP TRIGGER audit_no_update; UPDATE audit SET calling_ae = 'OTHER' WHERE sequence = {number}");
        }

        (code, string bad, _) = await RunAsync(gateway, "verify");
        code.ShouldBe(ExitCode.SomeFailed);
        bad.ShouldStartWith($"NOT GENUINE. First: Changed at entry {number}.");
        (_, string json, _) = await RunAsync(gateway, "verify", "--json");
        JsonDocument.Parse(json).RootElement.GetProperty("first").GetProperty("sequence").GetInt64().ShouldBe(number);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(GatewayHarness gateway, params string[] arguments)
    {
        string config = Path.Combine(gateway.Options.DataFolder, "gateway.json");
        await File.WriteAllTextAsync(config, JsonSerializer.Serialize(new { gateway.Options.DataFolder, Keys = new { SampleObjects.RingPath } }), Cancel);
        using Process process = Process.Start(new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "psg.dll"), "audit", .. arguments, "--config", config])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(Cancel);
        Task<string> error = process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, await output, await error);
    }
}
