using System.Buffers;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>
/// Chooses floor and ceiling: as many carriers as possible for as few exceptions. A histogram of cell sums says for every
/// floor how many cells can be raised below it, how many lie in the gap just under it, and how many above have no room to
/// be balanced.
/// </summary>
internal static class FloorPlanner
{
    /// <summary>Sums counted one by one, from the least upward; what lies above is no background that could want a floor.</summary>
    private const int BinCount = 1 << 14;

    /// <summary>Carriers that one bit of exceptions is worth.</summary>
    private const int CostOfBit = 3;

    /// <summary>Bits that a listed cell takes.</summary>
    private const int ListedBits = 12;

    /// <summary>A plan for the cells in question.</summary>
    /// <param name="Floor">Null = balance everything.</param>
    /// <param name="IsRaisedOnly">True = leave cells above the floor alone.</param>
    public readonly record struct Plan(int? Floor, bool IsRaisedOnly);

    /// <summary>Plans for the cells where <paramref name="isProbed"/> is true.</summary>
    /// <param name="samples">The cover.</param>
    /// <param name="width">Columns.</param>
    /// <param name="isProbed">For each cell.</param>
    /// <param name="rule">Step, limits and padding; its floor and ceiling do not count.</param>
    /// <param name="leastSample">Least sample of the frame.</param>
    public static Plan Choose(ReadOnlySpan<int> samples, int width, ReadOnlySpan<bool> isProbed, CellRule rule, int leastSample)
    {
        int[] pool = ArrayPool<int>.Shared.Rent(2 * (BinCount + 1));
        Span<int> sums = pool.AsSpan(0, BinCount + 1);
        Span<int> cramped = pool.AsSpan(BinCount + 1, BinCount + 1);
        sums.Clear();
        cramped.Clear();
        int least = 4 * leastSample;
        CellRule balanced = rule with { Floor = null, Ceiling = int.MaxValue };
        int total = 0;
        int flat = 0;
        int crampedTotal = 0;
        int cellsWide = width / 2;
        for (int cell = 0; cell < isProbed.Length; cell++)
        {
            if (!isProbed[cell])
            {
                continue;
            }

            int at = CellPattern.Offset(cell, cellsWide, width);
            int a = samples[at], b = samples[at + 1], c = samples[at + width], d = samples[at + width + 1];
            if (rule.SkipsPadding && rule.HoldsPadding(a, b, c, d))
            {
                continue;
            }

            int bin = Math.Min(a + b + c + d - least, BinCount);
            sums[bin]++;
            total++;
            flat += bin == 0 ? 1 : 0;

            // Below the least sample of the frame a balanced cell would be a new darkest value: not wanted next to a flat floor.
            if (balanced.OnCover(a, b, c, d) == CellMode.Listed || Math.Min(Math.Min(a, b), Math.Min(c, d)) - rule.BalancedStep < leastSample)
            {
                cramped[bin]++;
                crampedTotal++;
            }
        }

        Plan plan = Search(sums, cramped, total, flat, crampedTotal, rule, least);
        ArrayPool<int>.Shared.Return(pool);
        return plan;
    }

    /// <summary>Greatest sum that is still background of the ordinary kind among cells above the floor.</summary>
    public static int Ceiling(ReadOnlySpan<int> samples, int width, ReadOnlySpan<bool> isMasked, int? floor)
    {
        List<int> above = [];
        int cellsWide = width / 2;
        int seen = 0;
        for (int cell = 0; cell < isMasked.Length; cell++)
        {
            // Every fourth cell is enough for two quantiles.
            if (isMasked[cell] && (seen++ & 3) == 0)
            {
                int at = CellPattern.Offset(cell, cellsWide, width);
                int sum = samples[at] + samples[at + 1] + samples[at + width] + samples[at + width + 1];
                if (!(sum <= floor))
                {
                    above.Add(sum);
                }
            }
        }

        if (above.Count == 0)
        {
            return floor ?? int.MinValue;
        }

        above.Sort();
        int middle = above[above.Count / 2];
        int upper = above[above.Count * 9 / 10];
        return (int)Math.Min(upper + (2L * (upper - middle)) + 8, int.MaxValue);
    }

    private static Plan Search(ReadOnlySpan<int> sums, ReadOnlySpan<int> cramped, int total, int flat, int crampedTotal, CellRule rule, int least)
    {
        int rise = rule.Rise;
        int count = Math.Min(BinCount, sums.LastIndexOfAnyExcept(0) + rise + 1);
        int[] pool = ArrayPool<int>.Shared.Rent(2 * Math.Max(count, 1));
        Span<int> cumulative = pool.AsSpan(0, Math.Max(count, 1));
        Span<int> crampedCumulative = pool.AsSpan(Math.Max(count, 1), Math.Max(count, 1));
        int running = 0;
        int runningCramped = 0;
        for (int bin = 0; bin < count; bin++)
        {
            cumulative[bin] = running += sums[bin];
            crampedCumulative[bin] = runningCramped += cramped[bin];
        }

        long bestRaised = 0;
        long bestBoth = flat * 50L > total ? long.MinValue : total - ((long)CostOfBit * ListedBits * crampedTotal);
        for (int bin = rise; bin < count; bin++)
        {
            (long raisedOnly, long both) = Score(cumulative, crampedCumulative, total, crampedTotal, bin, rise);
            bestRaised = Math.Max(bestRaised, raisedOnly);
            bestBoth = Math.Max(bestBoth, both);
        }

        // The lowest floor that is nearly the best one: it hides least from the segmenter. Raising alone is preferred when
        // it is nearly as good, because then tables, labels and everything else above the air stays as it is.
        bool isRaisedOnly = bestRaised > 0.9 * bestBoth;
        double enough = 0.985 * (isRaisedOnly ? bestRaised : bestBoth);
        Plan plan = new(null, false);
        bool balancesAll = flat * 50L <= total && total - ((long)CostOfBit * ListedBits * crampedTotal) >= 0.97 * Math.Max(bestRaised, bestBoth);
        for (int bin = rise; bin < count && !balancesAll; bin++)
        {
            (long raisedOnly, long both) = Score(cumulative, crampedCumulative, total, crampedTotal, bin, rise);
            if ((isRaisedOnly ? raisedOnly : both) >= enough)
            {
                plan = new Plan(least + bin, isRaisedOnly);
                break;
            }
        }

        ArrayPool<int>.Shared.Return(pool);
        return plan;
    }

    private static (long RaisedOnly, long Both) Score(
        ReadOnlySpan<int> cumulative, ReadOnlySpan<int> crampedCumulative, int total, int crampedTotal, int bin, int rise)
    {
        long raised = cumulative[bin - rise];
        long held = cumulative[bin] - raised;
        long doubtful = held == 0 ? 0 : cumulative[bin] - (bin >= 2 * rise ? cumulative[bin - (2 * rise)] : 0);
        long listed = crampedTotal - crampedCumulative[bin];
        long raisedOnly = raised - (CostOfBit * doubtful);
        return (raisedOnly, raisedOnly + total - cumulative[bin] - listed - (CostOfBit * ListedBits * listed));
    }
}
