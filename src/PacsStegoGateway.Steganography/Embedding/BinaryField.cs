using System.Numerics;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>GF(2^m) by tables of powers and logarithms of 2; m from 8 to 19. Made once for each m and kept.</summary>
internal sealed class BinaryField
{
    public const int LeastDegree = 8;

    /// <summary>Elements that are not 0 in the greatest field.</summary>
    public const int GreatestOrder = (1 << 19) - 1;

    /// <summary>Primitive polynomials for m = 8, 9, ... 19.</summary>
    private static readonly int[] Polynomials =
    [
        0x11D, 0x211, 0x409, 0x805, 0x1053, 0x201B, 0x4443, 0x8003, 0x1100B, 0x20009, 0x40081, 0x80027,
    ];

    private static readonly Lazy<BinaryField>[] Fields =
        [.. Enumerable.Range(LeastDegree, Polynomials.Length).Select(static degree => new Lazy<BinaryField>(() => new BinaryField(degree)))];

    private readonly int[] _powers;
    private readonly int[] _logarithms;

    private BinaryField(int degree)
    {
        Order = (1 << degree) - 1;
        _powers = new int[2 * Order];
        _logarithms = new int[Order + 1];
        int value = 1;
        for (int i = 0; i < Order; i++)
        {
            _powers[i] = _powers[i + Order] = value;
            _logarithms[value] = i;
            value <<= 1;
            if (value > Order)
            {
                value ^= Polynomials[degree - LeastDegree];
            }
        }
    }

    /// <summary>Number of elements that are not 0.</summary>
    public int Order { get; }

    /// <summary>The smallest field with a different non-zero element for each of <paramref name="count"/> things.</summary>
    public static BinaryField For(int count)
    {
        int degree = Math.Max(LeastDegree, BitOperations.Log2((uint)Math.Max(count, 1)) + 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(degree, LeastDegree + Polynomials.Length - 1, nameof(count));
        return Fields[degree - LeastDegree].Value;
    }

    /// <summary>2 to the power of <paramref name="exponent"/>, which is below 2 x <see cref="Order"/>.</summary>
    public int Power(int exponent) => _powers[exponent];

    public int Multiply(int left, int right) => left == 0 || right == 0 ? 0 : _powers[_logarithms[left] + _logarithms[right]];

    /// <summary>Quotient; <paramref name="divisor"/> is not 0.</summary>
    public int Divide(int dividend, int divisor) => dividend == 0 ? 0 : _powers[_logarithms[dividend] + Order - _logarithms[divisor]];
}
