namespace PacsStegoGateway.Steganography.Qr;

/// <summary>GF(256) of QR codes: polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11D), generator 2 (ISO/IEC 18004, 7.5.2).</summary>
internal static class GaloisField
{
    /// <summary>Powers of 2, twice over, so that a sum of two logarithms needs no remainder.</summary>
    private static readonly byte[] Powers = MakePowers();

    private static readonly byte[] Logarithms = MakeLogarithms();

    /// <summary>2 to the power of <paramref name="exponent"/>, which may be any non-negative number.</summary>
    public static byte Power(int exponent) => Powers[exponent % 255];

    public static byte Multiply(byte left, byte right) =>
        left == 0 || right == 0 ? (byte)0 : Powers[Logarithms[left] + Logarithms[right]];

    /// <summary>Quotient; <paramref name="divisor"/> is not 0.</summary>
    public static byte Divide(byte dividend, byte divisor) =>
        dividend == 0 ? (byte)0 : Powers[Logarithms[dividend] + 255 - Logarithms[divisor]];

    // Initialisers rather than a static constructor: that would be asked for at every multiplication.
    private static byte[] MakePowers()
    {
        byte[] powers = new byte[510];
        int value = 1;
        for (int i = 0; i < 255; i++)
        {
            powers[i] = powers[i + 255] = (byte)value;
            value <<= 1;
            if (value > 255)
            {
                value ^= 0x11D;
            }
        }

        return powers;
    }

    private static byte[] MakeLogarithms()
    {
        byte[] logarithms = new byte[256];
        for (int i = 0; i < 255; i++)
        {
            logarithms[Powers[i]] = (byte)i;
        }

        return logarithms;
    }
}
