using Microsoft.Win32.SafeHandles;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Storage;

/// <summary>The bytes of an encrypted file at rest, decrypted where they are asked for. The file may be removed meanwhile.</summary>
internal sealed class SpoolSource : ByteSource
{
    private readonly SafeFileHandle _file;
    private readonly SpoolSeal _seal;
    private readonly SpoolChunks _chunks;
    private readonly Lock _one = new();

    private SpoolSource(SafeFileHandle file, SpoolSeal seal, long length)
    {
        _file = file;
        _seal = seal;
        _chunks = new SpoolChunks(file, seal);
        Length = length;
    }

    public override long Length { get; }

    /// <summary>Opens a file, and proves its header and its end: one that was cut short is found now, not halfway.</summary>
    /// <exception cref="FileNotFoundException">No such file.</exception>
    /// <exception cref="SpoolFileException">It is damaged, or its key is gone.</exception>
    public static SpoolSource Open(string path, Guid id, KeyRing keys)
    {
        SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        SpoolSeal? seal = null;
        try
        {
            long length = SpoolSeal.ContentLength(RandomAccess.GetLength(file));
            if (length < 0)
            {
                throw new SpoolFileException(SpoolFault.Damaged, "The spool file has a length that none of ours has.");
            }

            Span<byte> header = stackalloc byte[SpoolSeal.HeaderLength];
            SpoolChunks.ReadExactly(file, header, 0);
            seal = SpoolSeal.Open(keys, id, header);
            var source = new SpoolSource(file, seal, length);
            source.ProveEnd();
            return source;
        }
        catch
        {
            seal?.Dispose();
            file.Dispose();
            throw;
        }
    }

    public override void Dispose()
    {
        lock (_one)
        {
            _chunks.Dispose();
            _seal.Dispose();
            _file.Dispose();
        }

        base.Dispose();
    }

    protected override void ReadInside(long offset, Span<byte> destination)
    {
        lock (_one)
        {
            ObjectDisposedException.ThrowIf(_file.IsClosed, this);
            while (!destination.IsEmpty)
            {
                long index = offset / SpoolSeal.ChunkLength;
                int from = (int)(offset % SpoolSeal.ChunkLength);
                int taken = Math.Min(destination.Length, LengthOf(index) - from);
                _chunks.Read(index, index == Last, LengthOf(index), from, destination[..taken]);
                destination = destination[taken..];
                offset += taken;
            }
        }
    }

    private long Last => Length == 0 ? 0 : (Length - 1) / SpoolSeal.ChunkLength;

    private int LengthOf(long index) => (int)Math.Min(SpoolSeal.ChunkLength, Length - (index * SpoolSeal.ChunkLength));

    /// <summary>The last chunk says that it is the last. Of a short file it is the first too, and stays at hand.</summary>
    private void ProveEnd()
    {
        int length = LengthOf(Last);
        // A part of it only, so that it is kept.
        _chunks.Read(Last, isLast: true, length, from: 0, length > 1 ? stackalloc byte[1] : new byte[length]);
    }
}
