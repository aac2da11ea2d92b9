using System.Diagnostics;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Segmentation;
using PacsStegoGateway.Steganography.Embedding;

namespace PacsStegoGateway.Tests.Steganography;

/// <summary>Real CT and MR images, first frames, with the threshold segmenter.</summary>
public class RealImageTests
{
    [Fact]
    public void Real_images_carry_a_message_exactly_or_refuse_it()
    {
        ThresholdSegmenter segmenter = new();
        SymbolEmbedder embedder = new(Bench.Ring, segmenter);
        SymbolEmbedder receiver = new(Bench.Ring, segmenter, new EmbeddingOptions { RememberedMasks = 0 });
        byte[] message = Bench.Message(180);
        List<string> lines = [];
        int embeddedCount = 0, offered = 0;
        foreach (string path in Directory.EnumerateFiles(SharedData.Require("data/train"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (TryReadPlane(path) is not (PixelPlane cover, PixelDescription description))
            {
                continue;
            }

            Stopwatch clock = Stopwatch.StartNew();
            EmbeddingOutcome outcome = embedder.Embed(cover, description, message);
            double embedTime = clock.Elapsed.TotalMilliseconds;
            string name = $"{description.Modality} {description.Columns}x{description.Rows} {Path.GetFileName(path)}";
            if (outcome is not Embedded embedded)
            {
                NotEmbedded refusal = (NotEmbedded)outcome;
                lines.Add($"{name}\t-\t{refusal.Reason}\t{refusal.Detail}");
                offered += refusal.Reason == EmbeddingRefusal.NoBackground || cover.Width < 200 || cover.Height < 200 ? 0 : 1;
                continue;
            }

            offered++;
            embeddedCount++;
            int touched = 0;
            for (int i = 0; i < cover.Samples.Length; i++)
            {
                touched += cover.Samples[i] != embedded.Stego.Samples[i] && !embedded.Mask.ContainsPixel(i % cover.Width, i / cover.Width) ? 1 : 0;
            }

            touched.ShouldBe(0, name);
            PixelDescription seen = embedded.PaddingRangeLimit is { } limit ? description with { PixelPaddingRangeLimit = limit } : description;
            clock.Restart();
            Extracted extracted = receiver.Extract(embedded.Stego, seen).ShouldBeOfType<Extracted>(name);
            double extractTime = clock.Elapsed.TotalMilliseconds;
            extracted.Message.ShouldBe(message, name);
            extracted.IsProven.ShouldBeTrue(name);
            extracted.Restored.Samples.AsSpan().SequenceEqual(cover.Samples).ShouldBeTrue(name);
            EmbeddingReport r = embedded.Report;
            lines.Add($"{name}\t+\tstep {r.Step} k {r.BitsPerCell} v{r.SymbolVersion} floor {r.Floor} cells {r.CarrierCount} exc {r.ExceptionCount} cov {r.Coverage:P0} max {r.MaximumChange} psnr {r.PsnrOfRange:F1} mask {r.NeededMask} pad {embedded.PaddingRangeLimit}\tembed {embedTime:F1} extract {extractTime:F1}");
        }

        foreach (string line in lines)
        {
            TestContext.Current.TestOutputHelper?.WriteLine(line);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{embeddedCount} of {offered} images with background");
        embeddedCount.ShouldBeGreaterThan(offered * 85 / 100);
    }

    private static (PixelPlane Plane, PixelDescription Description)? TryReadPlane(string path)
    {
        DicomFile file;
        try
        {
            file = DicomFile.Read(File.ReadAllBytes(path));
        }
        catch (DicomContentException)
        {
            return null;
        }

        return !file.TransferSyntax.Encapsulated && !file.TransferSyntax.BigEndian
            && file.DataSet.Find(Tags.PixelData) is { } pixels
            && PixelDescription.TryRead(file.DataSet, out PixelDescription description) is null
            && description.SamplesPerPixel == 1 && (description.Modality is "CT" or "MR") && pixels.Value.Length >= description.FrameLength
            ? (PixelPlane.Read(description, pixels.Value.Span[..(int)description.FrameLength]), description)
            : null;
    }
}
