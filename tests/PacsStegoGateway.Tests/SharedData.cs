namespace PacsStegoGateway.Tests;

/// <summary>The data folder <c>shared</c> beside the repository: used when it is there, a counted skip when it is not.</summary>
public static class SharedData
{
    /// <summary>The repository's root: the nearest folder upward that holds the solution.</summary>
    public static string RepositoryRoot { get; } = Upward(static d => File.Exists(Path.Combine(d, "PacsStegoGateway.sln")))
        ?? throw new InvalidOperationException("The tests run from inside the repository.");

    /// <summary>The path below <c>shared</c>, or a skip that says what is missing.</summary>
    public static string Require(string relative)
    {
        string? root = Upward(d => Directory.Exists(Path.Combine(d, "shared", "data")));
        string path = Path.Combine(root ?? RepositoryRoot, "shared", relative);
        if (root is null || !(File.Exists(path) || Directory.Exists(path)))
        {
            Assert.Skip($"shared/{relative} is not beside the repository.");
        }

        return path;
    }

    private static string? Upward(Func<string, bool> holds)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (holds(folder.FullName))
            {
                return folder.FullName;
            }
        }

        return null;
    }
}
