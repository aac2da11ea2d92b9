using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace PacsStegoGateway.Storage;

/// <summary>
/// Reads the chunks of an encrypted file that are on the disk, and keeps the two that were read in part last: who reads on
/// where it stopped does not have them decrypted again.
/// </summary>
/// <remarks>Not thread-safe. Holds at most three chunks, from the first read on; disposing clears them.</remarks>
internal sealed class SpoolChunks(SafeFileHandle file, SpoolSeal seal) : IDisposable
{
    private const int Kept = 2;

    private readonly byte[]?[] _contents = new byte[]?[Kept];
    private readonly long[] _indexes = [-1, -1];
    private byte[]? _sealed;
    private int _newest;

    /// <summary>A part of a chunk.</summary>
    /// <param name="index">Of the chunk.</param>
    /// <param name="isLast">Whether the file ends with it.</param>
    /// <param name="chunkLength">How many bytes of content it has.</param>
    /// <param name="from">The first byte wanted.</param>
    /// <param name="destination">All of it is filled.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="SpoolFileException">It is damaged.</exception>
    public void Read(long index, bool isLast, int chunkLength, int from, Span<byte> destination)
    {
        int slot = Array.IndexOf(_indexes, index);
        if (slot < 0 && destination.Length == chunkLength)
        {
            Decrypt(index, isLast, destination);
            return;
        }

        if (slot < 0)
        {
            slot = 1 - _newest;
            byte[] content = _contents[slot] ??= ArrayPool<byte>.Shared.Rent(SpoolSeal.ChunkLength);
            _indexes[slot] = -1;
            Decrypt(index, isLast, content.AsSpan(0, chunkLength));
            _indexes[slot] = index;
        }

        _newest = slot;
        _contents[slot].AsSpan(from, destination.Length).CopyTo(destination);
    }

    public void Dispose()
    {
        foreach (byte[]? content in _contents)
        {
            if (content is not null)
            {
                CryptographicOperations.ZeroMemory(content);
                ArrayPool<byte>.Shared.Return(content);
            }
        }

        Array.Clear(_contents);
        Array.Fill(_indexes, -1);
        if (_sealed is not null)
        {
            ArrayPool<byte>.Shared.Return(_sealed);
            _sealed = null;
        }
    }

    private void Decrypt(long index, bool isLast, Span<byte> content)
    {
        _sealed ??= ArrayPool<byte>.Shared.Rent(SpoolSeal.SealedChunkLength);
        Span<byte> chunk = _sealed.AsSpan(0, content.Length + SpoolSeal.TagLength);
        ReadExactly(file, chunk, SpoolSeal.HeaderLength + (index * SpoolSeal.SealedChunkLength));
        seal.Open(index, isLast, chunk, content);
    }

    /// <exception cref="SpoolFileException">The file ends before.</exception>
    public static void ReadExactly(SafeFileHandle file, Span<byte> destination, long offset)
    {
        while (!destination.IsEmpty)
        {
            int read = RandomAccess.Read(file, destination, offset);
            if (read == 0)
            {
                throw new SpoolFileException(SpoolFault.Damaged, "The spool file was cut short.");
            }

            destination = destination[read..];
            offset += read;
        }
    }
}
