using System.Diagnostics;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Steganography.Embedding;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Tests.Steganography;

public class RobustnessTests
{
    private static readonly PixelDescription Description = Bench.Describe(512, 512);

    private static readonly byte[] Hidden = Bench.Message(180);

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(0, 0, 2)]
    [InlineData(24, 8, 1)]
    [InlineData(24, 8, 3)]
    public void Under_noise_the_message_still_comes_out_and_nothing_is_claimed_restored(double background, double noise, double sigma)
    {
        PixelPlane cover = Bench.Phantom(Description, 9, background, noise, 1000);
        SymbolEmbedder embedder = Embedder();
        Embedded embedded = embedder.Embed(cover, Description, Hidden).ShouldBeOfType<Embedded>();

        for (int seed = 0; seed < 3; seed++)
        {
            Extracted extracted = embedder.Extract(Bench.WithNoise(embedded.Stego, sigma, seed), Description).ShouldBeOfType<Extracted>();
            extracted.Message.ShouldBe(Hidden);
            extracted.IsProven.ShouldBeFalse();
        }
    }

    [Fact]
    public void One_altered_sample_anywhere_is_noticed()
    {
        Embedded embedded = Embed(out SymbolEmbedder embedder);
        Random random = new(3);
        for (int turn = 0; turn < 25; turn++)
        {
            PixelPlane altered = embedded.Stego.Copy();
            altered.Samples[random.Next(altered.Samples.Length)] ^= 1;
            Extracted extracted = embedder.Extract(altered, Description).ShouldBeOfType<Extracted>();
            extracted.Message.ShouldBe(Hidden);
            extracted.IsProven.ShouldBeFalse();
        }
    }

    [Fact]
    public void A_painted_over_quarter_loses_pixels_but_not_the_message()
    {
        Embedded embedded = Embed(out SymbolEmbedder embedder);
        PixelPlane painted = embedded.Stego.Copy();
        painted.Samples.AsSpan(0, 512 * 128).Clear();

        Extracted extracted = embedder.Extract(painted, Description).ShouldBeOfType<Extracted>();

        extracted.Message.ShouldBe(Hidden);
        extracted.IsProven.ShouldBeFalse();
    }

    [Fact]
    public void Another_ring_finds_nothing()
    {
        Embedded embedded = Embed(out _);
        KeyRing other = KeyRing.Create(Bench.FreshPath());
        new SymbolEmbedder(other, new GivenSegmenter(Bench.EllipseMask)).Extract(embedded.Stego, Description)
            .ShouldBeOfType<NotExtracted>().Reason.ShouldBe(ExtractionRefusal.NothingFound);
    }

    [Fact]
    public void A_rotated_key_still_opens_and_a_retired_one_says_so()
    {
        KeyRing first = KeyRing.Create(Bench.FreshPath());
        PixelPlane cover = Bench.Phantom(Description, 9, 24, 8, 1000);
        GivenSegmenter segmenter = new(Bench.EllipseMask);
        Embedded embedded = new SymbolEmbedder(first, segmenter).Embed(cover, Description, Hidden).ShouldBeOfType<Embedded>();
        KeyRing second = first.Rotate();

        new SymbolEmbedder(second, segmenter).Extract(embedded.Stego, Description).ShouldBeOfType<Extracted>().Message.ShouldBe(Hidden);
        NotExtracted refused = new SymbolEmbedder(second.Retire(first.ActiveKeyId), segmenter).Extract(embedded.Stego, Description).ShouldBeOfType<NotExtracted>();

        refused.Reason.ShouldBe(ExtractionRefusal.KeyRetired);
        refused.Detail.ShouldContain($"{first.ActiveKeyId:x8}");
    }

    [Fact]
    public void An_image_without_a_message_is_told_quickly()
    {
        SymbolEmbedder embedder = Embedder();
        PixelPlane cover = Bench.Phantom(Description, 9, 24, 8, 1000);
        embedder.Extract(cover, Description).ShouldBeOfType<NotExtracted>();
        Stopwatch clock = Stopwatch.StartNew();

        for (int turn = 0; turn < 10; turn++)
        {
            embedder.Extract(cover, Description).ShouldBeOfType<NotExtracted>().Reason.ShouldBe(ExtractionRefusal.NothingFound);
        }

        // A few milliseconds when nothing else runs; the limit is for crowded machines and unoptimised builds.
        TestContext.Current.TestOutputHelper?.WriteLine($"{clock.Elapsed.TotalMilliseconds / 10:F1} ms each");
        clock.Elapsed.TotalSeconds.ShouldBeLessThan(10);
    }

    [Fact]
    public void A_mask_that_differs_in_a_few_blocks_at_the_border_still_restores_exactly()
    {
        PixelPlane cover = Bench.Phantom(Description, 9, 24, 8, 1000);
        Embedded embedded = Embed(out _);
        BackgroundMask other = OtherMask(embedded.Mask, 6);
        SymbolEmbedder elsewhere = new(Bench.Ring, new GivenSegmenter(_ => other));

        Extracted extracted = elsewhere.Extract(embedded.Stego, Description).ShouldBeOfType<Extracted>();

        extracted.Message.ShouldBe(Hidden);
        extracted.IsProven.ShouldBeTrue();
        extracted.Report.RepairedBlocks.ShouldBe(6);
        extracted.Mask.IsBackground.ShouldBe(embedded.Mask.IsBackground);
        extracted.Restored.Samples.ShouldBe(cover.Samples);
    }

    [Fact]
    public void A_mask_that_differs_in_more_blocks_gives_the_message_and_claims_nothing()
    {
        Embedded embedded = Embed(out _);
        BackgroundMask other = OtherMask(embedded.Mask, 7);
        Extracted extracted = new SymbolEmbedder(Bench.Ring, new GivenSegmenter(_ => other)).Extract(embedded.Stego, Description).ShouldBeOfType<Extracted>();
        extracted.Message.ShouldBe(Hidden);
        extracted.IsProven.ShouldBeFalse();
    }

    [Fact]
    public void Any_six_blocks_in_which_masks_differ_are_located()
    {
        foreach (int edge in (int[])[5, 100, 512, 1040])
        {
            Random random = new(edge);
            bool[] blocks = [.. Enumerable.Range(0, edge / 4 * (edge / 4)).Select(_ => random.Next(2) == 0)];
            BackgroundMask mask = new(edge / 4, edge / 4, blocks);
            byte[] check = MaskCheck.Of(mask);
            check.Length.ShouldBe(blocks.Length <= 65535 ? 12 : 18);
            for (int differing = 0; differing <= Math.Min(6, blocks.Length); differing++)
            {
                int[] places = [.. Enumerable.Range(0, blocks.Length).OrderBy(_ => random.Next()).Take(differing).Order()];
                bool[] other = (bool[])blocks.Clone();
                foreach (int place in places)
                {
                    other[place] ^= true;
                }

                MaskCheck.Locate(mask with { IsBackground = other }, check).ShouldBe(places);
            }

            check.AsSpan().Fill(0xFF);
            (MaskCheck.Locate(mask, check) is null or { Count: > 0 }).ShouldBeTrue();
        }
    }

    [Fact]
    public void Every_field_has_as_many_elements_as_its_degree_promises()
    {
        for (int degree = 8; degree <= 19; degree++)
        {
            BinaryField field = BinaryField.For((1 << degree) - 1);
            field.Order.ShouldBe((1 << degree) - 1);
            HashSet<int> elements = [.. Enumerable.Range(0, field.Order).Select(field.Power)];
            elements.Count.ShouldBe(field.Order);
            elements.ShouldNotContain(0);
        }

        Should.Throw<ArgumentOutOfRangeException>(() => BinaryField.For(1 << 19));
    }

    [Fact]
    public void A_mask_that_has_nothing_in_common_still_gives_the_message_and_claims_nothing()
    {
        Embedded embedded = Embed(out _);
        BackgroundMask none = BackgroundMask.Empty(512, 512, "none");
        Extracted extracted = new SymbolEmbedder(Bench.Ring, new GivenSegmenter(_ => none)).Extract(embedded.Stego, Description).ShouldBeOfType<Extracted>();
        extracted.Message.ShouldBe(Hidden);
        extracted.IsProven.ShouldBeFalse();
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 3)]
    [InlineData(2, 2)]
    [InlineData(1, 512)]
    [InlineData(64, 64)]
    [InlineData(129, 67)]
    [InlineData(512, 512)]
    public void Hostile_images_never_crash(int width, int height)
    {
        foreach (bool isSigned in (bool[])[false, true])
        {
            PixelDescription description = Bench.Describe(width, height, 16, isSigned, padding: isSigned ? -32768 : 65535);
            BackgroundMask all = new(width / 4, height / 4, [.. Enumerable.Repeat(true, width / 4 * (height / 4))]);
            SymbolEmbedder embedder = new(Bench.Ring, new GivenSegmenter(_ => all));
            Random random = new(1);
            Func<int>[] contents =
            [
                () => description.MinimumValue,
                () => description.MaximumValue,
                () => random.Next(description.MinimumValue, description.MaximumValue + 1),
                () => random.Next(2) == 0 ? description.MinimumValue : description.MaximumValue,
            ];
            foreach (Func<int> content in contents)
            {
                PixelPlane plane = new(width, height, [.. Enumerable.Range(0, width * height).Select(_ => content())], description.MinimumValue, description.MaximumValue);
                embedder.Extract(plane, description).ShouldBeOfType<NotExtracted>();
                if (embedder.Embed(plane, description, Hidden) is Embedded embedded)
                {
                    PixelDescription seen = embedded.PaddingRangeLimit is { } limit ? description with { PixelPaddingRangeLimit = limit } : description;
                    Extracted extracted = embedder.Extract(embedded.Stego, seen).ShouldBeOfType<Extracted>();
                    extracted.IsProven.ShouldBeTrue();
                    extracted.Restored.Samples.ShouldBe(plane.Samples);
                }
            }
        }
    }

    [Fact]
    public void Refusals_say_why()
    {
        PixelPlane cover = Bench.Phantom(Description, 9, 24, 8, 1000);
        SymbolEmbedder none = new(Bench.Ring, new GivenSegmenter(_ => BackgroundMask.Empty(512, 512, "The network saw nothing.")));
        none.Embed(cover, Description, Hidden).ShouldBe(new NotEmbedded(EmbeddingRefusal.NoBackground, "The network saw nothing."));

        PixelDescription small = Bench.Describe(32, 32);
        Embedder().Embed(Bench.Phantom(small, 1, 0, 0, 1000), small, Hidden).ShouldBeOfType<NotEmbedded>().Reason.ShouldBe(EmbeddingRefusal.TooSmall);

        SymbolEmbedder limited = new(Bench.Ring, new GivenSegmenter(Bench.EllipseMask), new EmbeddingOptions { MaximumChange = 1, NoiseShare = 0 });
        PixelPlane noisy = Bench.Phantom(Description, 9, 300, 40, 1000);
        limited.Embed(noisy, Description, Hidden).ShouldBeOfType<NotEmbedded>().Reason.ShouldBe(EmbeddingRefusal.TooNoisy);
    }

    [Fact]
    public void A_plane_larger_than_the_limit_is_refused_at_both_ends()
    {
        PixelDescription huge = Bench.Describe(8192, 8193, 8);
        PixelPlane plane = new(8192, 8193, new int[8192 * 8193], 0, 255);
        Embedder().Embed(plane, huge, Hidden).ShouldBeOfType<NotEmbedded>().Reason.ShouldBe(EmbeddingRefusal.TooLarge);
        Embedder().Extract(plane, huge).ShouldBeOfType<NotExtracted>().Reason.ShouldBe(ExtractionRefusal.TooLarge);
    }

    [Fact]
    public void An_image_with_more_blocks_than_the_mask_check_covers_still_comes_back()
    {
        PixelDescription description = Bench.Describe(2900, 2900, 8);
        PixelPlane cover = new(2900, 2900, new int[2900 * 2900], 0, 255);
        BackgroundMask all = new(725, 725, [.. Enumerable.Repeat(true, 725 * 725)]);
        SymbolEmbedder embedder = new(Bench.Ring, new GivenSegmenter(_ => all));
        Embedded embedded = embedder.Embed(cover, description, Hidden).ShouldBeOfType<Embedded>();
        Extracted extracted = embedder.Extract(embedded.Stego, description).ShouldBeOfType<Extracted>();
        (extracted.IsProven, extracted.Report.RepairedBlocks).ShouldBe((true, 0));
    }

    [Fact]
    public void The_greatest_change_is_kept_to()
    {
        foreach (int limit in (int[])[2, 3, 5, 6])
        {
            SymbolEmbedder embedder = new(Bench.Ring, new GivenSegmenter(Bench.EllipseMask), new EmbeddingOptions { MaximumChange = limit, NoiseShare = 0 });
            if (embedder.Embed(Bench.Phantom(Description, 9, 24, 4, 1000), Description, Hidden) is Embedded embedded)
            {
                embedded.Report.MaximumChange.ShouldBeLessThanOrEqualTo(limit);
            }
        }
    }

    [Fact]
    public void Misuse_is_told_apart()
    {
        PixelPlane cover = Bench.Phantom(Description, 9, 24, 8, 1000);
        Should.Throw<ArgumentException>(() => Embedder().Embed(cover, Description with { Rows = 100 }, Hidden));
        cover.Samples[0] = 4096;
        Should.Throw<ArgumentException>(() => Embedder().Embed(cover, Description, Hidden));
        Should.Throw<ArgumentOutOfRangeException>(() => new SymbolEmbedder(Bench.Ring, new LimitSegmenter(1), new EmbeddingOptions { MaximumChange = 0 }));
        Should.Throw<ArgumentOutOfRangeException>(() => new SymbolEmbedder(Bench.Ring, new LimitSegmenter(1), new EmbeddingOptions { NoiseSigma = 65 }));
        Should.Throw<InvalidOperationException>(() =>
            new SymbolEmbedder(Bench.Ring, new GivenSegmenter(_ => new BackgroundMask(1, 1, [true]))).Embed(Bench.Phantom(Description, 9, 24, 8, 1000), Description, Hidden));
    }

    [Fact]
    public async Task Several_threads_may_share_one_embedder()
    {
        SymbolEmbedder embedder = Embedder();
        await Parallel.ForAsync(0, 8, TestContext.Current.CancellationToken, (turn, _) =>
        {
            PixelDescription description = Bench.Describe(256 + (16 * (turn % 3)), 256);
            PixelPlane cover = Bench.Phantom(description, turn, 0, 0, 1000);
            Embedded embedded = embedder.Embed(cover, description, Bench.Message(100, turn)).ShouldBeOfType<Embedded>();
            embedder.Extract(embedded.Stego, description).ShouldBeOfType<Extracted>().Message.ShouldBe(Bench.Message(100, turn));
            return ValueTask.CompletedTask;
        });
    }

    private static SymbolEmbedder Embedder() => new(Bench.Ring, new GivenSegmenter(Bench.EllipseMask));

    private static Embedded Embed(out SymbolEmbedder embedder)
    {
        embedder = Embedder();
        return embedder.Embed(Bench.Phantom(Description, 9, 24, 8, 1000), Description, Hidden).ShouldBeOfType<Embedded>();
    }

    /// <summary>Turns so many blocks along the border of the mask, in or out.</summary>
    private static BackgroundMask OtherMask(BackgroundMask mask, int count)
    {
        bool[] blocks = (bool[])mask.IsBackground.Clone();
        int[] border = [.. Enumerable.Range(0, blocks.Length - 1).Where(block => mask.IsBackground[block] != mask.IsBackground[block + 1])];
        for (int i = 0; i < count; i++)
        {
            // Of each pair alternately the one inside the mask and the one outside it.
            int left = border[i * border.Length / count];
            blocks[mask.IsBackground[left] == (i % 2 == 0) ? left : left + 1] ^= true;
        }

        return mask with { IsBackground = blocks };
    }
}
