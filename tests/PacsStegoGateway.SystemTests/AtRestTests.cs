using System.Text;
using System.Text.Json.Nodes;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.SystemTests.Fixtures;

namespace PacsStegoGateway.SystemTests;

/// <summary>Whoever has the gateway's disk learns nobody's identity from it: not from its files, and not from its fall.</summary>
public sealed class AtRestTests : IDisposable
{
    private static readonly (Tag Tag, string Value)[] Planted =
    [
        (Tags.PatientName, "ZYMURGY^QUIXOTINA"), (Tags.PatientID, "PLANTED-4711-XQ"), (Tags.AccessionNumber, "PLANTEDACC88XQ"),
        (Tags.InstitutionName, "Saint Planted Infirmary"), (Tags.ReferringPhysicianName, "PLANTEDDOC^XQ"), (Tags.StudyDescription, "planted study of ZYMURGY"),
        (Tags.PatientComments, "the planted comment"), (Tags.StudyID, "PLANTEDID7"),
    ];

    private readonly TemporaryFolder _folder = new("atrest");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_file_of_the_gateway_holds_what_was_planted_unless_encryption_is_switched_off(bool encrypt)
    {
        // Nobody listens there: what was protected stays.
        await using GatewayProcess gateway = await GatewayProcess.Prepare(FreePort.Next(), change: c =>
        {
            c["Spool"]!["Encrypt"] = encrypt;
            c["Segmentation"] = new JsonObject { ["Kind"] = "threshold" };
        });
        IReadOnlyList<string> sent = Plant();
        string temporary = _folder.Folder("tmp");
        await using ChildProcess process = ChildProcess.Start(GatewayProcess.Program, ["run", "--config", gateway.ConfigurationPath],
            new Dictionary<string, string> { ["TMPDIR"] = temporary, ["DOTNET_EnableDiagnostics"] = "0" }, Tests.SharedData.RepositoryRoot);
        await process.UntilListening(gateway.Port);
        (await DcmtkTools.Store(gateway.Port, "MODALITY", "PSG", sent)).ShouldSucceed();
        await Eventually.IsTrue("all are worked on", () => GatewayRows.CountInstances(gateway, "received") == 0, 120);
        GatewayRows.CountInstances(gateway, "protected").ShouldBeGreaterThan(0);
        // Asked for by the original identifiers: what is asked may not stay behind either.
        (await ChildProcess.Run(GatewayProcess.Program, ["find", $"PSG@127.0.0.1:{gateway.Port}", "--calling", "CLINIC", "-l", "study",
            "-k", "PatientName=ZYMURGY*", "-k", "PatientID=PLANTED-4711-XQ", "-k", "AccessionNumber=", "-k", "StudyInstanceUID="])).ShouldSucceed().StandardOutput.ShouldContain("ZYMURGY");
        // What is not a data set is refused, and what it holds is quoted nowhere.
        string broken = _folder.At("broken.dcm");
        await File.WriteAllBytesAsync(broken, (await File.ReadAllBytesAsync(sent[0], TestContext.Current.CancellationToken))[..^4000], TestContext.Current.CancellationToken);
        await DcmtkTools.Store(gateway.Port, "MODALITY", "PSG", [broken]);

        var found = new List<string>();
        byte[][] planted = [.. Values(sent).SelectMany(static v => (byte[][])[Encoding.UTF8.GetBytes(v), Encoding.Unicode.GetBytes(v)])];
        foreach (string path in Directory.EnumerateFiles(gateway.DataFolder, "*", SearchOption.AllDirectories).Concat(Directory.EnumerateFiles(temporary, "*", SearchOption.AllDirectories))
            .Where(static p => Path.GetFileName(p) != "lock"))
        {
            byte[] bytes = Bytes(path);
            if (planted.Any(value => bytes.AsSpan().IndexOf(value) >= 0))
            {
                found.Add(path);
            }
        }

        string[] spooled = [.. Directory.EnumerateFiles(Path.Combine(gateway.DataFolder, "spool"), "*.plain", SearchOption.AllDirectories)];
        if (encrypt)
        {
            found.ShouldBeEmpty();
            spooled.ShouldBeEmpty();
        }
        else
        {
            // The received ones, and nothing else: so the search finds what is there.
            found.Count.ShouldBe(sent.Count);
            found.ShouldBeSubsetOf(spooled);
        }

        foreach (string value in Values(sent))
        {
            process.Output.ShouldNotContain(value, Case.Insensitive);
        }
    }

    [Theory]
    [InlineData("SEGV")]
    [InlineData("ABRT")]
    public async Task A_fault_leaves_no_core(string signal)
    {
        string pattern = (await File.ReadAllTextAsync("/proc/sys/kernel/core_pattern", TestContext.Current.CancellationToken)).Trim();
        string control = _folder.Folder("control");
        await Shell(control, $"ulimit -c unlimited; kill -{signal} $$");
        if (pattern.Contains('/', StringComparison.Ordinal) || pattern.StartsWith('|') || !Directory.EnumerateFiles(control).Any())
        {
            Assert.Skip($"This system writes no core into the working folder (core_pattern {pattern}).");
        }

        string folder = _folder.Folder("fault");
        await using GatewayProcess gateway = await GatewayProcess.Prepare(FreePort.Next(),
            change: static c => c["Segmentation"] = new JsonObject { ["Kind"] = "threshold" });
        await using ChildProcess process = ChildProcess.Start("/bin/sh",
            ["-c", $"ulimit -c unlimited; cd '{folder}'; exec '{GatewayProcess.Program}' run --config '{gateway.ConfigurationPath}'"], workingFolder: folder);
        await process.UntilListening(gateway.Port);
        (await File.ReadAllTextAsync($"/proc/{process.Id}/limits", TestContext.Current.CancellationToken))
            .Split('\n').Single(static l => l.StartsWith("Max core file size", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[4..6].ShouldBe(["0", "0"]);
        // Again until it falls: at the first the runtime only gives the signal back to the system.
        await Eventually.IsTrue("it has fallen", async () =>
        {
            await Shell(folder, $"kill -{signal} {process.Id}");
            return process.HasExited;
        });
        Directory.EnumerateFiles(folder).ShouldBeEmpty();
        Directory.EnumerateFiles(gateway.DataFolder, "core*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_environment_that_asks_the_runtime_for_dumps_is_refused()
    {
        await using GatewayProcess gateway = await GatewayProcess.Prepare(FreePort.Next());
        Finished refused = await ChildProcess.Run(GatewayProcess.Program, ["run", "--config", gateway.ConfigurationPath],
            environment: new Dictionary<string, string> { ["DOTNET_DbgEnableMiniDump"] = "1" }, workingFolder: Tests.SharedData.RepositoryRoot);
        refused.ExitCode.ShouldBe(2);
        refused.Output.ShouldContain("DOTNET_DbgEnableMiniDump");
    }

    private static Task<Finished> Shell(string folder, string script) => ChildProcess.Run("/bin/sh", ["-c", script], workingFolder: folder);

    private static byte[] Bytes(string path)
    {
        // The database is open, and may be written to.
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var all = new MemoryStream();
        file.CopyTo(all);
        return all.ToArray();
    }

    /// <summary>What identifies: what was planted, and the UIDs of the originals.</summary>
    private static IEnumerable<string> Values(IEnumerable<string> sent) => Planted.Select(static p => p.Value)
        .Concat(Planted.Where(static p => p.Value.Contains('^', StringComparison.Ordinal)).SelectMany(static p => p.Value.Split('^')).Where(static p => p.Length > 3))
        .Concat(sent.Select(Part10.At).SelectMany(static p => (Tag[])[Tags.StudyInstanceUID, Tags.SeriesInstanceUID, Tags.SOPInstanceUID], static (p, tag) => p.DataSet.GetText(tag)!))
        .Distinct();

    private IReadOnlyList<string> Plant()
    {
        var planted = new List<string>();
        foreach (string path in Images.Phantoms(_folder.Folder("made"), slices: 1))
        {
            DicomFile file = DicomFile.Read(File.ReadAllBytes(path));
            foreach ((Tag tag, string value) in Planted)
            {
                file.DataSet.SetText(tag, value);
            }

            string target = _folder.At("sent", Path.GetFileName(path) + planted.Count);
            using FileStream stream = File.Create(target);
            stream.Write(FileMeta.Prefix(file.DataSet.GetText(Tags.SOPClassUID)!, file.DataSet.GetText(Tags.SOPInstanceUID)!, file.TransferSyntax.UID, "MODALITY"));
            stream.Write(DataSetWriter.ToArray(file.DataSet, file.TransferSyntax));
            planted.Add(target);
        }

        return planted;
    }
}
