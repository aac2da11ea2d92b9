using System.Globalization;
using System.Text;
using System.Text.Json;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

/// <summary>pydicom's DICOM JSON must have the elements, VRs, values and nesting that ours has.</summary>
/// <remarks>The differences that remain are explained in docs/differences.md; one that comes or goes fails.</remarks>
public class PydicomJsonTests
{
    /// <summary>
    /// Writes one line per file: an object of JSON, or of the error. Each element by itself, so that one that pydicom
    /// cannot turn into JSON does not hide the others. Private elements have no VR beyond what the file says.
    /// </summary>
    private const string Script = """
        import sys, json, zlib, warnings
        import pydicom, pydicom.config, pydicom.dataelem
        warnings.simplefilter("ignore")
        pydicom.config.replace_un_with_known_vr = False
        def unknown(tag, creator):
            raise KeyError(tag)
        pydicom.dataelem.private_dictionary_VR = unknown
        def bulk(element):
            v = element.value
            return "%d %08X" % (len(v), zlib.crc32(v))
        def model(ds):
            result = {}
            for tag in ds.keys():
                key = "%08X" % int(tag)
                try:
                    e = ds[tag]
                    if e.VR == "SQ":
                        result[key] = {"vr": "SQ", "Value": [model(i) for i in e.value]}
                    else:
                        result[key] = e.to_json_dict(bulk, 0)
                except Exception as failure:
                    result[key] = {"error": repr(failure)}
            return result
        for line in sys.stdin:
            try:
                print(json.dumps(model(pydicom.dcmread(line.rstrip("\n"), force=True))))
            except Exception as failure:
                print(json.dumps({"error": repr(failure)}))
        """;

    /// <summary>Reads a data set of JSON from each line and writes it again.</summary>
    private const string EchoScript = """
        import sys, json, warnings
        import pydicom
        warnings.simplefilter("ignore")
        for line in sys.stdin:
            try:
                print(json.dumps(pydicom.Dataset.from_json(line).to_json_dict()))
            except Exception as failure:
                print(json.dumps({"error": repr(failure)}))
        """;

    /// <summary>Files that pydicom 2.3.1 refuses or misreads as a whole, and why.</summary>
    private static readonly Dictionary<string, string> ReadWrongByPydicom = new()
    {
        ["CTImage.dcm_JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90.dcm"] = "(0008,0005) is UN.",
        ["CTImage.dcm_JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91.dcm"] = "(0008,0005) is UN.",
        ["CTImage.dcm_JPEGLSLossyTransferSyntax_1.2.840.10008.1.2.4.81.dcm"] = "(0008,0005) is UN.",
        ["GH177_D_CLUNIE_CT1_IVRLE_BigEndian_undefined_length.dcm"] = "A UN sequence of undefined length inside Big Endian.",
        ["GH179A.dcm"] = "A VR of two blanks.",
        ["explicit_VR-UN.dcm"] = "(0008,0005) is UN.",
    };

    private static readonly (string Name, int Count, Func<Pair, bool> Explains)[] Deliberate =
    [
        ("group lengths are left out (F.2.2)", 300, static p => p.Key.EndsWith("0000", StringComparison.Ordinal) && p.Ours.Length == 0),
        ("the character set of JSON is UTF-8", 219, static p => p.Key.EndsWith("00080005", StringComparison.Ordinal)),
        ("words of Big Endian are turned (F.2.7)", 16, static p => p.File.TransferSyntax.BigEndian && Letters(p) == "OW" && p.Theirs.StartsWith("OW", StringComparison.Ordinal)),
        ("a DS or IS that is no number is a string", 4, static p => p.Theirs.Contains("Error(", StringComparison.Ordinal) && Letters(p) is "DS" or "IS"),
        ("an IS beyond 32 bits is a string", 1, static p => p.Ours == "IS '01160501010100'"),
        ("what the dictionary calls a sequence and begins with no item is UN", 31, static p => Letters(p) == "UN" && p.Theirs.StartsWith("SQ", StringComparison.Ordinal)),
        ("curve data of Implicit VR is OW", 1, static p => p.Key == "50003000"),
        ("pixel data of Implicit VR is OW, whatever the syntax is called", 1, static p => p.Key == "7FE00010" && p.Ours.Replace("OW", "OB", StringComparison.Ordinal) == p.Theirs),
        ("an escape sequence of one character set alone is followed", 1, static p => p.Theirs.Contains("$)A", StringComparison.Ordinal)),
    ];

    [Fact]
    public async Task Pydicom_writes_the_same_JSON_for_every_conformance_file()
    {
        string[] files = [.. RealFileTests.Files("conformance")];
        (int exitCode, string output, string errors) = await OtherTool.RunAsync(OtherTool.Python, ["-c", Script], string.Join('\n', files) + "\n");
        Assert.SkipWhen(errors.Contains("No module named 'pydicom'", StringComparison.Ordinal), "pydicom is not installed.");
        exitCode.ShouldBe(0, errors);
        string[] theirs = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        theirs.Length.ShouldBe(files.Length);

        var unexplained = new List<string>();
        var explained = Deliberate.ToDictionary(static d => d.Name, static _ => 0);
        int same = 0;
        foreach ((string path, string line) in files.Zip(theirs))
        {
            string name = Path.GetFileName(path);
            Dictionary<string, string> their = Lines(JsonDocument.Parse(line).RootElement);
            if (RealFileTests.IsDamaged(name))
            {
                continue;
            }

            DicomFile file = DicomFile.Read(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
            Dictionary<string, string> our = Lines(Ours(file));
            if (their.ContainsKey("error") || ReadWrongByPydicom.ContainsKey(name))
            {
                unexplained.AddRange(ReadWrongByPydicom.ContainsKey(name) && !our.OrderBy(static l => l.Key).SequenceEqual(their.OrderBy(static l => l.Key))
                    ? [] : [$"{path}: {their.GetValueOrDefault("error")}"]);
                continue;
            }

            foreach (string key in our.Keys.Union(their.Keys))
            {
                var pair = new Pair(file, key, our.GetValueOrDefault(key, ""), their.GetValueOrDefault(key, ""));
                if (pair.Ours == pair.Theirs)
                {
                    same++;
                }
                else if (Array.Find(Deliberate, d => d.Explains(pair)) is { Name: not null } rule)
                {
                    explained[rule.Name]++;
                }
                else
                {
                    unexplained.Add($"{path}: {key} {pair.Ours[..Math.Min(2, pair.Ours.Length)]}");
                }
            }
        }

        unexplained.ShouldBeEmpty();
        explained.ShouldBe(Deliberate.ToDictionary(static d => d.Name, static d => d.Count));
        same.ShouldBeGreaterThan(40_000);
    }

    [Fact]
    public async Task Pydicom_reads_the_JSON_we_write_and_writes_the_same()
    {
        string[] files = [.. RealFileTests.Files("conformance").Where(static p => !RealFileTests.IsDamaged(Path.GetFileName(p)))];
        string[] ours = [.. files.Select(static p => JsonReadingTests.Write(WithoutLongValues(DicomFile.Read(File.ReadAllBytes(p)).DataSet)))];
        (int exitCode, string output, string errors) = await OtherTool.RunAsync(OtherTool.Python, ["-c", EchoScript], string.Join('\n', ours) + "\n");
        Assert.SkipWhen(errors.Contains("No module named 'pydicom'", StringComparison.Ordinal), "pydicom is not installed.");
        exitCode.ShouldBe(0, errors);

        var different = new List<string>();
        int same = 0, signs = 0, refused = 0;
        foreach ((string path, string our, string their) in files.Zip(ours, output.Split('\n')))
        {
            if (their.StartsWith("{\"error\"", StringComparison.Ordinal))
            {
                refused++;
                continue;
            }

            Dictionary<string, string> expected = Lines(JsonDocument.Parse(our).RootElement);
            Dictionary<string, string> actual = Lines(JsonDocument.Parse(their).RootElement);
            foreach (string key in expected.Keys.Union(actual.Keys))
            {
                string sent = expected.GetValueOrDefault(key, ""), back = actual.GetValueOrDefault(key, "");
                if (sent == back || sent.Replace("'", "", StringComparison.Ordinal) == back.Replace("IS ", "IS 0", StringComparison.Ordinal))
                {
                    same++;
                }
                else if (sent.Replace(" -0", " 0", StringComparison.Ordinal) == back.Replace(" -0", " 0", StringComparison.Ordinal))
                {
                    signs++;
                }
                else
                {
                    different.Add($"{path} {key}");
                }
            }
        }

        // pydicom refuses what its VR does not allow (DS that is no number, UN where the dictionary has a sequence), and
        // loses the sign of zero.
        different.ShouldBeEmpty();
        (refused, signs).ShouldBe((13, 6));
        same.ShouldBeGreaterThan(40_000);
    }

    private static DataSet WithoutLongValues(DataSet set)
    {
        DataSet copy = set.Clone();
        foreach (Element element in set)
        {
            if (element.Fragments is not null || element.Value.Length > DumpLine.LongestValue)
            {
                copy.Remove(element.Tag);
            }
        }

        return copy;
    }

    private static JsonElement Ours(DicomFile file)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            DicomJson.Write(file.DataSet, writer, static e => IsBinary(e) ? Checksum(e) : null);
        }

        return JsonDocument.Parse(stream.ToArray()).RootElement;
    }

    private static string Letters(Pair pair) => pair.Ours.Length < 2 ? "" : pair.Ours[..2];

    private static bool IsBinary(Element element) => element.Fragments is not null
        || (element.Items is null && !element.IsEmpty && (element.Vr is Vr.OB or Vr.OD or Vr.OF or Vr.OL or Vr.OV or Vr.OW or Vr.UN || !element.Vr.IsKnown()));

    private static string Checksum(Element element)
    {
        byte[] bytes = element.Fragments is not { } fragments
            ? element.Value.ToArray()
            : [.. fragments.SelectMany(static f => (byte[])[0xFE, 0xFF, 0x00, 0xE0, .. BitConverter.GetBytes(f.Length), .. f.Span])];
        return string.Create(CultureInfo.InvariantCulture, $"{bytes.Length} {OtherReadersTests.Crc32(bytes):X8}");
    }

    /// <summary>One entry per element: its path, and its VR and values.</summary>
    private static Dictionary<string, string> Lines(JsonElement model)
    {
        var lines = new Dictionary<string, string>();
        Add(lines, "", model);
        return lines;
    }

    private static void Add(Dictionary<string, string> lines, string path, JsonElement model)
    {
        foreach (JsonProperty attribute in model.EnumerateObject())
        {
            string at = path + attribute.Name;
            if (attribute.Value.ValueKind != JsonValueKind.Object || attribute.Value.TryGetProperty("error", out _))
            {
                lines[at] = attribute.Value.ToString();
                continue;
            }

            string vr = attribute.Value.GetProperty("vr").GetString()!;
            var line = new StringBuilder(vr);
            int index = 0;
            foreach (JsonElement value in attribute.Value.TryGetProperty("Value", out JsonElement values) ? values.EnumerateArray() : default)
            {
                if (vr == "SQ")
                {
                    Add(lines, $"{at}[{index++}]", value);
                }
                else
                {
                    line.Append(' ').Append(Plain(value, vr == "FL"));
                }
            }

            foreach (string binary in (string[])["BulkDataURI", "InlineBinary"])
            {
                line.Append(attribute.Value.TryGetProperty(binary, out JsonElement bytes) ? $" {bytes.GetString()}" : "");
            }

            lines[at] = line.ToString();
        }
    }

    private static string Plain(JsonElement value, bool isSingle) => value.ValueKind switch
    {
        JsonValueKind.Null => "''",
        JsonValueKind.Number => (isSingle ? (float)value.GetDouble() : value.GetDouble()).ToString("R", CultureInfo.InvariantCulture),
        JsonValueKind.String => value.GetString() is { Length: > 0 } t ? $"'{t.TrimEnd(' ')}'" : "''",
        JsonValueKind.Object => string.Join('=', ((string[])["Alphabetic", "Ideographic", "Phonetic"]).Select(n => value.TryGetProperty(n, out JsonElement p) ? p.GetString() : "")),
        _ => value.ToString(),
    };

    /// <summary>One element in both views, as <see cref="Lines"/> gives it; empty where it is absent.</summary>
    private sealed record Pair(DicomFile File, string Key, string Ours, string Theirs);
}
