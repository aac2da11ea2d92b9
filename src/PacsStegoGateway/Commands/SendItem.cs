using System.IO.Compression;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Commands;

/// <summary>One object to send, wherever it lies.</summary>
internal abstract class SendItem(string name)
{
    /// <summary>For messages: a path, or an archive and an entry in it.</summary>
    public string Name => name;

    public string SOPClassUID { get; private set; } = "";

    public string TransferSyntaxUID { get; private set; } = "";

    /// <summary>Bytes of the file.</summary>
    public abstract long Length { get; }

    /// <summary>Reads what has to be known before an association is asked for.</summary>
    /// <returns>False when it is nothing to be sent: the directory of a medium.</returns>
    /// <exception cref="DicomContentException">It is no DICOM object.</exception>
    public bool ReadHead()
    {
        using ByteSource head = OpenHead();
        DicomFile file = DicomFile.Read(head, new DicomReadOptions { LongestReadSource = 0, StopBefore = Tags.StudyInstanceUID });
        SOPClassUID = file.DataSet.GetText(Tags.SOPClassUID) ?? file.FileMetaInformation.GetText(Tags.MediaStorageSOPClassUID) ?? "";
        TransferSyntaxUID = file.TransferSyntax.UID;
        return SOPClassUID.Length == 0
            ? throw new DicomContentException("It has no SOP Class UID.")
            : SOPClassUID != SendSources.MediaStorageDirectory;
    }

    /// <summary>The whole file; disposed by the caller.</summary>
    /// <exception cref="IOException">It cannot be read, or holds more than it announced.</exception>
    public abstract ByteSource Open();

    protected abstract ByteSource OpenHead();
}

/// <summary>A file in the file system.</summary>
internal sealed class FileItem(string path) : SendItem(path)
{
    public override long Length { get; } = new FileInfo(path).Length;

    public override ByteSource Open() => FileSource.Open(Name);

    protected override ByteSource OpenHead() => FileSource.Open(Name);
}

/// <summary>An entry of a zip archive. Its name is shown and never used as a path; what it says of its length is not believed.</summary>
internal sealed class ZipItem(string archiveName, ZipArchiveEntry entry, ZipBudget budget) : SendItem($"{archiveName}!{entry.FullName}")
{
    private const int HeadLength = 1 << 18;

    public override long Length => entry.Length;

    /// <summary>Through a temporary file, which is gone when it is closed: an object may be larger than memory.</summary>
    public override ByteSource Open()
    {
        string path = Path.GetTempFileName();
        try
        {
            using (FileStream file = File.Create(path, 1 << 16))
            {
                budget.Extract(entry, file, long.MaxValue);
            }

            return FileSource.Open(path);
        }
        finally
        {
            // On Unix and, by FileShare.Delete, on Windows the open file outlives its name.
            File.Delete(path);
        }
    }

    protected override ByteSource OpenHead()
    {
        var head = new MemoryStream();
        budget.Extract(entry, head, HeadLength);
        return ByteSource.Of(head.ToArray());
    }
}

/// <summary>How much may come out of one archive: a bomb is small until it is opened.</summary>
/// <remarks>An archive has one reader: entries are read one at a time.</remarks>
internal sealed class ZipBudget(long archiveLength)
{
    /// <summary>What images can be compressed by, with room; a bomb reaches 1,000.</summary>
    private const int MostRatio = 200;
    private const long Least = 64L << 20;

    private readonly Lock _gate = new();

    /// <param name="most">Bytes after which reading stops quietly.</param>
    /// <exception cref="IOException">The entry is longer than all the archive's contents may be, or is damaged.</exception>
    public void Extract(ZipArchiveEntry entry, Stream destination, long most)
    {
        long limit = Math.Max(Least, archiveLength * MostRatio);
        lock (_gate)
        {
            try
            {
                using Stream stream = entry.Open();
                byte[] buffer = new byte[1 << 16];
                for (long written = 0; written < most;)
                {
                    int count = stream.Read(buffer, 0, (int)Math.Min(buffer.Length, most - written));
                    if (count == 0)
                    {
                        return;
                    }

                    written += count;
                    if (written > limit)
                    {
                        throw new IOException($"It unpacks to more than {limit} bytes, {MostRatio} times its archive: refused as a zip bomb.");
                    }

                    destination.Write(buffer, 0, count);
                }
            }
            catch (InvalidDataException e)
            {
                throw new IOException("The entry of the archive is damaged.", e);
            }
        }
    }
}
