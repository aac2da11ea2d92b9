namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>The predictors of T.81 table H.1, modulo 2^16: a = left, b = above, c = above left.</summary>
internal static class LosslessPrediction
{
    /// <summary>Turns differences into samples.</summary>
    /// <param name="predictor">0 for the first row of a scan or restart interval: from the left, beginning with <paramref name="start"/>.</param>
    /// <param name="start">What the very first sample is predicted by.</param>
    /// <param name="above">The row before.</param>
    /// <param name="current">Receives the row.</param>
    /// <param name="stride">Components in a pixel.</param>
    public static void Undo(int predictor, int start, ReadOnlySpan<short> differences, ReadOnlySpan<ushort> above, Span<ushort> current, int stride)
    {
        int length = differences.Length;
        above = above[..length];
        current = current[..length];
        for (int i = 0; i < stride; i++)
        {
            current[i] = (ushort)((predictor == 0 ? start : above[i]) + differences[i]);
        }

        switch (predictor)
        {
            case 0 or 1 when stride == 1:
                int left = current[0];
                for (int i = 1; i < differences.Length; i++)
                {
                    left += differences[i];
                    current[i] = (ushort)left;
                }

                break;
            case 0 or 1:
                for (int i = stride; i < differences.Length; i++)
                {
                    current[i] = (ushort)(current[i - stride] + differences[i]);
                }

                break;
            case 2:
                for (int i = stride; i < differences.Length; i++)
                {
                    current[i] = (ushort)(above[i] + differences[i]);
                }

                break;
            case 3:
                for (int i = stride; i < differences.Length; i++)
                {
                    current[i] = (ushort)(above[i - stride] + differences[i]);
                }

                break;
            case 4:
                for (int i = stride; i < differences.Length; i++)
                {
                    current[i] = (ushort)(current[i - stride] + above[i] - above[i - stride] + differences[i]);
                }

                break;
            case 5:
                for (int i = stride; i < differences.Length; i++)
                {
                    current[i] = (ushort)(current[i - stride] + ((above[i] - above[i - stride]) >> 1) + differences[i]);
                }

                break;
            case 6:
                for (int i = stride; i < differences.Length; i++)
                {
                    current[i] = (ushort)(above[i] + ((current[i - stride] - above[i - stride]) >> 1) + differences[i]);
                }

                break;
            default:
                for (int i = stride; i < differences.Length; i++)
                {
                    current[i] = (ushort)(((current[i - stride] + above[i]) >> 1) + differences[i]);
                }

                break;
        }
    }

    /// <summary>Turns samples into differences; the inverse of <see cref="Undo"/>.</summary>
    public static void Do(int predictor, int start, ReadOnlySpan<ushort> above, ReadOnlySpan<ushort> current, Span<short> differences, int stride)
    {
        int length = differences.Length;
        above = above[..length];
        current = current[..length];
        for (int i = 0; i < stride; i++)
        {
            differences[i] = (short)(current[i] - (predictor == 0 ? start : above[i]));
        }

        for (int i = stride; i < differences.Length; i++)
        {
            int a = current[i - stride], b = above[i], c = above[i - stride];
            differences[i] = (short)(current[i] - predictor switch
            {
                0 or 1 => a,
                2 => b,
                3 => c,
                4 => a + b - c,
                5 => a + ((b - c) >> 1),
                6 => b + ((a - c) >> 1),
                _ => (a + b) >> 1,
            });
        }
    }
}
