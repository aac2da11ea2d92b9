using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Tests.Segmentation;

/// <summary>
/// Anatomy by classical rules at full pixel resolution, written without the product's segmentation code: the oracle for
/// "anatomy is never touched". CT: HU above -350, opened, table dropped, holes filled. MR: well above the corner noise
/// and a share of Otsu's threshold, closed, filled, opened. Not drawn by hand.
/// </summary>
internal sealed class ClassicalBodyMask
{
    private readonly int _width;
    private readonly int _height;
    private readonly int[] _near = new int[4];

    private ClassicalBodyMask(int width, int height) => (_width, _height) = (width, height);

    public static bool[] Of(PixelPlane plane, PixelDescription description)
    {
        ClassicalBodyMask rules = new(plane.Width, plane.Height);
        return description.Modality == "CT" ? rules.Ct(plane, description) : rules.Mr(plane);
    }

    private bool[] Ct(PixelPlane plane, PixelDescription description)
    {
        bool[] mask = Array.ConvertAll(plane.Samples, v => (v * description.RescaleSlope) + description.RescaleIntercept > -350);
        mask = Dilate(Erode(mask, 4), 4);
        return Fill(Keep(mask, dropTable: true));
    }

    private bool[] Mr(PixelPlane plane)
    {
        int[] sorted = [.. plane.Samples.Order()];
        double high = Math.Max(1, sorted[(int)(0.995 * (sorted.Length - 1))]);
        double[] values = Array.ConvertAll(plane.Samples, v => Math.Sqrt(Math.Clamp(v / high, 0, 1)));
        double threshold = Math.Max(Otsu(values), 1.4 * CornerNoise(values));
        bool[] mask = Array.ConvertAll(values, v => v > threshold);
        mask = Erode(Dilate(mask, 2), 2);
        mask = Fill(Dilate(Erode(Fill(mask), 3), 3));
        return Keep(mask, dropTable: false);
    }

    /// <summary>The quietest corner's 98th percentile, tenth of the image's edge squared.</summary>
    private double CornerNoise(double[] values)
    {
        int w = _width / 10;
        int h = _height / 10;
        double least = 1;
        foreach ((int x0, int y0) in new[] { (0, 0), (_width - w, 0), (0, _height - h), (_width - w, _height - h) })
        {
            List<double> corner = [];
            for (int y = y0; y < y0 + h; y++)
            {
                corner.AddRange(values.AsSpan((y * _width) + x0, w));
            }

            corner.Sort();
            least = Math.Min(least, corner[(int)(0.98 * (corner.Count - 1))]);
        }

        return least;
    }

    private static double Otsu(double[] values)
    {
        double best = 0;
        double threshold = 0;
        double all = values.Sum();
        double[] sorted = [.. values.Order()];
        double below = 0;
        for (int i = 1; i < sorted.Length; i++)
        {
            below += sorted[i - 1];
            double distance = (below / i) - ((all - below) / (sorted.Length - i));
            double between = (double)i * (sorted.Length - i) * distance * distance;
            if (between > best)
            {
                (best, threshold) = (between, sorted[i]);
            }
        }

        return threshold;
    }

    private bool[] Keep(bool[] mask, bool dropTable)
    {
        int[] labels = new int[mask.Length];
        List<(int Label, int Size, int Top, int Bottom)> found = [];
        Queue<int> queue = new();
        for (int start = 0; start < mask.Length; start++)
        {
            if (!mask[start] || labels[start] != 0)
            {
                continue;
            }

            int label = found.Count + 1;
            (int size, int top, int bottom) = (0, _height, 0);
            labels[start] = label;
            queue.Enqueue(start);
            while (queue.TryDequeue(out int p))
            {
                size++;
                (top, bottom) = (Math.Min(top, p / _width), Math.Max(bottom, p / _width));
                foreach (int q in Neighbours(p))
                {
                    if (mask[q] && labels[q] == 0)
                    {
                        labels[q] = label;
                        queue.Enqueue(q);
                    }
                }
            }

            found.Add((label, size, top, bottom));
        }

        int largest = found.Count == 0 ? 0 : found.Max(f => f.Size);
        int middle = found.Where(f => f.Size == largest).Select(f => (f.Top + f.Bottom) / 2).FirstOrDefault();
        HashSet<int> kept = [.. found
            .Where(f => f.Size >= 0.015 * largest)
            .Where(f => !dropTable || f.Size == largest || f.Top < middle || f.Bottom - f.Top > _height / 10)
            .Select(f => f.Label)];
        return Array.ConvertAll(labels, kept.Contains);
    }

    private bool[] Fill(bool[] mask)
    {
        bool[] outside = new bool[mask.Length];
        Queue<int> queue = new();
        for (int p = 0; p < mask.Length; p++)
        {
            bool isEdge = p % _width == 0 || p % _width == _width - 1 || p < _width || p >= mask.Length - _width;
            if (isEdge && !mask[p])
            {
                outside[p] = true;
                queue.Enqueue(p);
            }
        }

        while (queue.TryDequeue(out int p))
        {
            foreach (int q in Neighbours(p))
            {
                if (!mask[q] && !outside[q])
                {
                    outside[q] = true;
                    queue.Enqueue(q);
                }
            }
        }

        return Array.ConvertAll(outside, o => !o);
    }

    private bool[] Erode(bool[] mask, int radius) => Array.ConvertAll(Dilate(Array.ConvertAll(mask, m => !m), radius), m => !m);

    private bool[] Dilate(bool[] mask, int radius)
    {
        List<(int X, int Y)> disk = [.. from y in Enumerable.Range(-radius, (2 * radius) + 1)
            from x in Enumerable.Range(-radius, (2 * radius) + 1)
            where (x * x) + (y * y) <= radius * radius
            select (x, y)];
        bool[] result = new bool[mask.Length];
        for (int p = 0; p < mask.Length; p++)
        {
            // Only the rim of a region can set anything beyond it.
            if (!mask[p] || IsInside(mask, p))
            {
                result[p] |= mask[p];
                continue;
            }

            foreach ((int dx, int dy) in disk)
            {
                (int x, int y) = ((p % _width) + dx, (p / _width) + dy);
                if (x >= 0 && x < _width && y >= 0 && y < _height)
                {
                    result[(y * _width) + x] = true;
                }
            }
        }

        return result;
    }

    /// <summary>The cells above, below, left and right; those beyond the edge are left out.</summary>
    private ReadOnlySpan<int> Neighbours(int p)
    {
        int count = 0;
        int x = p % _width;
        if (x > 0)
        {
            _near[count++] = p - 1;
        }

        if (x < _width - 1)
        {
            _near[count++] = p + 1;
        }

        if (p >= _width)
        {
            _near[count++] = p - _width;
        }

        if (p < (_width * _height) - _width)
        {
            _near[count++] = p + _width;
        }

        return _near.AsSpan(0, count);
    }

    private bool IsInside(bool[] mask, int p)
    {
        foreach (int q in Neighbours(p))
        {
            if (!mask[q])
            {
                return false;
            }
        }

        return true;
    }
}
