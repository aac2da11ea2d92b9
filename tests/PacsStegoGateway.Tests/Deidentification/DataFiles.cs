using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Deidentification;

/// <summary>The files of the data folder, read.</summary>
internal static class DataFiles
{
    /// <summary>Every file below the folder that can be read as a data set; the others are the reader's own tests.</summary>
    internal static IEnumerable<(string Path, DicomFile File)> ReadAll(string folder)
    {
        foreach (string path in Directory.EnumerateFiles(SharedData.Require(folder), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            DicomFile file;
            try
            {
                file = DicomFile.Read(File.ReadAllBytes(path));
            }
            catch (DicomContentException)
            {
                continue;
            }

            yield return (path, file);
        }
    }
}
