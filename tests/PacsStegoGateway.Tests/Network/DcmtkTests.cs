using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using static PacsStegoGateway.Tests.Network.TestObjects;

namespace PacsStegoGateway.Tests.Network;

/// <summary>Both ends against DCMTK.</summary>
public sealed class DcmtkTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("psg-network-");
    private readonly RecordingProvider _provider = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Echoscu_is_answered()
    {
        await using var acceptor = new TestAcceptor(_provider);
        (int exitCode, string output) = await Dcmtk.RunAsync("echoscu", "-v", "-aet", "MODALITY1", "-aec", "GATEWAY", "127.0.0.1", $"{acceptor.Port}");
        exitCode.ShouldBe(0, output);
        output.ShouldContain("Received Echo Response (Success)");
        AssociationEnd end = await _provider.Ended;
        end.Kind.ShouldBe(AssociationEndKind.Released);
        end.Request!.CallingAETitle.ShouldBe("MODALITY1");
    }

    [Fact]
    public async Task Echoscu_understands_our_rejection()
    {
        _provider.OnNegotiate = static _ => AssociationDecision.CalledAETitleNotRecognized;
        await using var acceptor = new TestAcceptor(_provider);
        (int exitCode, string output) = await Dcmtk.RunAsync("echoscu", "127.0.0.1", $"{acceptor.Port}");
        exitCode.ShouldNotBe(0);
        output.ShouldContain("Called AE Title Not Recognized");
    }

    [Theory]
    [InlineData("4096")]
    [InlineData("16384")]
    [InlineData("131072")]
    public async Task Storescu_delivers_every_byte_whatever_its_pdu_length(string maxPduLength)
    {
        string[] files = [.. Enumerable.Range(1, 10).Select(i => WriteCt($"1.2.826.0.1.3680043.10.2.{i}", rows: 64 * i))];
        await using var acceptor = new TestAcceptor(_provider);
        (int exitCode, string output) = await Dcmtk.RunAsync("storescu",
            ["-v", "-pdu", maxPduLength, "--max-send-pdu", maxPduLength, "127.0.0.1", $"{acceptor.Port}", .. files]);
        exitCode.ShouldBe(0, output);
        _provider.Stored.Count.ShouldBe(10);
        foreach ((StoreRequest request, byte[] dataSet) in _provider.Stored)
        {
            int i = int.Parse(request.AffectedSOPInstanceUID.Split('.')[^1]);
            DataSet received = DataSetReader.Read(dataSet, TransferSyntax.Of(request.TransferSyntaxUID));
            received.Find(Tags.PixelData)!.Value.Span.SequenceEqual(TestObjects.Ct(request.AffectedSOPInstanceUID, 64 * i).Find(Tags.PixelData)!.Value.Span).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task Storescu_understands_an_early_refusal_and_sends_the_next_object()
    {
        int calls = 0;
        _provider.OnStore = async (request, ct) =>
        {
            if (++calls == 1)
            {
                return new StoreResponse(DimseStatus.OutOfResources, "full");
            }

            await RecordingProvider.ReadAllAsync(request.DataSet, ct);
            return StoreResponse.Success;
        };
        await using var acceptor = new TestAcceptor(_provider);
        (_, string output) = await Dcmtk.RunAsync("storescu", "-v", "-nh", "127.0.0.1", $"{acceptor.Port}",
            WriteCt("1.2.826.0.1.3680043.10.2.1", 4096), WriteCt("1.2.826.0.1.3680043.10.2.2", 64));
        output.ShouldContain("OutOfResources");
        output.ShouldContain("Received Store Response (Success)");
    }

    [Fact]
    public async Task Findscu_prints_our_matches()
    {
        _provider.OnFind = static (_, _) => new[] { "1.2.3", "1.2.4" }.Select(static uid => FindResponse.Match(StudyQuery(uid))).ToAsyncEnumerable();
        await using var acceptor = new TestAcceptor(_provider);
        (int exitCode, string output) = await Dcmtk.RunAsync("findscu", "-v", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", "127.0.0.1", $"{acceptor.Port}");
        exitCode.ShouldBe(0, output);
        output.ShouldContain("[1.2.3");
        output.ShouldContain("[1.2.4");
        output.ShouldContain("Received Final Find Response (Success)");
    }

    [Fact]
    public async Task Findscu_cancels_after_the_first_match()
    {
        bool? canceled = null;
        _provider.OnFind = (request, ct) => UntilCanceled(request, ct);
        await using var acceptor = new TestAcceptor(_provider);
        (_, string output) = await Dcmtk.RunAsync("findscu", "-v", "-S", "--cancel", "1", "-k", "QueryRetrieveLevel=STUDY", "127.0.0.1", $"{acceptor.Port}");
        canceled.ShouldBe(true, output);
        (await _provider.Ended).Kind.ShouldBe(AssociationEndKind.Released);

        async IAsyncEnumerable<FindResponse> UntilCanceled(QueryRequest request, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
        {
            yield return FindResponse.Match(StudyQuery("1.2.3"));
            try
            {
                await Task.Delay(Timeout.Infinite, ct);
            }
            finally
            {
                canceled = request.IsCanceled;
            }
        }
    }

    [Fact]
    public async Task Movescu_sees_counts_and_final_status()
    {
        _provider.OnMove = static (request, _) => new[]
        {
            new MoveResponse(DimseStatus.Pending) { Remaining = 1, Completed = 1 },
            new MoveResponse(DimseStatus.SuboperationsCompleteWithFailures) { Completed = 1, Failed = 1, FailedSOPInstanceUIDList = ["1.2.3"] },
        }.ToAsyncEnumerable();
        await using var acceptor = new TestAcceptor(_provider);
        (_, string output) = await Dcmtk.RunAsync("movescu", "-d", "-S", "-aem", "DEST", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2", "127.0.0.1", $"{acceptor.Port}");
        output.ShouldContain("Received Move Response 1");
        output.ShouldContain("0xb000");
        output.ShouldContain("1.2.3");
    }

    [Fact]
    public async Task Storescp_takes_our_objects_byte_for_byte()
    {
        int port = Dcmtk.FreePort();
        await using Dcmtk.Server server = await Dcmtk.ServeAsync("storescp", port, _folder.FullName, "-B", "-od", _folder.FullName, $"{port}");
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(new PeerAddress("127.0.0.1", port, "STORESCP", "GATEWAY"),
            [new(SopClasses.Verification, TransferSyntax.ImplicitVRLittleEndian.UID), new(SopClasses.CTImageStorage, TransferSyntax.ExplicitVRLittleEndian.UID)],
            AssociationLimits.Default, Stop);
        (await association.EchoAsync(Stop)).ShouldBe(DimseStatus.Success);
        for (int i = 1; i <= 5; i++)
        {
            (await association.StoreAsync(SopClasses.CTImageStorage, $"1.2.826.0.1.3680043.10.2.{i}", TransferSyntax.ExplicitVRLittleEndian.UID,
                Sequence(CtBytes($"1.2.826.0.1.3680043.10.2.{i}", 100 * i)), new MoveOriginator("CALLER", 1), Stop)).ShouldBe(StoreResponse.Success);
        }

        await association.ReleaseAsync(Stop);
        FileInfo[] files = _folder.GetFiles();
        files.Length.ShouldBe(5);
        for (int i = 1; i <= 5; i++)
        {
            byte[] expected = CtBytes($"1.2.826.0.1.3680043.10.2.{i}", 100 * i);
            byte[] file = await File.ReadAllBytesAsync(files.Single(f => f.Name.Contains($".10.2.{i}")).FullName, Stop);
            file.AsSpan(file.Length - expected.Length).SequenceEqual(expected).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task Storescp_aborting_and_refusing_is_told_apart()
    {
        int port = Dcmtk.FreePort();
        await using Dcmtk.Server server = await Dcmtk.ServeAsync("storescp", port, _folder.FullName, "--abort-during", "--ignore", $"{port}");
        var peer = new PeerAddress("127.0.0.1", port, "STORESCP", "GATEWAY");
        ProposedContext[] contexts = [new(SopClasses.CTImageStorage, TransferSyntax.ExplicitVRLittleEndian.UID)];
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(peer, contexts, AssociationLimits.Default, Stop);
        AssociationException e = await Should.ThrowAsync<AssociationException>(association.StoreAsync(SopClasses.CTImageStorage, InstanceUID,
            TransferSyntax.ExplicitVRLittleEndian.UID, Sequence(CtBytes(rows: 512)), null, Stop));
        e.IsTransient.ShouldBeTrue();

        int refusing = Dcmtk.FreePort();
        await using Dcmtk.Server other = await Dcmtk.ServeAsync("storescp", refusing, _folder.FullName, "--refuse", $"{refusing}");
        e = await Should.ThrowAsync<AssociationException>(RequestorAssociation.ConnectAsync(peer with { Port = refusing }, contexts, AssociationLimits.Default, Stop));
        e.Failure.ShouldBe(AssociationFailure.Rejected);
    }

    [Fact]
    public async Task Dcmqrscp_answers_find_get_and_move()
    {
        int port = Dcmtk.FreePort();
        await using var destination = new TestAcceptor(_provider);
        string database = _folder.CreateSubdirectory("db").FullName;
        string configuration = Path.Combine(_folder.FullName, "qr.cfg");
        await File.WriteAllTextAsync(configuration, $"""
            NetworkTCPPort = {port}
            MaxPDUSize = 16384
            MaxAssociations = 16
            HostTable BEGIN
            gateway = (GATEWAY, 127.0.0.1, {destination.Port})
            HostTable END
            VendorTable BEGIN
            VendorTable END
            AETable BEGIN
            ARCHIVE {database} RW (100, 1024mb) ANY
            AETable END

            """, Stop);
        await using Dcmtk.Server server = await Dcmtk.ServeAsync("dcmqrscp", port, _folder.FullName, "-c", configuration);

        string implicitLE = TransferSyntax.ImplicitVRLittleEndian.UID;
        string explicitLE = TransferSyntax.ExplicitVRLittleEndian.UID;
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(new PeerAddress("127.0.0.1", port, "ARCHIVE", "GATEWAY"),
            [new(SopClasses.StudyRootFind, implicitLE), new(SopClasses.StudyRootMove, implicitLE), new(SopClasses.StudyRootGet, implicitLE),
                new(SopClasses.CTImageStorage, explicitLE) { ScpRole = true }],
            AssociationLimits.Default, Stop);
        var sent = new Dictionary<string, byte[]>();
        for (int i = 1; i <= 7; i++)
        {
            string uid = $"1.2.826.0.1.3680043.10.2.{i}";
            sent[uid] = CtBytes(uid, 128);
            (await association.StoreAsync(SopClasses.CTImageStorage, uid, explicitLE, Sequence(sent[uid]), null, Stop)).Status.ShouldBe(DimseStatus.Success);
        }

        DataSet query = StudyQuery("1.2.826.0.1.3680043.10.1");
        DataSet match = (await association.FindAsync(SopClasses.StudyRootFind, query, Stop).ToListAsync(Stop)).ShouldHaveSingleItem();
        match.GetText(Tags.PatientID).ShouldBe("P-1");

        var got = new Dictionary<string, byte[]>();
        DataSet retrieve = [];
        retrieve.SetText(Tags.QueryRetrieveLevel, "STUDY");
        retrieve.SetText(Tags.StudyInstanceUID, "1.2.826.0.1.3680043.10.1");
        RetrieveResult result = await association.GetAsync(SopClasses.StudyRootGet, retrieve, async (request, ct) =>
        {
            got[request.AffectedSOPInstanceUID] = await RecordingProvider.ReadAllAsync(request.DataSet, ct);
            return StoreResponse.Success;
        }, Stop);
        result.Status.ShouldBe(DimseStatus.Success);
        result.Completed.ShouldBe(7);
        AssertSame(sent, got);

        List<MoveResponse> moves = await association.MoveAsync(SopClasses.StudyRootMove, "GATEWAY", retrieve, Stop).ToListAsync(Stop);
        moves[^1].Status.ShouldBe(DimseStatus.Success);
        moves[^1].Completed.ShouldBe(7);
        AssertSame(sent, _provider.Stored.ToDictionary(static s => s.Request.AffectedSOPInstanceUID, static s => s.DataSet));
        _provider.Stored.ShouldAllBe(static s => s.Request.MoveOriginator!.ApplicationEntityTitle == "GATEWAY");

        moves = await association.MoveAsync(SopClasses.StudyRootMove, "NOBODY", retrieve, Stop).ToListAsync(Stop);
        moves[^1].Status.ShouldBe(DimseStatus.MoveDestinationUnknown);
        await association.ReleaseAsync(Stop);
    }

    private static void AssertSame(Dictionary<string, byte[]> sent, Dictionary<string, byte[]> got)
    {
        got.Keys.Order().ShouldBe(sent.Keys.Order());
        foreach ((string uid, byte[] bytes) in sent)
        {
            // An archive may write its own encoding around the same values.
            DataSet one = DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian);
            DataSet two = DataSetReader.Read(got[uid], TransferSyntax.ExplicitVRLittleEndian);
            two.Find(Tags.PixelData)!.Value.Span.SequenceEqual(one.Find(Tags.PixelData)!.Value.Span).ShouldBeTrue(uid);
            two.GetText(Tags.PatientName).ShouldBe("PHANTOM^ONE");
        }
    }

    private string WriteCt(string instanceUID, int rows)
    {
        string path = Path.Combine(_folder.FullName, $"{instanceUID}.dcm");
        File.WriteAllBytes(path, [.. FileMeta.Prefix(SopClasses.CTImageStorage, instanceUID, TransferSyntax.ExplicitVRLittleEndian.UID), .. CtBytes(instanceUID, rows)]);
        return path;
    }
}
