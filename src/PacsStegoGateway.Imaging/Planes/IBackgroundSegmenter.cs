namespace PacsStegoGateway.Imaging;

/// <summary>Finds the insignificant region. Two implementations: a Mask R-CNN and a threshold.</summary>
/// <remarks>It stands here, below both rooms that meet in it, so that neither needs the other.</remarks>
public interface IBackgroundSegmenter
{
    /// <summary>Name for audit and inspection, model checksum included where there is a model.</summary>
    string Name { get; }

    /// <summary>
    /// The mask of one frame, made from nothing but cell sums and the description (both unchanged by embedding), hence
    /// the same for cover and stego image on the same machine. Safe to call from several threads.
    /// </summary>
    BackgroundMask Segment(CellSums sums, PixelDescription description);
}
