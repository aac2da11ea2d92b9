using PacsStegoGateway.Imaging;
using PacsStegoGateway.Steganography.Metrics;
using PacsStegoGateway.Steganography.Qr;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>
/// Hides a sealed message, as the codewords of a QR symbol, in the background of one grayscale plane and takes it out
/// again. Safe to call from several threads.
/// </summary>
public sealed partial class SymbolEmbedder
{
    private static readonly CellExceptions NoExceptions = new([], []);

    private readonly KeyRing _keys;
    private readonly SymbolReader _reader;

    /// <summary>Pixels of the largest plane taken (8192 x 8192); working memory is some 12 bytes for each.</summary>
    public const int MaximumSamples = 1 << 26;

    /// <summary>Makes an embedder.</summary>
    /// <param name="keys">The active key seals; every key that is not retired opens.</param>
    /// <param name="segmenter">Not owned.</param>
    /// <param name="options">Null for the defaults.</param>
    public SymbolEmbedder(KeyRing keys, IBackgroundSegmenter segmenter, EmbeddingOptions? options = null)
    {
        _keys = keys;
        Options = options ?? new EmbeddingOptions();
        Options.Check();
        Masks = new MaskMemory(segmenter, Options.RememberedMasks);
        Placements = new PlacementCache(Options.PlacementCapacity);
        Noise = new TrialNoise(Options.NoiseSigma);
        _reader = new SymbolReader(Placements);
    }

    internal EmbeddingOptions Options { get; }

    internal MaskMemory Masks { get; }

    internal PlacementCache Placements { get; }

    internal TrialNoise Noise { get; }

    internal SealingKey ActiveKey => _keys.Active;

    /// <summary>Hides a message.</summary>
    /// <param name="cover">Not changed. Its samples lie within its limits.</param>
    /// <param name="description">Of the same size; Modality and padding count.</param>
    /// <param name="message">Any bytes; up to <see cref="MaximumMessageLength"/> in an image of any size, six more in one below 65,536 blocks.</param>
    /// <returns>A proven embedding, or why there is none.</returns>
    /// <exception cref="ArgumentException">Plane and description do not fit each other, or a sample is outside its limits.</exception>
    public EmbeddingOutcome Embed(PixelPlane cover, PixelDescription description, ReadOnlySpan<byte> message)
    {
        RequireFit(cover, description);
        if (cover.Samples.AsSpan().ContainsAnyExceptInRange(cover.MinimumValue, cover.MaximumValue))
        {
            throw new ArgumentException("A sample is outside the limits of its plane.", nameof(cover));
        }

        if (cover.Samples.Length > MaximumSamples)
        {
            return new NotEmbedded(EmbeddingRefusal.TooLarge, $"{cover.Width} x {cover.Height} pixels are more than {MaximumSamples}.");
        }

        int cellCount = cover.Width / CellSums.CellSize * (cover.Height / CellSums.CellSize);
        if (SealedContent.SizeFor(SealedContent.LengthOf(BlockCountOf(description), NoExceptions, message.Length)) is not { } size)
        {
            return new NotEmbedded(EmbeddingRefusal.MessageTooLong, $"The message has {message.Length} bytes; {MaximumMessageLength} fit at most.");
        }

        return Placement.IsPossible(size, 1, cellCount) || Placement.IsPossible(size, 2, cellCount)
            ? new AmplitudeSearch(this, cover, description, message.ToArray(), size).Run()
            : new NotEmbedded(EmbeddingRefusal.TooSmall, $"{cover.Width} x {cover.Height} pixels cannot carry a symbol of {size.BitCount} bits.");
    }

    /// <summary>Bytes that the largest symbol holds in an image of any size when no cell is an exception.</summary>
    public static int MaximumMessageLength { get; } =
        SymbolSize.All[^1].PayloadLength - Seal.Overhead - SealedContent.LengthOf(BinaryField.GreatestOrder, NoExceptions, 1 << 7) + (1 << 7);

    internal static int BlockCountOf(PixelDescription description) =>
        description.Columns / BackgroundMask.BlockSize * (description.Rows / BackgroundMask.BlockSize);

    private static void RequireFit(PixelPlane plane, PixelDescription description)
    {
        if (plane.Width != description.Columns || plane.Height != description.Rows || plane.Samples.Length != plane.Width * plane.Height)
        {
            throw new ArgumentException($"The plane has {plane.Width} x {plane.Height} samples, the description says {description.Columns} x {description.Rows}.", nameof(plane));
        }
    }

    /// <summary>Padding values as the original has them.</summary>
    internal static PaddingRange? PaddingOf(PixelDescription description, bool withLimit) => description.PixelPaddingValue is not { } value ? null
        : withLimit && description.PixelPaddingRangeLimit is { } limit ? new PaddingRange(Math.Min(value, limit), Math.Max(value, limit))
        : new PaddingRange(value, value);

    private static EmbeddingReport ReportOf(
        FoundSymbol symbol, SealedContent content, BackgroundMask mask, int carriers, PixelPlane original, PixelPlane stego)
    {
        ImageQuality quality = ImageQuality.Compare(original, stego);
        SymbolSize size = symbol.Placement.Order.Size;
        return new EmbeddingReport
        {
            KeyId = symbol.Key.Id,
            SymbolVersion = size.Version,
            SealedLength = size.PayloadLength,
            MessageLength = content.Message.Length,
            CarriedBits = size.BitCount,
            Step = content.Rule.Step,
            BitsPerCell = content.Rule.BitsPerCell,
            Floor = content.Rule.Floor,
            CarrierCount = carriers,
            ExceptionCount = content.Exceptions.Listed.Count + content.Exceptions.Held.Count(static held => held),
            Coverage = mask.Coverage,
            ChangedSamples = quality.ChangedSamples,
            MaximumChange = quality.MaximumChange,
            PsnrOfRange = quality.PsnrOfRange,
        };
    }
}
