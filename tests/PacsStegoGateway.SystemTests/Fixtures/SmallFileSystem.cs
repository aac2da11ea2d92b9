using System.ComponentModel;
using System.Globalization;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>A file system of a few megabytes that can be filled to the byte and emptied again.</summary>
public sealed class SmallFileSystem : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new("disk");

    private SmallFileSystem() => Path = _folder.Folder("mount");

    public string Path { get; }

    private string Ballast => System.IO.Path.Combine(Path, "ballast");

    /// <summary>Mounts one, or skips the test where that is not allowed.</summary>
    public static async Task<SmallFileSystem> Mount(int megabytes)
    {
        var disk = new SmallFileSystem();
        string size = string.Create(CultureInfo.InvariantCulture, $"size={megabytes}m");
        try
        {
            if ((await ChildProcess.Run("mount", ["-t", "tmpfs", "-o", size, "tmpfs", disk.Path])).ExitCode == 0)
            {
                return disk;
            }
        }
        catch (Win32Exception)
        {
            // No such program here.
        }

        disk._folder.Dispose();
        Assert.Skip("A small file system can be mounted by root only.");
        return disk;
    }

    /// <summary>Fills it until so many bytes are left.</summary>
    public void LeaveFree(long bytes)
    {
        Release();
        long length = new DriveInfo(Path).AvailableFreeSpace - bytes;
        using FileStream ballast = File.Create(Ballast);
        byte[] block = new byte[4096];
        try
        {
            for (long written = 0; written < length; written += block.Length)
            {
                ballast.Write(block);
            }
        }
        catch (IOException)
        {
            // The gateway wrote at the same time: full is what was wanted.
        }
    }

    /// <summary>There is room again.</summary>
    public void Release() => File.Delete(Ballast);

    public async ValueTask DisposeAsync()
    {
        // Lazily: a process that is just being started holds every open file until it has become another program.
        await ChildProcess.Run("umount", ["--lazy", Path]);
        _folder.Dispose();
    }
}
