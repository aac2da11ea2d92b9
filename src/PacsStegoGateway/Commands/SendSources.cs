using System.IO.Compression;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Commands;

/// <summary>The objects that the arguments of <c>psg send</c> mean: files, folders, media by their DICOMDIR, zip archives.</summary>
internal sealed class SendSources : IDisposable
{
    /// <summary>Media Storage Directory Storage.</summary>
    public const string MediaStorageDirectory = "1.2.840.10008.1.3.10";

    private const int MostEntries = 1_000_000;

    private readonly List<ZipArchive> _archives = [];
    private readonly HashSet<string> _paths = new(StringComparer.Ordinal);

    public List<SendItem> Items { get; } = [];

    /// <summary>What could not be taken, in words.</summary>
    public List<(string Name, string Why)> Refused { get; } = [];

    /// <exception cref="CommandException">An argument names nothing.</exception>
    public static SendSources Find(IEnumerable<string> arguments)
    {
        var sources = new SendSources();
        foreach ((string path, _) in InputFiles.Find(arguments))
        {
            sources.Try(path, () => sources.Add(path));
        }

        return sources;
    }

    public void Dispose() => _archives.ForEach(static a => a.Dispose());

    private void Add(string path)
    {
        if (IsZip(path))
        {
            AddArchive(path);
            return;
        }

        if (!AddFile(path))
        {
            AddMedium(path);
        }
    }

    /// <summary>Adds a file once, however many arguments and directories name it.</summary>
    /// <returns>False when it is the directory of a medium.</returns>
    private bool AddFile(string path)
    {
        if (!_paths.Add(Path.GetFullPath(path)))
        {
            return true;
        }

        var item = new FileItem(path);
        if (!item.ReadHead())
        {
            return false;
        }

        Items.Add(item);
        return true;
    }

    private void AddArchive(string path)
    {
        ZipArchive archive;
        try
        {
            archive = ZipFile.OpenRead(path);
        }
        catch (InvalidDataException e)
        {
            throw new IOException("The archive is damaged.", e);
        }

        _archives.Add(archive);
        if (archive.Entries.Count > MostEntries)
        {
            throw new IOException($"The archive has more than {MostEntries} entries.");
        }

        var budget = new ZipBudget(new FileInfo(path).Length);
        foreach (ZipArchiveEntry entry in archive.Entries.Where(static e => e.Name.Length > 0 && !e.Name.StartsWith('.')).OrderBy(static e => e.FullName, StringComparer.Ordinal))
        {
            var item = new ZipItem(path, entry, budget);
            Try(item.Name, () =>
            {
                // A directory inside an archive says nothing that the entries do not.
                if (item.ReadHead())
                {
                    Items.Add(item);
                }
            });
        }
    }

    /// <summary>
    /// The files that a DICOMDIR refers to: (0004,1500) is a path in components, and never leads out of the medium.
    /// </summary>
    private void AddMedium(string path)
    {
        using FileSource source = FileSource.Open(path);
        DataSet directory = DicomFile.Read(source).DataSet;
        string root = Path.GetFullPath(Path.GetDirectoryName(Path.GetFullPath(path))!);
        foreach (DataSet record in directory.Find(Tags.DirectoryRecordSequence)?.Items ?? [])
        {
            if (record.GetTexts(Tags.ReferencedFileID) is not { Count: > 0 } components)
            {
                continue;
            }

            string name = string.Join('/', components);
            Try($"{path}: {name}", () =>
            {
                if (components.Any(static c => c.Length == 0 || c is "." or ".." || c.AsSpan().ContainsAny("/:\0")))
                {
                    throw new IOException("The reference leads out of the medium.");
                }

                string file = Path.Combine([root, .. components]);
                file = File.Exists(file) ? file : Path.Combine([root, .. components.Select(static c => c.ToLowerInvariant())]);
                if (HasLinkBelow(root, file))
                {
                    throw new IOException("The reference leads through a link, and perhaps out of the medium.");
                }

                AddFile(file);
            });
        }
    }

    private static bool HasLinkBelow(string root, string file)
    {
        for (string part = file; part.Length > root.Length; part = Path.GetDirectoryName(part)!)
        {
            if (new FileInfo(part).LinkTarget is not null)
            {
                return true;
            }
        }

        return false;
    }

    private void Try(string name, Action add)
    {
        try
        {
            add();
        }
        catch (Exception e) when (e is DicomContentException or IOException or UnauthorizedAccessException)
        {
            Refused.Add((name, e.Message));
        }
    }

    private static bool IsZip(string path)
    {
        Span<byte> first = stackalloc byte[4];
        if (new FileInfo(path).Length == 0)
        {
            // A pipe is as empty, and would be waited for without end.
            throw new IOException("The file is empty.");
        }

        using FileStream file = File.OpenRead(path);
        return file.ReadAtLeast(first, 4, throwOnEndOfStream: false) == 4 && first.SequenceEqual("PK\x03\x04"u8);
    }
}
