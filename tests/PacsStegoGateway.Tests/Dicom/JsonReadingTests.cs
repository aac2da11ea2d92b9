using System.Text;
using System.Text.Json;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

/// <summary>DICOM JSON in: what stands there, what is refused and where, and back out again.</summary>
public class JsonReadingTests
{
    private static DataSet Read(string json, Func<Tag, Vr, string, Element?>? bulkData = null, DicomReadOptions? options = null) =>
        DicomJson.Read(Encoding.UTF8.GetBytes(json), bulkData, options);

    internal static string Write(DataSet set)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            DicomJson.Write(set, writer);
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    [Theory]
    [InlineData("""{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"Müller^J","Phonetic":"x"},null]}}""")]
    [InlineData("""{"00080008":{"vr":"CS","Value":["ORIGINAL",null,"AXIAL"]},"00080050":{"vr":"SH"}}""")]
    [InlineData("""{"00080008":{"vr":"CS","Value":[null,null]}}""")]
    [InlineData("""{"00081140":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2"]}},{}]},"00081199":{"vr":"SQ"}}""")]
    [InlineData("""{"00200013":{"vr":"IS","Value":[7,-2147483648]},"00280030":{"vr":"DS","Value":[0.50,-0,1E+5,"1e400"]}}""")]
    [InlineData("""{"0018602C":{"vr":"FD","Value":[0.1,"NaN"]},"00186060":{"vr":"FL","Value":[1.5,"NaN","Infinity","-Infinity"]}}""")]
    [InlineData("""{"00189219":{"vr":"SS","Value":[-1]},"00280009":{"vr":"AT","Value":["00181063","7FE00010"]},"00280010":{"vr":"US","Value":[65535]}}""")]
    [InlineData("""{"00720082":{"vr":"SV","Value":[-9007199254740991,"-9223372036854775808"]},"00720083":{"vr":"UV","Value":["18446744073709551615"]}}""")]
    [InlineData("""{"00090010":{"vr":"LO","Value":["ACME"]},"00091001":{"vr":"UN","InlineBinary":"AQID/w=="},"00091002":{"vr":"OB"}}""")]
    [InlineData("""{"0008010E":{"vr":"UR","Value":["http://a/b?c=d"]},"00080119":{"vr":"UC","Value":["a","b"]},"00104000":{"vr":"LT","Value":["one\\two"]}}""")]
    public void What_is_read_is_written_as_it_stood(string json)
    {
        DataSet set = Read(json);

        Write(set).ShouldBe(json);
        byte[] bytes = DataSetWriter.ToArray(set, TransferSyntax.ExplicitVRLittleEndian);
        Write(DataSetReader.Read(bytes, TransferSyntax.ExplicitVRLittleEndian, DicomReadOptions.StrictDefault)).ShouldBe(json);
    }

    [Fact]
    public void Attributes_may_come_in_any_order_and_their_VR_last()
    {
        DataSet set = Read("""{"00280010":{"Value":["512"],"vr":"US","comment":[{}]},"00080060":{"Value":["CT"],"vr":"CS"},"00080000":{"vr":"UL","Value":[4]}}""");

        set.Select(static e => e.Tag).ShouldBe([Tags.Modality, Tags.Rows]);
        set.GetInt32(Tags.Rows).ShouldBe(512);
    }

    [Fact]
    public void Text_beyond_ASCII_is_UTF_8_and_says_so()
    {
        DataSet set = Read("""{"00081140":{"vr":"SQ","Value":[{"00080104":{"vr":"LO","Value":["やまだ"]}}]}}""");

        set.GetText(Tags.SpecificCharacterSet).ShouldBe("ISO_IR 192");
        set.Find(Tags.ReferencedImageSequence)!.Items![0].GetText(Tags.CodeMeaning).ShouldBe("やまだ");
        Read("""{"00080005":{"vr":"CS","Value":["ISO_IR 100"]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"é"}]}}""").GetText(Tags.PatientName).ShouldBe("é");
        Read("""{"00100010":{"vr":"PN","Value":[{"Alphabetic":"e"}]}}""").Contains(Tags.SpecificCharacterSet).ShouldBeFalse();
    }

    [Fact]
    public void Bulk_data_comes_from_who_knows_its_URI()
    {
        DataSet set = Read("""{"7FE00010":{"vr":"OW","BulkDataURI":"instances/1/bulk"}}""",
            static (tag, vr, uri) => Element.Raw(tag, vr, Encoding.ASCII.GetBytes(uri)));

        set.Find(Tags.PixelData)!.Value.Length.ShouldBe(16);
        Should.Throw<DicomContentException>(() => Read("""{"7FE00010":{"vr":"OW","BulkDataURI":"x"}}""")).JsonPointer.ShouldBe("/7FE00010");
    }

    [Fact]
    public void A_number_of_which_bytes_are_missing_is_written_as_the_bytes_it_is()
    {
        var set = new DataSet();
        set.Set(Element.Raw(Tags.Rows, Vr.US, new byte[] { 1, 2, 3, 4 }));
        set.Set(Element.Raw(Tags.Columns, Vr.UL, new byte[] { 1, 2 }));

        Write(set).ShouldBe("""{"00280010":{"vr":"US","Value":[513,1027]},"00280011":{"vr":"UN","InlineBinary":"AQI="}}""");
    }

    [Fact]
    public void An_array_gives_a_data_set_each()
    {
        DicomJson.ReadArray("""[{"00080060":{"vr":"CS","Value":["CT"]}},{}]"""u8).Select(static s => s.Count).ShouldBe([1, 0]);
        DicomJson.ReadArray("[]"u8).ShouldBeEmpty();
        Should.Throw<DicomContentException>(() => DicomJson.ReadArray("""[{},{"0008006":{}}]"""u8)).JsonPointer.ShouldBe("/1");
    }

    [Theory]
    [InlineData("", "/")]
    [InlineData("[]", "/")]
    [InlineData("{} {}", "/")]
    [InlineData("""{"00080060":{"vr":"CS","Value":["CT"]""", "/00080060")]
    [InlineData("""{"Modality":{"vr":"CS"}}""", "/")]
    [InlineData("""{"FFFEE000":{"vr":"CS"}}""", "/")]
    [InlineData("""{"00080060":{"Value":["CT"]}}""", "/00080060")]
    [InlineData("""{"00080060":{"vr":"XX"}}""", "/00080060")]
    [InlineData("""{"00080060":{"vr":"CS","Value":"CT"}}""", "/00080060")]
    [InlineData("""{"00080060":{"vr":"CS","Value":[7]}}""", "/00080060")]
    [InlineData("""{"00080060":{"vr":"CS","Value":["A\\B"]}}""", "/00080060")]
    [InlineData("""{"00080060":{"vr":"CS","Value":["Ω"]}}""", "/00080060")]
    [InlineData("""{"00080060":{"vr":"CS"},"00080060":{"vr":"CS"}}""", "/")]
    [InlineData("""{"00080060":{"vr":"CS","Value":["A"],"InlineBinary":""}}""", "/00080060")]
    [InlineData("""{"00100010":{"vr":"PN","Value":[{"Other":"A"}]}}""", "/00100010")]
    [InlineData("""{"00100010":{"vr":"PN","Value":[{"Alphabetic":"A=B"}]}}""", "/00100010")]
    [InlineData("""{"00100010":{"vr":"PN","Value":[{"Alphabetic":"\uD800"}]}}""", "/00100010")]
    [InlineData("""{"00104000":{"vr":"LT","Value":["a","b"]}}""", "/00104000")]
    [InlineData("""{"00280010":{"vr":"US","Value":[65536]}}""", "/00280010")]
    [InlineData("""{"00280010":{"vr":"US","Value":[-1]}}""", "/00280010")]
    [InlineData("""{"00280010":{"vr":"US","Value":[1.5]}}""", "/00280010")]
    [InlineData("""{"00280010":{"vr":"US","Value":[null]}}""", "/00280010")]
    [InlineData("""{"00200013":{"vr":"IS","Value":[2147483648]}}""", "/00200013")]
    [InlineData("""{"00280009":{"vr":"AT","Value":["0018106"]}}""", "/00280009")]
    [InlineData("""{"7FE00010":{"vr":"OW","Value":[1]}}""", "/7FE00010")]
    [InlineData("""{"7FE00010":{"vr":"OW","InlineBinary":"*"}}""", "/7FE00010")]
    [InlineData("""{"7FE00010":{"vr":"OW","InlineBinary":"\\uD800"}}""", "/7FE00010")]
    [InlineData("""{"00081140":{"vr":"SQ","Value":[{},{"00081155":{"vr":"UI","Value":[{}]}}]}}""", "/00081140/Value/1/00081155")]
    public void What_is_no_DICOM_JSON_is_refused_with_its_place(string json, string pointer)
    {
        DicomContentException failure = Should.Throw<DicomContentException>(() => Read(json));

        failure.JsonPointer.ShouldBe(pointer);
        failure.Offset.ShouldNotBeNull();
        failure.Message.ShouldStartWith(pointer);
    }

    [Fact]
    public void Every_limit_is_kept()
    {
        static string Nested(int depth) => string.Concat(Enumerable.Repeat("""{"00081140":{"vr":"SQ","Value":[""", depth)) + string.Concat(Enumerable.Repeat("]}}", depth));

        Read(Nested(64)).Count.ShouldBe(1);
        Should.Throw<DicomContentException>(() => Read(Nested(65))).Message.ShouldEndWith("Sequences are nested deeper than 64.");
        Should.Throw<DicomContentException>(() => Read(Nested(100_000)));
        Should.Throw<DicomContentException>(() => Read("""{"00080060":{"vr":"CS","Value":[""" + new string('[', 100_000))).Message.ShouldContain("/00080060");
        string two = """{"00081140":{"vr":"SQ","Value":[{},{}]}}""";
        Should.Throw<DicomContentException>(() => Read(two, options: new() { MaxItems = 1 })).Message.ShouldEndWith("More than 1 items.");
        Should.Throw<DicomContentException>(() => Read("""{"00080060":{"vr":"CS"},"00080061":{"vr":"CS"}}""", options: new() { MaxElements = 1 }))
            .Message.ShouldEndWith("More than 1 attributes.");
        Should.Throw<DicomContentException>(() => Read("""{"00080060":{"vr":"CS","Value":["ABCD"]}}""", options: new() { MaxValueLength = 2 }))
            .Message.ShouldEndWith("4 bytes are more than the allowed 2.");
        Should.Throw<DicomContentException>(() => Read("""{"00280010":{"vr":"US","Value":[""" + new string('1', 2000) + """]}}""")).Message.ShouldEndWith("more than 1024 digits.");
    }

    [Fact]
    public void Every_conformance_file_comes_back_from_JSON_as_the_same_JSON_and_the_same_values()
    {
        int files = 0;
        foreach (string path in RealFileTests.Files("conformance").Where(static p => !RealFileTests.IsDamaged(Path.GetFileName(p))))
        {
            DataSet set = DicomFile.Read(File.ReadAllBytes(path)).DataSet;
            string json = Write(set);
            if (HasOddBinary(set))
            {
                // Against the standard, and made even when read from JSON.
                json = Write(Read(json));
            }

            DataSet again = Read(json);

            string back = Write(again);
            int first = back.Zip(json).TakeWhile(static p => p.First == p.Second).Count();
            (back == json).ShouldBeTrue($"{path} from {first}: {json[Math.Max(0, first - 40)..Math.Min(json.Length, first + 20)]}");
            Same(set, again, path);
            files++;
        }

        files.ShouldBeGreaterThan(330);
    }

    private static bool HasOddBinary(DataSet set) => set.Any(static e =>
        e.Items?.Any(HasOddBinary) ?? ((e.Value.Length & 1) != 0 && !e.Vr.IsText()));

    private static void Same(DataSet set, DataSet again, string path)
    {
        foreach (Element element in set.Where(static e => e.Fragments is null && !e.Tag.IsGroupLength && e.Tag != Tags.SpecificCharacterSet))
        {
            Element back = again.Find(element.Tag)!;
            back.ShouldNotBeNull($"{path} {element.Tag}");
            if (element.Items is { } items)
            {
                back.Items!.Count.ShouldBe(items.Count, path);
                foreach ((DataSet item, DataSet other) in items.Zip(back.Items!))
                {
                    Same(item, other, path);
                }
            }
            else if (element.Vr.IsText())
            {
                // Insignificant blanks and signs go.
                if (element.Vr is not (Vr.IS or Vr.DS))
                {
                    again.GetText(element.Tag)!.TrimEnd('=').ShouldBe(set.GetText(element.Tag)!.TrimEnd('='), $"{path} {element.Tag}");
                }
            }
            else
            {
                back.Value.Span.TrimEnd((byte)0).SequenceEqual(element.Value.Span.TrimEnd((byte)0)).ShouldBeTrue($"{path} {element.Tag}");
            }
        }
    }
}
