using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>
/// Restores although the receiver's mask differs in a few blocks (another processor's floating point gives other low bits,
/// and a block on the border falls the other way). The pattern is known by now: a block that carries shows it, a block that
/// does not carry shows none of it. Whatever comes out counts only when the sealed hash proves it. Where the background's
/// own noise is as great as the change, a single block shows too little, and the restoration stays unproven.
/// </summary>
internal static class MaskRepair
{
    /// <summary>Blocks this far from the border of the mask are looked at.</summary>
    private const int Reach = 2;

    /// <summary>When more blocks than this contradict the mask, the image was altered or is too noisy; nothing is repaired.</summary>
    private const int MostContradictions = 64;

    public sealed record Repair(PixelPlane Restored, CellPattern Pattern, int RepairedBlocks);

    public static Repair? TryRestore(PixelPlane stego, BackgroundMask mask, Placement placement, SealedContent content, ReadOnlySpan<byte> coded)
    {
        double[] evidence = new double[mask.IsBackground.Length];
        AddEvidence(stego, placement, content.Rule, coded, mask.Width, evidence);
        List<int> contradictions = [.. Border(mask)
            .Where(block => evidence[block] != 0 && (evidence[block] > 0) != mask.IsBackground[block])
            .OrderByDescending(block => Math.Abs(evidence[block]))];
        if (contradictions.Count > MostContradictions)
        {
            return null;
        }

        // The clearest first: after each the hash is asked, so that what chance alone contradicts is not turned as well.
        bool[] blocks = (bool[])mask.IsBackground.Clone();
        for (int i = 0; i < contradictions.Count; i++)
        {
            blocks[contradictions[i]] ^= true;
            if (TryMask(stego, mask with { IsBackground = blocks }, placement, content, coded) is { } repaired)
            {
                return new Repair(repaired.Restored, repaired.Pattern, i + 1);
            }
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
}
