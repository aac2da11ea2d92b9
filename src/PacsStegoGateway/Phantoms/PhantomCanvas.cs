namespace PacsStegoGateway.Phantoms;

/// <summary>A square plane of numbers that ellipses are painted into; x to the right and y down, both from -1 to 1.</summary>
internal sealed class PhantomCanvas
{
    /// <summary>Half the width, in pixels, over which an edge goes from one value to the other.</summary>
    private const double EdgeSoftness = 0.9;

    public PhantomCanvas(int size, float background)
    {
        Size = size;
        Values = new float[size * size];
        Array.Fill(Values, background);
    }

    public int Size { get; }

    /// <summary>Row-major.</summary>
    public float[] Values { get; }

    /// <summary>Paints a filled ellipse over what is there.</summary>
    /// <param name="degrees">Turned clockwise on the screen.</param>
    /// <param name="power">2 is an ellipse; larger is nearer to a rectangle.</param>
    public void Ellipse(double x, double y, double radiusX, double radiusY, double value, double degrees = 0, double power = 2)
    {
        double half = Size / 2.0;
        double reach = Math.Max(radiusX, radiusY) + (4 / half);
        int top = Math.Max(0, (int)((y - reach + 1) * half));
        int bottom = Math.Min(Size - 1, (int)((y + reach + 1) * half));
        int left = Math.Max(0, (int)((x - reach + 1) * half));
        int right = Math.Min(Size - 1, (int)((x + reach + 1) * half));
        double cos = Math.Cos(degrees * Math.PI / 180);
        double sin = Math.Sin(degrees * Math.PI / 180);
        double pixels = Math.Min(radiusX, radiusY) * half;
        for (int row = top; row <= bottom; row++)
        {
            double dy = ((row + 0.5) / half) - 1 - y;
            for (int column = left; column <= right; column++)
            {
                double dx = ((column + 0.5) / half) - 1 - x;
                double u = Math.Abs(((dx * cos) + (dy * sin)) / radiusX);
                double v = Math.Abs(((dy * cos) - (dx * sin)) / radiusY);
                double r = power == 2 ? Math.Sqrt((u * u) + (v * v)) : Math.Pow(Math.Pow(u, power) + Math.Pow(v, power), 1 / power);
                double cover = Math.Clamp(0.5 - ((r - 1) * pixels / (2 * EdgeSoftness)), 0, 1);
                if (cover > 0)
                {
                    ref float pixel = ref Values[(row * Size) + column];
                    pixel += (float)(cover * (value - pixel));
                }
            }
        }
    }

    /// <summary>White noise smoothed over about 3 pixels, as reconstruction leaves it; standard deviation about <paramref name="deviation"/>.</summary>
    public static float[] SmoothNoise(int size, double deviation, PhantomRandom random)
    {
        float[] white = new float[size * size];
        for (int i = 0; i < white.Length; i++)
        {
            white[i] = (float)(random.Normal() * deviation);
        }

        // Weights 1-2-1 in each direction leave 0.375 of the deviation; scaled back to the deviation asked for.
        float[] across = new float[white.Length];
        float[] smooth = new float[white.Length];
        for (int i = 0; i < white.Length; i++)
        {
            int column = i % size;
            across[i] = (white[column > 0 ? i - 1 : i] + (2 * white[i]) + white[column < size - 1 ? i + 1 : i]) / 4;
        }

        for (int i = 0; i < white.Length; i++)
        {
            int row = i / size;
            smooth[i] = (across[row > 0 ? i - size : i] + (2 * across[i]) + across[row < size - 1 ? i + size : i]) / (4 * 0.375f);
        }

        return smooth;
    }

    /// <summary>Broad, cloudy variation of the values between two limits: no organ is flat.</summary>
    public void Mottle(double least, double most, double deviation, PhantomRandom random)
    {
        const int Cell = 8;
        int coarse = (Size / Cell) + 3;
        float[] knots = new float[coarse * coarse];
        for (int i = 0; i < knots.Length; i++)
        {
            knots[i] = (float)(random.Normal() * deviation);
        }

        for (int i = 0; i < Values.Length; i++)
        {
            if (Values[i] < least || Values[i] > most)
            {
                continue;
            }

            int row = i / Size;
            int column = i % Size;
            int at = ((row / Cell) * coarse) + (column / Cell);
            float fy = (float)(row % Cell) / Cell;
            float fx = (float)(column % Cell) / Cell;
            float upper = knots[at] + (fx * (knots[at + 1] - knots[at]));
            float lower = knots[at + coarse] + (fx * (knots[at + coarse + 1] - knots[at + coarse]));
            Values[i] += upper + (fy * (lower - upper));
        }
    }
}
