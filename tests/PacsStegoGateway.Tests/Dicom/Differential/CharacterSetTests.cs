using System.Text;
using System.Text.Json;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

/// <summary>Text written in each character set of PS3.3 C.12.1.1.2 is read as the same text by us, by DCMTK and by pydicom.</summary>
public class CharacterSetTests
{
    private const int Seed = 7;

    /// <summary>Reads each file and prints its texts as UTF-8.</summary>
    private const string Script = """
        import sys, json, warnings
        import pydicom
        warnings.simplefilter("ignore")
        def plain(v):
            return [str(x) for x in v] if isinstance(v, pydicom.multival.MultiValue) else str(v)
        for line in sys.stdin:
            ds = pydicom.dcmread(line.rstrip("\n"))
            ds.decode()
            print(json.dumps({"%08X" % int(e.tag): plain(e.value) for e in ds if e.VR in ("PN", "LO", "LT", "UT", "SH", "UC")}))
        """;

    private static readonly Tag[] Texts = [Tags.PatientName, Tags.OtherPatientNames, Tags.PatientAddress, Tags.AdditionalPatientHistory, Tags.PatientComments, Tags.TextValue];

    /// <summary>The terms, first characters of ranges of two or more in them, and a code page that holds them.</summary>
    private static readonly (string Terms, int CodePage, byte[][] Ranges)[] Sets =
    [
        ("ISO_IR 100", 28591, Single), ("ISO_IR 101", 28592, Single), ("ISO_IR 109", 28593, Single), ("ISO_IR 110", 28594, Single),
        ("ISO_IR 144", 28595, Single), ("ISO_IR 127", 28596, [[0xC1, 0xDA], [0xE0, 0xF2]]), ("ISO_IR 126", 28597, [[0xB8, 0xBA], [0xC1, 0xD1], [0xE1, 0xFE]]),
        ("ISO_IR 138", 28598, [[0xE0, 0xFA]]), ("ISO_IR 148", 28599, Single), ("ISO_IR 166", 874, [[0xA1, 0xDA], [0xDF, 0xFB]]), ("ISO_IR 13", 932, [[0xB1, 0xDD]]),
        ("ISO_IR 192", 65001, []), ("GB18030", 54936, []), ("GBK", 936, []),
        ("ISO 2022 IR 100\\ISO 2022 IR 144", 28595, Single), ("\\ISO 2022 IR 126", 28597, [[0xC1, 0xD1]]), ("ISO 2022 IR 101\\ISO 2022 IR 138", 28598, [[0xE0, 0xFA]]),
        ("\\ISO 2022 IR 87", 20932, []), ("ISO 2022 IR 13\\ISO 2022 IR 87", 932, [[0xB1, 0xDD]]), ("\\ISO 2022 IR 87\\ISO 2022 IR 159", 20932, []),
        ("\\ISO 2022 IR 149", 949, []), ("\\ISO 2022 IR 58", 936, []),
    ];

    private static byte[][] Single => [[0xC4, 0xCF], [0xE4, 0xEF]];

    [Fact]
    public async Task Dcmtk_and_pydicom_read_the_text_we_write_in_every_character_set()
    {
        string folder = Directory.CreateTempSubdirectory("charset-").FullName;
        try
        {
            List<(string Path, DataSet Set)> made = [.. Sets.Select((s, i) => (Path.Combine(folder, $"{i:D2}.dcm"), SetIn(s)))];
            foreach ((string path, DataSet set) in made)
            {
                await File.WriteAllBytesAsync(path, new DicomFile(FileMeta.Create(SopClasses.CTImageStorage, "1.2.3", TransferSyntax.ExplicitVRLittleEndian.UID), set).ToArray(),
                    TestContext.Current.CancellationToken);
                (int exitCode, _, string refused) = await OtherTool.RunAsync(OtherTool.DcmConv, ["+U8", path, path + ".utf8"]);
                if (set.GetText(Tags.SpecificCharacterSet)!.Contains("87", StringComparison.Ordinal) && refused.Contains("is not supported by the utilized", StringComparison.Ordinal))
                {
                    // Debian's DCMTK converts by the C library, which has no JIS X 0208: pydicom alone judges those.
                    continue;
                }

                exitCode.ShouldBe(0, $"{set.GetText(Tags.SpecificCharacterSet)}: {refused}");
                DataSet converted = DicomFile.Read(await File.ReadAllBytesAsync(path + ".utf8", TestContext.Current.CancellationToken)).DataSet;
                foreach (Tag tag in Texts)
                {
                    // DCMTK shows the separator of ISO IR 14 as what it looks like there.
                    Encoding.UTF8.GetString(converted.Find(tag)!.Value.Span).TrimEnd(' ').Replace('¥', '\\').ShouldBe(set.GetText(tag), $"{set.GetText(Tags.SpecificCharacterSet)} {tag}");
                }
            }

            (_, string output, string errors) = await OtherTool.RunAsync(OtherTool.Python, ["-c", Script], string.Concat(made.Select(static m => m.Path + "\n")));
            Assert.SkipWhen(errors.Contains("No module named 'pydicom'", StringComparison.Ordinal), "pydicom is not installed.");
            foreach (((_, DataSet set), string line) in made.Zip(output.Split('\n')))
            {
                JsonElement theirs = JsonDocument.Parse(line).RootElement;
                foreach (Tag tag in Texts.Where(t => !HasFalseDelimiter(set, t)))
                {
                    // pydicom splits where the second byte of a character looks like a delimiter.
                    JsonElement value = theirs.GetProperty($"{tag.Value:X8}");
                    string text = value.ValueKind == JsonValueKind.Array ? string.Join('\\', value.EnumerateArray().Select(static v => v.GetString())) : value.GetString()!;
                    text.Replace("\u001b$)A", "", StringComparison.Ordinal).ShouldBe(set.GetText(tag), $"pydicom, {set.GetText(Tags.SpecificCharacterSet)} {tag}");
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_name_and_a_comment_reset_code_extensions_at_different_delimiters()
    {
        // ESC $ ) C makes Korean active in G1; in a name ^ ends that, in a comment it does not.
        byte[] bytes = [0x1B, (byte)'$', (byte)')', (byte)'C', 0xB1, 0xE8, (byte)'^', 0xB1, 0xE8];
        Encoding encoding = CharacterSets.Find("\\ISO 2022 IR 149");

        Element.Raw(Tags.PatientName, Vr.PN, bytes).ToText(encoding).ShouldBe("김^±è");
        Element.Raw(Tags.PatientComments, Vr.LT, bytes).ToText(encoding).ShouldBe("김^김");
        bytes[6] = (byte)'\\';
        Element.Raw(Tags.OtherPatientIDs, Vr.LO, bytes).ToText(encoding).ShouldBe("김\\±è");
        Element.Raw(Tags.PatientComments, Vr.LT, bytes).ToText(encoding).ShouldBe("김\\김");
        bytes[6] = 0x0A;
        Element.Raw(Tags.PatientComments, Vr.LT, bytes).ToText(encoding).ShouldBe("김\n±è");
    }

    [Theory]
    [InlineData("ISO_IR 6")]
    [InlineData("no such set")]
    [InlineData("")]
    public void Bytes_beyond_a_wrong_or_missing_declaration_are_shown_as_Latin_1_and_kept(string terms)
    {
        var set = new DataSet();
        set.SetText(Tags.SpecificCharacterSet, terms);
        set.Set(Element.Raw(Tags.PatientName, Vr.PN, new byte[] { (byte)'M', 0xFC }));

        set.GetText(Tags.PatientName).ShouldBe("Mü");
        DataSetWriter.ToArray(set, TransferSyntax.ExplicitVRLittleEndian)[^2..].ShouldBe([(byte)'M', 0xFC]);
    }

    [Fact]
    public void UTF_8_by_its_everyday_name_is_understood()
    {
        CharacterSets.Find("UTF-8").GetString("é"u8).ShouldBe("é");
    }

    [Theory]
    [InlineData("ISO_IR 100", "Ω")]
    [InlineData("ISO_IR 144", "é")]
    [InlineData("\\ISO 2022 IR 87", "김")]
    [InlineData("ISO 2022 IR 100\\ISO 2022 IR 126", "Ж")]
    [InlineData("GBK", "\U0001F600")]
    public void Text_that_the_declared_sets_cannot_express_is_refused(string terms, string text)
    {
        var set = new DataSet();
        set.SetText(Tags.SpecificCharacterSet, terms);

        Should.Throw<ArgumentException>(() => set.SetText(Tags.PatientName, text)).Message.ShouldContain("(0010,0010)");
        set.Contains(Tags.PatientName).ShouldBeFalse();
    }

    [Fact]
    public void A_trailing_byte_that_looks_like_a_backslash_separates_nothing()
    {
        // GB18030 0x95 0x5C is one character; JIS X 0208 0x30 0x5C too.
        var set = new DataSet();
        set.SetText(Tags.SpecificCharacterSet, "GB18030");
        set.Set(Element.Raw(Tags.PatientName, Vr.PN, new byte[] { 0x95, 0x5C, (byte)'\\', (byte)'A' }));
        set.GetTexts(Tags.PatientName).ShouldBe(["昞", "A"]);

        set.SetText(Tags.SpecificCharacterSet, "\\ISO 2022 IR 87");
        set.Set(Element.Raw(Tags.PatientName, Vr.PN, new byte[] { 0x1B, (byte)'$', (byte)'B', 0x30, 0x5C, 0x1B, (byte)'(', (byte)'B' }));
        set.GetTexts(Tags.PatientName).Count.ShouldBe(1);
    }

    private static bool HasFalseDelimiter(DataSet set, Tag tag) =>
        "\\^=".Any(d => set.Find(tag)!.Value.Span.Count((byte)d) != set.GetText(tag)!.Count(c => c == d));

    private static DataSet SetIn((string Terms, int CodePage, byte[][] Ranges) from)
    {
        var random = new Random(Seed);
        string Word() => string.Concat(Enumerable.Range(0, random.Next(1, 6)).Select(_ => One(from, random)));
        var set = new DataSet();
        set.SetText(Tags.SpecificCharacterSet, from.Terms);
        set.SetText(Tags.PatientName, $"Aa^{Word()}={Word()}^{Word()}={Word()} {Word()}^b");
        set.SetText(Tags.OtherPatientNames, $"{Word()}^x\\{Word()}^y");
        set.SetText(Tags.PatientAddress, $"{Word()}-1\\{Word()} {Word()}");
        set.SetText(Tags.AdditionalPatientHistory, $"{Word()} a\r\n{Word()}");
        set.SetText(Tags.PatientComments, $"x {Word()}\t{Word()}");
        set.SetText(Tags.TextValue, $"{Word()}{Word()} c");
        return set;
    }

    /// <summary>A character that the first or second term has, away from unassigned ones and those that conversion tables disagree on.</summary>
    private static string One((string Terms, int CodePage, byte[][] Ranges) from, Random random)
    {
        Encoding page = Encoding.GetEncoding(from.CodePage);
        if (from.Ranges.Length > 0)
        {
            byte[] range = from.Ranges[random.Next(from.Ranges.Length)];
            return page.GetString([(byte)random.Next(range[0], range[1] + 1)]);
        }

        return from.Terms switch
        {
            "ISO_IR 192" => char.ConvertFromUtf32(new[] { 0xE9, 0x416, 0x3042, 0x6F22, 0xAC00, 0x1F600 }[random.Next(6)] + random.Next(8)),
            "GB18030" when random.Next(3) == 0 => page.GetString([0x81, (byte)random.Next(0x30, 0x35), (byte)random.Next(0x81, 0xA0), (byte)random.Next(0x30, 0x3A)]) is [>= ' '] good && !char.IsControl(good[0]) && char.IsLetter(good[0]) ? good : "漢",
            "GB18030" or "GBK" when random.Next(2) == 0 => page.GetString([(byte)random.Next(0x81, 0xA0), (byte)(random.Next(3) == 0 ? 0x5C : random.Next(0x40, 0x7F))]),
            var terms when terms.EndsWith("159", StringComparison.Ordinal) && random.Next(2) == 0 => page.GetString([(byte)random.Next(0xB0, 0xED), (byte)random.Next(0x21, 0x7F)]),
            var terms when terms.Contains("87", StringComparison.Ordinal) => page.GetString([(byte)random.Next(0xB0, 0xCF), (byte)random.Next(0xA1, 0xFF)]),
            "\\ISO 2022 IR 149" => page.GetString([(byte)random.Next(0xB0, 0xC9), (byte)random.Next(0xA1, 0xFF)]),
            _ => page.GetString([(byte)random.Next(0xB0, 0xD7), (byte)random.Next(0xA1, 0xFF)]),
        };
    }
}
