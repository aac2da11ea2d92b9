namespace PacsStegoGateway.Segmentation;

/// <summary>
/// The arrays one segmentation works in, kept from image to image. All are row-major over the cells; only the first
/// <see cref="Width"/> x <see cref="Height"/> entries count. For one caller at a time.
/// </summary>
internal sealed class SegmentationBuffers
{
    /// <summary>Most cells of one image (8192 x 8192 pixels); larger images are refused before anything is allocated.</summary>
    public const int MaximumCells = 4096 * 4096;

    /// <summary>Buffers larger than this (2048 x 2048 pixels) are given back to the runtime after the image.</summary>
    private const int KeptCells = 1024 * 1024;

    public int Width { get; private set; }

    public int Height { get; private set; }

    /// <summary>Cells of the present image.</summary>
    public int Length => Width * Height;

    /// <summary>Normalised intensity of a cell, 0 to 1 (<see cref="ModalityRule"/> says how).</summary>
    public float[] Values { get; private set; } = [];

    /// <summary>Probability that a cell is anatomy, 0 to 1.</summary>
    public float[] Probabilities { get; private set; } = [];

    /// <summary>1 where a cell is anatomy.</summary>
    public byte[] Anatomy { get; private set; } = [];

    public byte[] First { get; private set; } = [];

    public byte[] Second { get; private set; } = [];

    public byte[] Third { get; private set; } = [];

    /// <summary>Cells still to be visited by a flood; each cell enters at most once.</summary>
    public int[] Stack { get; private set; } = [];

    public Histogram Histogram { get; } = new();

    /// <summary>Makes the arrays long enough. Their content is whatever the last image left.</summary>
    public void Resize(int width, int height)
    {
        (Width, Height) = (width, height);
        if (Values.Length < Length)
        {
            Allocate(Length);
        }
    }

    /// <summary>Gives back what an unusually large image needed.</summary>
    public void Trim()
    {
        if (Values.Length > KeptCells)
        {
            Allocate(0);
        }
    }

    private void Allocate(int length)
    {
        Values = new float[length];
        Probabilities = new float[length];
        Anatomy = new byte[length];
        First = new byte[length];
        Second = new byte[length];
        Third = new byte[length];
        Stack = new int[length];
    }
}

/// <summary>Counts of normalised intensities: quantiles without sorting.</summary>
internal sealed class Histogram
{
    private const int Bins = 4096;
    private readonly int[] _counts = new int[Bins];

    public int Total { get; private set; }

    public void Clear()
    {
        Array.Clear(_counts);
        Total = 0;
    }

    /// <param name="value">0 to 1.</param>
    public void Add(float value)
    {
        _counts[(int)(value * (Bins - 1))]++;
        Total++;
    }

    /// <summary>Least value that at least this share of the counted ones does not exceed, to 1/4095; 0 when empty.</summary>
    /// <param name="share">0 to 1.</param>
    public float Quantile(double share)
    {
        long wanted = Math.Max(1, (long)Math.Ceiling(share * Total));
        long seen = 0;
        for (int i = 0; i < Bins; i++)
        {
            seen += _counts[i];
            if (seen >= wanted)
            {
                return (float)i / (Bins - 1);
            }
        }

        return 0;
    }

    /// <summary>
    /// The split that separates two classes best (Otsu 1979: greatest variance between the classes), as an intensity;
    /// 0 when all values are the same.
    /// </summary>
    public float OtsuThreshold()
    {
        double sum = 0;
        for (int i = 0; i < Bins; i++)
        {
            sum += (double)i * _counts[i];
        }

        double best = 0;
        int split = 0;
        double below = 0;
        double sumBelow = 0;
        for (int i = 0; i < Bins - 1; i++)
        {
            below += _counts[i];
            sumBelow += (double)i * _counts[i];
            double above = Total - below;
            if (below == 0 || above == 0)
            {
                continue;
            }

            double distance = (sumBelow / below) - ((sum - sumBelow) / above);
            double between = below * above * distance * distance;
            if (between > best)
            {
                (best, split) = (between, i + 1);
            }
        }

        return (float)split / (Bins - 1);
    }
}
