namespace PacsStegoGateway.Configuration;

/// <summary>Where the key ring lies: a backup of the data that has the keys in it is a backup of the identities.</summary>
public static class KeyPlace
{
    /// <summary>What is allowed and not wise; none when the ring lies apart.</summary>
    public static IEnumerable<string> Warnings(GatewayOptions options)
    {
        if (!options.Keys.IsFile)
        {
            yield break;
        }

        string ring = options.InDataFolder(options.Keys.RingPath);
        (string Path, string What)[] data =
        [
            (options.InDataFolder("."), "DataFolder"), (options.InDataFolder(options.Spool.Folder), "Spool:Folder"),
            .. options.Database.Kind == DatabaseKind.Sqlite
                ? [(Path.GetDirectoryName(options.InDataFolder(options.Database.Path))!, "the folder of Database:Path")]
                : Array.Empty<(string, string)>(),
        ];
        foreach ((string path, string what) in data.DistinctBy(static d => d.Path))
        {
            if (ring.StartsWith(Path.TrimEndingDirectorySeparator(path) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            {
                yield return $"Keys:RingPath: {ring} lies in {what}: whoever copies or steals that has the keys as well. Keep the ring elsewhere, such as /etc/psg/keyring.json.";
                yield break;
            }
        }
    }
}
