namespace PacsStegoGateway.Dicom;

/// <summary>How much a reader accepts. Limits are checked against announced lengths, before anything is allocated.</summary>
public sealed record DicomReadOptions
{
    /// <summary>Accepts what the field is known to send, within the default limits.</summary>
    public static readonly DicomReadOptions Default = new();

    /// <summary>Accepts only what the standard allows a writer to write.</summary>
    public static readonly DicomReadOptions StrictDefault = new() { Strict = true };

    /// <summary>
    /// True refuses odd lengths, unknown VRs, unordered elements, non-zero reserved bytes, bytes after the data set,
    /// a missing preamble or meta group and a wrong meta group length. False (default) reads them. A tag that stands
    /// twice is refused either way: which of the two is meant is nobody's to guess.
    /// </summary>
    public bool Strict { get; init; }

    /// <summary>Sequences inside sequences, 1 to 1024; the reader recurses once per level. Default 64.</summary>
    public int MaxSequenceDepth
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1024);
            field = value;
        }
    } = 64;

    /// <summary>Items and fragments of the whole input together. Default 1 000 000.</summary>
    public int MaxItems { get; init; } = 1_000_000;

    /// <summary>Elements of the whole input together, nested ones included. Default 10 000 000.</summary>
    public int MaxElements { get; init; } = 10_000_000;

    /// <summary>Bytes of one value field or fragment. Default 4 294 967 294, what a length field can say: bounded by the input alone.</summary>
    public long MaxValueLength { get; init; } = uint.MaxValue - 1;

    /// <summary>
    /// Bytes that a deflated data set may inflate to: it is the one kind that must be in memory whole. Default 64 MiB,
    /// beyond any report and most images; a larger one is refused.
    /// </summary>
    public int MaxInflatedLength { get; init; } = 64 << 20;

    /// <summary>
    /// A source of up to so many bytes is read into memory whole, and all values are slices of that. Of a longer one,
    /// values and fragments beyond <see cref="LongestReadValue"/> stay where they lie. Default 16 MiB; 0 leaves them there always.
    /// </summary>
    public int LongestReadSource { get; init; } = 16 << 20;

    /// <summary>See <see cref="LongestReadSource"/>. Default 64 KiB: more than any value that is not bulk data.</summary>
    public int LongestReadValue { get; init; } = 64 * 1024;

    /// <summary>
    /// Ends the reading before the first top-level element with this tag or a higher one; what follows is not looked
    /// at. Null (default) reads everything.
    /// </summary>
    public Tag? StopBefore { get; init; }
}
