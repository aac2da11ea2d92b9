using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Storage;

/// <summary>
/// Files of objects on their way, encrypted, under names of our own. A row decides whether a file counts: a file without a row
/// was never acknowledged and is removed at the next start, so no renaming is needed.
/// </summary>
/// <remarks>
/// Several gateways may share the folder: each writes below a folder that bears its name, and owns that (a lock file says so);
/// each reads and removes the files of all, because rows pass from a dead gateway to a living one. Every file is opened in
/// <see cref="Create"/> or <see cref="Open(string, string, KeyRing)"/>. The command line reads and removes files of quarantined
/// rows, which the owner does not touch.
/// </remarks>
public sealed class Spool : IDisposable
{
    /// <summary>The name of a gateway that was given none.</summary>
    public const string DefaultNode = "gateway";

    private const int Fans = 256;

    /// <summary>How often room is asked for while an object arrives, bytes.</summary>
    public const int RoomStep = 1 << 20;

    private readonly string _folder;
    private readonly string _node;
    private readonly KeyRing _keys;
    private readonly bool _encrypt;
    private readonly SpoolRoom _room;
    private readonly FileStream _sharedLock;
    private readonly FileStream _lock;
    private readonly ConcurrentDictionary<string, byte> _open = new();
    private readonly SafeFileHandle?[] _folders = new SafeFileHandle?[Fans];

    /// <param name="folder">May be shared with other gateways.</param>
    /// <param name="keys">Its active key seals new files.</param>
    /// <param name="node">Name of this gateway: 3 to 32 of the letters a to z, digits and hyphens, beginning with a letter.</param>
    /// <exception cref="IOException">The folder cannot be made, or another process owns it.</exception>
    public Spool(SpoolOptions options, string folder, KeyRing keys, string node = DefaultNode)
    {
        if (!SpoolName.IsNode(node))
        {
            throw new ArgumentException("Not the name of a gateway.", nameof(node));
        }

        _folder = folder;
        _node = node;
        _keys = keys;
        _encrypt = options.Encrypt;
        string own = Path.Combine(folder, node);
        MakeFolder(folder);
        // Earlier versions hold this one alone: while one of them runs nobody else comes in, and while we run, none of them.
        _sharedLock = new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.Read, FileShare.Read);
        FileStream? owned = null;
        try
        {
            MakeFolder(own);
            owned = new FileStream(Path.Combine(own, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            for (int i = 0; i < Fans; i++)
            {
                string fan = Path.Combine(own, SpoolName.FanName(i));
                Directory.CreateDirectory(fan);
                _folders[i] = OpenFolder(fan);
            }

            FlushOnce(own);
            FlushOnce(folder);
            _lock = owned;
            _room = new SpoolRoom(options, folder, Files().Sum(static f => f.Length));
        }
        catch
        {
            owned?.Dispose();
            _sharedLock.Dispose();
            Close(_folders);
            throw;
        }
    }

    /// <summary>Bytes that the files of this gateway and of earlier versions hold together.</summary>
    public long UsedBytes => _room.UsedBytes;

    /// <summary>What room there is, and what of it is spoken for.</summary>
    public SpoolRoom Room => _room;

    /// <summary>True when so many further bytes leave the watermark and the quota untouched.</summary>
    public bool HasRoomFor(long bytes) => _room.Has(bytes);

    /// <summary>A new, empty file under a name of our own. It counts as in use until <see cref="SpoolFile.Dispose"/>.</summary>
    /// <exception cref="IOException">The disk is full, failed, or not ours to write to.</exception>
    public SpoolFile Create()
    {
        var name = new SpoolName(_node, Guid.NewGuid(), !_encrypt);
        string known = name.ToString();
        _open[known] = 0;
        SpoolSeal? seal = null;
        try
        {
            Span<byte> header = stackalloc byte[SpoolSeal.HeaderLength];
            seal = _encrypt ? SpoolSeal.Create(_keys.Active, name.Id, header) : null;
            return new SpoolFile(this, name, OpenNew(name.PathIn(_folder)), seal, header);
        }
        catch (Exception e)
        {
            seal?.Dispose();
            _open.TryRemove(known, out _);
            throw e is UnauthorizedAccessException ? new IOException("The spool folder may not be written to.", e) : e;
        }
    }

    /// <summary>The bytes of a file, decrypted where they are asked for; the file may be deleted meanwhile.</summary>
    /// <param name="name">As a row calls it, whichever gateway wrote it.</param>
    /// <exception cref="FileNotFoundException">No such file.</exception>
    /// <exception cref="SpoolFileException">It is damaged, or its key is gone.</exception>
    public ByteSource Open(string name) => Open(_folder, name, _keys);

    /// <summary>Reads a file without owning a folder.</summary>
    /// <exception cref="FileNotFoundException">No such file.</exception>
    /// <exception cref="SpoolFileException">It is damaged, or its key is gone.</exception>
    public static ByteSource Open(string folder, string name, KeyRing keys)
    {
        var parsed = SpoolName.Parse(name);
        string path = parsed.PathIn(folder);
        return parsed.IsPlain ? FileSource.Open(path) : SpoolSource.Open(path, parsed.Id, keys);
    }

    /// <summary>Removes the file if it is there.</summary>
    public void Delete(string name)
    {
        var parsed = SpoolName.Parse(name);
        var file = new FileInfo(parsed.PathIn(_folder));
        if (file.Exists)
        {
            long length = file.Length;
            file.Delete();
            _room.Add(IsCounted(parsed) ? -length : 0);
        }
    }

    /// <summary>Removes a file, if it is there, without owning a folder; the owner's count is put right by <see cref="Recount"/>.</summary>
    public static void Delete(string folder, string name)
    {
        string path = SpoolName.Parse(name).PathIn(folder);
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

        _room.Correct(before, found);
    }

    /// <summary>Names of all files, ours and of earlier versions, that nobody is writing now.</summary>
    public IReadOnlyList<string> IdleFiles() =>
        [.. NamesIn(_folder, null).Concat(NamesIn(_folder, _node)).Where(n => !_open.ContainsKey(n))];

    /// <summary>
    /// Names of all files of another gateway, if it is dead: its lock is held while we look, so none of them is being written,
    /// and one that starts meanwhile writes under names that are not among them.
    /// </summary>
    /// <returns>Nothing when it lives, or has no folder here.</returns>
    public IReadOnlyList<string> FilesLeftBy(string node)
    {
        string owned = Path.Combine(_folder, node, "lock");
        if (!SpoolName.IsNode(node) || node == _node || !File.Exists(owned))
        {
            return [];
        }

        try
        {
            using var held = new FileStream(owned, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return [.. NamesIn(_folder, node)];
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>Which spool a gateway worked in, if it was this one: see <see cref="SpoolIdentity"/>.</summary>
    public string? IdOf(string node) => SpoolIdentity.Read(_folder, node);

    public void Dispose()
    {
        Close(_folders);
        _lock.Dispose();
        _sharedLock.Dispose();
    }

    /// <summary>Removes a file whose bytes were counted by <see cref="SpoolFile.Write"/>, however many reached the disk.</summary>
    internal void Drop(SpoolName name, long counted)
    {
        File.Delete(name.PathIn(_folder));
        _room.Add(-counted);
    }

    internal void Add(long bytes) => _room.Add(bytes);

    internal void Close(string name) => _open.TryRemove(name, out _);

    /// <summary>Makes the name of a new file survive a power failure, as flushing the file does for its bytes.</summary>
    internal void FlushFolderOf(SpoolName name)
    {
        if (_folders[name.Fan] is { } folder)
        {
            RandomAccess.FlushToDisk(folder);
        }
    }

    private bool IsCounted(SpoolName name) => name.Node is null || name.Node == _node;

    private IEnumerable<FileInfo> Files() => FilesIn(_folder).Concat(FilesIn(Path.Combine(_folder, _node)));

    private static IEnumerable<string> NamesIn(string folder, string? node)
    {
        foreach (FileInfo file in FilesIn(node is null ? folder : Path.Combine(folder, node)))
        {
            string name = node is null ? file.Name : $"{node}/{file.Name}";
            if (IsOurs(name))
            {
                yield return name;
            }
        }
    }

    /// <summary>The files in the folders of two hexadecimal digits.</summary>
    private static IEnumerable<FileInfo> FilesIn(string folder) => new DirectoryInfo(folder).EnumerateDirectories()
        .Where(static d => d.Name.Length == 2 && d.Name.All(char.IsAsciiHexDigitLower)).SelectMany(static d => d.EnumerateFiles());

    private static bool IsOurs(string name)
    {
        try
        {
            return SpoolName.Parse(name).ToString() == name;
        }
        catch (ArgumentException)
        {
            // Somebody else put it there: it is not ours to remove.
            return false;
        }
    }

    private static FileStream OpenNew(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }

    private static void MakeFolder(string path)
    {
        Directory.CreateDirectory(path);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static void FlushOnce(string folder)
    {
        using SafeFileHandle? handle = OpenFolder(folder);
        if (handle is not null)
        {
            RandomAccess.FlushToDisk(handle);
        }
    }

    private static void Close(SafeFileHandle?[] folders)
    {
        foreach (SafeFileHandle? folder in folders)
        {
            folder?.Dispose();
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
