namespace PacsStegoGateway.Segmentation;

/// <summary>Resizes a plane by area average: each target pixel is the mean of the source area it covers, parts counted in part.</summary>
internal sealed class AreaResampler
{
    private readonly int _targetWidth;
    private readonly int _targetHeight;
    private float[] _rows = [];

    public AreaResampler(int targetWidth, int targetHeight) => (_targetWidth, _targetHeight) = (targetWidth, targetHeight);

    /// <param name="source">Row-major, <paramref name="width"/> x <paramref name="height"/>.</param>
    /// <param name="width">At least 1.</param>
    /// <param name="height">At least 1.</param>
    /// <param name="target">Row-major, the target's size.</param>
    public void Resize(ReadOnlySpan<float> source, int width, int height, Span<float> target)
    {
        if (width == _targetWidth && height == _targetHeight)
        {
            source.CopyTo(target);
            return;
        }

        if (_rows.Length < _targetWidth * height)
        {
            _rows = new float[_targetWidth * height];
        }

        double across = (double)width / _targetWidth;
        for (int x = 0; x < _targetWidth; x++)
        {
            (int first, int last, float firstPart, float lastPart) = Cover(x, across, width);
            float scale = (float)(1 / across);
            for (int y = 0; y < height; y++)
            {
                ReadOnlySpan<float> row = source.Slice(y * width, width);
                float sum = row[first] * firstPart;
                for (int i = first + 1; i < last; i++)
                {
                    sum += row[i];
                }

                _rows[(y * _targetWidth) + x] = (last > first ? sum + (row[last] * lastPart) : sum) * scale;
            }
        }

        double down = (double)height / _targetHeight;
        for (int y = 0; y < _targetHeight; y++)
        {
            (int first, int last, float firstPart, float lastPart) = Cover(y, down, height);
            Span<float> row = target.Slice(y * _targetWidth, _targetWidth);
            row.Clear();
            for (int i = first; i <= last; i++)
            {
                float weight = (i == first ? firstPart : i == last ? lastPart : 1f) * (float)(1 / down);
                ReadOnlySpan<float> part = _rows.AsSpan(i * _targetWidth, _targetWidth);
                for (int x = 0; x < row.Length; x++)
                {
                    row[x] += part[x] * weight;
                }
            }
        }
    }

    /// <summary>Which source pixels a target pixel covers, and how much of the first and the last of them.</summary>
    private static (int First, int Last, float FirstPart, float LastPart) Cover(int target, double ratio, int length)
    {
        double from = target * ratio;
        double to = Math.Min(length, from + ratio);
        int first = Math.Min(length - 1, (int)from);
        int last = Math.Min(length - 1, (int)Math.Ceiling(to) - 1);
        return last <= first
            ? (first, first, (float)(to - from), 0f)
            : (first, last, (float)(first + 1 - from), (float)(to - last));
    }
}
