namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>How a frame is to be shown.</summary>
public sealed record RenderOptions
{
    /// <summary>Greatest width and height of a picture, in pixels.</summary>
    public const int MaximumEdge = 8192;

    /// <summary>What the data set says, 8 bits, its own size.</summary>
    public static readonly RenderOptions Default = new();

    /// <summary>Replaces the VOI LUT or window of the data set, for gray images; null for theirs, or one fitted to the frame.</summary>
    public DisplayWindow? Window { get; init; }

    /// <summary>8 or 16 bits a sample.</summary>
    public int BitsPerSample { get; init; } = 8;

    /// <summary>
    /// The box, in pixels, that the picture is fitted into, larger or smaller, its proportions and Pixel Aspect Ratio kept
    /// (PS3.18 8.3.5.1.4); null for the frame's own columns and rows, aspect ratio not applied. 1 to <see cref="MaximumEdge"/>.
    /// </summary>
    public (int Width, int Height)? Size { get; init; }

    /// <summary>The part of the frame that is shown, in its columns and rows; null for all. Must overlap the frame.</summary>
    public (int Left, int Top, int Width, int Height)? Region { get; init; }
}
