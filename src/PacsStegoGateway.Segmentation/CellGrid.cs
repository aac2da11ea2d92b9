using System.Numerics;

namespace PacsStegoGateway.Segmentation;

/// <summary>Binary morphology on a grid of cells; masks hold 0 or 1 and are row-major.</summary>
/// <param name="width">Cells in a row.</param>
/// <param name="height">Rows.</param>
/// <param name="stack">As long as the grid; each flood puts a cell in at most once.</param>
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
    /// <remarks>Whole runs of a row are filled at once: a found run becomes 2 and enters the stack once.</remarks>
    public void JoinedToBorder(ReadOnlySpan<byte> mask, Span<byte> joined)
    {
        for (int i = 0; i < mask.Length; i++)
        {
            joined[i] = (byte)(1 - mask[i]);
        }

        int depth = TakeRuns(joined, 0, 0, width, 0);
        depth = TakeRuns(joined, height - 1, 0, width, depth);
        for (int y = 0; y < height; y++)
        {
            depth = TakeRuns(joined, y, 0, 1, depth);
            depth = TakeRuns(joined, y, width - 1, width, depth);
        }

        while (depth > 0)
        {
            int start = _stack[--depth];
            int y = start / width;
            int from = start - (y * width);
            int length = joined.Slice(start, width - from).IndexOfAnyExcept(Taken);
            int to = length < 0 ? width : from + length;
            if (y > 0)
            {
                depth = TakeRuns(joined, y - 1, from, to, depth);
            }

            if (y < height - 1)
            {
                depth = TakeRuns(joined, y + 1, from, to, depth);
            }
        }

        for (int i = 0; i < joined.Length; i++)
        {
            joined[i] >>= 1;
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
        Span<byte> behind = stackalloc byte[width];
        behind.Clear();
        for (int y = 0; y < height; y++)
        {
            Span<byte> row = mask.Slice(y * width, width);
            Span<byte> count = seen.Slice(y * width, width);
            Or(behind, row);
            Add(count, behind);
            int first = row.IndexOf((byte)1);
            if (first >= 0)
            {
                Increment(count[first..]);
                Increment(count[..(row.LastIndexOf((byte)1) + 1)]);
            }
        }

        behind.Clear();
        for (int y = height - 1; y >= 0; y--)
        {
            Or(behind, mask.Slice(y * width, width));
            Add(seen.Slice(y * width, width), behind);
        }

        for (int i = 0; i < mask.Length; i++)
        {
            mask[i] |= seen[i] >= Enough ? (byte)1 : (byte)0;
        }
    }

    /// <summary>Sets the 1 of <paramref name="allowed"/> that a path (8 neighbours) of such cells joins to a 1 of <paramref name="mask"/>.</summary>
    /// <param name="mask">Changed in place.</param>
    /// <param name="allowed">Keeps the cells that were not joined.</param>
    public void GrowInto(Span<byte> mask, Span<byte> allowed)
    {
        for (int i = 0; i < mask.Length; i++)
        {
            allowed[i] &= (byte)(1 - mask[i]);
        }

        int found = 0;
        for (int start = Next(allowed, 0); start >= 0; start = Next(allowed, start + 1))
        {
            if (HasNeighbour(mask, start))
            {
                allowed[start] = 0;
                _stack[found++] = start;
            }
        }

        for (int next = 0; next < found; next++)
        {
            mask[_stack[next]] = 1;
            found = TakeNeighbours(allowed, _stack[next], found);
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
        for (int start = Next(mask, 0); start >= 0; start = Next(mask, start + 1))
        {
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
        for (int start = Next(mask, 0); start >= 0; start = Next(mask, start + 1))
        {
            largest = Math.Max(largest, TakeIsland(mask, start));
        }

        return largest;
    }

    /// <summary>A free cell that a flood has reached.</summary>
    private const byte Taken = 2;

    private static int Next(ReadOnlySpan<byte> mask, int from)
    {
        int ahead = mask[from..].IndexOf((byte)1);
        return ahead < 0 ? -1 : from + ahead;
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

    private static void Add(Span<byte> target, ReadOnlySpan<byte> other)
    {
        int i = 0;
        for (; i <= target.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            (new Vector<byte>(target[i..]) + new Vector<byte>(other[i..])).CopyTo(target[i..]);
        }

        for (; i < target.Length; i++)
        {
            target[i] += other[i];
        }
    }

    private static void Increment(Span<byte> target)
    {
        foreach (ref byte value in target)
        {
            value++;
        }
    }

    /// <summary>Takes every run of free cells in a row that touches columns [from, to), whole.</summary>
    private int TakeRuns(Span<byte> free, int y, int from, int to, int depth)
    {
        Span<byte> row = free.Slice(y * width, width);
        int at = from;
        while (at < to)
        {
            int ahead = row[at..to].IndexOf((byte)1);
            if (ahead < 0)
            {
                break;
            }

            at += ahead;
            int first = row[..at].LastIndexOfAnyExcept((byte)1) + 1;
            int length = row[at..].IndexOfAnyExcept((byte)1);
            int end = length < 0 ? width : at + length;
            row[first..end].Fill(Taken);
            _stack[depth++] = (y * width) + first;
            at = end;
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

    private bool HasNeighbour(ReadOnlySpan<byte> mask, int cell)
    {
        int row = cell / width;
        int column = cell - (row * width);
        int from = Math.Max(0, column - 1);
        int to = Math.Min(width - 1, column + 1);
        for (int y = Math.Max(0, row - 1); y <= Math.Min(height - 1, row + 1); y++)
        {
            for (int x = from; x <= to; x++)
            {
                if (mask[(y * width) + x] == 1)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private int TakeNeighbours(Span<byte> mask, int cell, int found)
    {
        int row = cell / width;
        int column = cell - (row * width);
        int from = Math.Max(0, column - 1);
        int to = Math.Min(width - 1, column + 1);
        for (int y = Math.Max(0, row - 1); y <= Math.Min(height - 1, row + 1); y++)
        {
            for (int x = from; x <= to; x++)
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
