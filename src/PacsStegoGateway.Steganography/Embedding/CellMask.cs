using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>A background mask of 4x4 blocks, spread to the 2x2 cells of the frame.</summary>
internal sealed record CellMask(int CellsWide, int CellsHigh, bool[] Cells)
{
    private const int CellsPerBlock = BackgroundMask.BlockSize / CellSums.CellSize;

    public static CellMask Of(BackgroundMask mask, int cellsWide, int cellsHigh)
    {
        bool[] cells = new bool[cellsWide * cellsHigh];
        for (int y = 0; y < mask.Height * CellsPerBlock; y++)
        {
            ReadOnlySpan<bool> blocks = mask.IsBackground.AsSpan(y / CellsPerBlock * mask.Width, mask.Width);
            Span<bool> row = cells.AsSpan(y * cellsWide, mask.Width * CellsPerBlock);
            for (int x = 0; x < blocks.Length; x++)
            {
                row[2 * x] = row[(2 * x) + 1] = blocks[x];
            }
        }

        return new CellMask(cellsWide, cellsHigh, cells);
    }
}
