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

    /// <summary>Bytes of one value field or fragment. Default 2 147 483 647: bounded by the input alone.</summary>
    public long MaxValueLength { get; init; } = int.MaxValue;

    /// <summary>Bytes that a deflated data set may inflate to. Default 1 GiB.</summary>
    public int MaxInflatedLength { get; init; } = 1 << 30;

    /// <summary>
    /// Ends the reading before the first top-level element with this tag or a higher one; what follows is not looked
    /// at. Null (default) reads everything.
    /// </summary>
    public Tag? StopBefore { get; init; }
}
