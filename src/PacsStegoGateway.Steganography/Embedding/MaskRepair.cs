using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>
/// Restores although the receiver's mask differs in a few blocks (another processor's floating point gives other low bits,
/// and a block on the border falls the other way). The pattern is known by now: a block that carries shows it, a block that
/// does not carry shows none of it. Whatever comes out counts only when the sealed hash proves it.
/// </summary>
internal static class MaskRepair
{
    /// <summary>Blocks this far from the border of the mask are looked at.</summary>
    private const int Reach = 2;

    /// <summary>Of the blocks whose evidence is weakest, so many are turned one by one.</summary>
    private const int WeakestBlocks = 12;

    /// <summary>When more blocks than this, and more than an eighth of the mask, look wrong, the image was altered; nothing is repaired.</summary>
    private const int MostRepairs = 256;

    public sealed record Repair(PixelPlane Restored, CellPattern Pattern, int RepairedBlocks);

    public static Repair? TryRestore(PixelPlane stego, BackgroundMask mask, Placement placement, SealedContent content, ReadOnlySpan<byte> coded)
    {
        double[] evidence = new double[mask.IsBackground.Length];
        AddEvidence(stego, placement, content.Rule, coded, mask.Width, evidence);
        bool[] blocks = (bool[])mask.IsBackground.Clone();
        List<int> border = Border(mask);
        List<int> wrong = [.. border.Where(block => evidence[block] != 0 && (evidence[block] > 0) != mask.IsBackground[block])];
        if (wrong.Count > Math.Max(MostRepairs, mask.Count / 8))
        {
            return null;
        }

        foreach (int block in wrong)
        {
            blocks[block] = !blocks[block];
        }

        if (wrong.Count > 0 && TryMask(stego, mask with { IsBackground = blocks }, placement, content, coded) is { } repaired)
        {
            return new Repair(repaired.Restored, repaired.Pattern, wrong.Count);
        }

        foreach (int block in border.Where(block => evidence[block] != 0).OrderBy(block => Math.Abs(evidence[block])).Take(WeakestBlocks))
        {
            blocks[block] = !blocks[block];
            if (TryMask(stego, mask with { IsBackground = blocks }, placement, content, coded) is { } turned)
            {
                return new Repair(turned.Restored, turned.Pattern, Differences(blocks, mask.IsBackground));
            }

            blocks[block] = !blocks[block];
        }

        return null;
    }

    private static (PixelPlane Restored, CellPattern Pattern)? TryMask(
        PixelPlane stego, BackgroundMask mask, Placement placement, SealedContent content, ReadOnlySpan<byte> coded)
    {
        CellMask cells = CellMask.Of(mask, stego.Width / 2, stego.Height / 2);
        CellPattern pattern = CellPattern.OnStego(stego.Samples, stego.Width, placement, cells, content.Rule, content.Exceptions);
        PixelPlane restored = stego.Copy();
        pattern.Apply(restored.Samples, stego.Width, coded, -1);
        return SymbolEmbedder.HasHash(restored, content.Hash) ? (restored, pattern) : null;
    }

    /// <summary>
    /// For each block the log likelihood ratio of "carries" against "does not": with m the difference the pattern gives and
    /// d the one found, m (d - m / 2) / variance, summed over its cells.
    /// </summary>
    private static void AddEvidence(PixelPlane stego, Placement placement, CellRule rule, ReadOnlySpan<byte> coded, int blocksWide, double[] evidence)
    {
        int cellsWide = stego.Width / 2;
        float[] inverse = new float[cellsWide * (stego.Height / 2)];
        SoftCells.Measure(stego.Samples, stego.Width, stego.Height, rule.BitsPerCell, inverse).Dispose();
        int[] s = stego.Samples;
        for (int i = 0; i < placement.Cells.Length; i++)
        {
            int cell = placement.Cells[i];
            (int y, int x) = Math.DivRem(cell, cellsWide);
            int at = CellPattern.Offset(cell, cellsWide, stego.Width);
            int a = s[at], b = s[at + 1], c = s[at + stego.Width], d = s[at + stego.Width + 1];
            CellMode mode = rule.OnStego(a, b, c, d);
            int block = (y / 2 * blocksWide) + (x / 2);
            if (mode == CellMode.Untouched || x / 2 >= blocksWide || block >= evidence.Length)
            {
                continue;
            }

            int gain = mode == CellMode.Balanced ? 2 * rule.BalancedStep : rule.Step;
            for (int bit = 0; bit < rule.BitsPerCell; bit++)
            {
                int target = placement.Targets[(i * rule.BitsPerCell) + bit];
                bool isLeft = (coded[target >> 1] ^ (target & 1)) == 1;
                double found = rule.BitsPerCell == 1 ? (a + d - b - c) / 2.0 : bit == 0 ? a - b : c - d;
                evidence[block] += gain * ((isLeft ? found : -found) - (gain / 2.0)) * inverse[cell];
            }
        }
    }

    private static List<int> Border(BackgroundMask mask)
    {
        List<int> border = [];
        for (int block = 0; block < mask.IsBackground.Length; block++)
        {
            (int y, int x) = Math.DivRem(block, mask.Width);
            bool isBorder = false;
            for (int v = Math.Max(0, y - Reach); v <= Math.Min(mask.Height - 1, y + Reach); v++)
            {
                for (int u = Math.Max(0, x - Reach); u <= Math.Min(mask.Width - 1, x + Reach); u++)
                {
                    isBorder |= mask.IsBackground[(v * mask.Width) + u] != mask.IsBackground[block];
                }
            }

            if (isBorder)
            {
                border.Add(block);
            }
        }

        return border;
    }

    private static int Differences(bool[] left, bool[] right) => left.Where((value, i) => value != right[i]).Count();
}
