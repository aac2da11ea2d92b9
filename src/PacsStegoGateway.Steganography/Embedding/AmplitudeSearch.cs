using System.Buffers;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Steganography.Qr;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>
/// The search for one image: the least amplitude whose message survives the trial noise, then one step up, released only
/// when extraction from the finished plane gives message and cover back exactly.
/// </summary>
internal sealed class AmplitudeSearch(SymbolEmbedder owner, PixelPlane cover, PixelDescription description, byte[] message, SymbolSize leastSize)
{
    /// <summary>Twice the amplitudes tried, least first.</summary>
    private static readonly int[] Steps = [1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, CellRule.GreatestStep];

    /// <summary>A plan's floor leaves room for steps up to this: the least, one failed rung and the step up.</summary>
    private const int FirstPlannedStep = 4;

    /// <summary>
    /// Squared signal to noise ratio of a coded bit, all its cells together, below which decoding has no hope; the code's
    /// waterfall lies near 1. Rungs that stay below are not tried.
    /// </summary>
    private const double HopelessRatio = 0.6;

    /// <summary>How often a plan is made again for greater steps; each may run the segmenter.</summary>
    private const int MostReplans = 2;

    private readonly SealingKey _key = owner.ActiveKey;
    private readonly int _cellsWide = cover.Width / CellSums.CellSize;
    private readonly int _cellsHigh = cover.Height / CellSums.CellSize;
    private readonly byte[] _hash = new byte[SampleHash.Length];
    private readonly BackgroundPlanner _planner = new(owner.Masks, cover, description, SymbolEmbedder.PaddingOf(description, withLimit: true));
    private BackgroundPlan _plan = null!;
    private float[] _inverseVariance = [];
    private int _replans;
    private string _best = "";
    private EmbeddingRefusal _reason = EmbeddingRefusal.TooNoisy;

    /// <summary>One rung: everything but the seal, which is made when it is tried.</summary>
    private sealed record Rung(BackgroundPlan Plan, CellRule Rule, Placement Placement, CellPattern Pattern, double Ratio);

    public EmbeddingOutcome Run()
    {
        Placement measure = owner.Placements.Get(_key, _cellsWide, _cellsHigh, leastSize, 1);
        if (_planner.Plan(FirstPlannedStep, measure) is not { } plan)
        {
            return new NotEmbedded(EmbeddingRefusal.NoBackground, _planner.Reason!);
        }

        _plan = plan;
        SampleHash.Of(cover, _hash);
        int cellCount = _cellsWide * _cellsHigh;
        _inverseVariance = ArrayPool<float>.Shared.Rent(cellCount);
        SoftCells.Measure(cover.Samples, cover.Width, cover.Height, 1, _inverseVariance.AsSpan(0, cellCount)).Dispose();
        int limit = GreatestStep();
        Embedded? embedded = Climb(1, limit) ?? Climb(2, limit);
        ArrayPool<float>.Shared.Return(_inverseVariance);
        return (EmbeddingOutcome?)embedded ?? new NotEmbedded(
            _reason,
            $"Message of {message.Length} bytes, background {_plan.Mask.Coverage:P1} of {_plan.Mask.IsBackground.Length} blocks, greatest change allowed {limit}. {_best}");
    }

    private Embedded? Climb(int bitsPerCell, int limit)
    {
        Rung? least = null;
        if (!Placement.IsPossible(leastSize, bitsPerCell, _cellsWide * _cellsHigh))
        {
            return null;
        }

        foreach (int step in Steps)
        {
            if (step > limit)
            {
                break;
            }

            if (Prepare(step, bitsPerCell, limit) is not { } rung)
            {
                break;
            }

            if (least is not null)
            {
                return Prove(rung) ?? Prove(least);
            }

            if (rung.Ratio < HopelessRatio || !SurvivesNoise(rung))
            {
                continue;
            }

            least = rung;
            if (!owner.Options.OneStepUp)
            {
                break;
            }
        }

        return least is null ? null : Prove(least);
    }

    /// <summary>Finds the pattern and the symbol size that holds message and exceptions; null when none does.</summary>
    private Rung? Prepare(int step, int bitsPerCell, int limit)
    {
        if (step > _plan.Step && _replans < MostReplans)
        {
            _replans++;
            Placement measure = owner.Placements.Get(_key, _cellsWide, _cellsHigh, leastSize, 1);
            _plan = _planner.Plan(Math.Min(3 * step, limit), measure, _plan) ?? _plan;
        }

        CellRule rule = _planner.Rule(_plan, step, bitsPerCell);
        for (SymbolSize? size = leastSize; size is not null;)
        {
            if (!Placement.IsPossible(size, bitsPerCell, _cellsWide * _cellsHigh))
            {
                return null;
            }

            Placement placement = owner.Placements.Get(_key, _cellsWide, _cellsHigh, size, bitsPerCell);
            CellPattern pattern = CellPattern.OnCover(cover.Samples, cover.Width, placement, _plan.Cells, rule, _plan.Excluded);
            int length = SealedContent.LengthOf(SymbolEmbedder.BlockCountOf(description), pattern.Exceptions, message.Length);
            SymbolSize? needed = SealedContent.SizeFor(length);
            if (needed is not null && needed.PayloadLength <= size.PayloadLength)
            {
                double ratio = (double)step * step * pattern.SumOver(_inverseVariance, owner.Options.NoiseSigma) / placement.Order.CodedLength;
                _reason = EmbeddingRefusal.TooNoisy;
                _best = $"At change {step}, {pattern.CarrierCount} cells give a coded bit the ratio {ratio:F2}; about 1 is needed.";
                return new Rung(_plan, rule, placement, pattern, ratio);
            }

            _reason = EmbeddingRefusal.Unsuitable;
            _best = $"At change {step}, {pattern.Exceptions.Listed.Count + pattern.HeldCount} cells are exceptions, {pattern.Exceptions.EncodedLength} bytes.";
            size = needed;
        }

        return null;
    }

    /// <summary>Whether the message comes out of the noisy stego image, without the mask or with it.</summary>
    private bool SurvivesNoise(Rung rung)
    {
        byte[] payload = SealFor(rung);
        byte[] coded = SymbolReader.Encode(rung.Placement.Order.Size, payload);
        int[] noisy = ArrayPool<int>.Shared.Rent(cover.Samples.Length);
        Span<int> samples = noisy.AsSpan(0, cover.Samples.Length);
        cover.Samples.CopyTo(samples);
        rung.Pattern.Apply(samples, cover.Width, coded, 1);
        owner.Noise.AddTo(samples, cover.MinimumValue, cover.MaximumValue);
        using SoftCells soft = SoftCells.Measure(samples, cover.Width, cover.Height, rung.Rule.BitsPerCell);
        ArrayPool<int>.Shared.Return(noisy);
        if (Decodes(soft, rung, payload))
        {
            return true;
        }

        using SoftCells within = soft.Within(rung.Plan.Cells);
        return Decodes(within, rung, payload);
    }

    private bool Decodes(SoftCells soft, Rung rung, byte[] payload) =>
        rung.Placement.Presence(soft.Values) >= SymbolReader.LeastPresence
        && SymbolReader.TryDecode(soft, rung.Placement, _key) is { } found && found.Payload.AsSpan().SequenceEqual(payload);

    /// <summary>Makes the stego plane and extracts from it as any receiver would.</summary>
    private Embedded? Prove(Rung rung)
    {
        byte[] payload = SealFor(rung);
        PixelPlane stego = cover.Copy();
        rung.Pattern.Apply(stego.Samples, cover.Width, SymbolReader.Encode(rung.Placement.Order.Size, payload), 1);
        int? limit = LimitFor(rung);
        PixelDescription written = limit is null ? description : description with { PixelPaddingRangeLimit = limit };
        if (stego.Samples.AsSpan().ContainsAnyExceptInRange(cover.MinimumValue, cover.MaximumValue)
            || owner.Extract(stego, written) is not Extracted { IsProven: true } extracted
            || !extracted.Message.AsSpan().SequenceEqual(message)
            || !extracted.Restored.Samples.AsSpan().SequenceEqual(cover.Samples)
            || !extracted.Mask.IsBackground.AsSpan().SequenceEqual(rung.Plan.Mask.IsBackground)
            || extracted.Mask.FirstChangeOutside(cover, stego) is not null)
        {
            return null;
        }

        return new Embedded(stego, rung.Plan.Mask, limit, extracted.Report) { SymbolPayload = payload };
    }

    private int? LimitFor(Rung rung) => rung.Pattern.ChangesPadding ? description.PixelPaddingValue + rung.Rule.Step : null;

    private byte[] SealFor(Rung rung)
    {
        byte[] payload = new byte[rung.Placement.Order.Size.PayloadLength];
        byte[] plaintext = new byte[payload.Length - Seal.Overhead];
        new SealedContent(rung.Rule, rung.Pattern.ChangesPadding, _hash, MaskCheck.Of(rung.Plan.Mask), rung.Pattern.Exceptions, message).Write(plaintext);
        Seal.Write(_key, plaintext, payload);
        return payload;
    }

    /// <summary>The configured limit, or more where the background's own noise is greater.</summary>
    private int GreatestStep()
    {
        List<float> sample = [];
        for (int cell = 0, seen = 0; cell < _plan.Cells.Cells.Length; cell++)
        {
            if (_plan.Cells.Cells[cell] && (seen++ & 15) == 0)
            {
                sample.Add(_inverseVariance[cell]);
            }
        }

        sample.Sort();
        double variance = sample.Count == 0 ? 0 : (1 / sample[sample.Count / 2]) - SoftCells.LeastVariance;
        double noise = owner.Options.NoiseShare * Math.Sqrt(Math.Max(0, variance));
        return (int)Math.Min(CellRule.GreatestStep, Math.Max(owner.Options.MaximumChange, noise));
    }
}
