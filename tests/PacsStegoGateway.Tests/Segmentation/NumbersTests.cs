using PacsStegoGateway.Segmentation;

namespace PacsStegoGateway.Tests.Segmentation;

/// <summary>Resampling, quantiles, Otsu and pasting: the arithmetic between cells and network.</summary>
public sealed class NumbersTests
{
    [Theory]
    [InlineData(256, 256)]
    [InlineData(512, 300)]
    [InlineData(101, 777)]
    [InlineData(16, 31)]
    public void Area_average_keeps_the_mean_and_the_position(int width, int height)
    {
        float[] source = [.. Enumerable.Range(0, width * height).Select(i => (float)(i % width) / width)];
        float[] target = new float[256 * 256];
        new AreaResampler(256, 256).Resize(source, width, height, target);
        target.Average().ShouldBe(source.Average(), 1e-4f);
        for (int x = 0; x < 256; x += 17)
        {
            target[(100 * 256) + x].ShouldBe((x + 0.5f) / 256 - (0.5f / width), 1f / Math.Min(width, 256));
        }
    }

    [Fact]
    public void Area_average_of_a_whole_ratio_is_the_block_mean()
    {
        float[] source = [.. Enumerable.Range(0, 16 * 8).Select(i => (float)(i * 37 % 101))];
        float[] target = new float[8 * 4];
        new AreaResampler(8, 4).Resize(source, 16, 8, target);
        target[(1 * 8) + 3].ShouldBe((source[(2 * 16) + 6] + source[(2 * 16) + 7] + source[(3 * 16) + 6] + source[(3 * 16) + 7]) / 4, 1e-4f);
    }

    [Fact]
    public void Quantiles_are_those_of_the_sorted_values()
    {
        Random random = new(5);
        float[] values = [.. Enumerable.Range(0, 5001).Select(_ => (float)Math.Pow(random.NextDouble(), 2))];
        Histogram histogram = new();
        foreach (float value in values)
        {
            histogram.Add(value);
        }

        Array.Sort(values);
        foreach (double share in new[] { 0.0, 0.05, 0.5, 0.95, 1.0 })
        {
            histogram.Quantile(share).ShouldBe(values[(int)(share * 5000)], 0.002f);
        }

        histogram.Clear();
        histogram.Quantile(0.5).ShouldBe(0);
        histogram.OtsuThreshold().ShouldBe(0);
    }

    [Fact]
    public void Otsu_splits_two_heaps()
    {
        Histogram histogram = new();
        for (int i = 0; i < 1000; i++)
        {
            histogram.Add(0.1f + (i % 10 * 0.01f));
            histogram.Add(0.7f + (i % 10 * 0.01f));
        }

        histogram.OtsuThreshold().ShouldBeInRange(0.19f, 0.7f);
    }

    [Fact]
    public void A_pasted_mask_lies_where_its_box_is_and_nowhere_else()
    {
        ModelDescription model = ModelDescription.Load(SegmentationData.ModelPath, out _);
        SegmentationBuffers buffers = new();
        buffers.Resize(128, 64);
        float[] mask = [.. Enumerable.Range(0, 56 * 56).Select(i => (i % 56) < 28 ? 1f : 0f)];
        MaskPaste.ToCells([64, 128, 192, 300], mask, model, buffers);
        for (int y = 0; y < 64; y++)
        {
            for (int x = 0; x < 128; x++)
            {
                float probability = buffers.Probabilities[(y * 128) + x];
                if (y < 32 || x < 32 || x >= 96 || x > 66)
                {
                    probability.ShouldBe(0, 1e-6f, $"{x},{y}");
                }
                else if (x < 62)
                {
                    probability.ShouldBe(1, 1e-6f, $"{x},{y}");
                }
            }
        }
    }

    [Theory]
    [InlineData(float.NaN, 10f)]
    [InlineData(20f, 20f)]
    [InlineData(30f, 20f)]
    [InlineData(-500f, -400f)]
    [InlineData(float.NegativeInfinity, float.PositiveInfinity)]
    public void A_box_that_is_none_pastes_nothing(float from, float to)
    {
        ModelDescription model = ModelDescription.Load(SegmentationData.ModelPath, out _);
        SegmentationBuffers buffers = new();
        buffers.Resize(50, 50);
        MaskPaste.ToCells([from, 0, to, 256], [.. Enumerable.Repeat(1f, 56 * 56)], model, buffers);
        buffers.Probabilities.ShouldAllBe(p => p == 0);
    }
}
