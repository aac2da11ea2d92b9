using PacsStegoGateway.Imaging;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Tests.Steganography;

/// <summary>A ring made once (RSA keys take time), synthetic planes and segmenters whose mask is known.</summary>
internal static class Bench
{
    /// <summary>Where <see cref="Ring"/> is kept; exists once that has been asked for.</summary>
    public static string RingPath { get; } = FreshPath();

    private static readonly Lazy<KeyRing> SharedRing = new(static () => KeyRing.Create(RingPath));

    public static KeyRing Ring => SharedRing.Value;

    public static string FreshPath() => Path.Combine(Directory.CreateTempSubdirectory("psg-keys-").FullName, "keys.json");

    public static PixelDescription Describe(int width, int height, int bitsStored = 12, bool isSigned = false, string modality = "CT", int? padding = null) => new()
    {
        Rows = height,
        Columns = width,
        BitsAllocated = bitsStored <= 8 ? 8 : 16,
        BitsStored = bitsStored,
        HighBit = bitsStored - 1,
        IsSigned = isSigned,
        SamplesPerPixel = 1,
        IsPlanar = false,
        PhotometricInterpretation = "MONOCHROME2",
        NumberOfFrames = 1,
        Modality = modality,
        RescaleIntercept = -1024,
        PixelPaddingValue = padding,
    };

    /// <summary>A noisy ellipse (the anatomy) on a background of the given level and noise, clipped to the limits.</summary>
    public static PixelPlane Phantom(PixelDescription description, int seed, double background, double noise, double anatomy)
    {
        Random random = new(seed);
        int[] samples = new int[description.Rows * description.Columns];
        for (int y = 0; y < description.Rows; y++)
        {
            for (int x = 0; x < description.Columns; x++)
            {
                double level = IsAnatomy(x, y, description.Columns, description.Rows)
                    ? anatomy + (40 * Math.Sin(x / 7.0) * Math.Cos(y / 9.0)) + (12 * Gauss(random))
                    : background + (noise * Gauss(random));
                samples[(y * description.Columns) + x] = (int)Math.Clamp(Math.Round(level), description.MinimumValue, description.MaximumValue);
            }
        }

        return new PixelPlane(description.Columns, description.Rows, samples, description.MinimumValue, description.MaximumValue);
    }

    public static bool IsAnatomy(double x, double y, int width, int height)
    {
        double u = (x - (width / 2.0)) / (width * 0.33);
        double v = (y - (height / 2.0)) / (height * 0.30);
        return (u * u) + (v * v) < 1;
    }

    public static double Gauss(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    public static PixelPlane WithNoise(PixelPlane plane, double sigma, int seed)
    {
        Random random = new(seed);
        PixelPlane noisy = plane.Copy();
        for (int i = 0; i < noisy.Samples.Length; i++)
        {
            noisy.Samples[i] = Math.Clamp(noisy.Samples[i] + (int)Math.Round(sigma * Gauss(random)), plane.MinimumValue, plane.MaximumValue);
        }

        return noisy;
    }

    /// <summary>Everything outside the ellipse, in whole blocks.</summary>
    public static BackgroundMask EllipseMask(PixelDescription d)
    {
        int width = d.Columns / 4, height = d.Rows / 4;
        bool[] blocks = new bool[width * height];
        for (int i = 0; i < blocks.Length; i++)
        {
            int x = i % width * 4, y = i / width * 4;
            blocks[i] = !(IsAnatomy(x, y, d.Columns, d.Rows) || IsAnatomy(x + 3, y, d.Columns, d.Rows)
                || IsAnatomy(x, y + 3, d.Columns, d.Rows) || IsAnatomy(x + 3, y + 3, d.Columns, d.Rows));
        }

        return new BackgroundMask(width, height, blocks);
    }

    public static byte[] Message(int length, int seed = 5)
    {
        byte[] message = new byte[length];
        new Random(seed).NextBytes(message);
        return message;
    }
}

/// <summary>Background is where no cell sum of a block, nor of its neighbours, exceeds a limit: depends on the sums, as a network does.</summary>
internal sealed class LimitSegmenter(int limit) : IBackgroundSegmenter
{
    public string Name => "limit";

    public int Runs { get; private set; }

    public BackgroundMask Segment(CellSums sums, PixelDescription description)
    {
        Runs++;
        int width = description.Columns / BackgroundMask.BlockSize;
        int height = description.Rows / BackgroundMask.BlockSize;
        bool[] dark = new bool[width * height];
        for (int block = 0; block < dark.Length; block++)
        {
            int x = block % width * 2, y = block / width * 2;
            dark[block] = sums.Sums[(y * sums.Width) + x] <= limit && sums.Sums[(y * sums.Width) + x + 1] <= limit
                && sums.Sums[((y + 1) * sums.Width) + x] <= limit && sums.Sums[((y + 1) * sums.Width) + x + 1] <= limit;
        }

        bool[] background = new bool[dark.Length];
        for (int block = 0; block < dark.Length; block++)
        {
            background[block] = true;
            for (int v = Math.Max(0, (block / width) - 1); v <= Math.Min(height - 1, (block / width) + 1); v++)
            {
                for (int u = Math.Max(0, (block % width) - 1); u <= Math.Min(width - 1, (block % width) + 1); u++)
                {
                    background[block] &= dark[(v * width) + u];
                }
            }
        }

        return new BackgroundMask(width, height, background);
    }
}

/// <summary>A mask given beforehand, whatever the image.</summary>
internal sealed class GivenSegmenter(Func<PixelDescription, BackgroundMask> mask) : IBackgroundSegmenter
{
    public string Name => "given";

    public BackgroundMask Segment(CellSums sums, PixelDescription description) => mask(description);
}
