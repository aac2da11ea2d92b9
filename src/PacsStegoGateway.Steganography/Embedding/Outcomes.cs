using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>Either <see cref="Embedded"/> or <see cref="NotEmbedded"/>.</summary>
public abstract record EmbeddingOutcome
{
    private protected EmbeddingOutcome()
    {
    }
}

/// <summary>The message is in the image, and extracting it from <paramref name="Stego"/> gave message and cover back exactly.</summary>
/// <param name="Stego">A new plane; equal to the cover outside the mask.</param>
/// <param name="Mask">The blocks that were open to change.</param>
/// <param name="PaddingRangeLimit">When not null: samples of Pixel Padding Value were raised, and the stego object needs
/// Pixel Padding Range Limit (0028,0121) set to this stored value (the cover had none; remove it again on restoration).</param>
/// <param name="Report">What was done, in numbers.</param>
public sealed record Embedded(PixelPlane Stego, BackgroundMask Mask, int? PaddingRangeLimit, EmbeddingReport Report) : EmbeddingOutcome
{
    /// <summary>The sealed bytes that fill the QR symbol; <see cref="Qr.QrPicture"/> draws them.</summary>
    public required ReadOnlyMemory<byte> SymbolPayload { get; init; }
}

/// <summary>Nothing was changed, and why.</summary>
/// <param name="Reason">For tables and exit codes.</param>
/// <param name="Detail">For an operator, with numbers; no identity in it.</param>
public sealed record NotEmbedded(EmbeddingRefusal Reason, string Detail) : EmbeddingOutcome;

/// <summary>Why an image does not carry the message.</summary>
public enum EmbeddingRefusal
{
    /// <summary>The segmenter found no background.</summary>
    NoBackground,

    /// <summary>The background has too few cells for the message.</summary>
    TooSmall,

    /// <summary>The plane has more than <see cref="SymbolEmbedder.MaximumSamples"/> pixels.</summary>
    TooLarge,

    /// <summary>The message is longer than the largest symbol holds.</summary>
    MessageTooLong,

    /// <summary>The background could not be described without too many exceptions, or not without touching anatomy.</summary>
    Unsuitable,

    /// <summary>Within the allowed change, the message did not come out again under the demanded noise.</summary>
    TooNoisy,
}

/// <summary>Either <see cref="Extracted"/> or <see cref="NotExtracted"/>.</summary>
public abstract record ExtractionOutcome
{
    private protected ExtractionOutcome()
    {
    }
}

/// <summary>A seal opened: the message is the one that was embedded, to the last bit.</summary>
/// <param name="Message">As given to embedding.</param>
/// <param name="Restored">The cover when <paramref name="IsProven"/>; otherwise the best guess, never to be called the original.</param>
/// <param name="IsProven">True when the restored samples have the sealed hash of the original ones.</param>
/// <param name="SetsPaddingRangeLimit">True when embedding asked for (0028,0121) to be added.</param>
/// <param name="Report">What was found, in numbers.</param>
public sealed record Extracted(byte[] Message, PixelPlane Restored, bool IsProven, bool SetsPaddingRangeLimit, EmbeddingReport Report) : ExtractionOutcome
{
    /// <summary>The sealed bytes that fill the QR symbol; <see cref="Qr.QrPicture"/> draws them.</summary>
    public required ReadOnlyMemory<byte> SymbolPayload { get; init; }

    /// <summary>The mask that embedding used, repaired where this machine's differed in few blocks.</summary>
    public required BackgroundMask Mask { get; init; }
}

/// <summary>No seal opened.</summary>
public sealed record NotExtracted(ExtractionRefusal Reason, string Detail) : ExtractionOutcome;

/// <summary>Why no message came out.</summary>
public enum ExtractionRefusal
{
    /// <summary>No key of the ring finds a symbol: nothing is embedded, or with another key, or it is damaged beyond repair.</summary>
    NothingFound,

    /// <summary>A symbol was found that a retired key sealed.</summary>
    KeyRetired,

    /// <summary>The image is too small to carry any symbol.</summary>
    TooSmall,

    /// <summary>The plane has more than <see cref="SymbolEmbedder.MaximumSamples"/> pixels.</summary>
    TooLarge,

    /// <summary>A seal opened, but its content is of a format this version does not know.</summary>
    UnknownFormat,
}

/// <summary>The numbers of one embedding or extraction.</summary>
public sealed record EmbeddingReport
{
    /// <summary>The sealing key.</summary>
    public required uint KeyId { get; init; }

    /// <summary>QR version of the symbol, level L.</summary>
    public required int SymbolVersion { get; init; }

    /// <summary>Bytes in the symbol: seal, parameters, message and padding.</summary>
    public required int SealedLength { get; init; }

    public required int MessageLength { get; init; }

    /// <summary>Codeword bits carried.</summary>
    public required int CarriedBits { get; init; }

    /// <summary>What a raised sample gains, in stored units: twice the amplitude.</summary>
    public required int Step { get; init; }

    /// <summary>1 or 2.</summary>
    public required int BitsPerCell { get; init; }

    /// <summary>Greatest cell sum that is raised; null when all carriers are balanced.</summary>
    public required int? Floor { get; init; }

    /// <summary>Cells changed.</summary>
    public required int CarrierCount { get; init; }

    /// <summary>Cells of the background that had to be left out: listed, or held at the floor.</summary>
    public required int ExceptionCount { get; init; }

    /// <summary>Background share of all blocks, 0 to 1.</summary>
    public required double Coverage { get; init; }

    /// <summary>Samples in which stego image and original differ.</summary>
    public required int ChangedSamples { get; init; }

    /// <summary>Greatest difference, in stored units.</summary>
    public required int MaximumChange { get; init; }

    /// <summary>Peak signal-to-noise ratio in dB with R = greatest - least sample of the original; infinite when nothing differs.</summary>
    public required double PsnrOfRange { get; init; }

    /// <summary>True when the symbol was found only after segmenting.</summary>
    public bool NeededMask { get; init; }

    /// <summary>Blocks in which this machine's mask differed from the embedding one's and was corrected.</summary>
    public int RepairedBlocks { get; init; }
}
