using PacsStegoGateway.Imaging;
using PacsStegoGateway.Segmentation;

namespace PacsStegoGateway.Tests.Segmentation;

/// <summary>Every uncompressed training image, held against a body mask made by other rules.</summary>
public sealed class TrainImagesTests
{
    private const double MostAnatomyTouched = 0.001;

    [Fact]
    public void The_network_never_takes_anatomy_for_background_and_embedding_never_changes_its_mask()
    {
        MaskRcnnSegmenter segmenter = SegmentationData.Require();
        List<Result> results = [];
        int index = 0;
        foreach ((string path, PixelPlane plane, PixelDescription description) in SegmentationData.TrainImages())
        {
            BackgroundMask mask = segmenter.Segment(CellSums.Of(plane), description);
            results.Add(Result.Of(path, description, mask, ClassicalBodyMask.Of(plane, description)));
            if (index++ % 10 == 0)
            {
                SafetyRuleTests.IsMaskSameAfterEmbedding(segmenter, plane, description).ShouldBeTrue(path);
            }
        }

        results.Count.ShouldBeGreaterThan(300);
        Report(results);
        results.Where(r => r.Touched > MostAnatomyTouched).ShouldBeEmpty();
        results.Count(r => r.Reason is not null).ShouldBeLessThan(results.Count / 50);
        results.Where(r => r.Modality == "CT").Average(r => r.Usable).ShouldBeGreaterThan(0.55);
        results.Where(r => r.Modality == "MR").Average(r => r.Usable).ShouldBeGreaterThan(0.65);
    }

    [Fact]
    public void Thresholds_alone_keep_off_the_anatomy_of_ct()
    {
        ThresholdSegmenter segmenter = new();
        List<Result> results = [.. SegmentationData.TrainImages()
            .Where(i => i.Description.Modality == "CT")
            .Select(i => Result.Of(i.Path, i.Description, segmenter.Segment(CellSums.Of(i.Plane), i.Description), ClassicalBodyMask.Of(i.Plane, i.Description)))];
        Report(results);
        results.Where(r => r.Touched > MostAnatomyTouched).ShouldBeEmpty();
    }

    private static void Report(List<Result> results)
    {
        foreach (IGrouping<string, Result> group in results.GroupBy(r => r.Modality))
        {
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{group.Key}: {group.Count()} images, coverage {group.Average(r => r.Coverage):F3}, true background used {group.Average(r => r.Usable):F3}, "
                + $"anatomy taken mean {group.Average(r => r.Touched):F6} worst {group.Max(r => r.Touched):F6}");
        }

        foreach (IGrouping<string, Result> refused in results.Where(r => r.Reason is not null).GroupBy(r => r.Reason!))
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"{refused.Count()} x {refused.Key}");
        }
    }

    /// <summary>Shares of one image: background blocks, anatomy pixels in them, and the rest's pixels in them.</summary>
    private sealed record Result(string Path, string Modality, double Coverage, double Touched, double Usable, string? Reason)
    {
        public static Result Of(string path, PixelDescription description, BackgroundMask mask, bool[] body)
        {
            long[] inside = new long[2];
            long[] carrying = new long[2];
            for (int p = 0; p < body.Length; p++)
            {
                int kind = body[p] ? 1 : 0;
                inside[kind]++;
                carrying[kind] += mask.ContainsPixel(p % description.Columns, p / description.Columns) ? 1 : 0;
            }

            return new Result(
                path, description.Modality, mask.Coverage, (double)carrying[1] / Math.Max(1, inside[1]), (double)carrying[0] / Math.Max(1, inside[0]), mask.Reason);
        }
    }
}
