using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Commands;

/// <summary>One result of a batch, <c>UID.dcm</c>: complete or not there at all; one of that name is replaced.</summary>
internal sealed class ResultFile(string folder) : IDisposable
{
    private string? _path;
    private FileSource? _written;

    private string Temporary => _path + ".part";

    /// <summary>Writes the file under a name that does not count yet.</summary>
    /// <returns>What was written, until this is disposed.</returns>
    /// <exception cref="DicomContentException">The UID is none: a peer's text never becomes a path.</exception>
    public ByteSource Write(string sopInstanceUID, ByteSource part10)
    {
        if (!Uid.IsValid(sopInstanceUID))
        {
            throw new DicomContentException("The SOP Instance UID is not a valid UID, so the result has no file name.");
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
    public void Complete() => File.Move(Temporary, _path!, overwrite: true);

    public void Dispose()
    {
        _written?.Dispose();
        if (_path is not null)
        {
            File.Delete(Temporary);
        }
    }
}
