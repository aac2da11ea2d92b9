using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>Cuts a region out of a rendered frame and fits it into a box: means over areas when smaller, bilinear when larger.</summary>
internal static class Scaling
{
    /// <summary>Applies region and size.</summary>
    /// <param name="frame">Rendered at its own size.</param>
    /// <param name="aspect">Height of a pixel divided by its width.</param>
    /// <param name="options">Checked by the caller.</param>
    /// <exception cref="ArgumentException">The region lies outside the frame.</exception>
    public static RenderedFrame Apply(RenderedFrame frame, double aspect, RenderOptions options)
    {
        (int left, int top, int width, int height) = options.Region ?? (0, 0, frame.Width, frame.Height);
        int right = (int)Math.Min(frame.Width, (long)left + width);
        int bottom = (int)Math.Min(frame.Height, (long)top + height);
        left = Math.Max(0, left);
        top = Math.Max(0, top);
        if (right <= left || bottom <= top)
        {
            throw new ArgumentException($"The region lies outside the frame of {frame.Width}x{frame.Height}.", nameof(options));
        }

        (width, height) = (right - left, bottom - top);
        (int newWidth, int newHeight) = (width, height);
        if (options.Size is var (boxWidth, boxHeight))
        {
            double scale = Math.Min(boxWidth / (double)width, boxHeight / (height * aspect));
            newWidth = Math.Clamp((int)Math.Round(width * scale), 1, boxWidth);
            newHeight = Math.Clamp((int)Math.Round(height * aspect * scale), 1, boxHeight);
        }

        return (left, top, newWidth, newHeight) == (0, 0, frame.Width, frame.Height)
            ? frame
            : Resample(frame, Weights.Of(left, width, newWidth), Weights.Of(top, height, newHeight));
    }

    /// <summary>Pixel Aspect Ratio, or the ratio of a spacing, as height over width of a pixel; 1 when nothing sensible is said.</summary>
    public static double AspectOf(DataSet dataSet)
    {
        foreach (Tag tag in (ReadOnlySpan<Tag>)[Tags.PixelAspectRatio, Tags.PixelSpacing, Tags.ImagerPixelSpacing, Tags.NominalScannedPixelSpacing])
        {
            if (dataSet.GetTexts(tag) is [var vertical, var horizontal]
                && double.TryParse(vertical, System.Globalization.CultureInfo.InvariantCulture, out double v)
                && double.TryParse(horizontal, System.Globalization.CultureInfo.InvariantCulture, out double h)
                && v > 0 && h > 0 && v / h is > 0.01 and < 100)
            {
                return v / h;
            }
        }

        return 1;
    }

    private static RenderedFrame Resample(RenderedFrame frame, Weights across, Weights down)
    {
        int channels = frame.Channels;
        int bits = frame.BitsPerSample;
        int maximum = Levels.MaximumOf(bits);
        byte[] samples = new byte[checked(across.Count * down.Count * channels * (bits / 8))];
        float[] rows = new float[across.Count * channels];
        float[] sums = new float[across.Count * channels];
        for (int y = 0; y < down.Count; y++)
        {
            Array.Clear(sums);
            for (int k = 0; k < down.Shares(y).Length; k++)
            {
                Across(frame, down.Start(y) + k, across, rows);
                float weight = down.Shares(y)[k];
                for (int i = 0; i < sums.Length; i++)
                {
                    sums[i] += weight * rows[i];
                }
            }

            for (int i = 0; i < sums.Length; i++)
            {
                Levels.Put(samples, bits, (y * sums.Length) + i, (ushort)Math.Clamp((int)MathF.Round(sums[i]), 0, maximum));
            }
        }

        return frame with { Width = across.Count, Height = down.Count, Samples = samples };
    }

    private static void Across(RenderedFrame frame, int y, Weights across, float[] row)
    {
        int channels = frame.Channels;
        int stride = frame.Width * channels * frame.BitsPerSample / 8;
        ReadOnlySpan<byte> source = frame.Samples.AsSpan(y * stride, stride);
        for (int x = 0; x < across.Count; x++)
        {
            float[] shares = across.Shares(x);
            int first = across.Start(x) * channels;
            for (int channel = 0; channel < channels; channel++)
            {
                float sum = 0;
                int at = first + channel;
                foreach (float share in shares)
                {
                    sum += share * (frame.BitsPerSample == 8 ? source[at] : (source[2 * at] << 8) | source[(2 * at) + 1]);
                    at += channels;
                }

                row[(x * channels) + channel] = sum;
            }
        }
    }

    /// <summary>Which source samples make one of the results along one axis, and how much of each.</summary>
    private sealed class Weights
    {
        private readonly (int Start, float[] Shares)[] _results;

        private Weights((int, float[])[] results) => _results = results;

        public int Count => _results.Length;

        public int Start(int result) => _results[result].Start;

        public float[] Shares(int result) => _results[result].Shares;

        public static Weights Of(int offset, int length, int count)
        {
            var results = new (int, float[])[count];
            double step = (double)length / count;
            for (int i = 0; i < count; i++)
            {
                // As wide as a result is in source samples; never narrower than one, which makes it bilinear.
                double middle = (i + 0.5) * step;
                double reach = Math.Max(step, 1);
                double from = Math.Max(0, middle - (reach / 2));
                double to = Math.Min(length, middle + (reach / 2));
                int first = (int)from;
                int last = Math.Max(first, (int)Math.Ceiling(to - 1e-9) - 1);
                float[] shares = new float[last - first + 1];
                for (int k = 0; k < shares.Length; k++)
                {
                    shares[k] = (float)((Math.Min(to, first + k + 1) - Math.Max(from, first + k)) / (to - from));
                }

                results[i] = (offset + first, shares);
            }

            return new Weights(results);
        }
    }
}
