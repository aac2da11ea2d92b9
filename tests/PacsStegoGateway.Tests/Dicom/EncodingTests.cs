using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

/// <summary>Each thing that a data set may hold, in each encoding that holds it, by hand-made bytes.</summary>
public class EncodingTests
{
    private static readonly Tag Private = new(0x0009, 0x1001);

    private static readonly TransferSyntax[] Plain =
        [TransferSyntax.ImplicitVRLittleEndian, TransferSyntax.ExplicitVRLittleEndian, TransferSyntax.ExplicitVRBigEndian, TransferSyntax.DeflatedExplicitVRLittleEndian];

    public static TheoryData<Vr> AllVrs => [.. Enum.GetValues<Vr>()];

    private static DataSet Read(TransferSyntax syntax, params string[] hex) => DataSetReader.Read(GoldenDataSets.Hex(hex), syntax);

    [Theory]
    [MemberData(nameof(AllVrs))]
    public void Every_VR_keeps_its_value_through_every_encoding_that_tells_VRs(Vr vr)
    {
        byte[] value = vr.IsText() ? "12"u8.ToArray() : [1, 2, 3, 4, 5, 6, 7, 8];
        var set = new DataSet();
        set.Set(Element.Text(new Tag(0x0009, 0x0010), Vr.LO, "TEST"));
        set.Set(vr == Vr.SQ ? Element.Sequence(Private, [new DataSet()]) : Element.Raw(Private, vr, value));

        foreach (TransferSyntax syntax in Plain.Where(static s => s.ExplicitVr))
        {
            Element back = DataSetReader.Read(DataSetWriter.ToArray(set, syntax), syntax, DicomReadOptions.StrictDefault).Find(Private)!;

            back.Vr.ShouldBe(vr, syntax.Name);
            back.Value.ToArray().ShouldBe(vr == Vr.SQ ? [] : value, syntax.Name);
        }
    }

    [Theory]
    [MemberData(nameof(AllVrs))]
    public void The_header_of_every_VR_has_the_form_of_PS3_5_7_1(Vr vr)
    {
        var set = new DataSet();
        set.Set(vr == Vr.SQ ? Element.Sequence(Private, []) : Element.Raw(Private, vr, default(ReadOnlyMemory<byte>)));

        string letters = Convert.ToHexString([(byte)((int)vr >> 8), (byte)vr]);
        bool isLong = vr is Vr.OB or Vr.OD or Vr.OF or Vr.OL or Vr.OV or Vr.OW or Vr.SQ or Vr.SV or Vr.UC or Vr.UN or Vr.UR or Vr.UT or Vr.UV;
        Convert.ToHexString(DataSetWriter.ToArray(set, TransferSyntax.ExplicitVRLittleEndian)).ShouldBe("09000110" + letters + (isLong ? "000000000000" : "0000"));
    }

    [Fact]
    public void Every_attribute_of_the_dictionary_is_read_from_implicit_VR_by_its_VR()
    {
        int count = 0;
        foreach (Tag tag in typeof(Tags).GetProperties().Where(static f => f.PropertyType == typeof(Tag)).Select(static f => (Tag)f.GetValue(null)!).Where(static t => t.Group > 2))
        {
            var set = new DataSet();
            Vr vr = DataDictionary.VrOf(tag);
            set.Set(vr == Vr.SQ ? Element.Sequence(tag, [new DataSet()]) : Element.Raw(tag, vr, new byte[8]));

            DataSet back = DataSetReader.Read(DataSetWriter.ToArray(set, TransferSyntax.ImplicitVRLittleEndian), TransferSyntax.ImplicitVRLittleEndian);

            back.Find(tag)!.Vr.ShouldBe(vr, tag.ToString());
            count++;
        }

        count.ShouldBeGreaterThan(5000);
    }

    [Fact]
    public void A_list_of_tags_is_turned_half_by_half()
    {
        DataSet little = Read(TransferSyntax.ExplicitVRLittleEndian, "2800 0900 4154 0800 1800 6310 E07F 1000");
        DataSet big = Read(TransferSyntax.ExplicitVRBigEndian, "0028 0009 4154 0008 0018 1063 7FE0 0010");

        little.GetTexts(Tags.FrameIncrementPointer).ShouldBe(["(0018,1063)", "(7FE0,0010)"]);
        big.GetTexts(Tags.FrameIncrementPointer).ShouldBe(["(0018,1063)", "(7FE0,0010)"]);
    }

    [Fact]
    public void Numbers_of_64_bits_are_read_in_both_byte_orders()
    {
        DataSet little = Read(TransferSyntax.ExplicitVRLittleEndian, "7200 8200 5356 0000 08000000 FEFFFFFFFFFFFFFF", "7200 8300 5556 0000 08000000 0100000000000080");
        DataSet big = Read(TransferSyntax.ExplicitVRBigEndian, "0072 0082 5356 0000 00000008 FFFFFFFFFFFFFFFE", "0072 0083 5556 0000 00000008 8000000000000001");

        foreach (DataSet set in (DataSet[])[little, big])
        {
            set.Select(e => set.GetText(e.Tag)).ShouldBe(["-2", "9223372036854775809"]);
        }
    }

    [Fact]
    public void UN_of_a_known_attribute_is_seen_by_its_VR_and_written_as_UN()
    {
        byte[] bytes = GoldenDataSets.Hex("0800 0500 554E 0000 0A000000 49534F5F495220313434", "1000 1000 554E 0000 02000000 BBEE", "2800 1000 554E 0000 02000000 0002");

        DataSet set = DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian);

        set.GetText(Tags.PatientName).ShouldBe("Лю");
        set.GetInt32(Tags.Rows).ShouldBe(512);
        DataSetWriter.ToArray(set, TransferSyntax.ExplicitVRLittleEndian).ShouldBe(bytes);
        Read(TransferSyntax.ExplicitVRLittleEndian, "0900 0110 554E 0000 02000000 4142").GetText(Private).ShouldBeNull();
    }

    [Fact]
    public void A_private_element_of_implicit_VR_is_UN_and_its_creator_LO()
    {
        DataSet set = Read(TransferSyntax.ImplicitVRLittleEndian, "0900 1000 04000000 41434D45", "0900 0110 02000000 3120");

        set.Select(static e => e.Vr).ShouldBe([Vr.LO, Vr.UN]);
        set.GetText(new Tag(0x0009, 0x0010)).ShouldBe("ACME");
    }

    [Fact]
    public void Group_lengths_are_kept_as_they_came()
    {
        byte[] bytes = GoldenDataSets.Hex("0800 0000 554C 0400 63000000", "0800 6000 4353 0200 4D52");

        DataSetWriter.ToArray(DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian), TransferSyntax.ExplicitVRLittleEndian).ShouldBe(bytes);
    }

    [Theory]
    [InlineData(65_534, Vr.LO, 8)]
    [InlineData(65_536, Vr.UN, 12)]
    public void A_value_that_a_16_bit_length_cannot_count_is_written_as_UN(int length, Vr written, int header)
    {
        var set = new DataSet();
        set.Set(Element.Raw(Tags.PatientID, Vr.LO, new byte[length]));

        byte[] bytes = DataSetWriter.ToArray(set, TransferSyntax.ExplicitVRLittleEndian);

        bytes.Length.ShouldBe(header + length);
        DataSet back = DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian, DicomReadOptions.StrictDefault);
        back.Find(Tags.PatientID)!.Vr.ShouldBe(written);
        back.Find(Tags.PatientID)!.Value.Length.ShouldBe(length);
        DataSetWriter.ToArray(set, TransferSyntax.ImplicitVRLittleEndian).Length.ShouldBe(8 + length);
    }

    [Fact]
    public void An_odd_length_is_kept_unless_strict()
    {
        byte[] bytes = GoldenDataSets.Hex("1000 1000 504E 0300 415E42");

        DataSetWriter.ToArray(DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian), TransferSyntax.ExplicitVRLittleEndian).ShouldBe(bytes);
        DicomContentException failure = Should.Throw<DicomContentException>(() => DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian, DicomReadOptions.StrictDefault));
        (failure.Offset, failure.Tag).ShouldBe((0, Tags.PatientName));
    }

    [Theory]
    [InlineData(Vr.UI, "1.2", 0x00)]
    [InlineData(Vr.LO, "abc", 0x20)]
    [InlineData(Vr.UT, "abc", 0x20)]
    [InlineData(Vr.UR, "a:b", 0x20)]
    public void Odd_text_is_made_even_by_the_pad_byte_of_its_VR(Vr vr, string text, byte pad)
    {
        Element element = Element.Text(Private, vr, text);

        element.Value.Length.ShouldBe(4);
        element.Value.Span[3].ShouldBe(pad);
        element.ToText().ShouldBe(text);
    }

    [Fact]
    public void The_private_syntax_of_GE_is_implicit_and_its_pixels_are_no_plain_ones()
    {
        // 1.2.840.113619.5.2: Implicit VR Little Endian, but the words of Pixel Data are big endian. The data set is read
        // and kept; whoever wants pixels finds a syntax that no codec decodes.
        byte[] bytes = [.. FileMeta.Prefix(SopClasses.CTImageStorage, "1.2", "1.2.840.113619.5.2"), .. GoldenDataSets.ImplicitLittleEndian];

        DicomFile file = DicomFile.Read(bytes, DicomReadOptions.StrictDefault);

        file.DataSet.GetText(Tags.Modality).ShouldBe("CT");
        file.ToArray().ShouldBe(bytes);
        file.TransferSyntax.Encapsulated.ShouldBeTrue();
    }

    [Fact]
    public void Meta_information_in_a_data_set_is_refused_since_it_would_be_read_as_the_files_own()
    {
        byte[] bytes = GoldenDataSets.Hex("0800 6000 4353 0200 4D52", "0200 1000 5549 0600 312E322E3300");

        DicomContentException failure = Should.Throw<DicomContentException>(() => DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian));

        (failure.Offset, failure.Tag).ShouldBe((10, Tags.TransferSyntaxUID));
        Should.Throw<DicomContentException>(() => DataSetReader.Read((byte[])[.. bytes[10..], .. bytes[..10]], TransferSyntax.ExplicitVRLittleEndian)).Offset.ShouldBe(14);
        DataSetReader.Read(bytes[10..], TransferSyntax.ExplicitVRLittleEndian).GetText(Tags.TransferSyntaxUID).ShouldBe("1.2.3");
    }

    [Fact]
    public async Task What_we_write_in_another_syntax_dcmdump_sees_as_what_dcmconv_writes()
    {
        (TransferSyntax Syntax, string Switch)[] targets = [(TransferSyntax.ImplicitVRLittleEndian, "+ti"), (TransferSyntax.ExplicitVRLittleEndian, "+te"),
            (TransferSyntax.ExplicitVRBigEndian, "+tb"), (TransferSyntax.DeflatedExplicitVRLittleEndian, "+td")];
        string folder = Directory.CreateTempSubdirectory("transcode-").FullName;
        try
        {
            List<string> files = [];
            foreach (string path in RealFileTests.Files("conformance").Where(static p => !RealFileTests.IsDamaged(Path.GetFileName(p)) && new FileInfo(p).Length < 40_000))
            {
                DicomFile file = DicomFile.Read(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
                if (file.TransferSyntax.Encapsulated || file.Preamble.IsEmpty || files.Count >= 4 * 2 * 12)
                {
                    continue;
                }

                foreach ((TransferSyntax syntax, string to) in targets)
                {
                    string ours = Path.Combine(folder, $"{files.Count:D3}-ours"), theirs = Path.Combine(folder, $"{files.Count:D3}-theirs");
                    (int exitCode, _, _) = await OtherTool.RunAsync(OtherTool.DcmConv, ["-q", to, path, theirs]);
                    if (exitCode != 0)
                    {
                        continue;
                    }

                    DataSet meta = FileMeta.Create(SopClasses.CTImageStorage, "1.2.3", syntax.UID);
                    await File.WriteAllBytesAsync(ours, new DicomFile(meta, file.DataSet).ToArray(), TestContext.Current.CancellationToken);
                    files.AddRange([ours, theirs]);
                }
            }

            files.Count.ShouldBeGreaterThan(60);
            (_, string output, _) = await OtherTool.RunAsync(OtherTool.DcmDump, [.. DumpLine.Arguments, .. files]);
            Dictionary<string, List<DumpLine>> dumps = DumpLine.Parse(output);
            foreach (string[] pair in files.Chunk(2))
            {
                string[] ours = [.. Comparable(dumps[pair[0]])], theirs = [.. Comparable(dumps[pair[1]])];
                int first = ours.Zip(theirs).TakeWhile(static p => p.First == p.Second).Count();
                (ours.ElementAtOrDefault(first), ours.Length).ShouldBe((theirs.ElementAtOrDefault(first), theirs.Length), pair[0]);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Without meta information, group lengths and padding, odd lengths even and those of sequences left out: dcmconv makes them anew.</summary>
    private static IEnumerable<string> Comparable(List<DumpLine> lines) => lines
        .Where(static l => l.Tag.Group > 2 && !l.Tag.IsGroupLength && l.Tag.Value != 0xFFFCFFFC)
        .Select(static l => $"{l.Depth} {l.Tag} {l.Vr} {(l.Vr is "SQ" or "na" ? null : (l.Length + 1) & ~1L)} {((l.Length & 1) != 0 ? null : l.Value?.TrimEnd(' ', '\0'))}");
}
