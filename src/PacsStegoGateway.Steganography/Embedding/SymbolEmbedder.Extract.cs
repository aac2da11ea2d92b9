using PacsStegoGateway.Imaging;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Steganography.Embedding;

public sealed partial class SymbolEmbedder
{
    /// <summary>Takes the message out and the pattern off.</summary>
    /// <param name="stego">Any plane; not changed.</param>
    /// <param name="description">Of the same size, as the stego object has it.</param>
    /// <returns>The message, also from an image altered since, then with <see cref="Extracted.IsProven"/> false; or why there is none.</returns>
    /// <exception cref="ArgumentException">Plane and description do not fit each other.</exception>
    public ExtractionOutcome Extract(PixelPlane stego, PixelDescription description)
    {
        RequireFit(stego, description);
        if (stego.Samples.Length > MaximumSamples)
        {
            return new NotExtracted(ExtractionRefusal.TooLarge, $"{stego.Width} x {stego.Height} pixels are more than {MaximumSamples}.");
        }

        int cellCount = stego.Width / CellSums.CellSize * (stego.Height / CellSums.CellSize);
        List<int> forms = [.. new[] { 1, 2 }.Where(bits => Qr.SymbolSize.All.Any(size => Placement.IsPossible(size, bits, cellCount)))];
        if (forms.Count == 0)
        {
            return new NotExtracted(ExtractionRefusal.TooSmall, $"{stego.Width} x {stego.Height} pixels cannot carry any symbol.");
        }

        using Listener listener = new(stego, forms, _reader, () =>
            Masks.Segment(CellSums.Of(stego), description with { PixelPaddingRangeLimit = null }));
        if (listener.Find(_keys.Keys.Where(static key => key.State != KeyState.Retired)) is not { } heard)
        {
            return listener.Find(_keys.Keys.Where(static key => key.State == KeyState.Retired)) is { } retired
                ? new NotExtracted(ExtractionRefusal.KeyRetired, $"The image is sealed with key {retired.Symbol.Key.Id:x8}, which is retired.")
                : new NotExtracted(ExtractionRefusal.NothingFound, "No key of the ring finds a symbol in this image.");
        }

        FoundSymbol found = heard.Symbol;
        return SealedContent.Read(found.Plaintext, found.Placement.BitsPerCell, cellCount, BlockCountOf(description), PaddingOf(description, withLimit: true)) is { } content
            ? Restore(stego, description, found, content, heard.NeededMask)
            : new NotExtracted(ExtractionRefusal.UnknownFormat, "The seal opened, but its content is of a format that this version does not read.");
    }

    private Extracted Restore(PixelPlane stego, PixelDescription description, FoundSymbol found, SealedContent content, bool neededMask)
    {
        PixelDescription seen = description with { PixelPaddingRangeLimit = null };
        BackgroundMask mask = Masks.Segment(CellSums.Of(stego, content.Rule.Floor ?? int.MinValue), seen);
        int repaired = 0;
        if (MaskCheck.Locate(mask, content.MaskCheck) is { Count: > 0 } differing)
        {
            bool[] blocks = (bool[])mask.IsBackground.Clone();
            foreach (int block in differing)
            {
                blocks[block] ^= true;
            }

            mask = mask with { IsBackground = blocks };
            repaired = differing.Count;
        }

        byte[] coded = SymbolReader.Encode(found.Placement.Order.Size, found.Payload);
        CellMask cells = CellMask.Of(mask, stego.Width / CellSums.CellSize, stego.Height / CellSums.CellSize);
        CellPattern pattern = CellPattern.OnStego(stego.Samples, stego.Width, found.Placement, cells, content.Rule, content.Exceptions);
        PixelPlane restored = stego.Copy();
        pattern.Apply(restored.Samples, stego.Width, coded, -1);
        Span<byte> hash = stackalloc byte[SampleHash.Length];
        SampleHash.Of(restored, hash);
        bool isProven = hash.SequenceEqual(content.Hash);
        EmbeddingReport report = ReportOf(found, content, mask, pattern.CarrierCount, restored, stego);
        report = report with { NeededMask = neededMask, RepairedBlocks = repaired };
        return new Extracted(content.Message, restored, isProven, content.SetsPaddingRangeLimit, report) { SymbolPayload = found.Payload, Mask = mask };
    }
}
