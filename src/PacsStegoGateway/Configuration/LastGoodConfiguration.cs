using System.Text;

namespace PacsStegoGateway.Configuration;

/// <summary>
/// The configuration that is in effect, as a file beside the data: what to go back to when a new one turns out wrong, and what
/// <c>psg check-config --against-running</c> compares with. Without secrets; its owner alone may read it.
/// </summary>
public static class LastGoodConfiguration
{
    public const string FileName = "config-last-good.json";

    public static string PathOf(GatewayOptions options) => options.InDataFolder(FileName);

    /// <summary>Replaces it in one step.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Write(GatewayOptions options)
    {
        string path = PathOf(options);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string fresh = $"{path}.{Guid.NewGuid():N}.new";
        var creation = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            creation.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            using (var file = new FileStream(fresh, creation))
            {
                file.Write(Encoding.UTF8.GetBytes(GatewayConfiguration.PrintWithoutSecrets(options)));
            }

            File.Move(fresh, path, overwrite: true);
        }
        catch
        {
            File.Delete(fresh);
            throw;
        }
    }
}
