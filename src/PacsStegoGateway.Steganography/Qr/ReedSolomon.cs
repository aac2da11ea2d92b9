namespace PacsStegoGateway.Steganography.Qr;

/// <summary>Reed-Solomon code of QR codes: systematic, generator roots 2^0 .. 2^(n-1), errors and erasures.</summary>
internal static class ReedSolomon
{
    /// <summary>Greatest number of error correction codewords in a block of any QR code at level L (30), with room.</summary>
    private const int MaxParity = 68;

    /// <summary>Computes the error correction codewords of one block.</summary>
    /// <param name="data">Data codewords, first is the highest power.</param>
    /// <param name="parity">Receives them; its length is their number.</param>
    public static void Encode(ReadOnlySpan<byte> data, Span<byte> parity)
    {
        ReadOnlySpan<byte> generator = GeneratorOf(parity.Length);
        parity.Clear();
        foreach (byte value in data)
        {
            byte factor = (byte)(value ^ parity[0]);
            parity[1..].CopyTo(parity);
            parity[^1] = 0;
            if (factor != 0)
            {
                for (int i = 0; i < parity.Length; i++)
                {
                    parity[i] ^= GaloisField.Multiply(generator[i], factor);
                }
            }
        }
    }

    /// <summary>Corrects a block in place.</summary>
    /// <param name="block">Data codewords, then error correction codewords; at most 255.</param>
    /// <param name="parityCount">How many of the codewords are error correction.</param>
    /// <param name="erasures">Indices of codewords known to be doubtful; at most <paramref name="parityCount"/>.</param>
    /// <returns>How many codewords were changed, or -1 when the block cannot be corrected (it is then left as it was).</returns>
    public static int Decode(Span<byte> block, int parityCount, ReadOnlySpan<int> erasures)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(parityCount, MaxParity);
        Span<byte> syndromes = stackalloc byte[MaxParity];
        syndromes = syndromes[..parityCount];
        if (Syndromes(block, syndromes))
        {
            return 0;
        }

        if (erasures.Length > parityCount)
        {
            return -1;
        }

        // Locator polynomials: index = power of x, locator[0] = 1.
        Span<byte> locator = stackalloc byte[MaxParity + 1];
        int degree = FindLocator(syndromes, block.Length, erasures, locator);
        return degree < 0 ? -1 : Correct(block, syndromes, locator[..(degree + 1)]);
    }

    private static bool Syndromes(ReadOnlySpan<byte> block, Span<byte> syndromes)
    {
        int any = 0;
        for (int i = 0; i < syndromes.Length; i++)
        {
            byte root = GaloisField.Power(i);
            byte sum = 0;
            foreach (byte value in block)
            {
                sum = (byte)(GaloisField.Multiply(sum, root) ^ value);
            }

            syndromes[i] = sum;
            any |= sum;
        }

        return any == 0;
    }

    /// <summary>Berlekamp-Massey started from the erasure locator.</summary>
    private static int FindLocator(ReadOnlySpan<byte> syndromes, int blockLength, ReadOnlySpan<int> erasures, Span<byte> locator)
    {
        locator.Clear();
        locator[0] = 1;
        for (int e = 0; e < erasures.Length; e++)
        {
            byte position = GaloisField.Power(blockLength - 1 - erasures[e]);
            for (int i = e + 1; i > 0; i--)
            {
                locator[i] ^= GaloisField.Multiply(locator[i - 1], position);
            }
        }

        int parity = syndromes.Length;
        Span<byte> previous = stackalloc byte[MaxParity + 1];
        Span<byte> saved = stackalloc byte[MaxParity + 1];
        locator.CopyTo(previous);
        int length = erasures.Length;
        for (int r = erasures.Length; r < parity; r++)
        {
            byte discrepancy = 0;
            for (int i = 0; i <= Math.Min(length, r); i++)
            {
                discrepancy ^= GaloisField.Multiply(locator[i], syndromes[r - i]);
            }

            // previous = x * previous
            for (int i = parity; i > 0; i--)
            {
                previous[i] = previous[i - 1];
            }

            previous[0] = 0;
            if (discrepancy == 0)
            {
                continue;
            }

            locator.CopyTo(saved);
            for (int i = 0; i <= parity; i++)
            {
                locator[i] ^= GaloisField.Multiply(discrepancy, previous[i]);
            }

            if (2 * length <= r + erasures.Length)
            {
                length = r + 1 - length + erasures.Length;
                for (int i = 0; i <= parity; i++)
                {
                    previous[i] = GaloisField.Divide(saved[i], discrepancy);
                }
            }
        }

        int degree = parity;
        while (degree > 0 && locator[degree] == 0)
        {
            degree--;
        }

        return degree == length && (2 * (degree - erasures.Length)) + erasures.Length <= parity ? degree : -1;
    }

    /// <summary>Chien search and Forney's values; the block is changed only when every root was found and the result is a codeword.</summary>
    private static int Correct(Span<byte> block, ReadOnlySpan<byte> syndromes, ReadOnlySpan<byte> locator)
    {
        int parity = syndromes.Length;
        int degree = locator.Length - 1;
        Span<byte> evaluator = stackalloc byte[MaxParity];
        evaluator = evaluator[..parity];
        for (int i = 0; i < parity; i++)
        {
            byte sum = 0;
            for (int j = 0; j <= Math.Min(i, degree); j++)
            {
                sum ^= GaloisField.Multiply(locator[j], syndromes[i - j]);
            }

            evaluator[i] = sum;
        }

        Span<byte> corrected = stackalloc byte[255];
        corrected = corrected[..block.Length];
        block.CopyTo(corrected);
        int found = 0;
        for (int index = 0; index < block.Length; index++)
        {
            int power = block.Length - 1 - index;
            byte inverse = GaloisField.Power((255 - (power % 255)) % 255);
            if (Evaluate(locator, inverse) != 0)
            {
                continue;
            }

            byte derivative = 0;
            byte square = GaloisField.Multiply(inverse, inverse);
            byte term = 1;
            for (int i = 1; i <= degree; i += 2)
            {
                derivative ^= GaloisField.Multiply(locator[i], term);
                term = GaloisField.Multiply(term, square);
            }

            if (derivative == 0)
            {
                return -1;
            }

            // First root 2^0, hence the factor X = 2^power.
            corrected[index] ^= GaloisField.Multiply(GaloisField.Power(power), GaloisField.Divide(Evaluate(evaluator, inverse), derivative));
            found++;
        }

        Span<byte> check = stackalloc byte[MaxParity];
        if (found != degree || !Syndromes(corrected, check[..parity]))
        {
            return -1;
        }

        int changed = block.Length - block.CommonPrefixLength(corrected) == 0 ? 0 : CountDifferences(block, corrected);
        corrected.CopyTo(block);
        return changed;
    }

    private static int CountDifferences(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        int count = 0;
        for (int i = 0; i < left.Length; i++)
        {
            count += left[i] == right[i] ? 0 : 1;
        }

        return count;
    }

    private static byte Evaluate(ReadOnlySpan<byte> polynomial, byte x)
    {
        byte sum = 0;
        for (int i = polynomial.Length - 1; i >= 0; i--)
        {
            sum = (byte)(GaloisField.Multiply(sum, x) ^ polynomial[i]);
        }

        return sum;
    }

    private static readonly byte[]?[] Generators = new byte[]?[MaxParity + 1];

    /// <summary>Coefficients below the leading 1, highest power first.</summary>
    private static byte[] GeneratorOf(int parityCount)
    {
        if (Generators[parityCount] is { } known)
        {
            return known;
        }

        byte[] generator = new byte[parityCount];
        generator[^1] = 1;
        byte root = 1;
        for (int i = 0; i < parityCount; i++)
        {
            for (int j = 0; j < parityCount; j++)
            {
                generator[j] = GaloisField.Multiply(generator[j], root);
                if (j + 1 < parityCount)
                {
                    generator[j] ^= generator[j + 1];
                }
            }

            root = GaloisField.Multiply(root, 2);
        }

        Generators[parityCount] = generator;
        return generator;
    }
}
