using System.Buffers;
using System.Security.Cryptography;

namespace PacsStegoGateway.Dicom;

/// <summary>
/// Bytes that are read where they lie, of any length: memory, a file, a part of another source, several in a row. What
/// passes a large object on, hashes it or compares it holds <see cref="ChunkLength"/> bytes of it at a time.
/// </summary>
/// <remarks>
/// The bytes never change while the source is in use. Reading is safe from several threads. Slices and joins do not own
/// what they are made of: who opened a source disposes it, after the last view of it.
/// </remarks>
public abstract class ByteSource : IDisposable
{
    /// <summary>Bytes held at a time by whatever passes over a source; a multiple of every number's size.</summary>
    public const int ChunkLength = 128 * 1024;

    /// <summary>What is done with the next bytes of a <see cref="Pass"/>; the span is valid during the call.</summary>
    public delegate void ChunkAction(ReadOnlySpan<byte> chunk);

    public static ByteSource Empty { get; } = new MemorySource(default);

    public abstract long Length { get; }

    /// <summary>The memory, held and not copied.</summary>
    public static ByteSource Of(ReadOnlyMemory<byte> memory) => memory.IsEmpty ? Empty : new MemorySource(memory);

    /// <summary>One after the other as one source; nothing is copied.</summary>
    public static ByteSource Join(params ReadOnlySpan<ByteSource> sources) => JoinedSource.Of(sources);

    /// <summary>Fills the destination with the bytes from an offset on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not all of them are inside.</exception>
    /// <exception cref="IOException">They cannot be read.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        RequireInside(offset, destination.Length);
        if (!destination.IsEmpty)
        {
            ReadInside(offset, destination);
        }
    }

    /// <summary>The bytes themselves where they lie in memory anyway.</summary>
    public virtual bool TryGetMemory(out ReadOnlyMemory<byte> memory)
    {
        memory = default;
        return false;
    }

    /// <summary>A part as a source of its own; nothing is read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not all inside.</exception>
    public ByteSource Slice(long offset, long length)
    {
        RequireInside(offset, length);
        return length == 0 ? Empty : length == Length ? this : SliceInside(offset, length);
    }

    /// <summary>The same bytes but for those from an offset on, which are replaced; nothing is copied.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The replacement does not lie inside.</exception>
    public ByteSource Replace(long offset, ByteSource replacement)
    {
        RequireInside(offset, replacement.Length);
        long after = offset + replacement.Length;
        return Join(Slice(0, offset), replacement, Slice(after, Length - after));
    }

    /// <summary>All bytes in memory: as they lie where they do already, else a copy.</summary>
    /// <exception cref="ArgumentException">Longer than an array holds.</exception>
    public ReadOnlyMemory<byte> Load() => TryGetMemory(out ReadOnlyMemory<byte> memory) ? memory : ToArray();

    /// <summary>A copy in memory.</summary>
    /// <exception cref="ArgumentException">Longer than an array holds.</exception>
    public byte[] ToArray()
    {
        if (Length > Array.MaxLength)
        {
            throw new ArgumentException($"{Length} bytes are more than an array holds.");
        }

        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)Length);
        Read(0, bytes);
        return bytes;
    }

    /// <summary>Hands all bytes to an action, in order and in parts.</summary>
    public virtual void Pass(ChunkAction action)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(ChunkLength, Length));
        try
        {
            for (long offset = 0; offset < Length;)
            {
                Span<byte> chunk = buffer.AsSpan(0, (int)Math.Min(ChunkLength, Length - offset));
                ReadInside(offset, chunk);
                action(chunk);
                offset += chunk.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    public void CopyTo(Stream destination) => Pass(destination.Write);

    public void CopyTo(IBufferWriter<byte> destination) => Pass(destination.Write);

    /// <summary>Adds all bytes to a running hash.</summary>
    public void CopyTo(IncrementalHash hash) => Pass(hash.AppendData);

    /// <summary>True when both hold the same bytes.</summary>
    public bool ContentEquals(ByteSource other)
    {
        if (Length != other.Length)
        {
            return false;
        }

        int size = (int)Math.Min(ChunkLength, Length);
        byte[] buffers = ArrayPool<byte>.Shared.Rent(size * 2);
        try
        {
            for (long offset = 0; offset < Length; offset += size)
            {
                int length = (int)Math.Min(size, Length - offset);
                Span<byte> left = buffers.AsSpan(0, length);
                Span<byte> right = buffers.AsSpan(size, length);
                ReadInside(offset, left);
                other.ReadInside(offset, right);
                if (!left.SequenceEqual(right))
                {
                    return false;
                }
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffers, clearArray: true);
        }
    }

    /// <summary>A stream over the bytes, from the first; disposing it leaves the source open.</summary>
    public Stream OpenRead() => new ByteSourceStream(this);

    /// <summary>Closes what the source has opened itself.</summary>
    public virtual void Dispose() => GC.SuppressFinalize(this);

    /// <summary>Length only: the bytes may identify a patient.</summary>
    public override string ToString() => $"{Length} bytes";

    /// <summary>Reads bytes that are known to be inside, at least one.</summary>
    protected internal abstract void ReadInside(long offset, Span<byte> destination);

    /// <summary>A part that is known to be inside, neither empty nor everything.</summary>
    protected virtual ByteSource SliceInside(long offset, long length) => new SourcePart(this, offset, length);

    private void RequireInside(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"{length} bytes at {offset} are not inside {Length}.");
        }
    }

    private sealed class MemorySource(ReadOnlyMemory<byte> memory) : ByteSource
    {
        public override long Length => memory.Length;

        public override bool TryGetMemory(out ReadOnlyMemory<byte> all)
        {
            all = memory;
            return true;
        }

        public override void Pass(ChunkAction action)
        {
            if (!memory.IsEmpty)
            {
                action(memory.Span);
            }
        }

        protected internal override void ReadInside(long offset, Span<byte> destination) =>
            memory.Span.Slice((int)offset, destination.Length).CopyTo(destination);

        protected override ByteSource SliceInside(long offset, long length) => new MemorySource(memory.Slice((int)offset, (int)length));
    }

    private sealed class SourcePart(ByteSource whole, long start, long length) : ByteSource
    {
        public override long Length => length;

        protected internal override void ReadInside(long offset, Span<byte> destination) => whole.ReadInside(start + offset, destination);

        protected override ByteSource SliceInside(long offset, long partLength) => new SourcePart(whole, start + offset, partLength);
    }
}
