using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Segmentation;

/// <summary>
/// From an anatomy mask to the blocks that may carry data: the safety rules every segmenter shares. A cell carries only
/// when it keeps a distance from anatomy, is dark, is not beside anything bright, and is joined to the image's edge by
/// such cells; whatever bright things enclose (a couch's foam, a lung, the inside of a letter) is not joined.
/// </summary>
internal static class MaskRules
{
    /// <summary>Least edge of an image, in cells.</summary>
    public const int LeastEdge = 16;

    /// <summary>Distance kept from anatomy and large bright things, in cells (6 pixels).</summary>
    private const int AnatomyMargin = 3;

    /// <summary>Distance kept from small bright islands such as letters, in cells.</summary>
    private const int IslandMargin = 1;

    /// <summary>Least share of cells away from anatomy for a background to be spoken of.</summary>
    private const double LeastBackground = 0.01;

    /// <summary>Bright islands of at least this share of the image count as bodies.</summary>
    private const double LargeIsland = 0.001;

    /// <summary>Of the bright area, at least this much must be what the segmenter calls anatomy; otherwise one of them is wrong.</summary>
    private const double LeastAgreement = 0.5;

    /// <summary>Applies the rules.</summary>
    /// <param name="buffers">Values and Anatomy set; every other array is overwritten.</param>
    /// <param name="rule">The modality's rule.</param>
    /// <param name="constants">What the values were made with.</param>
    /// <param name="imageWidth">Columns, in pixels.</param>
    /// <param name="imageHeight">Rows, in pixels.</param>
    public static BackgroundMask Apply(
        SegmentationBuffers buffers, ModalityRule rule, Normalisation constants, int imageWidth, int imageHeight)
    {
        int length = buffers.Length;
        CellGrid grid = new(buffers.Width, buffers.Height, buffers.Stack);
        Span<byte> anatomy = buffers.Anatomy.AsSpan(0, length);
        Span<byte> bright = buffers.First.AsSpan(0, length);
        Span<byte> grown = buffers.Second.AsSpan(0, length);
        Span<byte> islands = buffers.Third.AsSpan(0, length);

        grid.FillHoles(anatomy, bright);
        double share = (double)anatomy.Count((byte)1) / length;
        if (share < rule.LeastAnatomy || share > rule.MostAnatomy)
        {
            return Refuse($"Anatomy would be {share:P1} of the image, which is not plausible for {rule.Modality}.");
        }

        grid.Dilate(anatomy, grown, islands, AnatomyMargin);
        buffers.Histogram.Clear();
        ReadOnlySpan<float> values = buffers.Values.AsSpan(0, length);
        for (int i = 0; i < length; i++)
        {
            if (grown[i] == 0)
            {
                buffers.Histogram.Add(values[i]);
            }
        }

        if (buffers.Histogram.Total < LeastBackground * length)
        {
            return Refuse("There is next to no background.");
        }

        float limit = rule.DarkLimit(buffers.Histogram, constants);
        float bodyLimit = rule.BodyLimit(limit, constants);
        long brightCells = 0;
        long agreed = 0;
        for (int i = 0; i < length; i++)
        {
            bright[i] = values[i] > limit ? (byte)1 : (byte)0;
            int isBody = values[i] > bodyLimit ? 1 : 0;
            brightCells += isBody;
            agreed += isBody & grown[i];
        }

        if (agreed < LeastAgreement * brightCells)
        {
            return Refuse("What is bright and what is called anatomy disagree.");
        }

        if (!rule.OnlyBodiesAreBright)
        {
            grid.FillBays(anatomy, grown);
        }

        grid.GrowInto(anatomy, bright);
        grid.SplitIslands(bright, anatomy, islands, Math.Max(4, (int)(LargeIsland * length)));
        if (rule.OnlyBodiesAreBright)
        {
            grid.FillBays(anatomy, bright);
        }

        grid.Dilate(anatomy, grown, bright, AnatomyMargin);
        Span<byte> smallGrown = anatomy;
        grid.Dilate(islands, smallGrown, bright, IslandMargin);
        for (int i = 0; i < length; i++)
        {
            grown[i] |= smallGrown[i];
        }

        Span<byte> background = bright;
        grid.JoinedToBorder(grown, background);
        BackgroundMask mask = ToBlocks(background, buffers.Width, imageWidth, imageHeight);
        return mask.Count > 0 ? mask : Refuse("No block is dark, away from anatomy and joined to the image's edge.");

        BackgroundMask Refuse(string reason) => BackgroundMask.Empty(imageWidth, imageHeight, reason);
    }

    /// <summary>A block is background when all four of its cells are.</summary>
    private static BackgroundMask ToBlocks(ReadOnlySpan<byte> background, int cellsInRow, int imageWidth, int imageHeight)
    {
        int width = imageWidth / BackgroundMask.BlockSize;
        int height = imageHeight / BackgroundMask.BlockSize;
        bool[] blocks = new bool[width * height];
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<byte> upper = background.Slice(2 * y * cellsInRow, cellsInRow);
            ReadOnlySpan<byte> lower = background.Slice(((2 * y) + 1) * cellsInRow, cellsInRow);
            Span<bool> row = blocks.AsSpan(y * width, width);
            for (int x = 0; x < row.Length; x++)
            {
                row[x] = (upper[2 * x] & upper[(2 * x) + 1] & lower[2 * x] & lower[(2 * x) + 1]) == 1;
            }
        }

        return new BackgroundMask(width, height, blocks);
    }
}
