using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Storage;

/// <summary>A spool file being written. Unless <see cref="Keep"/> was called, disposing removes it.</summary>
/// <remarks>
/// Bytes are gathered into chunks, each is sealed where it lies and leaves as one write, and the disk begins with it while the
/// next one arrives: at the end the flush has little left to wait for. The last chunk stays in memory until <see cref="Flush"/>,
/// so that no chunk is ever sealed twice under one nonce. One thread writes; what was written may be read by several.
/// </remarks>
public sealed partial class SpoolFile : IDisposable
{
    /// <summary>What partly filled pages of the disk are rounded to, so that the disk does not begin with one that is still filled.</summary>
    private const long PageLength = 4096;

    private readonly Spool _spool;
    private readonly SpoolName _name;
    private readonly FileStream _stream;
    private readonly SafeFileHandle _file;
    private readonly SpoolSeal? _seal;
    private readonly SpoolChunks? _chunks;
    private readonly Lock _one = new();

    /// <summary>Room for the header, which leaves with the first chunk, then for the chunk and its tag.</summary>
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(SpoolSeal.HeaderLength + SpoolSeal.SealedChunkLength);
    private int _inChunk;
    private long _chunksWritten;
    private long _fileLength;
    private long _writeOutBegun;
    private bool _keep;
    private bool _isFlushed;
    private bool _hasFailed;
    private bool _isDisposed;

    /// <param name="stream">New and empty; closed by this.</param>
    /// <param name="seal">Null: written as it is. Disposed by this.</param>
    /// <param name="header">Of the seal.</param>
    internal SpoolFile(Spool spool, SpoolName name, FileStream stream, SpoolSeal? seal, ReadOnlySpan<byte> header)
    {
        (_spool, _name, _stream, _file, _seal) = (spool, name, stream, stream.SafeFileHandle, seal);
        Name = name.ToString();
        if (seal is not null)
        {
            _chunks = new SpoolChunks(_file, seal);
            header.CopyTo(_buffer);
        }
    }

    /// <summary>What a row calls it.</summary>
    public string Name { get; }

    /// <summary>Bytes written by the caller; the file itself is a little longer.</summary>
    public long Length => (_chunksWritten * SpoolSeal.ChunkLength) + _inChunk;

    private Span<byte> Chunk => _buffer.AsSpan(SpoolSeal.HeaderLength, SpoolSeal.SealedChunkLength);

    /// <exception cref="IOException">The disk is full or failed.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        ObjectDisposedException.ThrowIf(_isFlushed || _isDisposed, this);
        while (bytes.Length > 0)
        {
            // Only when more comes is a full chunk known not to be the last.
            if (_inChunk == SpoolSeal.ChunkLength)
            {
                WriteChunk(Chunk[..SpoolSeal.ChunkLength], isLast: false);
            }

            if (_inChunk == 0 && bytes.Length > SpoolSeal.ChunkLength)
            {
                WriteChunk(bytes[..SpoolSeal.ChunkLength], isLast: false);
                bytes = bytes[SpoolSeal.ChunkLength..];
                continue;
            }

            int taken = Math.Min(bytes.Length, SpoolSeal.ChunkLength - _inChunk);
            bytes[..taken].CopyTo(Chunk[_inChunk..]);
            _inChunk += taken;
            bytes = bytes[taken..];
        }
    }

    /// <summary>The bytes written so far from an offset on, read where they are; valid while the file is open, until <see cref="Flush"/>.</summary>
    public ByteSource Written(long offset) => new View(this, Length).Slice(offset, Length - offset);

    /// <summary>Flushes bytes and name to the disk; afterwards the file survives a power failure.</summary>
    /// <exception cref="IOException">The disk is full or failed.</exception>
    public void Flush()
    {
        ObjectDisposedException.ThrowIf(_isFlushed || _isDisposed, this);
        _isFlushed = true;
        WriteChunk(Chunk[.._inChunk], isLast: true);
        RandomAccess.FlushToDisk(_file);
        _stream.Dispose();
        _spool.FlushFolderOf(_name);
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
        lock (_one)
        {
            _chunks?.Dispose();
            _seal?.Dispose();
            _stream.Dispose();
            CryptographicOperations.ZeroMemory(_buffer);
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        if (!_keep)
        {
            _spool.Drop(_name, _fileLength);
        }

        _spool.Close(Name);
    }

    /// <summary>Seals and writes one chunk; with it the header when it is the first.</summary>
    /// <param name="content">In the buffer, or the caller's own.</param>
    private void WriteChunk(ReadOnlySpan<byte> content, bool isLast)
    {
        int length = content.Length;
        lock (_one)
        {
            if (_hasFailed)
            {
                throw new IOException("The spool file could not be written before.");
            }

            // Until it is written: a chunk that was sealed and not written must not be sealed again.
            _hasFailed = true;
            if (_seal is not null)
            {
                Span<byte> result = Chunk[..(length + SpoolSeal.TagLength)];
                _seal.Seal(_chunksWritten, isLast, content, result);
                content = result;
                if (_chunksWritten == 0)
                {
                    content = _buffer.AsSpan(0, SpoolSeal.HeaderLength + content.Length);
                }
            }

            // Counted before it is written: a write that fails half-way takes room too, until the file is dropped.
            long offset = _fileLength;
            _spool.Add(content.Length);
            _fileLength += content.Length;
            RandomAccess.Write(_file, content, offset);
            _inChunk = isLast ? length : 0;
            _chunksWritten += isLast ? 0 : 1;
            _hasFailed = false;
        }

        BeginWriteOut();
    }

    private void BeginWriteOut()
    {
        long whole = _fileLength / PageLength * PageLength;
        if (OperatingSystem.IsLinux() && whole > _writeOutBegun)
        {
            // Only begins to write; what it cannot do, the flush does. So its result is not looked at.
            _ = StartWriteOut(_file, _writeOutBegun, whole - _writeOutBegun, SyncFileRangeWrite);
            _writeOutBegun = whole;
        }
    }

    private void Read(long offset, Span<byte> destination)
    {
        lock (_one)
        {
            ObjectDisposedException.ThrowIf(_isFlushed || _isDisposed || _hasFailed, this);
            while (!destination.IsEmpty)
            {
                long index = offset / SpoolSeal.ChunkLength;
                int from = (int)(offset % SpoolSeal.ChunkLength);
                int taken = Math.Min(destination.Length, SpoolSeal.ChunkLength - from);
                if (index == _chunksWritten)
                {
                    Chunk.Slice(from, taken).CopyTo(destination);
                }
                else if (_chunks is not null)
                {
                    _chunks.Read(index, isLast: false, SpoolSeal.ChunkLength, from, destination[..taken]);
                }
                else
                {
                    SpoolChunks.ReadExactly(_file, destination[..taken], offset);
                }

                destination = destination[taken..];
                offset += taken;
            }
        }
    }

    /// <summary>What was written: from the disk, and from memory what has not left it.</summary>
    private sealed class View(SpoolFile file, long length) : ByteSource
    {
        public override long Length => length;

        protected override void ReadInside(long offset, Span<byte> destination) => file.Read(offset, destination);
    }

    private const uint SyncFileRangeWrite = 2;

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int StartWriteOut(SafeFileHandle file, long offset, long length, uint flags);
}
