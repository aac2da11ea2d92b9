using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Storage;

/// <summary>
/// Files of objects on their way, under names of our own. A row decides whether a file counts: a file without a row was
/// never acknowledged and is removed at the next start, so no renaming is needed.
/// </summary>
/// <remarks>
/// One process owns the folder (a lock file says so). Every file is opened in <see cref="Create"/> or
/// <see cref="Open(string, string)"/>: the one place where encryption at rest belongs. The command line reads and removes
/// files of quarantined rows, which the owner does not touch.
/// </remarks>
public sealed class Spool : IDisposable
{
    private const int Fans = 256;

    private readonly string _folder;
    private readonly long _minFreeBytes;
    private readonly long _quotaBytes;
    private readonly FileStream _lock;
    private readonly ConcurrentDictionary<string, byte> _open = new();
    private readonly SafeFileHandle?[] _folders = new SafeFileHandle?[Fans];
    private readonly DriveInfo _drive;
    private long _used;

    /// <exception cref="IOException">The folder cannot be made, or another process owns it.</exception>
    public Spool(SpoolOptions options, string folder)
    {
        _folder = folder;
        _minFreeBytes = options.MinFreeMegabytes << 20;
        _quotaBytes = options.QuotaMegabytes << 20;
        Directory.CreateDirectory(folder);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        _lock = new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        for (int i = 0; i < Fans; i++)
        {
            string fan = Path.Combine(folder, i.ToString("x2", System.Globalization.CultureInfo.InvariantCulture));
            Directory.CreateDirectory(fan);
            _folders[i] = OpenFolder(fan);
        }

        Flush(OpenFolder(folder), dispose: true);
        _drive = new DriveInfo(Path.GetFullPath(folder));
        _used = Files().Sum(static f => f.Length);
    }

    /// <summary>Bytes that all files together hold.</summary>
    public long UsedBytes => Interlocked.Read(ref _used);

    /// <summary>True when so many further bytes leave the watermark and the quota untouched.</summary>
    public bool HasRoomFor(long bytes) =>
        (_quotaBytes == 0 || UsedBytes + bytes <= _quotaBytes)
        && (_minFreeBytes == 0 || _drive.AvailableFreeSpace - bytes >= _minFreeBytes);

    /// <summary>A new, empty file under a name of our own. It counts as in use until <see cref="SpoolFile.Dispose"/>.</summary>
    public SpoolFile Create()
    {
        string name = Guid.NewGuid().ToString("N");
        _open[name] = 0;
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            var stream = new FileStream(PathOf(name), options);
            return new SpoolFile(this, name, stream);
        }
        catch
        {
            _open.TryRemove(name, out _);
            throw;
        }
    }

    /// <summary>The bytes of a file, read where they are asked for; the file may be deleted meanwhile.</summary>
    /// <exception cref="FileNotFoundException">No such file.</exception>
    public ByteSource Open(string name) => Open(_folder, name);

    /// <summary>Reads a file without owning the folder.</summary>
    /// <exception cref="FileNotFoundException">No such file.</exception>
    public static ByteSource Open(string folder, string name) => FileSource.Open(PathOf(folder, name));

    /// <summary>Removes the file if it is there.</summary>
    public void Delete(string name)
    {
        var file = new FileInfo(PathOf(name));
        if (file.Exists)
        {
            long length = file.Length;
            file.Delete();
            Interlocked.Add(ref _used, -length);
        }
    }

    /// <summary>Removes a file, if it is there, without owning the folder; the owner's count is put right by <see cref="Recount"/>.</summary>
    public static void Delete(string folder, string name)
    {
        string path = PathOf(folder, name);
        if (File.Exists(path))
        {
            File.Delete(path);
        }
    }

    /// <summary>Counts again what others may have removed. While files come and go nothing is changed: ask another time.</summary>
    public void Recount()
    {
        long before = UsedBytes;
        long found = 0;
        foreach (FileInfo file in Files())
        {
            file.Refresh();
            found += file.Exists ? file.Length : 0;
        }

        Interlocked.CompareExchange(ref _used, found, before);
    }

    /// <summary>Names of all files that nobody is writing now.</summary>
    public IReadOnlyList<string> IdleFiles() => Files().Select(static f => f.Name).Where(n => !_open.ContainsKey(n)).ToList();

    public void Dispose()
    {
        foreach (SafeFileHandle? folder in _folders)
        {
            folder?.Dispose();
        }

        _lock.Dispose();
    }

    /// <summary>Removes a file whose bytes were counted by <see cref="SpoolFile.Write"/>, however many reached the disk.</summary>
    internal void Drop(string name, long counted)
    {
        File.Delete(PathOf(name));
        Interlocked.Add(ref _used, -counted);
    }

    internal void Add(long bytes) => Interlocked.Add(ref _used, bytes);

    internal void Close(string name) => _open.TryRemove(name, out _);

    /// <summary>Makes the name of a new file survive a power failure, as flushing the file does for its bytes.</summary>
    internal void FlushFolderOf(string name) => Flush(_folders[FanOf(name)], dispose: false);

    private static int FanOf(string name) => Convert.ToInt32(name[..2], 16);

    private string PathOf(string name) => PathOf(_folder, name);

    private static string PathOf(string folder, string name) => Guid.TryParseExact(name, "N", out _)
        ? Path.Combine(folder, name[..2], name)
        : throw new ArgumentException("Not a name of a spool file.", nameof(name));

    private IEnumerable<FileInfo> Files() =>
        new DirectoryInfo(_folder).EnumerateDirectories().SelectMany(static d => d.EnumerateFiles());

    private static void Flush(SafeFileHandle? folder, bool dispose)
    {
        if (folder is not null)
        {
            RandomAccess.FlushToDisk(folder);
            if (dispose)
            {
                folder.Dispose();
            }
        }
    }

    // .NET opens no directories; on Windows NTFS journals names by itself and there is nothing to flush.
    private static SafeFileHandle? OpenFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return null;
        }

        int descriptor = open(path, 0);
        return descriptor < 0
            ? throw new IOException($"The folder cannot be opened: error {Marshal.GetLastPInvokeError()}.")
            : new SafeFileHandle(descriptor, ownsHandle: true);
    }

#pragma warning disable IDE1006, SYSLIB1054, CA2101 // The C library's own name; two arguments need no generated marshalling.
    [DllImport("libc", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);
#pragma warning restore IDE1006, SYSLIB1054, CA2101
}
