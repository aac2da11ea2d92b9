using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>The inverse discrete cosine transform of 8 x 8 blocks (T.81 A.3.3), in single precision.</summary>
internal static class InverseTransform
{
    /// <summary>Half of C(u) cos((2x + 1) u pi / 16), u from row to row and x in a row.</summary>
    private static readonly float[] Basis = [.. Enumerable.Range(0, 64).Select(static i =>
        (float)(0.5 * (i < 8 ? Math.Sqrt(0.5) : 1) * Math.Cos(((2 * (i & 7)) + 1) * (i >> 3) * Math.PI / 16)))];

    /// <param name="coefficients">64 of them, dequantized, row by row; become the samples without their level shift.</param>
    public static void Apply(Span<float> coefficients)
    {
        Span<Vector256<float>> rows = MemoryMarshal.Cast<float, Vector256<float>>(coefficients);
        ReadOnlySpan<Vector256<float>> basis = MemoryMarshal.Cast<float, Vector256<float>>(Basis.AsSpan());
        Span<Vector256<float>> columns = stackalloc Vector256<float>[8];
        for (int y = 0; y < 8; y++)
        {
            Vector256<float> sum = Vector256<float>.Zero;
            for (int v = 0; v < 8; v++)
            {
                sum += rows[v] * Basis[(v * 8) + y];
            }

            columns[y] = sum;
        }

        for (int y = 0; y < 8; y++)
        {
            Vector256<float> sum = Vector256<float>.Zero;
            for (int u = 0; u < 8; u++)
            {
                sum += basis[u] * columns[y][u];
            }

            rows[y] = sum;
        }
    }
}
