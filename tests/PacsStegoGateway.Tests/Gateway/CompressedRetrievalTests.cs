using System.Buffers;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Commands;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Retrieval;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>Compressed originals for callers and destinations that take them as they are, decoded, or not at all.</summary>
public sealed class CompressedRetrievalTests : IDisposable
{
    private const string JpegLossless = "1.2.840.10008.1.2.4.70";
    private const string Rle = "1.2.840.10008.1.2.5";
    private const int Rows = 24;
    private const int Columns = 17;

    private static readonly string Explicit = TransferSyntax.ExplicitVRLittleEndian.UID;
    private static readonly string Implicit = TransferSyntax.ImplicitVRLittleEndian.UID;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("psg-compressed-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_caller_that_offers_all_syntaxes_in_one_context_gets_the_compressed_original_decoded()
    {
        await using GatewayHarness gateway = await StartAsync();
        (_, byte[] pixels) = await SendAsync(gateway);
        (RetrieveResult result, string syntax, byte[] got) = await GetAsync(gateway, [Explicit, JpegLossless]);
        (result.Status, result.Completed, result.ErrorComment, syntax).ShouldBe((DimseStatus.Success, 1, null, Explicit));
        ShouldBeDecoded(DataSetReader.Read(got, TransferSyntax.ExplicitVRLittleEndian), pixels);
        (await gateway.EventsAsync(Retrieval)).ShouldBe([AuditEvent.Reidentified, AuditEvent.RetrieveCompleted]);
    }

    [Fact]
    public async Task A_caller_that_offers_each_syntax_in_its_own_context_gets_the_original_byte_for_byte()
    {
        await using GatewayHarness gateway = await StartAsync();
        (byte[] sent, _) = await SendAsync(gateway);
        (RetrieveResult result, string syntax, byte[] got) = await GetAsync(gateway, [Explicit], [JpegLossless]);
        (result.Status, syntax).ShouldBe((DimseStatus.Success, JpegLossless));
        got.ShouldBe(sent);
    }

    [Fact]
    public async Task Without_a_context_the_final_response_says_so_and_no_disclosure_is_recorded()
    {
        await using GatewayHarness gateway = await StartAsync();
        await SendAsync(gateway);
        (RetrieveResult result, _, byte[] got) = await GetAsync(gateway, [Rle]);
        (result.Status, result.Failed, got.Length).ShouldBe((DimseStatus.UnableToPerformSuboperations, 1, 0));
        result.ErrorComment.ShouldBe("No accepted context for SOP class and transfer syntax");
        (await gateway.EventsAsync(Retrieval)).ShouldBe([AuditEvent.RetrieveFailed, AuditEvent.RetrieveCompleted]);
    }

    [Fact]
    public async Task A_move_destination_without_the_compressed_syntax_gets_the_original_decoded()
    {
        await using var clinic = new StoringPeer { StorageSyntaxes = [Implicit] };
        await using GatewayHarness gateway = await StartAsync(
            g => g.Options.MoveDestinations.Add(new PeerOptions { AETitle = "CLINIC", Host = "127.0.0.1", Port = clinic.Port }));
        (_, byte[] pixels) = await SendAsync(gateway);
        await using RequestorAssociation caller = await gateway.ConnectAsync("CLINIC");
        MoveResponse final = await caller.MoveAsync(SopClasses.StudyRootMove, "CLINIC", Study(), Cancel).LastAsync(Cancel);
        (final.Status, final.Completed).ShouldBe((DimseStatus.Success, 1));
        ShouldBeDecoded(DataSetReader.Read(clinic.Stored[SampleObjects.SopUID(1)], TransferSyntax.ImplicitVRLittleEndian), pixels);
    }

    [Fact]
    public async Task Getscu_of_dcmtk_gets_a_compressed_original_decoded()
    {
        await using GatewayHarness gateway = await StartAsync();
        (_, byte[] pixels) = await SendAsync(gateway);
        (int exitCode, string output) = await Dcmtk.RunAsync("getscu", "-v", "-S", "+xs", "-aet", "CLINIC", "-aec", "PSG", "-od", _folder.FullName, "+B",
            "-k", "QueryRetrieveLevel=STUDY", "-k", $"StudyInstanceUID={SampleObjects.StudyUID}",
            "127.0.0.1", gateway.Host.EndPoint.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        exitCode.ShouldBe(0, output);
        DicomFile file = DicomFile.Read(File.ReadAllBytes(_folder.GetFiles().ShouldHaveSingleItem(output).FullName));
        if (!file.TransferSyntax.Encapsulated)
        {
            ShouldBeDecoded(file.DataSet, pixels);
        }
    }

    [Fact]
    public void Colours_are_by_pixel_and_offset_tables_gone_once_decoded()
    {
        byte[] planes = [1, 2, 3, 4, 11, 12, 13, 14, 21, 22, 23, 24];
        DataSet original = Image(2, 2, 8);
        original.Set(Element.Raw(Tags.SamplesPerPixel, Vr.US, new byte[] { 3, 0 }));
        original.Set(Element.Raw(Tags.PlanarConfiguration, Vr.US, new byte[] { 1, 0 }));
        original.SetText(Tags.PhotometricInterpretation, "RGB");
        original.Set(Element.Raw(Tags.ExtendedOffsetTable, Vr.OV, new byte[8]));
        original.Set(Element.Raw(Tags.ExtendedOffsetTableLengths, Vr.OV, new byte[] { 12, 0, 0, 0, 0, 0, 0, 0 }));
        original.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], planes]));
        DataSet decoded = Decode(original, "1.2.840.10008.1.2.1.98").DataSet!;
        decoded.Find(Tags.PixelData)!.Value.ToArray().ShouldBe([1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24]);
        (decoded.GetInt32(Tags.PlanarConfiguration), decoded.Contains(Tags.ExtendedOffsetTable), decoded.Contains(Tags.ExtendedOffsetTableLengths))
            .ShouldBe((0, false, false));
    }

    [Fact]
    public void What_would_be_above_the_limit_decoded_or_is_damaged_is_refused_in_words_that_fit()
    {
        DataSet large = Image(1024, 1024, 16);
        large.SetText(Tags.NumberOfFrames, "257");
        large.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], .. Enumerable.Repeat((ReadOnlyMemory<byte>)new byte[2], 257)]));
        Decode(large, Rle).Refusal.ShouldBe("Original is compressed, and above 512 MiB when decoded");
        large.SetText(Tags.NumberOfFrames, "256");
        large.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], .. Enumerable.Repeat((ReadOnlyMemory<byte>)new byte[2], 256)]));
        Decode(large, Rle).Refusal.ShouldBe("Original is compressed, and cannot be decoded here");
    }

    [Fact]
    public void Psg_get_proposes_each_transfer_syntax_in_a_context_of_its_own()
    {
        List<ProposedContext> all = GetCommand.ContextsOf(SopClasses.StudyRootGet, []);
        all.Count.ShouldBeLessThanOrEqualTo(128);
        string[][] ct = [.. all.Where(static c => c.AbstractSyntax == SopClasses.CTImageStorage).Select(static c => c.TransferSyntaxes.ToArray())];
        ct.ShouldAllBe(static s => s.Length == 1);
        ct.ShouldContain(static s => s[0] == JpegLossless);
        GetCommand.ContextsOf(SopClasses.StudyRootGet, [.. SopClasses.StorageUIDs.Take(7)]).Skip(1).ShouldAllBe(static c => c.TransferSyntaxes.Count == 1);
        GetCommand.ContextsOf(SopClasses.StudyRootGet, [.. SopClasses.StorageUIDs.Take(127)]).Count.ShouldBe(128);
    }

    private static AuditFilter Retrieval => new() { CallingAE = "CLINIC", Events = [AuditEvent.Reidentified, AuditEvent.RetrieveFailed, AuditEvent.RetrieveCompleted] };

    /// <summary>The PACS is off: what is asked for lies in the spool.</summary>
    private static async Task<GatewayHarness> StartAsync(Action<GatewayHarness>? prepare = null)
    {
        GatewayHarness gateway = await GatewayHarness.StartAsync(g =>
        {
            g.Parts = g.Parts with { Reveal = Reveal };
            prepare?.Invoke(g);
        });
        await gateway.Pacs.StopAsync();
        return gateway;
    }

    private static RevealOutcome Reveal(DataSet stored, TransferSyntax transferSyntax)
    {
        byte[] original = [.. stored.Find(Tags.PixelData)!.Value.ToArray().Select(static b => (byte)~b)];
        DataSet read = DataSetReader.Read(original, transferSyntax);
        return new RevealOutcome.Revealed(new RevealedInstance(ByteSource.Of(original), transferSyntax, read.GetText(Tags.SOPClassUID)!,
            read.GetText(Tags.SOPInstanceUID)!, read.GetText(Tags.SeriesInstanceUID)!, read.GetText(Tags.StudyInstanceUID)!));
    }

    private static DataSet Image(int rows, int columns, int bits)
    {
        DataSet image = SampleObjects.Create(1, 0);
        foreach ((Tag tag, int value) in (ReadOnlySpan<(Tag, int)>)[(Tags.SamplesPerPixel, 1), (Tags.Rows, rows), (Tags.Columns, columns),
            (Tags.BitsAllocated, bits), (Tags.BitsStored, bits), (Tags.HighBit, bits - 1), (Tags.PixelRepresentation, 0)])
        {
            image.Set(Element.Raw(tag, Vr.US, BitConverter.GetBytes((ushort)value)));
        }

        image.SetText(Tags.PhotometricInterpretation, "MONOCHROME2");
        return image;
    }

    /// <summary>Two frames of JPEG Lossless, as a modality sends them; also their samples.</summary>
    private static async Task<(byte[] Sent, byte[] Pixels)> SendAsync(GatewayHarness gateway)
    {
        DataSet image = Image(Rows, Columns, 16);
        image.SetText(Tags.NumberOfFrames, "2");
        byte[] pixels = new byte[2 * Rows * Columns * 2];
        new Random(4).NextBytes(pixels);
        FrameFormat.TryRead(image, out FrameFormat format).ShouldBeNull();
        IPixelCodec codec = PixelCodecs.Find(TransferSyntax.Of(JpegLossless))!;
        int half = pixels.Length / 2;
        image.Set(Element.Encapsulated(Tags.PixelData, Vr.OB,
            [new byte[0], codec.Encode(pixels.AsSpan(0, half), format), codec.Encode(pixels.AsSpan(half), format)]));
        byte[] bytes = DataSetWriter.ToArray(image, TransferSyntax.Of(JpegLossless));
        await using RequestorAssociation modality = await RequestorAssociation.ConnectAsync(
            gateway.Peer("CT1"), [new ProposedContext(SopClasses.CTImageStorage, JpegLossless)], AssociationLimits.Default, Cancel);
        (await modality.StoreAsync(SopClasses.CTImageStorage, SampleObjects.SopUID(1), JpegLossless, new ReadOnlySequence<byte>(bytes), null, Cancel))
            .Status.ShouldBe(DimseStatus.Success);
        await modality.ReleaseAsync(Cancel);
        await gateway.UntilAsync(InstanceState.Protected, 1);
        return (bytes, pixels);
    }

    private static async Task<(RetrieveResult Result, string Syntax, byte[] Got)> GetAsync(GatewayHarness gateway, params string[][] contexts)
    {
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(gateway.Peer("CLINIC"),
            [
                new ProposedContext(SopClasses.StudyRootGet, Explicit),
                .. contexts.Select(static c => new ProposedContext(SopClasses.CTImageStorage, c) { ScpRole = true }),
            ], AssociationLimits.Default, Cancel);
        string syntax = "";
        byte[] got = [];
        RetrieveResult result = await association.GetAsync(SopClasses.StudyRootGet, Study(), async (request, ct) =>
        {
            syntax = request.TransferSyntaxUID;
            got = await RecordingProvider.ReadAllAsync(request.DataSet, ct);
            return StoreResponse.Success;
        }, Cancel);
        await association.ReleaseAsync(Cancel);
        return (result, syntax, got);
    }

    private (DataSet? DataSet, string Refusal) Decode(DataSet original, string from)
    {
        using var spool = new Spool(new SpoolOptions { MinFreeMegabytes = 0 }, _folder.CreateSubdirectory("spool").FullName, SampleObjects.Keys);
        TransferSyntax syntax = TransferSyntax.Of(from);
        var instance = new OutgoingObject(DataSetWriter.ToSource(original, syntax), syntax, SopClasses.CTImageStorage, "1.2.3");
        (DecodedOriginal? decoded, string refusal) = DecodedOriginal.Open(instance, TransferSyntax.ExplicitVRLittleEndian, spool);
        refusal.Length.ShouldBeLessThanOrEqualTo(64);
        using (decoded)
        {
            return (decoded is null ? null : DataSetReader.Read(decoded.DataSet.ToArray(), TransferSyntax.ExplicitVRLittleEndian), refusal);
        }
    }

    private static void ShouldBeDecoded(DataSet got, byte[] pixels)
    {
        got.GetText(Tags.PatientName).ShouldBe(SampleObjects.PatientName);
        got.GetText(Tags.PhotometricInterpretation).ShouldBe("MONOCHROME2");
        got.Find(Tags.PixelData)!.Value.ToArray().ShouldBe(pixels);
        got.Contains(Tags.LossyImageCompression).ShouldBeFalse();
    }

    private static DataSet Study()
    {
        var identifier = new DataSet();
        identifier.SetText(Tags.QueryRetrieveLevel, "STUDY");
        identifier.SetText(Tags.StudyInstanceUID, SampleObjects.StudyUID);
        return identifier;
    }
}
