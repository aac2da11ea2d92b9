namespace PacsStegoGateway.Imaging;

/// <summary>
/// Which 4x4 blocks of an image are insignificant: background that may carry data. Everything else, and the rest
/// columns and rows of a size that 4 does not divide, is never touched.
/// </summary>
/// <param name="Width">Blocks in a row: image width / 4, rounded down.</param>
/// <param name="Height">Rows of blocks: image height / 4, rounded down.</param>
/// <param name="IsBackground">True = insignificant, may change; row-major.</param>
/// <param name="Reason">Why there is no background at all (low confidence, implausible mask, no rule for the modality),
/// in words for an operator; null when the mask is usable.</param>
public sealed record BackgroundMask(int Width, int Height, bool[] IsBackground, string? Reason = null)
{
    /// <summary>Edge of a block, in pixels.</summary>
    public const int BlockSize = 4;

    /// <summary>A mask with no background, and why.</summary>
    public static BackgroundMask Empty(int imageWidth, int imageHeight, string reason) =>
        new(imageWidth / BlockSize, imageHeight / BlockSize, new bool[imageWidth / BlockSize * (imageHeight / BlockSize)], reason);

    /// <summary>How many blocks are background.</summary>
    public int Count => IsBackground.AsSpan().Count(true);

    /// <summary>Background share of all blocks, 0 to 1.</summary>
    public double Coverage => IsBackground.Length == 0 ? 0 : (double)Count / IsBackground.Length;

    /// <summary>The first pixel, row by row, that is not background and differs between two planes of the mask's image size; null when none does.</summary>
    public (int X, int Y)? FirstChangeOutside(PixelPlane before, PixelPlane after)
    {
        for (int y = 0; y < before.Height; y++)
        {
            ReadOnlySpan<int> left = before.Samples.AsSpan(y * before.Width, before.Width);
            ReadOnlySpan<int> right = after.Samples.AsSpan(y * before.Width, before.Width);
            int from = 0;
            if (y / BlockSize < Height)
            {
                ReadOnlySpan<bool> blocks = IsBackground.AsSpan(y / BlockSize * Width, Width);
                for (int block = 0; block < blocks.Length; block++)
                {
                    if (blocks[block])
                    {
                        int edge = block * BlockSize;
                        int equal = left[from..edge].CommonPrefixLength(right[from..edge]);
                        if (from + equal < edge)
                        {
                            return (from + equal, y);
                        }

                        from = edge + BlockSize;
                    }
                }
            }

            int same = left[from..].CommonPrefixLength(right[from..]);
            if (from + same < before.Width)
            {
                return (from + same, y);
            }
        }

        return null;
    }

    /// <summary>True when the pixel lies in a background block.</summary>
    public bool ContainsPixel(int x, int y) =>
        x / BlockSize < Width && y / BlockSize < Height && IsBackground[(y / BlockSize * Width) + (x / BlockSize)];
}
