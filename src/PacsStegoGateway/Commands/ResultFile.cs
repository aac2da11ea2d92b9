using System.Collections.Concurrent;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Commands;

/// <summary>One result of a batch, <c>UID.dcm</c>: complete or not there at all; one of that name is replaced.</summary>
/// <param name="folder">Where it belongs.</param>
/// <param name="taken">The names of the batch, shared by all its results: two inputs of one UID would overwrite each other.</param>
internal sealed class ResultFile(string folder, ConcurrentDictionary<string, byte> taken) : IDisposable
{
    private string? _path;
    private bool _isComplete;
    private FileSource? _written;

    private string Temporary => _path + ".part";

    /// <summary>Writes the file under a name that does not count yet.</summary>
    /// <returns>What was written, until this is disposed.</returns>
    /// <exception cref="DicomContentException">The UID is none (a peer's text never becomes a path), or another input has it.</exception>
    public ByteSource Write(string sopInstanceUID, ByteSource part10)
    {
        if (!Uid.IsValid(sopInstanceUID))
        {
            throw new DicomContentException("The SOP Instance UID is not a valid UID, so the result has no file name.");
        }

        if (!taken.TryAdd(sopInstanceUID, 0))
        {
            throw new DicomContentException("Another input has the same SOP Instance UID, and its result has the name already.");
        }

        _path = Path.Combine(folder, sopInstanceUID + ".dcm");
        using (var file = new FileStream(Temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            part10.CopyTo(file);
        }

        _written = FileSource.Open(Temporary);
        return _written;
    }

    /// <summary>Gives the file its name.</summary>
    public void Complete()
    {
        File.Move(Temporary, _path!, overwrite: true);
        _isComplete = true;
    }

    public void Dispose()
    {
        _written?.Dispose();
        if (_path is not null && !_isComplete)
        {
            File.Delete(Temporary);
            taken.TryRemove(Path.GetFileNameWithoutExtension(_path), out _);
        }
    }
}
