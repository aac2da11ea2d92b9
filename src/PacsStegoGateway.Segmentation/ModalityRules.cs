using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Segmentation;

/// <summary>
/// How one modality's numbers are read. Everything that differs between modalities stands here and nowhere else.
/// Anatomy share = anatomy cells of all cells; outside [LeastAnatomy, MostAnatomy] a mask is not believed.
/// </summary>
internal abstract record ModalityRule(string Modality, double LeastAnatomy, double MostAnatomy)
{
    /// <summary>
    /// True when whatever is large and bright belongs to the patient, so that bays between such regions are closed like
    /// bays of the anatomy; false when couch and blankets are bright too.
    /// </summary>
    public abstract bool OnlyBodiesAreBright { get; }

    /// <summary>Fills <see cref="SegmentationBuffers.Values"/> with intensities from 0 (darkest) to 1.</summary>
    /// <returns>Null, or why this image cannot be read by the rule.</returns>
    public abstract string? Normalise(CellSums sums, PixelDescription description, Normalisation constants, SegmentationBuffers buffers);

    /// <summary>A cell brighter than this is never background, whatever the network says.</summary>
    /// <param name="background">Values of the cells well outside the anatomy.</param>
    /// <param name="constants">The constants <see cref="Normalise"/> was given.</param>
    public abstract float DarkLimit(Histogram background, Normalisation constants);

    /// <summary>A cell brighter than this is most likely the patient: what the segmenter's anatomy is held against.</summary>
    /// <param name="darkLimit">What <see cref="DarkLimit"/> gave.</param>
    /// <param name="constants">The constants <see cref="Normalise"/> was given.</param>
    public virtual float BodyLimit(float darkLimit, Normalisation constants) => darkLimit;

    /// <summary>The intensity above which a threshold alone takes a cell for anatomy.</summary>
    /// <param name="all">Values of all cells.</param>
    /// <param name="constants">The constants <see cref="Normalise"/> was given.</param>
    public abstract float AnatomyThreshold(Histogram all, Normalisation constants);
}

/// <summary>The table: modalities with a rule. Whatever is not here gives an empty mask, never a guess.</summary>
internal static class ModalityRules
{
    private static readonly ModalityRule[] Table = [new CtRule(), new MrRule()];

    /// <summary>The rule for an image and its values, or why there is none.</summary>
    /// <remarks>The reason is set when the result is null.</remarks>
    public static ModalityRule? Read(
        CellSums sums, PixelDescription description, Normalisation constants, SegmentationBuffers buffers, out string? reason)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(sums.Width, description.Columns / CellSums.CellSize, nameof(sums));
        ArgumentOutOfRangeException.ThrowIfNotEqual(sums.Height, description.Rows / CellSums.CellSize, nameof(sums));
        ModalityRule? rule = Array.Find(Table, r => r.Modality == description.Modality);
        reason = rule switch
        {
            null => $"There is no background rule for modality '{Printable(description.Modality)}'.",
            _ when description.SamplesPerPixel != 1 || description.PhotometricInterpretation != "MONOCHROME2" =>
                $"The background rule reads MONOCHROME2, not '{Printable(description.PhotometricInterpretation)}' with {description.SamplesPerPixel} samples per pixel.",
            _ when (long)sums.Width * sums.Height > SegmentationBuffers.MaximumCells =>
                $"{description.Columns} x {description.Rows} pixels are more than the segmenter takes ({SegmentationBuffers.MaximumCells * 4L}).",
            _ when sums.Width < MaskRules.LeastEdge || sums.Height < MaskRules.LeastEdge =>
                $"{description.Columns} x {description.Rows} pixels are too few to tell background from anatomy.",
            _ => null,
        };
        if (reason is null)
        {
            buffers.Resize(sums.Width, sums.Height);
            reason = rule!.Normalise(sums, description, constants, buffers);
        }

        return reason is null ? rule : null;
    }

    /// <summary>A code string as it may stand in a reason: what is not one is not repeated.</summary>
    private static string Printable(string code) => code.Length <= 16 && code.All(char.IsAsciiLetterOrDigit) ? code : "?";
}

/// <summary>CT: intensity is HU (stored value x RescaleSlope + RescaleIntercept), so the limits are absolute.</summary>
internal sealed record CtRule() : ModalityRule("CT", LeastAnatomy: 0.01, MostAnatomy: 0.97)
{
    /// <summary>Air is -1000 HU; skin, tubes, blankets and the couch's skin lie above this, lung mostly too.</summary>
    private const double AirLimitHU = -920;

    /// <summary>Soft tissue and fat are well above, lung and air well below.</summary>
    private const double AnatomyHU = -350;

    public override bool OnlyBodiesAreBright => false;

    public override string? Normalise(CellSums sums, PixelDescription description, Normalisation constants, SegmentationBuffers buffers)
    {
        if (description.RescaleSlope <= 0)
        {
            return "RescaleSlope is not positive: the darkest stored value is not the darkest HU.";
        }

        float slope = (float)(description.RescaleSlope / 4 / constants.CtRangeHU);
        float offset = (float)((description.RescaleIntercept - constants.CtLowestHU) / constants.CtRangeHU);
        Span<float> values = buffers.Values.AsSpan(0, buffers.Length);
        for (int i = 0; i < values.Length; i++)
        {
            // Padding (below -1200 HU) is far below the lowest intensity, so that the lower clip makes it 0 as well.
            values[i] = Math.Clamp((sums.Sums[i] * slope) + offset, 0f, 1f);
        }

        return null;
    }

    public override float DarkLimit(Histogram background, Normalisation constants) => Intensity(AirLimitHU, constants);

    public override float BodyLimit(float darkLimit, Normalisation constants) => Intensity(AnatomyHU, constants);

    public override float AnatomyThreshold(Histogram all, Normalisation constants) => Intensity(AnatomyHU, constants);

    private static float Intensity(double hu, Normalisation constants) => (float)((hu - constants.CtLowestHU) / constants.CtRangeHU);
}

/// <summary>
/// MR: stored values mean nothing by themselves; intensity is the square root of the value's share of the image's own
/// 99.5th percentile, and the dark limit comes from the spread of the noise.
/// </summary>
internal sealed record MrRule() : ModalityRule("MR", LeastAnatomy: 0.02, MostAnatomy: 0.97)
{
    /// <summary>The limit lies this many times the distance median to 95th percentile above the median: 4.9 sigma of a normal noise.</summary>
    private const float NoiseReach = 3;

    /// <summary>Linear share of the 99.5th percentile that is always dark: below it a difference is not seen.</summary>
    private const float AlwaysDark = 0.02f;

    /// <summary>Linear share of the 99.5th percentile that is never dark, however noisy the background is.</summary>
    private const float NeverDark = 0.25f;

    public override bool OnlyBodiesAreBright => true;

    public override string? Normalise(CellSums sums, PixelDescription description, Normalisation constants, SegmentationBuffers buffers)
    {
        ReadOnlySpan<int> cells = sums.Sums.AsSpan(0, buffers.Length);
        int highest = Percentile(cells, constants.MrPercentile / 100);
        if (highest <= 0)
        {
            return "The image has no signal.";
        }

        float scale = 1f / highest;
        Span<float> values = buffers.Values.AsSpan(0, buffers.Length);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = MathF.Sqrt(Math.Clamp(cells[i] * scale, 0f, 1f));
        }

        return null;
    }

    public override float DarkLimit(Histogram background, Normalisation constants)
    {
        float median = Linear(background.Quantile(0.5));
        float high = Linear(background.Quantile(0.95));
        float limit = median + Math.Max(AlwaysDark, NoiseReach * (high - median));
        return MathF.Sqrt(Math.Min(limit, NeverDark));
    }

    public override float AnatomyThreshold(Histogram all, Normalisation constants) => all.OtsuThreshold();

    private static float Linear(float intensity) => intensity * intensity;

    /// <summary>Exact to one 4096th of the range, in two passes and without sorting.</summary>
    private static int Percentile(ReadOnlySpan<int> cells, double share)
    {
        int low = int.MaxValue;
        int high = int.MinValue;
        foreach (int cell in cells)
        {
            low = Math.Min(low, cell);
            high = Math.Max(high, cell);
        }

        long bin = Math.Max(1, ((long)high - low + 4096) / 4096);
        Span<int> counts = stackalloc int[4097];
        counts.Clear();
        foreach (int cell in cells)
        {
            counts[(int)(((long)cell - low) / bin)]++;
        }

        long wanted = (long)Math.Ceiling(share * cells.Length);
        long seen = 0;
        int index = 0;
        while (index < counts.Length && (seen += counts[index]) < wanted)
        {
            index++;
        }

        return (int)Math.Min(high, low + ((index + 1) * bin) - 1);
    }
}
