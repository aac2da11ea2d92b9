namespace PacsStegoGateway.Tests.Repository;

/// <summary>The files of the repository as a reader finds them: no build results, nothing fetched.</summary>
internal static class RepositoryFiles
{
    private static readonly string[] NotOurs = [".git", "bin", "obj", "artifacts", "native", "data", "TestResults", "node_modules", ".vs", ".idea", "__pycache__"];

    /// <summary>Paths relative to the root, with slashes, of files that end so.</summary>
    public static IReadOnlyList<string> EndingWith(params string[] endings) => Walk(SharedData.RepositoryRoot)
        .Select(static f => Path.GetRelativePath(SharedData.RepositoryRoot, f).Replace('\\', '/'))
        .Where(f => endings.Any(e => f.EndsWith(e, StringComparison.Ordinal)))
        .Order(StringComparer.Ordinal)
        .ToList();

    public static string Text(string relative) => File.ReadAllText(At(relative));

    public static string At(string relative) => Path.Combine(SharedData.RepositoryRoot, relative);

    /// <summary>True for generated sources, which their generator answers for.</summary>
    public static bool IsGenerated(string relative) =>
        relative.Contains("/Generated/", StringComparison.Ordinal) || relative.EndsWith(".g.cs", StringComparison.Ordinal);

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder))
        {
            yield return file;
        }

        foreach (string below in Directory.EnumerateDirectories(folder).Where(static d => !NotOurs.Contains(Path.GetFileName(d))))
        {
            foreach (string file in Walk(below))
            {
                yield return file;
            }
        }
    }
}
