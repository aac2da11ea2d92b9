using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

/// <summary>Every DICOM file at hand goes through the reader and the writer.</summary>
public class RealFileTests
{
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
            try
            {
                DicomFile file = DicomFile.Read(bytes);
                if (file.ToArray().AsSpan().SequenceEqual(bytes))
                {
                    same++;
                }
                else
                {
                    failures.Add($"{path}: other bytes");
                }
            }
            catch (DicomContentException failure)
            {
                failures.Add($"{path}: {failure.Message}");
            }
        }

        failures.ShouldBeEmpty();
    }

    private static IEnumerable<string> Files(string collection) =>
        Directory.EnumerateFiles(SharedData.Require($"data/{collection}"), "*", SearchOption.AllDirectories)
            .Where(static p => Path.GetExtension(p) != ".csv")
            .Order(StringComparer.Ordinal);
}
