using PacsStegoGateway.Imaging;
using PacsStegoGateway.Segmentation;

namespace PacsStegoGateway.Tests.Segmentation;

/// <summary>What both segmenters promise, whatever finds the anatomy.</summary>
public sealed class SafetyRuleTests
{
    public static TheoryData<string, string> Cases => new()
    {
        { "mask-rcnn", "CT" }, { "mask-rcnn", "MR" }, { "threshold", "CT" }, { "threshold", "MR" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Background_is_found_and_no_body_pixel_is_in_it(string kind, string modality)
    {
        BackgroundMask mask = Segmenter(kind).Segment(
            CellSums.Of(SegmentationData.Body(512, 512, modality)), SegmentationData.Describe(512, 512, modality));
        mask.Reason.ShouldBeNull();
        mask.Coverage.ShouldBeGreaterThan(0.5);
        Pixels(mask, 512, 512).Count(p => SegmentationData.IsBody(512, 512, p.X, p.Y)).ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Zero_sum_changes_and_raises_below_the_floor_leave_the_mask_bit_identical(string kind, string modality)
    {
        PixelPlane cover = SegmentationData.Body(512, 512, modality);
        PixelDescription description = SegmentationData.Describe(512, 512, modality);
        IsMaskSameAfterEmbedding(Segmenter(kind), cover, description).ShouldBeTrue();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Burned_in_letters_and_what_they_enclose_never_carry(string kind, string modality)
    {
        PixelPlane plane = SegmentationData.Body(512, 512, modality);
        const int Left = 20, Top = 20, Size = 32, Stroke = 3;
        for (int y = Top; y < Top + Size; y++)
        {
            for (int x = Left; x < Left + Size; x++)
            {
                bool isStroke = x < Left + Stroke || x >= Left + Size - Stroke || y < Top + Stroke || y >= Top + Size - Stroke;
                plane.Samples[(y * 512) + x] = isStroke ? 1000 : plane.Samples[(y * 512) + x];
            }
        }

        plane.Samples[(400 * 512) + 30] = 2000;
        BackgroundMask mask = Segmenter(kind).Segment(CellSums.Of(plane), SegmentationData.Describe(512, 512, modality));
        mask.Coverage.ShouldBeGreaterThan(0.4);
        Pixels(mask, 512, 512).Count(p => p.X is >= Left - 2 and < Left + Size + 2 && p.Y is >= Top - 2 and < Top + Size + 2).ShouldBe(0);
        Pixels(mask, 512, 512).Count(p => Math.Abs(p.X - 30) <= 2 && Math.Abs(p.Y - 400) <= 2).ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_size_gives_a_mask_of_its_own_block_count(string kind, string modality)
    {
        foreach ((int width, int height) in new[] { (64, 64), (513, 511), (2000, 40), (40, 2000), (33, 35), (1024, 768), (256, 256) })
        {
            BackgroundMask mask = Segmenter(kind).Segment(
                CellSums.Of(SegmentationData.Body(width, height, modality)), SegmentationData.Describe(width, height, modality));
            (mask.Width, mask.Height, mask.IsBackground.Length).ShouldBe((width / 4, height / 4, width / 4 * (height / 4)));
            Pixels(mask, width, height).Count(p => SegmentationData.IsBody(width, height, p.X, p.Y)).ShouldBe(0, $"{width}x{height}");
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Images_without_a_background_say_why(string kind, string modality)
    {
        IBackgroundSegmenter segmenter = Segmenter(kind);
        PixelDescription description = SegmentationData.Describe(256, 256, modality);
        Random noise = new(1);
        foreach (Func<int, int> picture in new Func<int, int>[] { _ => 0, _ => 1100, _ => 4095, _ => 1000 + noise.Next(200), _ => noise.Next(4096) })
        {
            int[] samples = [.. Enumerable.Range(0, 256 * 256).Select(picture)];
            BackgroundMask mask = segmenter.Segment(CellSums.Of(new PixelPlane(256, 256, samples, 0, 4095)), description);
            mask.Count.ShouldBe(0);
            mask.Reason.ShouldNotBeNullOrWhiteSpace();
        }
    }

    [Theory]
    [InlineData("PT", "MONOCHROME2", "modality 'PT'")]
    [InlineData("", "MONOCHROME2", "modality ''")]
    [InlineData("CT", "MONOCHROME1", "MONOCHROME1")]
    [InlineData("CT", "RGB", "RGB")]
    [InlineData("Doe^John", "MONOCHROME2", "modality '?'")]
    public void What_has_no_rule_gets_an_empty_mask(string modality, string photometricInterpretation, string words)
    {
        PixelDescription description = SegmentationData.Describe(128, 128, modality) with { PhotometricInterpretation = photometricInterpretation };
        foreach (string kind in new[] { "threshold", "mask-rcnn" })
        {
            BackgroundMask mask = Segmenter(kind).Segment(CellSums.Of(SegmentationData.Body(128, 128, "CT")), description);
            mask.Count.ShouldBe(0);
            mask.Reason!.ShouldContain(words);
        }
    }

    [Fact]
    public void A_negative_slope_gets_an_empty_mask()
    {
        PixelDescription description = SegmentationData.Describe(128, 128, "CT") with { RescaleSlope = -1 };
        new ThresholdSegmenter().Segment(CellSums.Of(SegmentationData.Body(128, 128, "CT")), description).Reason!.ShouldContain("RescaleSlope");
    }

    [Fact]
    public void Images_beyond_the_limits_are_refused_before_anything_is_allocated()
    {
        CellSums tooLarge = new(4096, 4097, [], int.MinValue);
        new ThresholdSegmenter().Segment(tooLarge, SegmentationData.Describe(8192, 8194, "CT")).Reason!.ShouldContain("more than");
        CellSums tooSmall = new(15, 200, new int[3000], int.MinValue);
        new ThresholdSegmenter().Segment(tooSmall, SegmentationData.Describe(30, 400, "CT")).Reason!.ShouldContain("too few");
    }

    [Fact]
    public void Sums_of_another_size_than_described_are_our_own_mistake() =>
        Should.Throw<ArgumentException>(() => new ThresholdSegmenter().Segment(
            CellSums.Of(SegmentationData.Body(64, 64, "CT")), SegmentationData.Describe(128, 128, "CT")));

    /// <summary>Changes every background cell the two ways embedding does, and compares the masks.</summary>
    internal static bool IsMaskSameAfterEmbedding(IBackgroundSegmenter segmenter, PixelPlane cover, PixelDescription description)
    {
        CellSums sums = CellSums.Of(cover);
        BackgroundMask first = segmenter.Segment(sums, description);
        if (first.Count == 0)
        {
            return true;
        }

        List<int> carriers = [];
        for (int cell = 0; cell < sums.Sums.Length; cell++)
        {
            int block = (cell / sums.Width / 2 * first.Width) + (cell % sums.Width / 2);
            if (cell % sums.Width / 2 < first.Width && cell / sums.Width / 2 < first.Height && first.IsBackground[block])
            {
                carriers.Add(cell);
            }
        }

        const int Amplitude = 3;
        int[] ordered = [.. carriers.Select(c => sums.Sums[c]).Order()];
        int floor = ordered[ordered.Length * 4 / 5] + (4 * Amplitude);
        BackgroundMask ofCover = segmenter.Segment(CellSums.Of(cover, floor), description);
        PixelPlane stego = cover.Copy();
        Random random = new(99);
        foreach (int cell in carriers)
        {
            int upper = (cell / sums.Width * 2 * cover.Width) + (cell % sums.Width * 2);
            int lower = upper + cover.Width;
            int sign = random.Next(2) == 0 ? -1 : 1;
            if (sums.Sums[cell] + (4 * Amplitude) <= floor)
            {
                (int a, int b) = sign > 0 ? (upper, lower + 1) : (upper + 1, lower);
                stego.Samples[a] += 2 * Amplitude;
                stego.Samples[b] += 2 * Amplitude;
            }
            else
            {
                stego.Samples[upper] += sign * Amplitude;
                stego.Samples[upper + 1] -= sign * Amplitude;
                stego.Samples[lower] -= sign * Amplitude;
                stego.Samples[lower + 1] += sign * Amplitude;
            }
        }

        stego.Samples.SequenceEqual(cover.Samples).ShouldBeFalse();
        BackgroundMask ofStego = segmenter.Segment(CellSums.Of(stego, floor), description);
        return ofStego.IsBackground.AsSpan().SequenceEqual(ofCover.IsBackground) && ofStego.Reason == ofCover.Reason;
    }

    private static IBackgroundSegmenter Segmenter(string kind) =>
        kind == "threshold" ? new ThresholdSegmenter() : SegmentationData.Require();

    private static IEnumerable<(int X, int Y)> Pixels(BackgroundMask mask, int width, int height) =>
        from y in Enumerable.Range(0, height)
        from x in Enumerable.Range(0, width)
        where mask.ContainsPixel(x, y)
        select (x, y);
}
