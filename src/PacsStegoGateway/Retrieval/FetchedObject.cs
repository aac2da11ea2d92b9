using System.Buffers;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>A protected object that the PACS gave back: in memory when it is short, else in a spool file that goes with this.</summary>
public sealed class FetchedObject : IDisposable
{
    private ArrayBufferWriter<byte>? _memory = new(64 * 1024);
    private SpoolFile? _file;

    public long Length => _file?.Length ?? _memory!.WrittenCount;

    /// <summary>Its data set, when all has come.</summary>
    public ByteSource DataSet => _file?.Written(0) ?? ByteSource.Of(_memory!.WrittenMemory);

    /// <exception cref="IOException">The disk is full or failed.</exception>
    internal void Append(ReadOnlySpan<byte> bytes, Spool spool, int mostInMemory)
    {
        if (_file is null && Length + bytes.Length > mostInMemory)
        {
            _file = spool.Create();
            _file.Write(_memory!.WrittenSpan);
            _memory = null;
        }

        if (_file is not null)
        {
            _file.Write(bytes);
        }
        else
        {
            _memory!.Write(bytes);
        }
    }

    public void Dispose() => _file?.Dispose();
}
