using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

/// <summary>Every DICOM file at hand goes through the reader and the writer.</summary>
public class RealFileTests
{
    /// <summary>Damaged files of the collections, and what the reader says of each.</summary>
    private static readonly Dictionary<string, string> Damaged = new()
    {
        ["3gb-bulk-data-truncated"] = "The length 3221225472 is more than the 98080 bytes that are left.",
        ["FreezePattern.dcm"] = "This tag does not belong between elements.",
        ["GH1339.dcm"] = "0 bytes are left, too few for an item or its delimiter.",
        ["GH179B.dcm"] = "The tag stands twice.",
        ["GH364.dcm"] = "This tag does not belong between elements.",
        ["GH626.dcm"] = "The length 337256453 is more than the 131084 bytes that are left.",
        ["emri_small_jpeg_2k_lossless_too_short.dcm"] = "0 bytes are left, too few for an item or its delimiter.",
        ["MR_truncated.dcm"] = "The length 8192 is more than the 8130 bytes that are left.",
        ["DICOMDIR-nooffset"] = "The length 248 is more than the 224 bytes that are left.",
        ["no_meta.dcm"] = "These bytes are no DICOM data set.",
        ["rtplan_truncated.dcm"] = "The length 976 is more than the 711 bytes that are left.",
    };

    /// <summary>Readable, but with elements out of order, which are put in order.</summary>
    private static readonly string[] Unordered = ["jpeg_baseline_synthetic.dcm"];

    [Theory]
    [InlineData("conformance")]
    [InlineData("train")]
    public void Reading_and_writing_an_untouched_file_gives_the_same_bytes(string collection)
    {
        var failures = new List<string>();
        int same = 0;
        foreach (string path in Files(collection))
        {
            byte[] bytes = File.ReadAllBytes(path);
            string name = Path.GetFileName(path);
            string outcome;
            try
            {
                DicomFile file = DicomFile.Read(bytes);
                outcome = file.ToArray().AsSpan().SequenceEqual(bytes) ? "same" : "other bytes";
                same++;
            }
            catch (DicomContentException failure)
            {
                outcome = failure.Message;
            }

            string expected = Unordered.Contains(name) ? "other bytes" : Damaged.GetValueOrDefault(name, "same");
            if (!outcome.EndsWith(expected, StringComparison.Ordinal))
            {
                failures.Add($"{path}: {outcome}");
            }
        }

        failures.ShouldBeEmpty();
        same.ShouldBeGreaterThan(300);
    }

    [Fact]
    public void An_unordered_file_is_refused_by_a_strict_reader()
    {
        string path = Files("conformance").First(static p => Path.GetFileName(p) == "jpeg_baseline_synthetic.dcm");
        Should.Throw<DicomContentException>(() => DicomFile.Read(File.ReadAllBytes(path), DicomReadOptions.StrictDefault))
            .Tag.ShouldBe(Tags.SliceThickness);
    }

    [Fact]
    public void The_head_of_a_file_gives_the_same_identifiers_as_the_whole()
    {
        foreach (string path in Files("train"))
        {
            byte[] bytes = File.ReadAllBytes(path);
            DicomFile file = DicomFile.Read(bytes);
            byte[] dataSet = DataSetWriter.ToArray(file.DataSet, file.TransferSyntax);

            DataSet head = DataSetReader.ReadHead(dataSet.AsMemory(0, Math.Min(dataSet.Length, 65536)), file.TransferSyntax, Tags.PixelData);

            foreach (Tag tag in new[] { Tags.SOPClassUID, Tags.SOPInstanceUID, Tags.StudyInstanceUID, Tags.SeriesInstanceUID, Tags.PatientID })
            {
                head.GetText(tag).ShouldBe(file.DataSet.GetText(tag), path);
            }
        }
    }

    [Fact]
    public void A_file_written_in_another_plain_syntax_and_back_is_the_same_again()
    {
        TransferSyntax[] others = [TransferSyntax.ExplicitVRBigEndian, TransferSyntax.DeflatedExplicitVRLittleEndian, TransferSyntax.ExplicitVRLittleEndian];
        foreach (string path in Files("train"))
        {
            DicomFile file = DicomFile.Read(File.ReadAllBytes(path));
            if (file.TransferSyntax.Encapsulated || !file.TransferSyntax.ExplicitVr)
            {
                continue;
            }

            byte[] before = DataSetWriter.ToArray(file.DataSet, file.TransferSyntax);
            foreach (TransferSyntax other in others)
            {
                DataSet again = DataSetReader.Read(DataSetWriter.ToArray(file.DataSet, other), other);
                DataSetWriter.ToArray(again, file.TransferSyntax).AsSpan().SequenceEqual(before).ShouldBeTrue($"{path} {other.Name}");
            }
        }
    }

    /// <summary>True for a file of the collections that the reader must refuse.</summary>
    internal static bool IsDamaged(string name) => Damaged.ContainsKey(name);

    internal static IEnumerable<string> Files(string collection) =>
        Directory.EnumerateFiles(SharedData.Require($"data/{collection}"), "*", SearchOption.AllDirectories)
            .Where(static p => Path.GetExtension(p) != ".csv")
            .Order(StringComparer.Ordinal);
}
