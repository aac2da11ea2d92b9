namespace PacsStegoGateway.Segmentation;

/// <summary>
/// Draws the rim of the anatomy at cell resolution: where the network is sure it is believed; in the band between, the
/// intensity decides.
/// </summary>
internal static class RimRefinement
{
    /// <summary>Depth into sure anatomy, in cells, whose intensities stand for "anatomy near the border".</summary>
    private const int RimDepth = 6;

    /// <summary>From here on a cell is anatomy whatever its intensity.</summary>
    private const float LikelyAnatomy = 0.5f;

    /// <summary>Sets <see cref="SegmentationBuffers.Anatomy"/> from Values and Probabilities.</summary>
    public static void Apply(SegmentationBuffers buffers, Refinement constants)
    {
        int length = buffers.Length;
        CellGrid grid = new(buffers.Width, buffers.Height, buffers.Stack);
        Span<byte> anatomy = buffers.Anatomy.AsSpan(0, length);
        Span<byte> notSure = buffers.First.AsSpan(0, length);
        Span<byte> nearRim = buffers.Second.AsSpan(0, length);
        ReadOnlySpan<float> probabilities = buffers.Probabilities.AsSpan(0, length);
        ReadOnlySpan<float> values = buffers.Values.AsSpan(0, length);
        float sureBackground = (float)constants.SureBackground;
        float sureAnatomy = (float)constants.SureAnatomy;
        for (int i = 0; i < length; i++)
        {
            anatomy[i] = probabilities[i] >= sureAnatomy ? (byte)1 : (byte)0;
            notSure[i] = (byte)(1 - anatomy[i]);
        }

        grid.Dilate(notSure, nearRim, buffers.Third.AsSpan(0, length), RimDepth);
        buffers.Histogram.Clear();
        for (int i = 0; i < length; i++)
        {
            if ((anatomy[i] & nearRim[i]) == 1)
            {
                buffers.Histogram.Add(values[i]);
            }
        }

        float inside = buffers.Histogram.Quantile(0.5);
        buffers.Histogram.Clear();
        for (int i = 0; i < length; i++)
        {
            if (probabilities[i] <= sureBackground)
            {
                buffers.Histogram.Add(values[i]);
            }
        }

        float outside = buffers.Histogram.Quantile(0.5);
        float limit = outside + ((float)constants.BrightFraction * (inside - outside));
        Span<byte> brightBand = notSure;
        for (int i = 0; i < length; i++)
        {
            bool isBright = probabilities[i] > sureBackground && probabilities[i] < sureAnatomy && values[i] > limit;
            brightBand[i] = isBright ? (byte)1 : (byte)0;
        }

        grid.GrowInto(anatomy, brightBand);
        for (int i = 0; i < length; i++)
        {
            // Dark anatomy at the rim (a lung that the image's edge cuts): more likely anatomy than not, so it is.
            anatomy[i] |= probabilities[i] >= LikelyAnatomy ? (byte)1 : (byte)0;
        }
    }
}
