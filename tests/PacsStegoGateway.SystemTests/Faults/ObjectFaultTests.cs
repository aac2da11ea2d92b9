using System.Text;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Phantoms;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.SystemTests.Fixtures;

namespace PacsStegoGateway.SystemTests.Faults;

/// <summary>Objects that are no plain images, names in any script, pixels that the PACS wrote anew.</summary>
public sealed class ObjectFaultTests : IDisposable
{
    private readonly TemporaryFolder _folder = new("objects");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Fault_13_reports_documents_and_plans_are_taken_and_quarantined_video_and_unknown_classes_are_not_negotiated()
    {
        await using var pacs = new ScriptedPacs();
        await using GatewayProcess gateway = await GatewayProcess.Start(pacs.Port);
        int seed = 0;
        foreach ((string sopClass, string modality) in ((string, string)[])
        [
            ("1.2.840.10008.5.1.4.1.1.88.11", "SR"), // Basic Text SR Storage
            ("1.2.840.10008.5.1.4.1.1.104.1", "DOC"), // Encapsulated PDF Storage
            ("1.2.840.10008.5.1.4.1.1.481.5", "RTPLAN"), // RT Plan Storage
        ])
        {
            PhantomInstance other = Modality.Phantom(++seed) with { SopClassUID = sopClass };
            other.DataSet.SetText(Tags.SOPClassUID, sopClass);
            other.DataSet.SetText(Tags.Modality, modality);
            other.DataSet.Remove(Tags.PixelData);
            (await Modality.Send(gateway, other)).Status.ShouldBe(DimseStatus.Success);
        }

        await Quarantine.ShouldHold(gateway, "UnsupportedObject", "UnsupportedObject", "UnsupportedObject");
        pacs.Requests.ShouldBe(0);

        const string VideoPhotographicImage = "1.2.840.10008.5.1.4.1.1.77.1.4.1";
        const string Mpeg4 = "1.2.840.10008.1.2.4.102";
        const string Private = "1.2.826.0.1.3680043.9.1";
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(
            Modality.Peer(gateway),
            [
                new ProposedContext(VideoPhotographicImage, Mpeg4),
                new ProposedContext(Private, TransferSyntax.ExplicitVRLittleEndian.UID),
                new ProposedContext(SopClasses.CTImageStorage, TransferSyntax.ExplicitVRLittleEndian.UID),
            ],
            new AssociationLimits(), Cancel);
        association.Accepts(VideoPhotographicImage, Mpeg4).ShouldBeFalse();
        association.Accepts(Private, TransferSyntax.ExplicitVRLittleEndian.UID).ShouldBeFalse();
        association.Accepts(SopClasses.CTImageStorage, TransferSyntax.ExplicitVRLittleEndian.UID).ShouldBeTrue();
        await association.ReleaseAsync(Cancel);
    }

    [Fact]
    public async Task Fault_14_names_in_any_character_set_or_in_none_leave_no_trace_at_the_PACS_and_come_back_byte_for_byte()
    {
        await using OrthancServer orthanc = await OrthancServer.Start();
        await using StoreScp clinic = await StoreScp.Start("CLINIC", "+xe");
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort, clinic);
        List<(PhantomInstance Image, byte[] Name)> images =
        [
            // PS3.5 H.3.1, I.2 and J.3; the last is Latin-1 without a word about it, which breaks the standard and is common.
            Named(1, @"\ISO 2022 IR 87", "Yamada^Tarou=\u001b$B;3ED\u001b(B^\u001b$BB@O:\u001b(B=\u001b$B$d$^$@\u001b(B^\u001b$B$?$m$&\u001b(B"),
            Named(2, @"\ISO 2022 IR 149", "Hong^Gildong=\u001b$)C\u00fb\u00f3^\u001b$)C\u00d1\u00ce\u00d4\u00d7=\u001b$)C\u00c8\u00ab^\u001b$)C\u00b1\u00e6\u00b5\u00bf"),
            Named(3, "GB18030", "Wang^XiaoDong=\u00cd\u00f5^\u00d0\u00a1\u00b6\u00ab"),
            Named(4, null, "M\u00fcnchh\u00e4user^J\u00f6rg"),
        ];
        foreach ((PhantomInstance image, _) in images)
        {
            (await Modality.Send(gateway, image)).Status.ShouldBe(DimseStatus.Success);
        }

        await Eventually.IsTrue("all are at the PACS", async () => await orthanc.Count() == images.Count, 120);
        foreach (byte[] held in await orthanc.Files())
        {
            foreach (byte[] part in images.SelectMany(static i => Parts(i.Name)))
            {
                held.AsSpan().IndexOf(part).ShouldBe(-1, Convert.ToHexString(part));
            }
        }

        foreach ((PhantomInstance image, _) in images)
        {
            await DcmtkTools.Move(gateway.Port, "CLINIC", "PSG", "CLINIC", "STUDY", $"StudyInstanceUID={image.DataSet.GetText(Tags.StudyInstanceUID)}");
        }

        Dictionary<string, Part10> returned = clinic.Received.Select(Part10.At).ToDictionary(static f => f.SOPInstanceUID);
        foreach ((PhantomInstance image, _) in images)
        {
            returned[image.SopInstanceUID].DataSetHash.ShouldBe(new Part10(image.ToArray()).DataSetHash);
        }
    }

    [Fact]
    public async Task Fault_21_pixels_that_the_PACS_recompressed_come_back_exactly_after_lossless_and_are_refused_with_A702_after_lossy()
    {
        await using OrthancServer orthanc = await OrthancServer.Start();
        await using StoreScp clinic = await StoreScp.Start("CLINIC", "+xe");
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort, clinic);
        PhantomInstance lossless = Modality.Phantom(1);
        PhantomInstance lossy = Modality.Phantom(2);
        (await Modality.Send(gateway, lossless)).Status.ShouldBe(DimseStatus.Success);
        (await Modality.Send(gateway, lossy)).Status.ShouldBe(DimseStatus.Success);
        await Eventually.IsTrue("both are at the PACS", async () => await orthanc.Count() == 2, 120);
        await Eventually.IsTrue("their files are gone", () => !Ledger.SpoolFiles(gateway).Any());
        var pseudonyms = new Pseudonymizer(KeyRing.Load(gateway.KeyRingPath).PseudonymKey);
        await Recompress(orthanc, pseudonyms.MapUID(lossless.SopInstanceUID), "+el");
        await Recompress(orthanc, pseudonyms.MapUID(lossy.SopInstanceUID), "+en", "+md", "3");

        DcmtkTools.Statuses(await DcmtkTools.Move(gateway.Port, "CLINIC", "PSG", "CLINIC", "STUDY", $"StudyInstanceUID={StudyOf(lossless)}"))[^1].ShouldBe("0000");
        DcmtkTools.Statuses(await DcmtkTools.Move(gateway.Port, "CLINIC", "PSG", "CLINIC", "STUDY", $"StudyInstanceUID={StudyOf(lossy)}"))[^1].ShouldBe("A702");
        Part10 returned = clinic.Received.Select(Part10.At).ShouldHaveSingleItem();
        returned.DataSetHash.ShouldBe(new Part10(lossless.ToArray()).DataSetHash);
        Finished listed = (await gateway.Psg("audit", "list", "--json", "--original-instance", lossy.SopInstanceUID)).ShouldSucceed();
        listed.StandardOutput.ShouldContain("PixelsAltered");
    }

    private async Task Recompress(OrthancServer orthanc, string sopInstanceUID, params string[] options)
    {
        byte[] held = (await orthanc.Files()).Single(f => new Part10(f).SOPInstanceUID == sopInstanceUID);
        string before = _folder.At("before.dcm");
        string after = _folder.At("after.dcm");
        await File.WriteAllBytesAsync(before, held, Cancel);
        // Under the same UID, as archives do that save room.
        (await ChildProcess.Run("dcmcjpls", ["+un", .. options, before, after])).ShouldSucceed();
        await orthanc.Replace(sopInstanceUID, await File.ReadAllBytesAsync(after, Cancel));
    }

    private static string StudyOf(PhantomInstance image) => image.DataSet.GetText(Tags.StudyInstanceUID)!;

    /// <param name="name">As it stands in the data set, a character for each byte.</param>
    private static (PhantomInstance Image, byte[] Name) Named(int seed, string? characterSet, string name)
    {
        PhantomInstance image = Modality.Phantom(seed);
        if (characterSet is null)
        {
            image.DataSet.Remove(Tags.SpecificCharacterSet);
        }
        else
        {
            image.DataSet.SetText(Tags.SpecificCharacterSet, characterSet);
        }

        byte[] bytes = Encoding.Latin1.GetBytes(name.Length % 2 == 0 ? name : name + " ");
        image.DataSet.Set(Element.Raw(Tags.PatientName, Vr.PN, bytes));
        return (image, bytes);
    }

    /// <summary>The components of a name, as long as they are telling.</summary>
    private static IEnumerable<byte[]> Parts(byte[] name) => Encoding.Latin1.GetString(name).Split('^', '=', ' ')
        .Where(static p => p.Length >= 5).Select(Encoding.Latin1.GetBytes);
}
