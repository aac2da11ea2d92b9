namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>
/// The pattern that is added to the cover and, once the message is authenticated, subtracted again. It depends on the
/// sealed message, the key, the rule and the mask; never on sample values beyond the cell modes.
/// </summary>
internal sealed class CellPattern
{
    private readonly Placement _placement;
    private readonly CellRule _rule;

    /// <summary>For each of the placement's cells <see cref="CellMode.Raised"/>, <see cref="CellMode.Balanced"/> or 0.</summary>
    private readonly CellMode[] _modes;

    private CellPattern(Placement placement, CellRule rule, CellMode[] modes, CellExceptions exceptions, int heldCount, bool changesPadding)
    {
        _placement = placement;
        _rule = rule;
        _modes = modes;
        CarrierCount = modes.Length - modes.AsSpan().Count(CellMode.Untouched);
        Exceptions = exceptions;
        HeldCount = heldCount;
        ChangesPadding = changesPadding;
    }

    public CellExceptions Exceptions { get; }

    /// <summary>Cells that carry.</summary>
    public int CarrierCount { get; }

    public int HeldCount { get; }

    /// <summary>True when a sample that holds padding is changed.</summary>
    public bool ChangesPadding { get; }

    /// <summary>Plans on the cover: which cells carry and which are exceptions.</summary>
    /// <param name="cover">Samples, row-major.</param>
    /// <param name="width">Columns.</param>
    /// <param name="placement">Only its cells carry.</param>
    /// <param name="mask">As the receiver sees it.</param>
    /// <param name="rule">As the receiver gets it.</param>
    /// <param name="excluded">For each cell, true when it is to be left alone and listed; empty = none.</param>
    public static CellPattern OnCover(
        ReadOnlySpan<int> cover, int width, Placement placement, CellMask mask, CellRule rule, ReadOnlySpan<bool> excluded)
    {
        CellMode[] modes = new CellMode[placement.Cells.Length];
        List<int> listed = [];
        int held = 0;
        bool changesPadding = false;
        int cellsWide = width / 2;
        for (int i = 0; i < placement.Cells.Length; i++)
        {
            int cell = placement.Cells[i];
            if (!mask.Cells[cell])
            {
                continue;
            }

            int at = Offset(cell, cellsWide, width);
            int a = cover[at], b = cover[at + 1], c = cover[at + width], d = cover[at + width + 1];
            CellMode mode = rule.OnCover(a, b, c, d);
            if (!excluded.IsEmpty && excluded[cell] && mode != CellMode.Untouched)
            {
                mode = CellMode.Listed;
            }

            switch (mode)
            {
                case CellMode.Raised:
                    modes[i] = CellMode.Raised;
                    changesPadding |= rule.HoldsPadding(a, b, c, d);
                    break;
                case CellMode.Balanced:
                    modes[i] = CellMode.Balanced;
                    break;
                case CellMode.HeldAtFloor:
                    modes[i] = CellMode.HeldAtFloor;
                    held++;
                    break;
                case CellMode.Listed:
                    listed.Add(cell);
                    break;
            }
        }

        List<bool> doubtful = held > 0 ? TellHeldFromRaised(cover, width, placement, rule, modes) : [];
        return new CellPattern(placement, rule, modes, new CellExceptions(listed, doubtful), held, changesPadding);
    }

    /// <summary>For each cell that the receiver cannot place, whether it is held; those become untouched.</summary>
    private static List<bool> TellHeldFromRaised(ReadOnlySpan<int> cover, int width, Placement placement, CellRule rule, Span<CellMode> modes)
    {
        List<bool> doubtful = [];
        int cellsWide = width / 2;
        for (int i = 0; i < modes.Length; i++)
        {
            if (modes[i] == CellMode.HeldAtFloor)
            {
                modes[i] = CellMode.Untouched;
                doubtful.Add(true);
            }
            else if (modes[i] == CellMode.Raised)
            {
                int at = Offset(placement.Cells[i], cellsWide, width);
                if (cover[at] + cover[at + 1] + cover[at + width] + cover[at + width + 1] + rule.Rise > rule.Floor - rule.Rise)
                {
                    doubtful.Add(false);
                }
            }
        }

        return doubtful;
    }

    /// <summary>Finds the changed cells again on the stego image; needs no message bit.</summary>
    public static CellPattern OnStego(ReadOnlySpan<int> stego, int width, Placement placement, CellMask mask, CellRule rule, CellExceptions exceptions)
    {
        CellMode[] modes = new CellMode[placement.Cells.Length];
        int nextListed = 0;
        int nextDoubtful = 0;
        int cellsWide = width / 2;
        for (int i = 0; i < placement.Cells.Length; i++)
        {
            int cell = placement.Cells[i];
            if (!mask.Cells[cell])
            {
                continue;
            }

            while (nextListed < exceptions.Listed.Count && exceptions.Listed[nextListed] < cell)
            {
                nextListed++;
            }

            if (nextListed < exceptions.Listed.Count && exceptions.Listed[nextListed] == cell)
            {
                continue;
            }

            int at = Offset(cell, cellsWide, width);
            switch (rule.OnStego(stego[at], stego[at + 1], stego[at + width], stego[at + width + 1]))
            {
                case CellMode.Raised:
                    modes[i] = CellMode.Raised;
                    break;
                case CellMode.Balanced:
                    modes[i] = CellMode.Balanced;
                    break;
                case CellMode.HeldAtFloor:
                    if (nextDoubtful >= exceptions.Held.Count || !exceptions.Held[nextDoubtful])
                    {
                        modes[i] = CellMode.Raised;
                    }

                    nextDoubtful++;
                    break;
            }
        }

        return new CellPattern(placement, rule, modes, exceptions, 0, false);
    }

    /// <summary>Adds the pattern to a copy of the cover, or subtracts it from a copy of the stego image.</summary>
    /// <param name="samples">Changed in place.</param>
    /// <param name="width">Columns.</param>
    /// <param name="coded">Coded bits, 0 or 1.</param>
    /// <param name="direction">+1 to embed, -1 to restore.</param>
    public void Apply(Span<int> samples, int width, ReadOnlySpan<byte> coded, int direction)
    {
        int raise = direction * _rule.Step;
        int balance = direction * _rule.BalancedStep;
        int cellsWide = width / 2;
        ReadOnlySpan<int> targets = _placement.Targets;
        for (int i = 0; i < _modes.Length; i++)
        {
            if (_modes[i] == CellMode.Untouched)
            {
                continue;
            }

            int at = Offset(_placement.Cells[i], cellsWide, width);

            // (plus, minus) samples of each row: of a checkerboard the second row is the first one turned round.
            int upper, lower;
            if (_rule.BitsPerCell == 1)
            {
                upper = IsRight(targets[i], coded);
                lower = 1 - upper;
            }
            else
            {
                upper = IsRight(targets[2 * i], coded);
                lower = IsRight(targets[(2 * i) + 1], coded);
            }

            if (_modes[i] == CellMode.Balanced)
            {
                samples[at + upper] += balance;
                samples[at + 1 - upper] -= balance;
                samples[at + width + lower] += balance;
                samples[at + width + 1 - lower] -= balance;
            }
            else
            {
                samples[at + upper] += raise;
                samples[at + width + lower] += raise;
            }
        }
    }

    /// <summary>Sum over the changed cells of 1 / (local variance + noise variance).</summary>
    public double SumOver(ReadOnlySpan<float> inverseVariance, double noiseSigma)
    {
        float added = (float)(noiseSigma * noiseSigma);
        double sum = 0;
        for (int i = 0; i < _modes.Length; i++)
        {
            if (_modes[i] != CellMode.Untouched)
            {
                float inverse = inverseVariance[_placement.Cells[i]];
                sum += inverse / (1 + (added * inverse));
            }
        }

        return sum;
    }

    internal static int Offset(int cell, int cellsWide, int width)
    {
        (int y, int x) = Math.DivRem(cell, cellsWide);
        return (2 * y * width) + (2 * x);
    }

    /// <summary>A coded 1 adds to the left sample of the first row, unless the position's sign is inverted.</summary>
    private static int IsRight(int target, ReadOnlySpan<byte> coded) => 1 ^ coded[target >> 1] ^ (target & 1);
}
