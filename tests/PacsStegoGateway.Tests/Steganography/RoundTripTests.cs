using PacsStegoGateway.Imaging;
using PacsStegoGateway.Steganography.Embedding;
using PacsStegoGateway.Steganography.Metrics;

namespace PacsStegoGateway.Tests.Steganography;

public class RoundTripTests
{
    public static TheoryData<string, int, int, int, bool, double, double, double, int?> Planes => new()
    {
        { "padded CT", 512, 512, 12, false, 0, 0, 1000, null },
        { "noisy air CT", 512, 512, 12, false, 24, 8, 1000, null },
        { "clipped air CT", 512, 512, 12, false, 4, 8, 1000, null },
        { "signed padded CT", 512, 512, 16, true, -2000, 0, 40, -2000 },
        { "signed air CT", 512, 512, 16, true, -1000, 6, 40, null },
        { "MR zero background", 256, 256, 12, false, 0, 0, 300, null },
        { "Rician MR", 256, 256, 12, false, 6, 3, 300, null },
        { "odd size", 511, 387, 12, false, 10, 4, 1000, null },
        { "8 bit", 512, 400, 8, false, 0, 0.6, 120, null },
        { "near the maximum", 320, 320, 10, false, 1012, 2, 1023, null },
        { "at the least of a signed range", 320, 320, 12, true, -2048, 1, 500, null },
        { "large", 1024, 1024, 12, false, 10, 4, 1000, null },
    };

    [Theory]
    [MemberData(nameof(Planes))]
    public void What_was_embedded_comes_out_and_the_cover_comes_back(
        string name, int width, int height, int bits, bool isSigned, double background, double noise, double anatomy, int? padding)
    {
        PixelDescription description = Bench.Describe(width, height, bits, isSigned, padding: padding);
        PixelPlane cover = Bench.Phantom(description, 11, background, noise, anatomy);
        PixelPlane kept = cover.Copy();
        BackgroundMask truth = Bench.EllipseMask(description);
        SymbolEmbedder embedder = new(Bench.Ring, new GivenSegmenter(_ => truth));
        byte[] message = Bench.Message(180);

        EmbeddingOutcome outcome = embedder.Embed(cover, description, message);

        Embedded embedded = outcome.ShouldBeOfType<Embedded>($"{name}: {outcome}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {embedded.Report}");
        cover.Samples.ShouldBe(kept.Samples);
        OutsideIsEqual(cover, embedded.Stego, truth);
        embedded.Stego.Samples.ShouldAllBe(v => v >= description.MinimumValue && v <= description.MaximumValue);

        // A receiver of its own, with nothing remembered.
        SymbolEmbedder receiver = new(Bench.Ring, new GivenSegmenter(_ => truth));
        PixelDescription seen = embedded.PaddingRangeLimit is { } limit ? description with { PixelPaddingRangeLimit = limit } : description;
        Extracted extracted = receiver.Extract(embedded.Stego, seen).ShouldBeOfType<Extracted>();
        extracted.Message.ShouldBe(message);
        extracted.IsProven.ShouldBeTrue();
        extracted.Restored.Samples.ShouldBe(kept.Samples);
    }

    private static void OutsideIsEqual(PixelPlane cover, PixelPlane stego, BackgroundMask mask)
    {
        for (int y = 0; y < cover.Height; y++)
        {
            for (int x = 0; x < cover.Width; x++)
            {
                int i = (y * cover.Width) + x;
                (cover.Samples[i] == stego.Samples[i] || mask.ContainsPixel(x, y)).ShouldBeTrue();
            }
        }
    }

    [Fact]
    public void Random_planes_and_masks_come_back_exactly_or_are_refused()
    {
        int embeddedCount = 0, refusedCount = 0;
        for (int seed = 0; seed < 40; seed++)
        {
            Random random = new(seed);
            int bits = random.Next(8, 17);
            bool isSigned = bits > 8 && random.Next(2) == 0;
            PixelDescription description = Bench.Describe(random.Next(64, 480), random.Next(64, 480), bits, isSigned, "MR");
            int span = description.MaximumValue - description.MinimumValue;
            double level = random.Next(4) switch { 0 => description.MinimumValue, 1 => description.MaximumValue, _ => description.MinimumValue + (span * random.NextDouble()) };
            double noise = random.Next(3) switch { 0 => 0, 1 => 2, _ => 0.02 * span * random.NextDouble() };
            PixelPlane cover = Bench.Phantom(description, seed, level, noise, description.MinimumValue + (span * random.NextDouble()));
            double density = random.NextDouble();
            bool[] blocks = [.. Enumerable.Range(0, description.Columns / 4 * (description.Rows / 4)).Select(_ => random.NextDouble() < density)];
            BackgroundMask mask = new(description.Columns / 4, description.Rows / 4, blocks);
            byte[] message = Bench.Message(random.Next(0, 260), seed);
            SymbolEmbedder embedder = new(Bench.Ring, new GivenSegmenter(_ => mask));

            if (embedder.Embed(cover, description, message) is not Embedded embedded)
            {
                refusedCount++;
                continue;
            }

            embeddedCount++;
            OutsideIsEqual(cover, embedded.Stego, mask);
            Extracted extracted = embedder.Extract(embedded.Stego, description).ShouldBeOfType<Extracted>();
            extracted.IsProven.ShouldBeTrue();
            extracted.Message.ShouldBe(message);
            extracted.Restored.Samples.ShouldBe(cover.Samples);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{embeddedCount} embedded, {refusedCount} refused");
        embeddedCount.ShouldBeGreaterThan(10);
        refusedCount.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void The_mask_made_from_the_stego_image_is_the_one_made_from_the_cover()
    {
        PixelDescription description = Bench.Describe(512, 512);
        foreach ((double background, double noise) in ((double, double)[])[(0, 0), (24, 8), (3, 4)])
        {
            PixelPlane cover = Bench.Phantom(description, 3, background, noise, 1000);
            SymbolEmbedder embedder = new(Bench.Ring, new LimitSegmenter(300));
            Embedded embedded = embedder.Embed(cover, description, Bench.Message(150)).ShouldBeOfType<Embedded>();

            int floor = embedded.Report.Floor ?? int.MinValue;
            CellSums ofStego = CellSums.Of(embedded.Stego, floor);
            ofStego.Sums.ShouldBe(CellSums.Of(cover, floor).Sums);
            BackgroundMask again = new LimitSegmenter(300).Segment(ofStego, description);
            ImageQuality.MaskCorrelation(embedded.Mask, again).ShouldBe(1);
        }
    }

    [Fact]
    public void The_segmenter_runs_once_for_embedding_and_proof_together()
    {
        PixelDescription description = Bench.Describe(512, 512);
        PixelPlane cover = Bench.Phantom(description, 3, 0, 0, 1000);
        LimitSegmenter segmenter = new(300);
        SymbolEmbedder embedder = new(Bench.Ring, segmenter);

        Embedded embedded = embedder.Embed(cover, description, Bench.Message(150)).ShouldBeOfType<Embedded>();
        embedder.Extract(embedded.Stego, description).ShouldBeOfType<Extracted>();

        segmenter.Runs.ShouldBe(1);
    }

    [Fact]
    public void Padding_is_declared_when_no_image_value_lies_next_to_it()
    {
        PixelDescription description = Bench.Describe(512, 512, 16, true, padding: -2000);
        PixelPlane cover = Bench.Phantom(description, 5, -2000, 0, 40);
        SymbolEmbedder embedder = new(Bench.Ring, new GivenSegmenter(Bench.EllipseMask));

        Embedded embedded = embedder.Embed(cover, description, Bench.Message(150)).ShouldBeOfType<Embedded>();

        embedded.PaddingRangeLimit.ShouldBe(-2000 + embedded.Report.Step);
        embedded.Stego.Samples.Min().ShouldBe(-2000);
        Extracted extracted = embedder.Extract(embedded.Stego, description with { PixelPaddingRangeLimit = embedded.PaddingRangeLimit }).ShouldBeOfType<Extracted>();
        (extracted.IsProven, extracted.SetsPaddingRangeLimit).ShouldBe((true, true));
    }

    [Fact]
    public void Padding_with_a_range_of_its_own_is_left_alone()
    {
        PixelDescription description = Bench.Describe(512, 512, 16, true, padding: -2000) with { PixelPaddingRangeLimit = -1990 };
        PixelPlane cover = Bench.Phantom(description, 5, -1000, 3, 40);
        for (int i = 0; i < 512 * 30; i++)
        {
            cover.Samples[i] = -2000 + (i % 11);
        }

        SymbolEmbedder embedder = new(Bench.Ring, new GivenSegmenter(Bench.EllipseMask));
        Embedded embedded = embedder.Embed(cover, description, Bench.Message(150)).ShouldBeOfType<Embedded>();

        embedded.PaddingRangeLimit.ShouldBeNull();
        embedded.Stego.Samples.AsSpan(0, 512 * 30).SequenceEqual(cover.Samples.AsSpan(0, 512 * 30)).ShouldBeTrue();
        embedded.Stego.Samples.Skip(512 * 30).ShouldAllBe(static value => value > -1990);
        embedder.Extract(embedded.Stego, description).ShouldBeOfType<Extracted>().IsProven.ShouldBeTrue();
    }

    [Fact]
    public void Every_message_length_up_to_the_greatest_comes_out()
    {
        PixelDescription description = Bench.Describe(1000, 1000);
        PixelPlane cover = Bench.Phantom(description, 3, 0, 0, 1000);
        SymbolEmbedder embedder = new(Bench.Ring, new GivenSegmenter(Bench.EllipseMask));
        (int Length, int Version)[] classes = [(0, 5), (31, 5), (32, 8), (117, 8), (118, 10), (195, 10), (291, 12), (382, 14), (568, 17), (1197, 25), (1198, 40), (SymbolEmbedder.MaximumMessageLength, 40), (2877, 40)];
        foreach ((int length, int version) in classes)
        {
            byte[] message = Bench.Message(length);
            Embedded embedded = embedder.Embed(cover, description, message).ShouldBeOfType<Embedded>($"{length}");
            embedded.Report.SymbolVersion.ShouldBe(version, $"{length}");
            embedder.Extract(embedded.Stego, description).ShouldBeOfType<Extracted>().Message.ShouldBe(message);
        }

        embedder.Embed(cover, description, new byte[2878])
            .ShouldBeOfType<NotEmbedded>().Reason.ShouldBe(EmbeddingRefusal.MessageTooLong);
    }
}
