using PacsStegoGateway.Imaging;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>
/// Listens to one image, with least work first: one bit a cell and two, over the whole frame; then, because structure may be
/// louder than the symbol, the same within the background alone. Any mask near the true one will do for that.
/// </summary>
internal sealed class Listener(PixelPlane stego, IReadOnlyList<int> forms, SymbolReader reader, Func<BackgroundMask> segment) : IDisposable
{
    private readonly Dictionary<int, SoftCells> _whole = [];
    private readonly Dictionary<int, SoftCells> _within = [];
    private CellMask? _mask;

    public (FoundSymbol Symbol, bool NeededMask)? Find(IEnumerable<SealingKey> keys)
    {
        List<SealingKey> tried = [.. keys];
        if (tried.Count == 0)
        {
            return null;
        }

        foreach (int bitsPerCell in forms)
        {
            if (reader.Find(Whole(bitsPerCell), bitsPerCell, tried) is { } found)
            {
                return (found, false);
            }
        }

        foreach (int bitsPerCell in forms)
        {
            if (reader.Find(Within(bitsPerCell), bitsPerCell, tried) is { } found)
            {
                return (found, true);
            }
        }

        return null;
    }

    public void Dispose()
    {
        foreach (SoftCells cells in _whole.Values.Concat(_within.Values))
        {
            cells.Dispose();
        }
    }

    private SoftCells Whole(int bitsPerCell)
    {
        if (!_whole.TryGetValue(bitsPerCell, out SoftCells? cells))
        {
            cells = SoftCells.Measure(stego.Samples, stego.Width, stego.Height, bitsPerCell);
            _whole.Add(bitsPerCell, cells);
        }

        return cells;
    }

    private SoftCells Within(int bitsPerCell)
    {
        if (!_within.TryGetValue(bitsPerCell, out SoftCells? cells))
        {
            _mask ??= CellMask.Of(segment(), stego.Width / CellSums.CellSize, stego.Height / CellSums.CellSize);
            cells = Whole(bitsPerCell).Within(_mask);
            _within.Add(bitsPerCell, cells);
        }

        return cells;
    }
}
