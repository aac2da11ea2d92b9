using System.Numerics;
using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Steganography.Metrics;

/// <summary>
/// How two planes of one size differ. A peak signal-to-noise ratio means nothing without its R, so each has R in its name.
/// </summary>
/// <param name="ChangedSamples">Samples that differ.</param>
/// <param name="MaximumChange">Greatest difference, in stored units.</param>
/// <param name="SquaredError">Sum of squared differences.</param>
/// <param name="SampleCount">Samples of a plane.</param>
/// <param name="Range">Greatest - least sample of the first plane.</param>
public sealed record ImageQuality(int ChangedSamples, int MaximumChange, long SquaredError, int SampleCount, int Range)
{
    /// <summary>Mean squared error, in squared stored units.</summary>
    public double MeanSquaredError => (double)SquaredError / SampleCount;

    /// <summary>dB, R = range of the first plane.</summary>
    public double PsnrOfRange => Psnr(Range);

    /// <summary>dB, R = 65535.</summary>
    public double PsnrOf16Bits => Psnr(65535);

    /// <summary>Compares the planes.</summary>
    public static ImageQuality Compare(PixelPlane original, PixelPlane changed)
    {
        if (original.Width != changed.Width || original.Height != changed.Height)
        {
            throw new ArgumentException("Planes of different size cannot be compared.", nameof(changed));
        }

        ReadOnlySpan<int> left = original.Samples;
        ReadOnlySpan<int> right = changed.Samples;
        int count = 0;
        int maximum = 0;
        double squared = 0;
        int least = original.Samples.Min();
        int greatest = original.Samples.Max();
        int i = 0;
        if (left.Length >= Vector<int>.Count)
        {
            Vector<int> changes = default;
            Vector<int> most = default;
            Vector<double> squares = default;
            for (; i <= left.Length - Vector<int>.Count; i += Vector<int>.Count)
            {
                Vector<int> difference = Vector.Abs(new Vector<int>(left[i..]) - new Vector<int>(right[i..]));
                changes -= Vector.GreaterThan(difference, Vector<int>.Zero);
                most = Vector.Max(most, difference);

                // Squares of 17 bits, and sums of 2^26 of them: exact in doubles.
                Vector.Widen(difference, out Vector<long> low, out Vector<long> high);
                Vector<double> first = Vector.ConvertToDouble(low), second = Vector.ConvertToDouble(high);
                squares += (first * first) + (second * second);
            }

            count = Vector.Sum(changes);
            squared = Vector.Sum(squares);
            for (int lane = 0; lane < Vector<int>.Count; lane++)
            {
                maximum = Math.Max(maximum, most[lane]);
            }
        }

        for (; i < left.Length; i++)
        {
            int difference = Math.Abs(left[i] - right[i]);
            count += difference == 0 ? 0 : 1;
            maximum = Math.Max(maximum, difference);
            squared += (double)difference * difference;
        }

        return new ImageQuality(count, maximum, (long)squared, left.Length, greatest - least);
    }

    /// <summary>dB, R = 2^BitsStored - 1.</summary>
    public double PsnrOfBits(int bitsStored) => Psnr((1 << bitsStored) - 1);

    /// <summary>20 log10(R / root of the mean squared error); infinite when equal.</summary>
    public double Psnr(double r) => SquaredError == 0 ? double.PositiveInfinity : 10 * Math.Log10(r * r / MeanSquaredError);

    /// <summary>
    /// Normalised cross-correlation of two masks: sum of products over the geometric mean of the sums of squares;
    /// 1 when they are equal (also when both are empty), less in every other case.
    /// </summary>
    public static double MaskCorrelation(BackgroundMask first, BackgroundMask second)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(second.IsBackground.Length, first.IsBackground.Length, nameof(second));
        long product = 0;
        long left = 0;
        long right = 0;
        for (int i = 0; i < first.IsBackground.Length; i++)
        {
            int a = first.IsBackground[i] ? 1 : 0;
            int b = second.IsBackground[i] ? 1 : 0;
            product += a * b;
            left += a;
            right += b;
        }

        return left == 0 && right == 0 ? 1 : left == 0 || right == 0 ? 0 : product / Math.Sqrt((double)left * right);
    }
}
