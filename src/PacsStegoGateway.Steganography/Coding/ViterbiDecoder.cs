using System.Buffers;
using System.Runtime.Intrinsics;

namespace PacsStegoGateway.Steganography.Coding;

/// <summary>Soft maximum-likelihood decoder of <see cref="ConvolutionalCode"/>: 64 states, 16-bit metrics, 16 butterflies at once.</summary>
public static class ViterbiDecoder
{
    /// <summary>Greatest magnitude of a quantised soft value: eight steps of growth and the spread between states stay within 16 bits.</summary>
    private const int SoftLimit = 400;

    /// <summary>What the mean magnitude becomes when quantised.</summary>
    private const float SoftMean = 64;

    private const int NormalisationInterval = 8;

    /// <summary>For generator o, all ones where the even register 2j gives a 1: the sign of the branch metric of butterfly j.</summary>
    private static readonly short[][] OutputIsOne = MakeSigns();

    /// <summary>Finds the most likely bits.</summary>
    /// <param name="soft">One value for each coded bit; positive says 1, negative says 0, 0 says nothing known; any scale.</param>
    /// <param name="bits">Receives the input bits without the tail; its length fixes the block length.</param>
    public static void Decode(ReadOnlySpan<float> soft, Span<byte> bits)
    {
        int steps = bits.Length + ConvolutionalCode.TailLength;
        ArgumentOutOfRangeException.ThrowIfNotEqual(soft.Length, ConvolutionalCode.Rate * steps, nameof(soft));
        short[] quantised = ArrayPool<short>.Shared.Rent(soft.Length);
        ulong[] decisions = ArrayPool<ulong>.Shared.Rent(steps);
        try
        {
            Quantise(soft, quantised);
            AddCompareSelect(quantised, decisions.AsSpan(0, steps));
            int state = 0;
            for (int t = steps - 1; t >= 0; t--)
            {
                if (t < bits.Length)
                {
                    bits[t] = (byte)(state & 1);
                }

                // Even states stand in the low half of the word, odd ones in the high half; a set bit says "came from j + 32".
                int j = state >> 1;
                int fromUpper = (int)(decisions[t] >> (((state & 1) << 5) + j)) & 1;
                state = j | (fromUpper << 5);
            }
        }
        finally
        {
            ArrayPool<short>.Shared.Return(quantised);
            ArrayPool<ulong>.Shared.Return(decisions);
        }
    }

    private static void Quantise(ReadOnlySpan<float> soft, Span<short> quantised)
    {
        float sum = 0;
        foreach (float value in soft)
        {
            sum += Math.Abs(value);
        }

        float scale = sum > 0 ? SoftMean * soft.Length / sum : 0;
        for (int i = 0; i < soft.Length; i++)
        {
            quantised[i] = (short)Math.Clamp(MathF.Round(soft[i] * scale), -SoftLimit, SoftLimit);
        }
    }

    /// <summary>
    /// Butterfly j joins states j and j + 32 to states 2j and 2j + 1. With b the branch metric of register 2j, the other
    /// three branches are -b, -b and b, because every generator has both end taps.
    /// </summary>
    private static void AddCompareSelect(ReadOnlySpan<short> soft, Span<ulong> decisions)
    {
        Span<short> metrics = stackalloc short[ConvolutionalCode.StateCount];
        metrics.Fill(-8000);
        metrics[0] = 0;
        Vector256<short> s00 = Vector256.Create(OutputIsOne[0], 0), s01 = Vector256.Create(OutputIsOne[0], 16);
        Vector256<short> s10 = Vector256.Create(OutputIsOne[1], 0), s11 = Vector256.Create(OutputIsOne[1], 16);
        Vector256<short> s20 = Vector256.Create(OutputIsOne[2], 0), s21 = Vector256.Create(OutputIsOne[2], 16);
        Vector256<short> low0 = Vector256.Create<short>(metrics[..16]), low1 = Vector256.Create<short>(metrics[16..32]);
        Vector256<short> high0 = Vector256.Create<short>(metrics[32..48]), high1 = Vector256.Create<short>(metrics[48..]);
        for (int t = 0; t < decisions.Length; t++)
        {
            if (t % NormalisationInterval == 0)
            {
                Vector256<short> reference = Vector256.Create(low0.GetElement(0));
                low0 -= reference;
                low1 -= reference;
                high0 -= reference;
                high1 -= reference;
            }

            // A soft value counts for a 1 and against a 0: -v, then negated again where the output is 1.
            Vector256<short> v0 = Vector256.Create((short)-soft[3 * t]);
            Vector256<short> v1 = Vector256.Create((short)-soft[(3 * t) + 1]);
            Vector256<short> v2 = Vector256.Create((short)-soft[(3 * t) + 2]);
            Vector256<short> branch0 = ((v0 ^ s00) - s00) + ((v1 ^ s10) - s10) + ((v2 ^ s20) - s20);
            Vector256<short> branch1 = ((v0 ^ s01) - s01) + ((v1 ^ s11) - s11) + ((v2 ^ s21) - s21);

            Vector256<short> a = low0 + branch0, b = high0 - branch0, c = low0 - branch0, d = high0 + branch0;
            Vector256<short> even0 = Vector256.Max(a, b), odd0 = Vector256.Max(c, d);
            ulong even = Bits(b, a), odd = Bits(d, c);
            a = low1 + branch1;
            b = high1 - branch1;
            c = low1 - branch1;
            d = high1 + branch1;
            Vector256<short> even1 = Vector256.Max(a, b), odd1 = Vector256.Max(c, d);
            even |= Bits(b, a) << 16;
            odd |= Bits(d, c) << 16;
            decisions[t] = even | (odd << 32);
            (low0, low1) = Interleave(even0, odd0);
            (high0, high1) = Interleave(even1, odd1);
        }
    }

    private static ulong Bits(Vector256<short> left, Vector256<short> right) =>
        Vector256.GreaterThan(left, right).ExtractMostSignificantBits();

    private static (Vector256<short> Lower, Vector256<short> Upper) Interleave(Vector256<short> even, Vector256<short> odd)
    {
        (Vector256<uint> evenLower, Vector256<uint> evenUpper) = Vector256.Widen(even.AsUInt16());
        (Vector256<uint> oddLower, Vector256<uint> oddUpper) = Vector256.Widen(odd.AsUInt16());
        return ((evenLower | (oddLower << 16)).AsInt16(), (evenUpper | (oddUpper << 16)).AsInt16());
    }

    private static short[][] MakeSigns()
    {
        short[][] signs = [new short[32], new short[32], new short[32]];
        for (int j = 0; j < 32; j++)
        {
            for (int o = 0; o < ConvolutionalCode.Rate; o++)
            {
                signs[o][j] = (short)-((ConvolutionalCode.Outputs[2 * j] >> o) & 1);
            }
        }

        return signs;
    }
}
