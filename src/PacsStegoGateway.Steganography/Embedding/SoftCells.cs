using System.Buffers;
using System.Numerics;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>
/// What each cell of a frame says about the bits it may carry: its checkerboard (or row) difference, limited to three
/// standard deviations and divided by the local variance. The variance comes from the differences that embedding cannot
/// change, averaged over 3x3 cells, so quiet background speaks loudly and texture hardly at all.
/// </summary>
internal sealed class SoftCells : IDisposable
{
    /// <summary>Variance added everywhere, in squared stored units: rounding, and no division by zero where all is flat.</summary>
    internal const float LeastVariance = 0.25f;

    private const float Limit = 3;

    private float[] _values;

    private SoftCells(float[] values, int length, int cellsWide, int cellsHigh)
    {
        _values = values;
        Length = length;
        CellsWide = cellsWide;
        CellsHigh = cellsHigh;
    }

    public int Length { get; }

    public int CellsWide { get; }

    public int CellsHigh { get; }

    /// <summary>Row-major, as many values for each cell as bits; positive says "added to the first diagonal (or left sample)".</summary>
    public ReadOnlySpan<float> Values => _values.AsSpan(0, Length);

    /// <summary>Measures every cell.</summary>
    /// <param name="samples">The frame, row-major.</param>
    /// <param name="width">Columns; an odd last one belongs to no cell.</param>
    /// <param name="height">Rows; likewise.</param>
    /// <param name="bitsPerCell">1 or 2.</param>
    /// <param name="inverseVariance">When not empty, receives 1 / local variance for each cell.</param>
    public static SoftCells Measure(ReadOnlySpan<int> samples, int width, int height, int bitsPerCell, Span<float> inverseVariance = default)
    {
        int cellsWide = width / 2;
        int cellsHigh = height / 2;
        int length = cellsWide * cellsHigh * bitsPerCell;
        float[] values = ArrayPool<float>.Shared.Rent(length);

        // Three rows of horizontally summed energy, then their sum: a 3x3 box whose edge repeats the outermost cell.
        int stride = cellsWide + 2;
        float[] energy = ArrayPool<float>.Shared.Rent(stride * 4);
        Span<float> rows = energy.AsSpan(0, stride * 3);
        Span<float> scratch = energy.AsSpan(stride * 3, stride);
        for (int y = 0; y <= cellsHigh; y++)
        {
            if (y < cellsHigh)
            {
                ReadOnlySpan<int> upper = samples.Slice(2 * y * width, 2 * cellsWide);
                ReadOnlySpan<int> lower = samples.Slice(((2 * y) + 1) * width, 2 * cellsWide);
                Span<float> row = values.AsSpan(y * cellsWide * bitsPerCell, cellsWide * bitsPerCell);
                if (bitsPerCell == 1)
                {
                    MeasureCheckers(upper, lower, row, scratch[1..]);
                }
                else
                {
                    MeasurePairs(upper, lower, row, scratch[1..]);
                }

                scratch[0] = scratch[1];
                scratch[cellsWide + 1] = scratch[cellsWide];
                SumThree(scratch, rows.Slice(y % 3 * stride, cellsWide));
            }

            if (y > 0)
            {
                int finished = y - 1;
                ReadOnlySpan<float> above = rows.Slice(Math.Max(0, finished - 1) % 3 * stride, cellsWide);
                ReadOnlySpan<float> same = rows.Slice(finished % 3 * stride, cellsWide);
                ReadOnlySpan<float> below = rows.Slice(Math.Min(cellsHigh - 1, y) % 3 * stride, cellsWide);
                Span<float> inverse = inverseVariance.IsEmpty ? scratch[..cellsWide] : inverseVariance.Slice(finished * cellsWide, cellsWide);
                Invert(above, same, below, inverse);
                Weigh(values.AsSpan(finished * cellsWide * bitsPerCell, cellsWide * bitsPerCell), inverse, bitsPerCell);
            }
        }

        ArrayPool<float>.Shared.Return(energy);
        return new SoftCells(values, length, cellsWide, cellsHigh);
    }

    /// <summary>The same values with silence outside the mask.</summary>
    public SoftCells Within(CellMask mask)
    {
        int bitsPerCell = Length / (CellsWide * CellsHigh);
        float[] values = ArrayPool<float>.Shared.Rent(Length);
        for (int cell = 0; cell < mask.Cells.Length; cell++)
        {
            for (int bit = 0; bit < bitsPerCell; bit++)
            {
                values[(cell * bitsPerCell) + bit] = mask.Cells[cell] ? _values[(cell * bitsPerCell) + bit] : 0;
            }
        }

        return new SoftCells(values, Length, CellsWide, CellsHigh);
    }

    public void Dispose()
    {
        if (_values.Length > 0)
        {
            ArrayPool<float>.Shared.Return(_values);
            _values = [];
        }
    }

    private static void MeasureCheckers(ReadOnlySpan<int> upper, ReadOnlySpan<int> lower, Span<float> difference, Span<float> energy)
    {
        for (int x = 0; x < difference.Length; x++)
        {
            int a = upper[2 * x], b = upper[(2 * x) + 1], c = lower[2 * x], d = lower[(2 * x) + 1];
            int sumDown = a - d, sumUp = b - c;
            float horizontal = sumDown - sumUp, vertical = sumDown + sumUp;
            difference[x] = 0.5f * (a + d - b - c);
            energy[x] = ((horizontal * horizontal) + (vertical * vertical)) * (1f / 8);
        }
    }

    private static void MeasurePairs(ReadOnlySpan<int> upper, ReadOnlySpan<int> lower, Span<float> difference, Span<float> energy)
    {
        for (int x = 0; 2 * x < difference.Length; x++)
        {
            int a = upper[2 * x], b = upper[(2 * x) + 1], c = lower[2 * x], d = lower[(2 * x) + 1];
            float vertical = a + b - c - d;

            // Half the difference would have half the variance of a sample; the whole one has twice.
            difference[2 * x] = (a - b) * 0.70710678f;
            difference[(2 * x) + 1] = (c - d) * 0.70710678f;
            energy[x] = vertical * vertical * (1f / 4);
        }
    }

    private static void SumThree(ReadOnlySpan<float> padded, Span<float> sums)
    {
        int x = 0;
        for (; x <= sums.Length - Vector<float>.Count; x += Vector<float>.Count)
        {
            (new Vector<float>(padded[x..]) + new Vector<float>(padded[(x + 1)..]) + new Vector<float>(padded[(x + 2)..])).CopyTo(sums[x..]);
        }

        for (; x < sums.Length; x++)
        {
            sums[x] = padded[x] + padded[x + 1] + padded[x + 2];
        }
    }

    private static void Invert(ReadOnlySpan<float> above, ReadOnlySpan<float> same, ReadOnlySpan<float> below, Span<float> inverse)
    {
        for (int x = 0; x < inverse.Length; x++)
        {
            inverse[x] = 1 / (LeastVariance + ((above[x] + same[x] + below[x]) * (1f / 9)));
        }
    }

    private static void Weigh(Span<float> values, ReadOnlySpan<float> inverse, int bitsPerCell)
    {
        if (bitsPerCell == 1)
        {
            for (int x = 0; x < values.Length; x++)
            {
                float limit = Limit * MathF.Sqrt(inverse[x]);
                values[x] = MathF.Min(MathF.Max(values[x] * inverse[x], -limit), limit);
            }

            return;
        }

        for (int x = 0; x < values.Length; x++)
        {
            float limit = Limit * MathF.Sqrt(inverse[x >> 1]);
            values[x] = MathF.Min(MathF.Max(values[x] * inverse[x >> 1], -limit), limit);
        }
    }
}
