namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>A folder of its own for one test or fixture, gone afterwards unless PSG_TEST_KEEP is 1.</summary>
public sealed class TemporaryFolder : IDisposable
{
    private static readonly bool IsKept = Environment.GetEnvironmentVariable("PSG_TEST_KEEP") == "1";

    public TemporaryFolder(string purpose) =>
        Path = Directory.CreateDirectory(System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"psg-{purpose}-{Guid.NewGuid():N}")).FullName;

    public string Path { get; }

    /// <summary>A path below it; the folders on the way are made.</summary>
    public string At(params string[] parts)
    {
        string path = System.IO.Path.Combine([Path, .. parts]);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        return path;
    }

    /// <summary>A folder below it, made when it is not there.</summary>
    public string Folder(string name) => Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName;

    public void Dispose()
    {
        if (!IsKept)
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
