using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Storage;

/// <summary>A spool file being written. Unless <see cref="Keep"/> was called, disposing removes it.</summary>
/// <remarks>
/// Bytes are gathered into chunks, and the disk begins to write a chunk while the next one arrives: at the end the flush has
/// little left to wait for.
/// </remarks>
public sealed partial class SpoolFile(Spool spool, string name, FileStream stream) : IDisposable
{
    private const int ChunkLength = 1 << 17;

    private readonly SafeFileHandle _handle = stream.SafeFileHandle;
    private readonly byte[] _chunk = ArrayPool<byte>.Shared.Rent(ChunkLength);
    private int _inChunk;
    private long _written;
    private bool _keep;
    private bool _isDisposed;

    public string Name => name;

    public long Length => _written + _inChunk;

    /// <exception cref="IOException">The disk is full or failed.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int taken = Math.Min(bytes.Length, ChunkLength - _inChunk);
            bytes[..taken].CopyTo(_chunk.AsSpan(_inChunk));
            _inChunk += taken;
            bytes = bytes[taken..];
            if (_inChunk == ChunkLength)
            {
                WriteChunk();
            }
        }
    }

    /// <summary>The bytes written so far from an offset on, read where they are; valid while the file is open, until <see cref="Flush"/>.</summary>
    /// <exception cref="IOException">The disk is full or failed.</exception>
    public ByteSource Written(long offset)
    {
        WriteChunk();
        return new FileSource(_handle, Length, ownsHandle: false).Slice(offset, Length - offset);
    }

    /// <summary>Flushes bytes and name to the disk; afterwards the file survives a power failure.</summary>
    /// <exception cref="IOException">The disk is full or failed.</exception>
    public void Flush()
    {
        WriteChunk();
        RandomAccess.FlushToDisk(_handle);
        stream.Dispose();
        spool.FlushFolderOf(name);
    }

    /// <summary>A row owns the file, or may own it: do not remove it.</summary>
    public void Keep() => _keep = true;

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        ArrayPool<byte>.Shared.Return(_chunk);
        stream.Dispose();
        if (!_keep)
        {
            spool.Drop(name, _written);
        }

        spool.Close(name);
    }

    private void WriteChunk()
    {
        if (_inChunk == 0)
        {
            return;
        }

        // Counted before it is written: a write that fails half-way takes room too, until the file is dropped.
        spool.Add(_inChunk);
        long offset = _written;
        int length = _inChunk;
        _written += length;
        _inChunk = 0;
        RandomAccess.Write(_handle, _chunk.AsSpan(0, length), offset);
        if (OperatingSystem.IsLinux())
        {
            // Only begins to write; what it cannot do, the flush does. So its result is not looked at.
            _ = StartWriteOut(_handle, offset, length, SyncFileRangeWrite);
        }
    }

    private const uint SyncFileRangeWrite = 2;

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int StartWriteOut(SafeFileHandle file, long offset, long length, uint flags);
}
