using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text.Json;
using PacsStegoGateway.Commands;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Tests.Network;
using static PacsStegoGateway.Tests.Network.TestObjects;

namespace PacsStegoGateway.Tests.Commands;

/// <summary>psg echo, send, find, move and get, as a process of their own, against real associations.</summary>
public sealed class NetworkVerbTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("psg-verbs-");
    private readonly RecordingProvider _provider = new()
    {
        OnRole = static r => r,
        OnContext = static (_, proposed) => ContextAnswer.FirstOf([TransferSyntax.ExplicitVRLittleEndian.UID, TransferSyntax.ImplicitVRLittleEndian.UID], proposed),
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Echo_over_tls_with_and_without_the_right_files()
    {
        using var authority = new TestAuthority();
        TlsFiles client = authority.Client();
        await using var acceptor = new TestAcceptor(_provider, tls: new TlsServer(
            new TlsCredentials(authority.Server()), ClientCertificates.Required, TimeSpan.FromSeconds(10), TimeProvider.System));
        string[] tls = ["--tls", "--cert", client.CertificatePath!, "--key", client.KeyPath!, "--ca", authority.AuthoritiesPath];
        (int code, string output, _) = await RunAsync(["echo", At(acceptor), .. tls, "--json"]);
        code.ShouldBe(ExitCode.Done);
        JsonElement json = JsonElement.Parse(output);
        (json.GetProperty("status").GetString(), json.GetProperty("tls").GetBoolean()).ShouldBe(("0000H", true));
        (code, output, _) = await RunAsync(["echo", $"127.0.0.1:{acceptor.Port}", "--called", "ANYBODY", "--calling", "ME", "--timeout", "20", .. tls]);
        (code, output.StartsWith("ANYBODY@127.0.0.1", StringComparison.Ordinal)).ShouldBe((ExitCode.Done, true));

        (code, _, string error) = await RunAsync(["echo", At(acceptor), .. tls, "--server-name", "elsewhere.example"]);
        (code, error.Contains("another name")).ShouldBe((ExitCode.SomeFailed, true));
        (code, _, error) = await RunAsync(["echo", At(acceptor), "--tls", "--ca", "/nowhere/ca.pem"]);
        (code, error.Contains("/nowhere/ca.pem")).ShouldBe((ExitCode.Misused, true));
        (await RunAsync(["echo", At(acceptor), "--ca", authority.AuthoritiesPath])).Code.ShouldBe(ExitCode.Misused);
        (await RunAsync(["echo", At(acceptor), "--timeout", "2"])).Code.ShouldBe(ExitCode.SomeFailed);
    }

    [Fact]
    public async Task Send_takes_folders_media_and_archives_and_names_what_it_cannot()
    {
        await using var acceptor = new TestAcceptor(_provider);
        string files = _folder.CreateSubdirectory("files").FullName;
        for (int i = 1; i <= 3; i++)
        {
            await WriteAsync(Path.Combine(files, $"{i}.dcm"), $"1.2.1.{i}");
        }

        await File.WriteAllTextAsync(Path.Combine(files, "notes.txt"), "no object", Ct);
        string medium = _folder.CreateSubdirectory("medium/IMAGES").Parent!.FullName;
        await WriteAsync(Path.Combine(medium, "IMAGES", "IM1"), "1.2.2.1");
        await WriteAsync(Path.Combine(medium, "IMAGES", "NOTNAMED"), "1.2.2.9");
        await WriteDirectoryAsync(Path.Combine(medium, "DICOMDIR"), "IMAGES\\IM1", "..\\files\\1.dcm", "IMAGES\\GONE", "AWAY\\1.dcm", "IMAGES\\LINK");
        Directory.CreateSymbolicLink(Path.Combine(medium, "AWAY"), files);
        File.CreateSymbolicLink(Path.Combine(medium, "IMAGES", "LINK"), Path.Combine(files, "3.dcm"));
        Directory.CreateSymbolicLink(Path.Combine(files, "round"), files);
        string archive = Path.Combine(_folder.FullName, "study.zip");
        using (ZipArchive zip = await ZipFile.OpenAsync(archive, ZipArchiveMode.Create, Ct))
        {
            zip.CreateEntryFromFile(Path.Combine(files, "2.dcm"), "deep/er/2.dcm");
            zip.CreateEntryFromFile(await WriteAsync(Path.Combine(_folder.FullName, "evil.dcm"), "1.2.3.1"), "../../../evil.dcm");
            zip.CreateEntryFromFile(Path.Combine(files, "notes.txt"), "notes.txt");
        }

        (int code, string output, _) = await RunAsync(["send", At(acceptor), files, Path.Combine(medium, "DICOMDIR"), archive, "--parallel", "3", "--json"]);
        code.ShouldBe(ExitCode.SomeFailed);
        JsonElement json = JsonElement.Parse(output);
        (json.GetProperty("stored").GetInt32(), json.GetProperty("failed").GetInt32()).ShouldBe((6, 6), output);
        _provider.Stored.Select(static s => s.Request.AffectedSOPInstanceUID).Order(StringComparer.Ordinal)
            .ShouldBe(["1.2.1.1", "1.2.1.2", "1.2.1.2", "1.2.1.3", "1.2.2.1", "1.2.3.1"]);
        string[] failures = [.. json.GetProperty("failures").EnumerateArray().Select(static f => f.GetProperty("name").GetString() + " " + f.GetProperty("why").GetString())];
        failures.ShouldContain(static f => f.Contains("leads out of the medium"));
        failures.Count(static f => f.Contains("leads through a link")).ShouldBe(2);
        failures.Count(static f => f.Contains("notes.txt")).ShouldBe(2);
        File.Exists(Path.Combine(_folder.FullName, "..", "..", "..", "evil.dcm")).ShouldBeFalse();

        (code, output, _) = await RunAsync(["send", At(acceptor), Path.Combine(files, "1.dcm")]);
        code.ShouldBe(ExitCode.Done);
        output.ShouldContain("CT Image Storage");
        output.ShouldContain("1 stored, 0 failed");
    }

    [Fact]
    public async Task A_zip_bomb_is_refused_before_it_is_unpacked()
    {
        await using var acceptor = new TestAcceptor(_provider);
        string archive = Path.Combine(_folder.FullName, "bomb.zip");
        byte[] head = CtBytes("1.2.9.1", rows: 1)[..^1036];
        using (ZipArchive zip = await ZipFile.OpenAsync(archive, ZipArchiveMode.Create, Ct))
        {
            using Stream entry = zip.CreateEntry("bomb.dcm", CompressionLevel.Optimal).Open();
            await entry.WriteAsync((byte[])[.. FileMeta.Prefix(SopClasses.CTImageStorage, "1.2.9.1", TransferSyntax.ExplicitVRLittleEndian.UID), .. head], Ct);
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 130; i++)
            {
                await entry.WriteAsync(zeros, Ct);
            }
        }

        (int code, _, string error) = await RunAsync(["send", At(acceptor), archive]);
        code.ShouldBe(ExitCode.SomeFailed);
        error.ShouldContain("zip bomb");
        _provider.Stored.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_may_pass_is_tried_again_and_nothing_acknowledged_is_sent_twice()
    {
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<string, int>();
        int total = 0;
        _provider.OnStore = async (request, ct) =>
        {
            await RecordingProvider.ReadAllAsync(request.DataSet, ct);
            int attempt = seen.AddOrUpdate(request.AffectedSOPInstanceUID, 1, static (_, n) => n + 1);
            return Interlocked.Increment(ref total) switch
            {
                2 => throw new DimseProtocolException("As the test wants it."),
                4 => new StoreResponse(DimseStatus.OutOfResources, "Full"),
                _ => attempt > 0 && request.AffectedSOPInstanceUID == "1.2.4" ? new StoreResponse(DimseStatus.CannotUnderstand, "Never") : StoreResponse.Success,
            };
        };
        await using var acceptor = new TestAcceptor(_provider);
        for (int i = 1; i <= 4; i++)
        {
            await WriteAsync(Path.Combine(_folder.FullName, $"{i}.dcm"), $"1.2.{i}");
        }

        (int code, string output, string error) = await RunAsync(["send", At(acceptor), _folder.FullName]);
        code.ShouldBe(ExitCode.SomeFailed);
        output.ShouldContain("3 stored, 1 failed");
        error.ShouldContain("C000H: Never");
        seen.Values.Order().ShouldBe([1, 1, 2, 2]);
        seen["1.2.4"].ShouldBe(1);
    }

    [Fact]
    public async Task Find_prints_a_table_values_or_json_and_no_control_characters()
    {
        QueryRequest? asked = null;
        _provider.OnFind = (request, _) =>
        {
            asked = request;
            return Matches().ToAsyncEnumerable();
        };
        await using var acceptor = new TestAcceptor(_provider);
        string[] query = ["find", At(acceptor), "-k", "PatientID=P*", "-k", "0010,0010", "-k", "(0008,0020)=20240101-"];
        (int code, string output, string error) = await RunAsync(query);
        code.ShouldBe(ExitCode.Done);
        (asked!.Identifier.GetText(Tags.PatientID), asked.Identifier.GetText(Tags.StudyDate), asked.Identifier.GetText(Tags.QueryRetrieveLevel))
            .ShouldBe(("P*", "20240101-", "STUDY"));
        output.ShouldContain("DOE^JANE");
        output.ShouldContain("evil?[2Jname");
        error.ShouldContain("2 matches");
        (_, output, _) = await RunAsync([.. query, "--csv"]);
        output.ShouldContain("\"DOE^JANE, \"\"THE\"\" ONE\"");
        (_, output, _) = await RunAsync([.. query, "--json", "--limit", "1"]);
        JsonElement[] matches = [.. JsonElement.Parse(output).EnumerateArray()];
        matches.ShouldHaveSingleItem().GetProperty("00100020").GetProperty("Value")[0].GetString().ShouldBe("P-1");
        (await RunAsync(["find", At(acceptor), "-k", "NoSuchKeyword=1"])).Code.ShouldBe(ExitCode.Misused);
        (await RunAsync(["find", At(acceptor), "-l", "patient", "-k", "PatientID"])).Code.ShouldBe(ExitCode.Done);
        asked.AffectedSOPClassUID.ShouldBe(SopClasses.PatientRootFind);

        static FindResponse[] Matches() => [FindResponse.Match(Match("P-1", "DOE^JANE, \"THE\" ONE")), FindResponse.Match(Match("P-2", "evil\u001b[2Jname"))];

        static DataSet Match(string id, string name)
        {
            DataSet match = StudyQuery("1.2.3");
            match.SetText(Tags.PatientID, id);
            match.SetText(Tags.PatientName, name);
            return match;
        }
    }

    [Fact]
    public async Task Get_writes_files_byte_for_byte_and_move_reports_what_failed()
    {
        _provider.OnGet = static (request, ct) => Give(request, ct);
        _provider.OnMove = static (request, _) => new[]
        {
            new MoveResponse(DimseStatus.Pending) { Remaining = 2 },
            new MoveResponse(DimseStatus.SuboperationsCompleteWithFailures) { Completed = 1, Failed = 1, FailedSOPInstanceUIDList = [request.MoveDestination == "DEST" ? "1.2.77" : "1.2.78"] },
        }.ToAsyncEnumerable();
        await using var acceptor = new TestAcceptor(_provider);
        string got = Path.Combine(_folder.FullName, "got");
        (int code, string output, string error) = await RunAsync(["get", At(acceptor), "--out", got, "-k", "StudyInstanceUID=1.2", "--json"]);
        code.ShouldBe(ExitCode.SomeFailed, error);
        JsonElement.Parse(output).GetProperty("completed").GetInt32().ShouldBe(2);
        Directory.GetFiles(got).Select(Path.GetFileName).Order().ShouldBe(["1.2.1.dcm", "1.2.2.dcm"]);
        DicomFile file = DicomFile.Read(await File.ReadAllBytesAsync(Path.Combine(got, "1.2.2.dcm"), Ct));
        DataSetWriter.ToArray(file.DataSet, file.TransferSyntax).ShouldBe(CtBytes("1.2.2", 64));

        (code, output, error) = await RunAsync(["move", At(acceptor), "--to", "DEST", "-k", "StudyInstanceUID=1.2"]);
        (code, output.Contains("1 completed, 1 failed")).ShouldBe((ExitCode.SomeFailed, true));
        error.ShouldContain("1.2.77: failed");
        (await RunAsync(["move", At(acceptor), "-k", "StudyInstanceUID=1.2"])).Code.ShouldBe(ExitCode.Misused);

        static async IAsyncEnumerable<MoveResponse> Give(GetRequest request, [EnumeratorCancellation] CancellationToken ct)
        {
            int failed = 0;
            foreach (string uid in (string[])["1.2.1", "1.2.2", "1.2..3"])
            {
                StoreResponse response = await request.Requestor.StoreAsync(SopClasses.CTImageStorage, uid, TransferSyntax.ExplicitVRLittleEndian.UID,
                    ByteSource.Of(CtBytes(uid, 64)), null, ct);
                failed += response.Status.IsFailure ? 1 : 0;
            }

            yield return new MoveResponse(DimseStatus.SuboperationsCompleteWithFailures) { Completed = 3 - failed, Failed = failed };
        }
    }

    [Fact]
    public async Task Every_verb_works_with_an_archive_that_we_did_not_write()
    {
        int port = Dcmtk.FreePort();
        await using var destination = new TestAcceptor(_provider);
        string configuration = Path.Combine(_folder.FullName, "qr.cfg");
        await File.WriteAllTextAsync(configuration, $"""
            NetworkTCPPort = {port}
            MaxPDUSize = 16384
            MaxAssociations = 16
            HostTable BEGIN
            gateway = (DEST, 127.0.0.1, {destination.Port})
            HostTable END
            VendorTable BEGIN
            VendorTable END
            AETable BEGIN
            ARCHIVE {_folder.CreateSubdirectory("db").FullName} RW (100, 1024mb) ANY
            AETable END

            """, Ct);
        await using Dcmtk.Server server = await Dcmtk.ServeAsync("dcmqrscp", port, _folder.FullName, "-c", configuration);
        string files = _folder.CreateSubdirectory("files").FullName;
        for (int i = 1; i <= 5; i++)
        {
            await WriteAsync(Path.Combine(files, $"{i}"), $"1.2.826.0.1.3680043.10.2.{i}");
        }

        string archive = $"ARCHIVE@127.0.0.1:{port}";
        string[] study = ["-k", "StudyInstanceUID=1.2.826.0.1.3680043.10.1"];
        (await RunAsync(["echo", archive])).Code.ShouldBe(ExitCode.Done);
        // One association: of objects that come over two at a time, this archive now and then forgets one.
        (int code, string output, string error) = await RunAsync(["send", archive, files]);
        code.ShouldBe(ExitCode.Done, error);
        (code, output, error) = await RunAsync(["find", archive, "-l", "image", "--csv", .. study]);
        code.ShouldBe(ExitCode.Done, error);
        output.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(6, output);
        string got = Path.Combine(_folder.FullName, "got");
        (code, output, error) = await RunAsync(["get", archive, "--out", got, .. study]);
        code.ShouldBe(ExitCode.Done, output + error);
        Directory.GetFiles(got, "*.dcm").Length.ShouldBe(5);
        (code, output, error) = await RunAsync(["move", archive, "--to", "DEST", .. study]);
        code.ShouldBe(ExitCode.Done, output + error);
        _provider.Stored.Count.ShouldBe(5);
    }

    private static string At(TestAcceptor acceptor) => $"GATEWAY@127.0.0.1:{acceptor.Port}";

    private static async Task<string> WriteAsync(string path, string uid)
    {
        await File.WriteAllBytesAsync(path, [.. FileMeta.Prefix(SopClasses.CTImageStorage, uid, TransferSyntax.ExplicitVRLittleEndian.UID), .. CtBytes(uid, 16)], Ct);
        return path;
    }

    private static async Task WriteDirectoryAsync(string path, params string[] references)
    {
        var directory = new DataSet();
        directory.SetText(Tags.FileSetID, "TEST");
        directory.Set(Element.Sequence(Tags.DirectoryRecordSequence, [.. references.Select(static r =>
        {
            var record = new DataSet();
            record.SetText(Tags.DirectoryRecordType, "IMAGE");
            record.SetText(Tags.ReferencedFileID, r);
            return record;
        })]));
        await File.WriteAllBytesAsync(path, [.. FileMeta.Prefix("1.2.840.10008.1.3.10", "1.2.3", TransferSyntax.ExplicitVRLittleEndian.UID),
            .. DataSetWriter.ToArray(directory, TransferSyntax.ExplicitVRLittleEndian)], Ct);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "psg.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(Ct);
        Task<string> error = process.StandardError.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct).WaitAsync(TimeSpan.FromSeconds(60), Ct);
        return (process.ExitCode, await output, await error);
    }
}
