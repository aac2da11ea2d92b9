using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>The two halves of an object.</summary>
/// <param name="Clean">The data set without identity; value bytes are shared with the original. Pixel data is the same element.</param>
/// <param name="Identity">The way back.</param>
public sealed record DeidentificationResult(DataSet Clean, IdentityRecord Identity)
{
    /// <summary>
    /// True when an overlay lies in unused bits of the pixel data (PS3.3 C.9.2, retired in 2004): its description is
    /// removed, its bits are the caller's to clear or to refuse.
    /// </summary>
    public bool HasOverlayInPixelData { get; init; }

    public override string ToString() => "[redacted]";
}
