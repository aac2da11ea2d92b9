using System.Text;
using System.Text.Json;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

public class TextTests
{
    /// <summary>The examples of PS3.5 Annexes H, I, J and K, and one of several 8-bit sets.</summary>
    [Theory]
    [InlineData("ISO_IR 100", "4275 63 5E 4A E9 72 F4 6D 65", "Buc^Jérôme")]
    [InlineData("ISO IR-144", "BB EE DA 63 65 DC D1 79 70 D3", "Люкceмбypг")]
    [InlineData("ISO_IR 192", "57616E675E5869616F446F6E673DE78E8B5EE5B08FE69DB13D", "Wang^XiaoDong=王^小東=")]
    [InlineData("GB18030", "57616E675E5869616F446F6E673DCDF55ED0A1B6AB3D", "Wang^XiaoDong=王^小东=")]
    [InlineData("\\ISO 2022 IR 87", "59616D6164615E5461726F753D1B24423B3345441B28425E1B244242404F3A1B28423D1B24422464245E24401B28425E1B2442243F246D24261B2842",
        "Yamada^Tarou=山田^太郎=やまだ^たろう")]
    [InlineData("ISO 2022 IR 13\\ISO 2022 IR 87", "D4CFC0DE5EC0DBB33D1B24423B3345441B284A5E1B244242404F3A1B284A3D1B24422464245E24401B284A5E1B2442243F246D24261B284A",
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう")]
    [InlineData("\\ISO 2022 IR 149", "486F6E675E47696C646F6E673D1B242943FBF35E1B242943D1CED4D73D1B242943C8AB5E1B242943B1E6B5BF", "Hong^Gildong=洪^吉洞=홍^길동")]
    [InlineData("\\ISO 2022 IR 58", "5A68616E675E5869616F446F6E673D1B242941D5C55E1B242941D0A1B6AB3D20", "Zhang^XiaoDong=张^小东= ")]
    [InlineData("ISO 2022 IR 100\\ISO 2022 IR 144", "E9 1B2D4C DB 5C E9", "éл\\é")]
    public void Text_is_decoded_by_the_character_set(string terms, string hex, string text)
    {
        Encoding encoding = CharacterSets.Find(terms);

        encoding.GetString(GoldenDataSets.Hex(hex)).ShouldBe(text);
        encoding.GetString(encoding.GetBytes(text)).ShouldBe(text);
    }

    [Fact]
    public void Random_bytes_are_decoded_in_every_character_set_without_failing()
    {
        const int Seed = 7;
        var random = new Random(Seed);
        string[] terms = ["\\ISO 2022 IR 87\\ISO 2022 IR 159\\ISO 2022 IR 149\\ISO 2022 IR 58", "ISO 2022 IR 13", "GB18030", "ISO_IR 192", "nonsense", "\\", "ISO_IR 166"];
        for (int round = 0; round < 2000; round++)
        {
            byte[] bytes = new byte[random.Next(24)];
            random.NextBytes(bytes);
            if (bytes.Length > 4)
            {
                ((byte[])[0x1B, (byte)'$', (byte)'B']).CopyTo(bytes, random.Next(bytes.Length - 3));
            }

            CharacterSets.Find(terms[round % terms.Length]).GetString(bytes).ShouldNotBeNull();
        }
    }

    [Fact]
    public void A_dump_shows_every_element_with_nesting_and_without_control_characters()
    {
        DataSet set = DataSetReader.Read(GoldenDataSets.ExplicitLittleEndian, TransferSyntax.ExplicitVRLittleEndian);
        set.Set(Element.Raw(Tags.PatientComments, Vr.LT, "a\u001b[31m\nb"u8.ToArray()));
        set.Set(Element.Raw(Tags.PatientID, Vr.LO, new byte[500]));
        using var writer = new StringWriter { NewLine = "\n" };

        DataSetText.Dump(set, writer, 20);

        string[] lines = writer.ToString().Split('\n');
        lines[2].ShouldBe("(0008,0060) CS [MR]".PadRight(56) + " #      2 Modality");
        lines.ShouldContain(static l => l.StartsWith("    (0008,1155) UI [1.2.3.4.5]", StringComparison.Ordinal));
        lines.ShouldContain(static l => l.StartsWith("(0010,4000) LT [a.[31m.b]", StringComparison.Ordinal));
        lines.ShouldContain(static l => l.StartsWith("(7FE0,0010) OB 1 fragment, 6 bytes", StringComparison.Ordinal));
        writer.ToString().ShouldNotContain("\u001b");
    }

    [Fact]
    public void A_dump_of_chosen_elements_names_the_way_to_each()
    {
        DataSet set = DataSetReader.Read(GoldenDataSets.ExplicitLittleEndian, TransferSyntax.ExplicitVRLittleEndian);
        using var writer = new StringWriter { NewLine = "\n" };

        DataSetText.Dump(set, writer, [Tags.ReferencedSOPInstanceUID, Tags.Modality]).ShouldBe(2);

        writer.ToString().ShouldBe("(0008,0060) CS [MR]\n(0008,1140)[1].(0008,1155) UI [1.2.3.4.5]\n");
    }

    [Fact]
    public void JSON_follows_the_model_of_PS3_18_annex_F()
    {
        var set = new DataSet();
        set.SetText(Tags.SpecificCharacterSet, "ISO_IR 100");
        set.SetText(Tags.ImageType, "ORIGINAL\\\\AXIAL");
        set.SetText(Tags.PatientName, "Müller^J=x");
        set.SetText(Tags.InstanceNumber, "+7 ");
        set.SetText(Tags.PixelSpacing, "0.50\\1e400");
        set.Set(Element.UInt16(Tags.Rows, 512));
        set.Set(Element.Raw(Tags.FrameIncrementPointer, Vr.AT, new byte[] { 0x18, 0, 0x63, 0x10 }));
        set.Set(Element.Raw(Tags.PatientID, Vr.LO, default));
        set.Set(Element.Raw(Tags.PixelData, Vr.OW, new byte[] { 1, 2, 3 }));
        var item = new DataSet();
        item.SetText(Tags.ReferencedSOPInstanceUID, "1.2");
        set.Set(Element.Sequence(Tags.ReferencedImageSequence, [item, new DataSet()]));
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            DicomJson.Write(set, writer);
        }

        Encoding.UTF8.GetString(stream.ToArray()).ShouldBe("""
            {"00080005":{"vr":"CS","Value":["ISO_IR 192"]},
            "00080008":{"vr":"CS","Value":["ORIGINAL",null,"AXIAL"]},
            "00081140":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2"]}},{}]},
            "00100010":{"vr":"PN","Value":[{"Alphabetic":"Müller^J","Ideographic":"x"}]},
            "00100020":{"vr":"LO"},
            "00200013":{"vr":"IS","Value":[7]},
            "00280009":{"vr":"AT","Value":["00181063"]},
            "00280010":{"vr":"US","Value":[512]},
            "00280030":{"vr":"DS","Value":[0.50,"1e400"]},
            "7FE00010":{"vr":"OW","InlineBinary":"AQID"}}
            """.ReplaceLineEndings(""));
    }

    [Fact]
    public void JSON_names_bulk_data_by_URI_when_asked_and_leaves_group_lengths_and_unnamed_fragments_out()
    {
        DataSet set = DataSetReader.Read(GoldenDataSets.ExplicitLittleEndian, TransferSyntax.ExplicitVRLittleEndian);

        JsonElement inline = Json(set, null);
        JsonElement named = Json(set, static e => e.Tag == Tags.PixelData ? "bulk/1" : null);

        inline.TryGetProperty("00080000", out _).ShouldBeFalse();
        inline.TryGetProperty("7FE00010", out _).ShouldBeFalse();
        inline.GetProperty("00091001").GetProperty("vr").GetString().ShouldBe("SQ");
        named.GetProperty("7FE00010").GetProperty("BulkDataURI").GetString().ShouldBe("bulk/1");
    }

    private static JsonElement Json(DataSet set, Func<Element, string?>? bulkDataUri)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            DicomJson.Write(set, writer, bulkDataUri);
        }

        using JsonDocument document = JsonDocument.Parse(stream.ToArray());
        return document.RootElement.Clone();
    }
}
