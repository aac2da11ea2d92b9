using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace PacsStegoGateway.Dimse;

/// <summary>
/// The buffers that connections receive into: as long as a P-DATA-TF PDU that is usual between fast peers. The server's own
/// are 4 KiB, so that an image of 512 KiB would be taken off the socket in 128 steps, each with a wake-up.
/// </summary>
/// <remarks>An open connection holds at least one. Those given back are kept for reuse up to a number, the rest are left to the collector.</remarks>
public sealed class ReceiveBuffers : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    public const int BlockLength = 1 << 17;

    private const int Kept = 64;

    private readonly ConcurrentQueue<Block> _free = new();

    public override int MaxBufferSize => BlockLength;

    /// <summary>One pool for all.</summary>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockLength);
        return _free.TryDequeue(out Block? block) ? block.Renew() : new Block(this);
    }

    /// <summary>Nothing is held but memory, and its users come and go with the process.</summary>
    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Block(ReceiveBuffers pool) : IMemoryOwner<byte>
    {
        // Pinned: the socket would pin it for every receive otherwise.
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockLength, pinned: true);
        private int _isFree;

        public Memory<byte> Memory => _bytes;

        public Block Renew()
        {
            _isFree = 0;
            return this;
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isFree, 1) == 0 && pool._free.Count < Kept)
            {
                pool._free.Enqueue(this);
            }
        }
    }
}
