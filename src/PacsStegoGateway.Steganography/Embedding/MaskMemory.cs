using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>
/// A segmenter that remembers its last masks. A segmenter is a function of sums and description, so the same input needs
/// no second run; "the same" means every sum equal. Safe for several threads.
/// </summary>
internal sealed class MaskMemory(IBackgroundSegmenter segmenter, int capacity)
{
    /// <summary>Cells remembered in all; 32 frames of 512 x 512, or one of 2896 x 2896.</summary>
    private const int MostCells = 1 << 21;

    private readonly Lock _lock = new();
    private readonly LinkedList<(CellSums Sums, PixelDescription Description, BackgroundMask Mask)> _masks = [];

    /// <summary>The mask of a frame.</summary>
    /// <param name="sums">Raised to the floor that embedding uses.</param>
    /// <param name="description">Without a padding range limit, which embedding may add.</param>
    public BackgroundMask Segment(CellSums sums, PixelDescription description)
    {
        lock (_lock)
        {
            for (LinkedListNode<(CellSums Sums, PixelDescription Description, BackgroundMask Mask)>? node = _masks.First; node is not null; node = node.Next)
            {
                CellSums known = node.Value.Sums;
                if (known.Width == sums.Width && known.Height == sums.Height && known.Floor == sums.Floor
                    && node.Value.Description == description && known.Sums.AsSpan().SequenceEqual(sums.Sums))
                {
                    _masks.Remove(node);
                    _masks.AddFirst(node);
                    return node.Value.Mask;
                }
            }
        }

        BackgroundMask mask = segmenter.Segment(sums, description);
        if (mask.Width != description.Columns / BackgroundMask.BlockSize || mask.Height != description.Rows / BackgroundMask.BlockSize
            || mask.IsBackground.Length != mask.Width * mask.Height)
        {
            throw new InvalidOperationException($"The segmenter {segmenter.Name} gave a mask of {mask.Width} x {mask.Height} blocks for {description.Columns} x {description.Rows} pixels.");
        }

        if (capacity > 0 && sums.Sums.Length <= MostCells)
        {
            lock (_lock)
            {
                _masks.AddFirst((sums, description, mask));
                while (_masks.Count > capacity || _masks.Sum(static known => (long)known.Sums.Sums.Length) > MostCells)
                {
                    _masks.RemoveLast();
                }
            }
        }

        return mask;
    }
}
