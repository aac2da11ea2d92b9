namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>How hard embedding tries and how much it may change.</summary>
public sealed record EmbeddingOptions
{
    /// <summary>
    /// Greatest change of a sample, in stored units; 1 to 255, default 6. Where the background itself is noisier than that,
    /// <see cref="NoiseShare"/> allows more.
    /// </summary>
    public int MaximumChange { get; init; } = 6;

    /// <summary>
    /// The change may also be as large as this many standard deviations of the background's own noise; 0 or more, default
    /// 2. 0 = <see cref="MaximumChange"/> holds without exception.
    /// </summary>
    public double NoiseShare { get; init; } = 2;

    /// <summary>
    /// Standard deviation, in stored units, of the Gaussian noise under which the message must still come out before an
    /// amplitude is accepted; 0 to 64, default 1. 0 = the clean image alone is tried.
    /// </summary>
    public double NoiseSigma { get; init; } = 1;

    /// <summary>After the least amplitude that proves itself, take the next greater one where the limits allow it (default).</summary>
    public bool OneStepUp { get; init; } = true;

    /// <summary>
    /// How many masks to remember; 0 to 64, default 8; 0 = none. A remembered mask is used when cell sums and description
    /// are equal to the last bit, which saves the second and third run of the network on the same image.
    /// </summary>
    public int RememberedMasks { get; init; } = 8;

    /// <summary>
    /// Memory for placements (they depend on key and frame size alone), in numbers of four bytes; default 16 Mi. The
    /// frame size used longest ago is dropped; the one in use is always kept.
    /// </summary>
    public long PlacementCapacity { get; init; } = 16 << 20;

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumChange, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaximumChange, CellRule.GreatestStep);
        ArgumentOutOfRangeException.ThrowIfNegative(NoiseShare);
        ArgumentOutOfRangeException.ThrowIfNegative(NoiseSigma);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(NoiseSigma, 64);
        ArgumentOutOfRangeException.ThrowIfNegative(RememberedMasks);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(RememberedMasks, 64);
        ArgumentOutOfRangeException.ThrowIfNegative(PlacementCapacity);
    }
}
