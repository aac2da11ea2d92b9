using System.Numerics;

namespace PacsStegoGateway.Segmentation;

/// <summary>Binary morphology on a grid of cells; masks hold 0 or 1 and are row-major.</summary>
/// <param name="width">Cells in a row.</param>
/// <param name="height">Rows.</param>
/// <param name="stack">As long as the grid.</param>
internal readonly ref struct CellGrid(int width, int height, Span<int> stack)
{
    private readonly Span<int> _stack = stack;

    /// <summary>Sets every 0 that no path of 0 (up, down, left, right) joins to the edge.</summary>
    /// <param name="mask">Changed in place.</param>
    /// <param name="outside">Scratch: 1 where the mask is 0 and joined to the edge.</param>
    public void FillHoles(Span<byte> mask, Span<byte> outside)
    {
        JoinedToBorder(mask, outside);
        for (int i = 0; i < mask.Length; i++)
        {
            mask[i] = (byte)(1 - outside[i]);
        }
    }

    /// <summary>1 where the mask is 0 and joined to the grid's edge by a path of 0 (up, down, left, right).</summary>
    public void JoinedToBorder(ReadOnlySpan<byte> mask, Span<byte> joined)
    {
        joined.Clear();
        int depth = 0;
        for (int x = 0; x < width; x++)
        {
            depth = Visit(mask, joined, x, depth);
            depth = Visit(mask, joined, ((height - 1) * width) + x, depth);
        }

        for (int y = 0; y < height; y++)
        {
            depth = Visit(mask, joined, y * width, depth);
            depth = Visit(mask, joined, (y * width) + width - 1, depth);
        }

        while (depth > 0)
        {
            int cell = _stack[--depth];
            int x = cell % width;
            if (x > 0)
            {
                depth = Visit(mask, joined, cell - 1, depth);
            }

            if (x < width - 1)
            {
                depth = Visit(mask, joined, cell + 1, depth);
            }

            if (cell >= width)
            {
                depth = Visit(mask, joined, cell - width, depth);
            }

            if (cell < mask.Length - width)
            {
                depth = Visit(mask, joined, cell + width, depth);
            }
        }
    }

    /// <summary>1 where a 1 of the mask lies within <paramref name="radius"/> columns and rows (a square).</summary>
    /// <param name="mask">Not changed.</param>
    /// <param name="result">Another array than <paramref name="mask"/>.</param>
    /// <param name="scratch">A third one.</param>
    /// <param name="radius">In cells.</param>
    public void Dilate(ReadOnlySpan<byte> mask, Span<byte> result, Span<byte> scratch, int radius)
    {
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<byte> row = mask.Slice(y * width, width);
            Span<byte> wide = scratch.Slice(y * width, width);
            row.CopyTo(wide);
            for (int shift = 1; shift <= Math.Min(radius, width - 1); shift++)
            {
                Or(wide[shift..], row[..^shift]);
                Or(wide[..^shift], row[shift..]);
            }
        }

        for (int y = 0; y < height; y++)
        {
            Span<byte> tall = result.Slice(y * width, width);
            tall.Clear();
            for (int near = Math.Max(0, y - radius); near <= Math.Min(height - 1, y + radius); near++)
            {
                Or(tall, scratch.Slice(near * width, width));
            }
        }
    }

    /// <summary>
    /// Sets every 0 that looks at a 1 in at least three of the four directions, however far: bays of a body that the
    /// image's edge cuts open.
    /// </summary>
    /// <param name="mask">Changed in place.</param>
    /// <param name="seen">Scratch: directions counted.</param>
    public void FillBays(Span<byte> mask, Span<byte> seen)
    {
        const byte Enough = 3;
        seen.Clear();
        for (int y = 0; y < height; y++)
        {
            Look(mask, seen, y * width, 1, width);
            Look(mask, seen, (y * width) + width - 1, -1, width);
        }

        for (int x = 0; x < width; x++)
        {
            Look(mask, seen, x, width, height);
            Look(mask, seen, ((height - 1) * width) + x, -width, height);
        }

        for (int i = 0; i < mask.Length; i++)
        {
            mask[i] |= seen[i] >= Enough ? (byte)1 : (byte)0;
        }
    }

    /// <summary>
    /// Islands (8-connected) of 1 with at least <paramref name="large"/> cells are added to <paramref name="bodies"/>,
    /// the others become <paramref name="small"/>.
    /// </summary>
    /// <param name="mask">Emptied on the way.</param>
    /// <param name="bodies">Added to.</param>
    /// <param name="small">Overwritten.</param>
    /// <param name="large">In cells.</param>
    public void SplitIslands(Span<byte> mask, Span<byte> bodies, Span<byte> small, int large)
    {
        small.Clear();
        for (int start = 0; start < mask.Length; start++)
        {
            if (mask[start] == 0)
            {
                continue;
            }

            int found = TakeIsland(mask, start);
            Span<byte> target = found >= large ? bodies : small;
            foreach (int cell in _stack[..found])
            {
                target[cell] = 1;
            }
        }
    }

    /// <summary>Cells of the largest island (8-connected) of 1; 0 when there is none.</summary>
    /// <param name="mask">Emptied on the way.</param>
    public int LargestIsland(Span<byte> mask)
    {
        int largest = 0;
        for (int start = 0; start < mask.Length; start++)
        {
            if (mask[start] == 1)
            {
                largest = Math.Max(largest, TakeIsland(mask, start));
            }
        }

        return largest;
    }

    /// <summary>Sets the 1 of <paramref name="allowed"/> that a path (8 neighbours) of such cells joins to a 1 of <paramref name="mask"/>.</summary>
    /// <param name="mask">Changed in place.</param>
    /// <param name="allowed">Cells that were joined are emptied.</param>
    public void GrowInto(Span<byte> mask, Span<byte> allowed)
    {
        int found = 0;
        for (int i = 0; i < mask.Length; i++)
        {
            if (mask[i] == 1)
            {
                allowed[i] = 0;
            }
        }

        for (int i = 0; i < mask.Length; i++)
        {
            if (mask[i] == 1)
            {
                found = TakeNeighbours(allowed, i, found);
            }
        }

        for (int next = 0; next < found; next++)
        {
            mask[_stack[next]] = 1;
            found = TakeNeighbours(allowed, _stack[next], found);
        }
    }

    private static void Or(Span<byte> target, ReadOnlySpan<byte> other)
    {
        int i = 0;
        for (; i <= target.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            (new Vector<byte>(target[i..]) | new Vector<byte>(other[i..])).CopyTo(target[i..]);
        }

        for (; i < target.Length; i++)
        {
            target[i] |= other[i];
        }
    }

    /// <summary>Counts one direction for every cell that has a 1 behind it on the line.</summary>
    private static void Look(ReadOnlySpan<byte> mask, Span<byte> seen, int start, int step, int count)
    {
        byte behind = 0;
        for (int i = start; count > 0; i += step, count--)
        {
            behind |= mask[i];
            seen[i] += behind;
        }
    }

    private int Visit(ReadOnlySpan<byte> mask, Span<byte> joined, int cell, int depth)
    {
        if ((mask[cell] | joined[cell]) == 0)
        {
            joined[cell] = 1;
            _stack[depth++] = cell;
        }

        return depth;
    }

    /// <summary>Empties the island; its cells are the first entries of the stack, which is not popped but walked along.</summary>
    private int TakeIsland(Span<byte> mask, int start)
    {
        mask[start] = 0;
        _stack[0] = start;
        int found = 1;
        for (int next = 0; next < found; next++)
        {
            found = TakeNeighbours(mask, _stack[next], found);
        }

        return found;
    }

    private int TakeNeighbours(Span<byte> mask, int cell, int found)
    {
        int column = cell % width;
        int row = cell / width;
        for (int y = Math.Max(0, row - 1); y <= Math.Min(height - 1, row + 1); y++)
        {
            for (int x = Math.Max(0, column - 1); x <= Math.Min(width - 1, column + 1); x++)
            {
                int near = (y * width) + x;
                if (mask[near] == 1)
                {
                    mask[near] = 0;
                    _stack[found++] = near;
                }
            }
        }

        return found;
    }
}
