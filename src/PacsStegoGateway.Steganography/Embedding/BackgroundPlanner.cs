using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>The region and the rule's floor and ceiling for it.</summary>
/// <param name="Mask">As the receiver sees it.</param>
/// <param name="Cells">The same in cells.</param>
/// <param name="Excluded">Cells of the mask that the floor alone made background: left alone. Empty = none.</param>
/// <param name="Floor">See <see cref="CellRule"/>.</param>
/// <param name="Ceiling">See <see cref="CellRule"/>.</param>
/// <param name="Padding">What happens to padding samples.</param>
/// <param name="Step">Steps up to this find room below the floor.</param>
internal sealed record BackgroundPlan(BackgroundMask Mask, CellMask Cells, bool[] Excluded, int? Floor, int Ceiling, PaddingUse Padding, int Step);

/// <summary>What embedding does with samples that hold the padding value.</summary>
internal enum PaddingUse
{
    /// <summary>Raised, and the range limit declares the raised values padding too: no image value is among them.</summary>
    Declared,

    /// <summary>Left alone, with every cell that holds one.</summary>
    Skipped,

    /// <summary>
    /// Raised without a declaration: the values next to padding are ordinary darkest image values, which must not be
    /// declared padding, and without these cells too few are left (MR with padding value 0).
    /// </summary>
    Ordinary,
}

/// <summary>
/// Finds background, floor and ceiling together: the mask depends on the floor and the best floor on the mask. A first
/// floor comes from the rim of the frame, which is nearly always background, so that one run of the segmenter is the rule.
/// </summary>
internal sealed class BackgroundPlanner(MaskMemory segmenter, PixelPlane cover, PixelDescription description, PaddingRange? padding)
{
    /// <summary>The rim is this share of the shorter side, in cells.</summary>
    private const int RimDivisor = 12;

    /// <summary>A plan made from the rim is kept when this share of the masked cells carries.</summary>
    private const double EnoughCarriers = 0.7;

    /// <summary>... and the exceptions take no more than so many bytes.</summary>
    private const int FewExceptionBytes = 40;

    /// <summary>Carriers that one byte of exceptions is worth.</summary>
    private const int CostOfByte = 24;

    /// <summary>Padding is skipped when that leaves at least this share of what could be had with it.</summary>
    private const double LeastShareWithoutPadding = 0.5;

    /// <summary>On CT nothing below this is anatomy, so a floor there hides none.</summary>
    private const double AirHU = -900;

    private readonly int _cellsWide = cover.Width / CellSums.CellSize;
    private readonly int _cellsHigh = cover.Height / CellSums.CellSize;
    private readonly CellSums _sums = CellSums.Of(cover);
    private readonly int _leastSample = cover.Samples.Min();

    /// <summary>Why there is no plan, when there is none.</summary>
    public string? Reason { get; private set; }

    /// <summary>The rule of a plan.</summary>
    public CellRule Rule(BackgroundPlan plan, int step, int bitsPerCell) =>
        new(step, bitsPerCell, plan.Floor, plan.Ceiling, cover.MinimumValue, cover.MaximumValue, PaddingFor(plan.Padding), plan.Padding == PaddingUse.Skipped);

    /// <summary>Plans for steps up to <paramref name="step"/>.</summary>
    /// <param name="step">Greatest step the floor must leave room for.</param>
    /// <param name="measure">A placement to count carriers with: the size that will most likely be used.</param>
    /// <param name="known">A plan for smaller steps, whose mask is a better start than the rim; null at first.</param>
    /// <returns>Null when there is no background; <see cref="Reason"/> says why.</returns>
    public BackgroundPlan? Plan(int step, Placement measure, BackgroundPlan? known = null)
    {
        PaddingUse use = known?.Padding ?? (description.PixelPaddingRangeLimit is null ? PaddingUse.Declared : PaddingUse.Skipped);
        BackgroundPlan? plan = PlanFor(use, step, measure, known);
        if (plan is null || use != PaddingUse.Declared || !OccursOutside(plan.Cells, step))
        {
            return plan;
        }

        // The values that raised padding would take are image values elsewhere: they cannot be declared padding.
        BackgroundPlan? skipping = PlanFor(PaddingUse.Skipped, step, measure, plan);
        BackgroundPlan? ordinary = PlanFor(PaddingUse.Ordinary, step, measure, plan);
        return skipping is null || (ordinary is not null && Score(skipping, measure) < LeastShareWithoutPadding * Score(ordinary, measure)) ? ordinary : skipping;
    }

    private BackgroundPlan? PlanFor(PaddingUse use, int step, Placement measure, BackgroundPlan? known)
    {
        BackgroundPlan? first = known is null ? TryFloor(ChooseFor(Rim(), step, use), step, use) : null;
        if (first is not null && IsGood(first, measure))
        {
            return first;
        }

        CellMask? start = (known ?? first)?.Cells;
        if (start is null)
        {
            // The floor from the rim hid everything, or there is nothing: ask without any.
            BackgroundMask mask = segmenter.Segment(_sums, Seen);
            if (mask.Count == 0)
            {
                Reason = mask.Reason ?? "The mask is empty.";
                return null;
            }

            start = CellMask.Of(mask, _cellsWide, _cellsHigh);
        }

        BackgroundPlan? second = TryFloor(ChooseFor(start.Cells, step, use), step, use);
        BackgroundPlan? better = second is null || (first is not null && Score(first, measure) > Score(second, measure)) ? first : second;
        return better ?? known ?? TryFloor(new FloorPlanner.Plan(null, false), step, use);
    }

    private PaddingRange? PaddingFor(PaddingUse use) => use == PaddingUse.Ordinary ? null : padding;

    private PixelDescription Seen { get; } = description with { PixelPaddingRangeLimit = null };

    private FloorPlanner.Plan ChooseFor(ReadOnlySpan<bool> cells, int step, PaddingUse use) => FloorPlanner.Choose(
        cover.Samples, cover.Width, cells, new CellRule(step, 1, null, int.MaxValue, cover.MinimumValue, cover.MaximumValue, PaddingFor(use), use == PaddingUse.Skipped), _leastSample);

    private bool[] Rim()
    {
        bool[] rim = new bool[_cellsWide * _cellsHigh];
        int depth = Math.Max(1, Math.Min(_cellsWide, _cellsHigh) / RimDivisor);
        for (int y = 0; y < _cellsHigh; y++)
        {
            Span<bool> row = rim.AsSpan(y * _cellsWide, _cellsWide);
            if (y < depth || y >= _cellsHigh - depth)
            {
                row.Fill(true);
            }
            else
            {
                row[..depth].Fill(true);
                row[^depth..].Fill(true);
            }
        }

        return rim;
    }

    private BackgroundPlan? TryFloor(FloorPlanner.Plan choice, int step, PaddingUse use)
    {
        BackgroundMask mask = segmenter.Segment(choice.Floor is { } floor ? _sums.WithFloor(floor) : _sums, Seen);
        if (mask.Count == 0)
        {
            Reason = mask.Reason ?? "The mask is empty.";
            return null;
        }

        CellMask cells = CellMask.Of(mask, _cellsWide, _cellsHigh);
        int ceiling = choice.IsRaisedOnly ? choice.Floor!.Value : FloorPlanner.Ceiling(cover.Samples, cover.Width, cells.Cells, choice.Floor);
        return new BackgroundPlan(mask, cells, choice.Floor is { } high ? HiddenBy(high, mask) : [], choice.Floor, ceiling, use, step);
    }

    /// <summary>
    /// A floor takes detail from the segmenter. Where that could matter, the mask without floor is asked too: a block that
    /// is background only because of the floor is left alone, unless it is no brighter than such background anyway is and
    /// lies beside it.
    /// </summary>
    private bool[] HiddenBy(int floor, BackgroundMask mask)
    {
        if (description.Modality == "CT" && (floor / 4.0 * description.RescaleSlope) + description.RescaleIntercept < AirHU)
        {
            return [];
        }

        BackgroundMask open = segmenter.Segment(_sums, Seen);
        int dark = Math.Min(floor, OrdinarySum(open));
        bool[] hidden = [];
        for (int i = 0; i < mask.IsBackground.Length; i++)
        {
            (int y, int x) = Math.DivRem(i, mask.Width);
            int cell = (2 * y * _cellsWide) + (2 * x);
            if (mask.IsBackground[i] && !open.IsBackground[i] && !(IsDark(cell, dark) && HasNeighbour(open, i)))
            {
                hidden = hidden.Length == 0 ? new bool[_sums.Sums.Length] : hidden;
                hidden[cell] = hidden[cell + 1] = hidden[cell + _cellsWide] = hidden[cell + _cellsWide + 1] = true;
            }
        }

        return hidden;
    }

    private bool IsDark(int cell, int limit) => _sums.Sums[cell] <= limit && _sums.Sums[cell + 1] <= limit
        && _sums.Sums[cell + _cellsWide] <= limit && _sums.Sums[cell + _cellsWide + 1] <= limit;

    /// <summary>The sum that 98 of 100 cells of the mask do not exceed (one cell of each block is asked); nothing for an empty mask.</summary>
    private int OrdinarySum(BackgroundMask mask)
    {
        List<int> sums = [];
        for (int i = 0; i < mask.IsBackground.Length; i++)
        {
            if (mask.IsBackground[i])
            {
                sums.Add(_sums.Sums[(2 * (i / mask.Width) * _cellsWide) + (2 * (i % mask.Width))]);
            }
        }

        sums.Sort();
        return sums.Count == 0 ? int.MinValue : sums[sums.Count * 98 / 100];
    }

    private static bool HasNeighbour(BackgroundMask mask, int block)
    {
        (int y, int x) = Math.DivRem(block, mask.Width);
        for (int v = Math.Max(0, y - 1); v <= Math.Min(mask.Height - 1, y + 1); v++)
        {
            for (int u = Math.Max(0, x - 1); u <= Math.Min(mask.Width - 1, x + 1); u++)
            {
                if (mask.IsBackground[(v * mask.Width) + u])
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>True when the values that raising turns padding into occur outside the mask, where they mean image.</summary>
    private bool OccursOutside(CellMask cells, int step)
    {
        if (padding is not { } range)
        {
            return false;
        }

        for (int i = 0; i < cover.Samples.Length; i++)
        {
            int above = cover.Samples[i] - range.Greatest;
            if (above > 0 && above <= step)
            {
                (int y, int x) = Math.DivRem(i, cover.Width);
                if (y / 2 >= _cellsHigh || x / 2 >= _cellsWide || !cells.Cells[(y / 2 * _cellsWide) + (x / 2)])
                {
                    return true;
                }
            }
        }

        return false;
    }

    private bool IsGood(BackgroundPlan plan, Placement measure)
    {
        CellPattern pattern = CellPattern.OnCover(cover.Samples, cover.Width, measure, plan.Cells, Rule(plan, plan.Step, 1), plan.Excluded);
        int masked = 0;
        foreach (int cell in measure.Cells)
        {
            masked += plan.Cells.Cells[cell] ? 1 : 0;
        }

        return pattern.CarrierCount >= EnoughCarriers * masked && pattern.Exceptions.EncodedLength <= FewExceptionBytes;
    }

    private int Score(BackgroundPlan plan, Placement measure)
    {
        CellPattern pattern = CellPattern.OnCover(cover.Samples, cover.Width, measure, plan.Cells, Rule(plan, plan.Step, 1), plan.Excluded);
        return pattern.CarrierCount - (CostOfByte * pattern.Exceptions.EncodedLength);
    }
}
