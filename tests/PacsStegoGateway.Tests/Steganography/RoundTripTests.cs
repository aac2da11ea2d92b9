using PacsStegoGateway.Imaging;
using PacsStegoGateway.Steganography.Embedding;

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
        BackgroundMask truth = EllipseMask(description);
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

    private static BackgroundMask EllipseMask(PixelDescription d)
    {
        int width = d.Columns / 4, height = d.Rows / 4;
        bool[] blocks = new bool[width * height];
        for (int i = 0; i < blocks.Length; i++)
        {
            int x = i % width * 4, y = i / width * 4;
            blocks[i] = !(Bench.IsAnatomy(x, y, d.Columns, d.Rows) || Bench.IsAnatomy(x + 3, y, d.Columns, d.Rows)
                || Bench.IsAnatomy(x, y + 3, d.Columns, d.Rows) || Bench.IsAnatomy(x + 3, y + 3, d.Columns, d.Rows));
        }

        return new BackgroundMask(width, height, blocks);
    }
}
