using System.Collections.Concurrent;
using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Segmentation;

/// <summary>
/// Takes the largest bright region, holes filled, for the anatomy (CT by HU, MR by Otsu's threshold) and applies the
/// rules every segmenter shares. Needs no model and no native library; the weaker one on noisy MR. Safe to call from
/// several threads.
/// </summary>
public sealed class ThresholdSegmenter : IBackgroundSegmenter
{
    /// <summary>Regions of at least this share of the largest are anatomy too (arms, legs).</summary>
    private const double LeastShareOfLargest = 0.015;

    private readonly ConcurrentBag<SegmentationBuffers> _idle = [];

    public string Name => "threshold";

    public BackgroundMask Segment(CellSums sums, PixelDescription description)
    {
        SegmentationBuffers buffers = _idle.TryTake(out SegmentationBuffers? kept) ? kept : new SegmentationBuffers();
        Normalisation constants = Normalisation.Default;
        BackgroundMask mask;
        if (ModalityRules.Read(sums, description, constants, buffers, out string? reason) is { } rule)
        {
            FindAnatomy(buffers, rule, constants);
            mask = MaskRules.Apply(buffers, rule, constants, description.Columns, description.Rows);
        }
        else
        {
            mask = BackgroundMask.Empty(description.Columns, description.Rows, reason!);
        }

        buffers.Trim();
        _idle.Add(buffers);
        return mask;
    }

    private static void FindAnatomy(SegmentationBuffers buffers, ModalityRule rule, Normalisation constants)
    {
        int length = buffers.Length;
        CellGrid grid = new(buffers.Width, buffers.Height, buffers.Stack);
        ReadOnlySpan<float> values = buffers.Values.AsSpan(0, length);
        Span<byte> anatomy = buffers.Anatomy.AsSpan(0, length);
        Span<byte> bright = buffers.First.AsSpan(0, length);
        Span<byte> rest = buffers.Second.AsSpan(0, length);
        buffers.Histogram.Clear();
        foreach (float value in values)
        {
            buffers.Histogram.Add(value);
        }

        float threshold = rule.AnatomyThreshold(buffers.Histogram, constants);
        for (int i = 0; i < length; i++)
        {
            bright[i] = values[i] > threshold ? (byte)1 : (byte)0;
        }

        anatomy.Clear();
        bright.CopyTo(rest);
        int largest = grid.LargestIsland(rest);
        grid.SplitIslands(bright, anatomy, rest, Math.Max(1, (int)(LeastShareOfLargest * largest)));
    }
}
