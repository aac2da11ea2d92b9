using System.Diagnostics;
using System.Text.Json;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Commands;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Service;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary><c>psg quarantine</c> as a process of its own, beside a gateway that runs.</summary>
public sealed class QuarantineCommandTests
{
    private bool _isMended;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_put_back_reaches_the_PACS_of_the_running_gateway_and_what_is_exported_is_what_was_sent()
    {
        await using GatewayHarness gateway = await StartAsync();
        IReadOnlyList<byte[]> sent = await gateway.SendAsync(1, 2);
        await gateway.UntilAsync(InstanceState.Quarantined, 2);

        (int code, string listed, _) = await RunAsync(gateway, "list", "--json");
        code.ShouldBe(ExitCode.Done);
        using JsonDocument list = JsonDocument.Parse(listed);
        JsonElement entry = list.RootElement.EnumerateArray().Single(static e => e.GetProperty("id").GetInt64() == 1);
        entry.GetProperty("reason").GetString().ShouldBe(nameof(RefusalReason.NoBackground));
        entry.GetProperty("sopUID").GetString().ShouldBe(SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(1)));
        entry.GetProperty("callingAE").GetString().ShouldBe("CT1");
        entry.GetProperty("sopClass").GetString().ShouldBe(SopClasses.NameOf(SopClasses.CTImageStorage));
        (_, string table, _) = await RunAsync(gateway, "list");
        table.ShouldContain("2 in quarantine.");
        (_, string shown, _) = await RunAsync(gateway, "show", "1");
        shown.ShouldContain(QuarantineAdvice.For(nameof(RefusalReason.NoBackground)));
        SampleObjects.Planted.ShouldAllBe(planted => !(listed + table + shown).Contains(planted, StringComparison.OrdinalIgnoreCase));

        string folder = Path.Combine(gateway.Options.DataFolder, "out");
        (code, _, string warning) = await RunAsync(gateway, "export", "1", "--out", folder);
        code.ShouldBe(ExitCode.Done);
        warning.ShouldContain("identity");
        string exported = Directory.GetFiles(folder).ShouldHaveSingleItem();
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(exported).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        DicomFile file = DicomFile.Read(await File.ReadAllBytesAsync(exported, Cancel), DicomReadOptions.StrictDefault);
        DataSetWriter.ToArray(file.DataSet, file.TransferSyntax).ShouldBe(sent[0]);

        Volatile.Write(ref _isMended, true);
        (code, string answer, _) = await RunAsync(gateway, "retry", "--reason", nameof(RefusalReason.NoBackground));
        (code, answer.Trim()).ShouldBe((ExitCode.Done, "2 put back."));
        await gateway.UntilAsync(InstanceState.Forwarded, 2);
        gateway.Pacs.Stored.Count.ShouldBe(2);
        (await gateway.EventsAsync(new AuditFilter { SopUID = SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(1)) })).ShouldBe(
        [
            AuditEvent.Received, AuditEvent.Quarantined, AuditEvent.QuarantineExported, AuditEvent.QuarantineReleased, AuditEvent.Protected, AuditEvent.Forwarded,
        ]);
        (code, _, string gone) = await RunAsync(gateway, "retry", "1");
        code.ShouldBe(ExitCode.SomeFailed);
        gone.ShouldContain("1: is not in quarantine.");
    }

    [Fact]
    public async Task What_is_discarded_leaves_no_file_and_is_new_when_sent_again_and_without_yes_nothing_is_deleted()
    {
        await using GatewayHarness gateway = await StartAsync();
        await gateway.SendAsync(1);
        await gateway.UntilAsync(InstanceState.Quarantined, 1);
        (await RunAsync(gateway, "discard", "1")).Code.ShouldBe(ExitCode.Misused);
        (await RunAsync(gateway, "retry")).Code.ShouldBe(ExitCode.Misused);
        (await gateway.CountAsync(InstanceState.Quarantined)).ShouldBe(1);
        (int code, string answer, _) = await RunAsync(gateway, "discard", "1", "99", "--yes");
        (code, answer.Trim()).ShouldBe((ExitCode.SomeFailed, "1 discarded."));
        gateway.SpoolFiles.ShouldBeEmpty();
        Volatile.Write(ref _isMended, true);
        await gateway.SendAsync(1);
        await gateway.UntilAsync(InstanceState.Forwarded, 1);
    }

    [Fact]
    public async Task What_is_sent_again_while_quarantined_is_tried_again_and_leaves_no_file_behind()
    {
        await using GatewayHarness gateway = await StartAsync();
        await gateway.SendAsync(1);
        await gateway.UntilAsync(InstanceState.Quarantined, 1);
        Volatile.Write(ref _isMended, true);
        await gateway.SendAsync(1);
        await gateway.UntilAsync(InstanceState.Forwarded, 1);
        await Eventually.BecomesTrueAsync(() => gateway.SpoolFiles.Count == 0);
    }

    /// <summary>A gateway that finds no background anywhere until it is mended.</summary>
    private Task<GatewayHarness> StartAsync() => GatewayHarness.StartAsync(g => g.Parts = new ProtectionParts(
        SampleObjects.Keys,
        (bytes, syntax, keep) => Volatile.Read(ref _isMended)
            ? SampleObjects.Protect(bytes, syntax, keep)
            : new ProtectionOutcome.Quarantined(RefusalReason.NoBackground, "No background."),
        SampleObjects.Reveal));

    private static async Task<(int Code, string Output, string Error)> RunAsync(GatewayHarness gateway, params string[] arguments)
    {
        string config = Path.Combine(gateway.Options.DataFolder, "gateway.json");
        await File.WriteAllTextAsync(config, JsonSerializer.Serialize(new { gateway.Options.DataFolder, Keys = new { SampleObjects.RingPath } }), Cancel);
        var start = new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "psg.dll"), "quarantine", .. arguments, "--config", config])
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
