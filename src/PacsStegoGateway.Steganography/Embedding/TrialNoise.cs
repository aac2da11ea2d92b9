namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>
/// Gaussian noise for trials, rounded to whole stored units: always the same, so that embedding an image twice tries the
/// same rungs.
/// </summary>
internal sealed class TrialNoise
{
    private const int TableLength = 1 << 16;
    private const int Seed = 7166;

    private readonly int[] _table = new int[TableLength];

    /// <param name="sigma">Standard deviation in stored units; 0 = no noise.</param>
    public TrialNoise(double sigma)
    {
        Random random = new(Seed);
        for (int i = 0; sigma > 0 && i < TableLength; i++)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            _table[i] = (int)Math.Round(sigma * radius * Math.Cos(2 * Math.PI * random.NextDouble()));
        }
    }

    /// <summary>Adds noise in place; results are kept within the limits.</summary>
    public void AddTo(Span<int> samples, int minimum, int maximum)
    {
        // A start that moves by an odd amount from turn to turn keeps the pattern from repeating in the same column.
        int turn = 0;
        for (int start = 0; start < samples.Length; turn++)
        {
            int offset = turn * 7919 % TableLength;
            int length = Math.Min(TableLength - offset, samples.Length - start);
            Span<int> part = samples.Slice(start, length);
            ReadOnlySpan<int> noise = _table.AsSpan(offset, length);
            for (int i = 0; i < part.Length; i++)
            {
                part[i] = Math.Min(Math.Max(part[i] + noise[i], minimum), maximum);
            }

            start += length;
        }
    }
}
