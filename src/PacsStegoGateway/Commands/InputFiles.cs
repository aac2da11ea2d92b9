namespace PacsStegoGateway.Commands;

/// <summary>The files that the arguments of a verb mean: files as they are, folders with everything below them.</summary>
internal static class InputFiles
{
    /// <summary>Links to folders are not followed: they lead out, or round in circles. What may not be read is left out.</summary>
    private static readonly EnumerationOptions Below = new() { RecurseSubdirectories = false, IgnoreInaccessible = true, AttributesToSkip = 0 };

    /// <summary>Lists them in a stable order.</summary>
    /// <returns>Each file with the path under which its result belongs in an output folder.</returns>
    /// <exception cref="CommandException">An argument names nothing.</exception>
    public static IReadOnlyList<(string Path, string RelativePath)> Find(IEnumerable<string> arguments)
    {
        var found = new List<(string, string)>();
        foreach (string argument in arguments)
        {
            if (File.Exists(argument))
            {
                found.Add((argument, Path.GetFileName(argument)));
            }
            else if (Directory.Exists(argument))
            {
                found.AddRange(FilesBelow(argument)
                    .Where(static f => !Path.GetFileName(f).StartsWith('.'))
                    .Order(StringComparer.Ordinal)
                    .Select(f => (f, Path.GetRelativePath(argument, f))));
            }
            else
            {
                throw new CommandException($"{argument}: no such file or folder.");
            }
        }

        return found;
    }

    private static IEnumerable<string> FilesBelow(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*", Below))
        {
            yield return file;
        }

        foreach (string inner in Directory.EnumerateDirectories(folder, "*", Below))
        {
            if (new DirectoryInfo(inner).LinkTarget is null)
            {
                foreach (string file in FilesBelow(inner))
                {
                    yield return file;
                }
            }
        }
    }
}

/// <summary>The verb was used wrongly, or what it needs is not there: one line for the user, exit code 2.</summary>
public sealed class CommandException : Exception
{
    public CommandException(string message) : base(message)
    {
    }

    public CommandException(string message, Exception innerException) : base(message, innerException)
    {
    }
}
