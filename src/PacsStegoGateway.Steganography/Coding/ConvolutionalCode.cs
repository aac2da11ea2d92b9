namespace PacsStegoGateway.Steganography.Coding;

/// <summary>
/// The rate-1/3 convolutional code of constraint length 7 with generators 133, 171, 165 (octal), ended by six zero bits.
/// A step's register is (six earlier bits, oldest highest) shifted left by one, plus the new bit.
/// </summary>
public static class ConvolutionalCode
{
    /// <summary>Coded bits for one input bit.</summary>
    public const int Rate = 3;

    /// <summary>Zero bits appended so that the path ends in state 0.</summary>
    public const int TailLength = 6;

    internal const int StateCount = 64;

    /// <summary>All three have the newest and the oldest tap, which is what makes butterflies antipodal.</summary>
    internal static ReadOnlySpan<int> Generators => [0b1011011, 0b1111001, 0b1110101];

    /// <summary>Coded length of <paramref name="bitCount"/> input bits.</summary>
    public static int CodedLength(int bitCount) => Rate * (bitCount + TailLength);

    /// <summary>Encodes bits (one to a byte, 0 or 1) into coded bits (same form).</summary>
    /// <param name="bits">Input; for a whole block the tail is added here.</param>
    /// <param name="coded">Receives the coded bits; at least 3 x bits long. When it is shorter than
    /// <see cref="CodedLength"/> the tail is left out (a prefix of a longer block).</param>
    public static void Encode(ReadOnlySpan<byte> bits, Span<byte> coded)
    {
        int steps = coded.Length >= CodedLength(bits.Length) ? bits.Length + TailLength : bits.Length;
        int register = 0;
        for (int t = 0; t < steps; t++)
        {
            register = ((register << 1) | (t < bits.Length ? bits[t] : 0)) & 0x7F;
            int outputs = Outputs[register];
            coded[3 * t] = (byte)(outputs & 1);
            coded[(3 * t) + 1] = (byte)((outputs >> 1) & 1);
            coded[(3 * t) + 2] = (byte)(outputs >> 2);
        }
    }

    /// <summary>The three output bits (bit o = generator o) of each register value.</summary>
    internal static readonly byte[] Outputs = MakeOutputs();

    private static byte[] MakeOutputs()
    {
        byte[] outputs = new byte[2 * StateCount];
        for (int register = 0; register < outputs.Length; register++)
        {
            for (int o = 0; o < Rate; o++)
            {
                outputs[register] |= (byte)((System.Numerics.BitOperations.PopCount((uint)(register & Generators[o])) & 1) << o);
            }
        }

        return outputs;
    }
}
