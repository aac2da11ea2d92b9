using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using PacsStegoGateway.Steganography.Qr;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>
/// Where the coded bits of one symbol size go in frames of one size under one key: a keyed permutation of all cells of
/// the frame, whatever the mask, so that a receiver without any mask knows it too; and a keyed sign for each position.
/// </summary>
internal sealed class Placement
{
    /// <summary>At most this many cells for each bit of the symbol: more would change more samples and gain little.</summary>
    private const int CellsPerBit = 64;

    /// <summary>Two bits a cell are for frames with few cells: at most this many cells for each bit of the symbol.</summary>
    private const int CellsPerBitForPairs = 24;

    private readonly byte[] _expectedPrefix;

    /// <summary>Indices into <see cref="Targets"/> of the positions that carry what the receiver knows beforehand.</summary>
    private readonly int[] _prefixPositions;

    private Placement(SymbolOrder order, int bitsPerCell, int[] cells, int[] targets, byte[] expectedPrefix)
    {
        Order = order;
        BitsPerCell = bitsPerCell;
        Cells = cells;
        Targets = targets;
        _expectedPrefix = expectedPrefix;
        _prefixPositions = [.. Enumerable.Range(0, targets.Length).Where(position => targets[position] >> 1 < expectedPrefix.Length)];
    }

    public SymbolOrder Order { get; }

    public int BitsPerCell { get; }

    /// <summary>Indices of the cells used, ascending (row-major in the grid of cells).</summary>
    public int[] Cells { get; }

    /// <summary>For each used cell, <see cref="BitsPerCell"/> entries: coded bit x 2 + 1 when the sign is inverted.</summary>
    public int[] Targets { get; }

    /// <summary>Whether a frame of so many cells may carry this size; depends on nothing the receiver does not see.</summary>
    public static bool IsPossible(SymbolSize size, int bitsPerCell, int cellCount) => bitsPerCell == 1
        ? cellCount >= 2 * size.BitCount
        : cellCount >= size.BitCount && cellCount <= CellsPerBitForPairs * size.BitCount;

    /// <summary>The permutation of a frame's cells: rank x 2 + sign, for each cell.</summary>
    public static int[] RankCells(SealingKey key, int cellsWide, int cellsHigh)
    {
        int count = cellsWide * cellsHigh;
        byte[] stream = new byte[(count + 3) / 4 * 16];
        Span<byte> counter = stackalloc byte[16];
        BinaryPrimitives.WriteInt32BigEndian(counter, cellsWide);
        BinaryPrimitives.WriteInt32BigEndian(counter[4..], cellsHigh);
        for (int block = 0; block < stream.Length / 16; block++)
        {
            BinaryPrimitives.WriteInt32BigEndian(counter[12..], block);
            counter.CopyTo(stream.AsSpan(block * 16));
        }

        using (Aes aes = Aes.Create())
        {
            // AES in counter mode: the blocks are all different, so encrypting each by itself is the key stream.
            aes.SetKey(key.PlaceKey);
            aes.EncryptEcb(stream, stream, PaddingMode.None);
        }

        int[] order = new int[count];
        for (int i = 0; i < count; i++)
        {
            order[i] = i;
        }

        ReadOnlySpan<byte> random = stream;
        for (int i = count - 1; i > 0; i--)
        {
            uint value = BinaryPrimitives.ReadUInt32LittleEndian(random[(4 * i)..]) >> 1;
            int j = (int)((ulong)value * (ulong)(i + 1) >> 31);
            (order[i], order[j]) = (order[j], order[i]);
        }

        int[] ranks = new int[count];
        for (int rank = 0; rank < count; rank++)
        {
            ranks[order[rank]] = (rank << 1) | (random[4 * rank] & 1);
        }

        return ranks;
    }

    /// <summary>Builds the placement from the permutation.</summary>
    public static Placement Create(SealingKey key, int[] ranks, SymbolSize size, int bitsPerCell)
    {
        SymbolOrder order = SymbolOrder.Of(size);
        int codedLength = order.CodedLength;
        int used = (int)Math.Min(ranks.Length, (long)CellsPerBit * size.BitCount);

        // Rank to coded bit by a stride near the golden ratio: any number of positions is spread evenly over the code.
        int stride = (int)(codedLength * 0.6180339887498949);
        while (GreatestCommonDivisor(stride, codedLength) != 1)
        {
            stride++;
        }

        int[] cells = new int[used];
        int[] targets = new int[used * bitsPerCell];
        int filled = 0;
        for (int cell = 0; cell < ranks.Length; cell++)
        {
            int rank = ranks[cell] >> 1;
            if (rank >= used)
            {
                continue;
            }

            int sign = ranks[cell] & 1;
            for (int bit = 0; bit < bitsPerCell; bit++)
            {
                long position = ((long)rank * bitsPerCell) + bit;
                targets[(filled * bitsPerCell) + bit] = ((int)(position * stride % codedLength) << 1) | sign;
            }

            cells[filled++] = cell;
        }

        return new Placement(order, bitsPerCell, cells, targets, order.ExpectedPrefix(key));
    }

    /// <summary>Adds each position's soft value to its coded bit.</summary>
    /// <param name="soft"><see cref="BitsPerCell"/> values for every cell of the frame.</param>
    /// <param name="coded">Cleared here; one value for each coded bit.</param>
    public void Collect(ReadOnlySpan<float> soft, Span<float> coded)
    {
        coded.Clear();
        ReadOnlySpan<int> values = MemoryMarshal.Cast<float, int>(soft);
        if (BitsPerCell == 1)
        {
            for (int i = 0; i < Cells.Length; i++)
            {
                int target = Targets[i];
                coded[target >> 1] += BitConverter.Int32BitsToSingle(values[Cells[i]] ^ (target << 31));
            }

            return;
        }

        for (int i = 0; i < Targets.Length; i++)
        {
            int target = Targets[i];
            coded[target >> 1] += BitConverter.Int32BitsToSingle(values[(2 * Cells[i >> 1]) + (i & 1)] ^ (target << 31));
        }
    }

    /// <summary>
    /// How clearly the known first bits stand in the soft values: their correlation in standard deviations of chance.
    /// Nothing embedded gives a standard normal number; a symbol that can be decoded gives about 9 and more.
    /// </summary>
    public double Presence(ReadOnlySpan<float> soft)
    {
        Span<float> coded = stackalloc float[_expectedPrefix.Length];
        coded.Clear();
        foreach (int position in _prefixPositions)
        {
            int target = Targets[position];
            float value = BitsPerCell == 1 ? soft[Cells[position]] : soft[(2 * Cells[position >> 1]) + (position & 1)];
            coded[target >> 1] += (target & 1) == 0 ? value : -value;
        }

        double correlation = 0;
        double energy = 0;
        for (int i = 0; i < coded.Length; i++)
        {
            correlation += _expectedPrefix[i] == 1 ? coded[i] : -coded[i];
            energy += coded[i] * coded[i];
        }

        return energy > 0 ? correlation / Math.Sqrt(energy) : 0;
    }

    private static int GreatestCommonDivisor(int a, int b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
}

/// <summary>Keeps placements, which depend on key and frame size alone, for the next frame. Safe for several threads.</summary>
/// <param name="capacity">Numbers (of 4 bytes) kept in all; the frame size used longest ago goes first.</param>
internal sealed class PlacementCache(long capacity)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Entry> _entries = [];

    public Placement Get(SealingKey key, int cellsWide, int cellsHigh, SymbolSize size, int bitsPerCell)
    {
        Entry entry = Find(key, cellsWide, cellsHigh);
        lock (entry)
        {
            entry.Ranks ??= Placement.RankCells(key, cellsWide, cellsHigh);
            if (!entry.Placements.TryGetValue((size.Version, bitsPerCell), out Placement? placement))
            {
                placement = Placement.Create(key, entry.Ranks, size, bitsPerCell);
                entry.Placements.Add((size.Version, bitsPerCell), placement);
                entry.Length += placement.Cells.Length + placement.Targets.Length;
            }

            return placement;
        }
    }

    private Entry Find(SealingKey key, int cellsWide, int cellsHigh)
    {
        lock (_lock)
        {
            long total = 0;
            for (LinkedListNode<Entry>? node = _entries.First; node is not null; node = node.Next)
            {
                total += node.Value.Length;
                if (node.Value.KeyId == key.Id && node.Value.CellsWide == cellsWide && node.Value.CellsHigh == cellsHigh)
                {
                    _entries.Remove(node);
                    _entries.AddFirst(node);
                    return node.Value;
                }
            }

            Entry entry = new(key.Id, cellsWide, cellsHigh) { Length = (long)cellsWide * cellsHigh };
            while (_entries.Last is { } last && total + entry.Length > capacity)
            {
                total -= last.Value.Length;
                _entries.RemoveLast();
            }

            _entries.AddFirst(entry);
            return entry;
        }
    }

    private sealed class Entry(uint keyId, int cellsWide, int cellsHigh)
    {
        public uint KeyId { get; } = keyId;

        public int CellsWide { get; } = cellsWide;

        public int CellsHigh { get; } = cellsHigh;

        public long Length { get; set; }

        public int[]? Ranks { get; set; }

        public Dictionary<(int Version, int BitsPerCell), Placement> Placements { get; } = [];
    }
}
