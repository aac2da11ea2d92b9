namespace PacsStegoGateway.Storage;

/// <summary>
/// Which folder a gateway's spool is: a random id in a file <c>NAME.id</c> of the spool folder. Who sees the id of a dead gateway
/// sees its files, and may take over its rows; who owns the folder of its own id is that gateway, started again.
/// </summary>
public static class SpoolIdentity
{
    /// <summary>The id of a gateway's spool, made when there is none. To be called by who owns (locks) the spool.</summary>
    public static string Make(string folder, string node)
    {
        if (Read(folder, node) is { } known)
        {
            return known;
        }

        string id = Guid.NewGuid().ToString("N");
        string path = PathOf(folder, node);
        using (var file = new FileStream(path + ".part", FileMode.Create, FileAccess.Write))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(id));
            file.Flush(flushToDisk: true);
        }

        File.Move(path + ".part", path, overwrite: true);
        return id;
    }

    /// <summary>The id of a gateway's spool, or null when this is not the folder that it worked in.</summary>
    public static string? Read(string folder, string node)
    {
        string path = PathOf(folder, node);
        return File.Exists(path) && Guid.TryParseExact(File.ReadAllText(path).Trim(), "N", out Guid id) ? id.ToString("N") : null;
    }

    private static string PathOf(string folder, string node) => Path.Combine(folder, node + ".id");
}
