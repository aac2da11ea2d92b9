namespace PacsStegoGateway.Imaging;

/// <summary>
/// Sums of 2x2 cells, raised to a floor: the only view of an image that segmentation is given. Embedding keeps these
/// numbers bit-identical (its patterns either sum to zero in a cell or stay at or below the floor), so the mask made
/// from the stego image equals the mask made from the cover.
/// </summary>
/// <param name="Width">Cells in a row: image width / 2, rounded down (an odd last column belongs to no cell).</param>
/// <param name="Height">Rows of cells: image height / 2, rounded down.</param>
/// <param name="Sums">Sum of four stored values for each cell, or the floor where that is greater; row-major.</param>
/// <param name="Floor">Least value in <paramref name="Sums"/>, in units of a cell sum; <see cref="int.MinValue"/> for none.</param>
public sealed record CellSums(int Width, int Height, int[] Sums, int Floor)
{
    /// <summary>Edge of a cell, in pixels.</summary>
    public const int CellSize = 2;

    /// <summary>Sums the cells of a plane.</summary>
    /// <param name="plane">At least 2x2.</param>
    /// <param name="floor">Sums below it become it; <see cref="int.MinValue"/> for none.</param>
    public static CellSums Of(PixelPlane plane, int floor = int.MinValue)
    {
        int width = plane.Width / CellSize;
        int height = plane.Height / CellSize;
        int[] sums = new int[width * height];
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<int> upper = plane.Samples.AsSpan(2 * y * plane.Width, plane.Width);
            ReadOnlySpan<int> lower = plane.Samples.AsSpan(((2 * y) + 1) * plane.Width, plane.Width);
            Span<int> row = sums.AsSpan(y * width, width);
            for (int x = 0; x < row.Length; x++)
            {
                row[x] = Math.Max(floor, upper[2 * x] + upper[(2 * x) + 1] + lower[2 * x] + lower[(2 * x) + 1]);
            }
        }

        return new CellSums(width, height, sums, floor);
    }

    /// <summary>The same sums raised to a higher floor.</summary>
    public CellSums WithFloor(int floor)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(floor, Floor);
        int[] sums = new int[Sums.Length];
        for (int i = 0; i < sums.Length; i++)
        {
            sums[i] = Math.Max(floor, Sums[i]);
        }

        return this with { Sums = sums, Floor = floor };
    }
}
