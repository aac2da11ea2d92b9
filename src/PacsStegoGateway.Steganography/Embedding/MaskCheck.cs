using System.Buffers.Binary;
using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>
/// A few bytes, sealed, with which a receiver whose mask differs in up to <see cref="Capacity"/> blocks finds the true one:
/// another processor's floating point gives other low bits, and a block on the border falls the other way. They are the
/// odd syndromes of a binary BCH code over GF(2^m): S_j = sum of 2^(i j) over the background blocks i, j = 1, 3, ... 11.
/// The difference of two masks' syndromes locates the blocks in which the masks differ; nothing is guessed.
/// </summary>
internal static class MaskCheck
{
    /// <summary>Differing blocks that can be located.</summary>
    public const int Capacity = 6;

    /// <summary>
    /// Bytes for a mask of so many blocks: two for each syndrome below 65,536 blocks, otherwise three; none for images of
    /// more than 524,287 blocks, whose masks must agree.
    /// </summary>
    public static int LengthFor(int blockCount) =>
        blockCount <= ushort.MaxValue ? 2 * Capacity : blockCount <= BinaryField.GreatestOrder ? 3 * Capacity : 0;

    /// <summary>Computes the check of a mask.</summary>
    public static byte[] Of(BackgroundMask mask)
    {
        byte[] check = new byte[LengthFor(mask.IsBackground.Length)];
        if (check.Length == 0)
        {
            return check;
        }

        Span<int> syndromes = stackalloc int[Capacity];
        Syndromes(mask.IsBackground, BinaryField.For(mask.IsBackground.Length), syndromes);
        int size = check.Length / Capacity;
        Span<byte> word = stackalloc byte[4];
        for (int i = 0; i < Capacity; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(word, syndromes[i]);
            word[(4 - size)..].CopyTo(check.AsSpan(i * size));
        }

        return check;
    }

    /// <summary>Finds the blocks in which this mask differs from the one the check was made of.</summary>
    /// <param name="mask">The receiver's.</param>
    /// <param name="check">Of the sender's, same number of blocks.</param>
    /// <returns>Their indices, empty when the masks agree; null when they differ in more blocks than can be located.</returns>
    public static IReadOnlyList<int>? Locate(BackgroundMask mask, ReadOnlySpan<byte> check)
    {
        if (check.IsEmpty)
        {
            return [];
        }

        BinaryField field = BinaryField.For(mask.IsBackground.Length);
        Span<int> own = stackalloc int[Capacity];
        Syndromes(mask.IsBackground, field, own);
        int size = check.Length / Capacity;
        Span<int> syndromes = stackalloc int[2 * Capacity];
        int any = 0;
        for (int i = 0; i < Capacity; i++)
        {
            int sent = 0;
            foreach (byte value in check.Slice(i * size, size))
            {
                sent = (sent << 8) | value;
            }

            if (sent > field.Order)
            {
                return null;
            }

            syndromes[2 * i] = sent ^ own[i];
            any |= syndromes[2 * i];
        }

        if (any == 0)
        {
            return [];
        }

        // In characteristic 2 the even syndromes are squares: S_2j = S_j squared.
        for (int j = 2; j <= 2 * Capacity; j += 2)
        {
            syndromes[j - 1] = field.Multiply(syndromes[(j / 2) - 1], syndromes[(j / 2) - 1]);
        }

        Span<int> locator = stackalloc int[(2 * Capacity) + 1];
        int degree = FindLocator(field, syndromes, locator);
        return degree > Capacity ? null : FindRoots(field, locator[..(degree + 1)], mask.IsBackground.Length);
    }

    private static void Syndromes(ReadOnlySpan<bool> isBackground, BinaryField field, Span<int> syndromes)
    {
        syndromes.Clear();
        Span<int> exponents = stackalloc int[Capacity];
        exponents.Clear();
        for (int block = 0; block < isBackground.Length; block++)
        {
            for (int i = 0; i < Capacity; i++)
            {
                if (isBackground[block])
                {
                    syndromes[i] ^= field.Power(exponents[i]);
                }

                exponents[i] += (2 * i) + 1;
                exponents[i] -= exponents[i] >= field.Order ? field.Order : 0;
            }
        }
    }

    /// <summary>Berlekamp-Massey; index = power of x.</summary>
    private static int FindLocator(BinaryField field, ReadOnlySpan<int> syndromes, Span<int> locator)
    {
        Span<int> previous = stackalloc int[locator.Length];
        Span<int> saved = stackalloc int[locator.Length];
        locator.Clear();
        previous.Clear();
        locator[0] = previous[0] = 1;
        int length = 0;
        for (int r = 0; r < syndromes.Length; r++)
        {
            int discrepancy = 0;
            for (int i = 0; i <= length; i++)
            {
                discrepancy ^= field.Multiply(locator[i], syndromes[r - i]);
            }

            for (int i = previous.Length - 1; i > 0; i--)
            {
                previous[i] = previous[i - 1];
            }

            previous[0] = 0;
            if (discrepancy == 0)
            {
                continue;
            }

            locator.CopyTo(saved);
            for (int i = 0; i < locator.Length; i++)
            {
                locator[i] ^= field.Multiply(discrepancy, previous[i]);
            }

            if (2 * length <= r)
            {
                length = r + 1 - length;
                for (int i = 0; i < previous.Length; i++)
                {
                    previous[i] = field.Divide(saved[i], discrepancy);
                }
            }
        }

        return length;
    }

    /// <summary>The blocks i for which 2^-i is a root; null unless there are as many as the degree.</summary>
    private static List<int>? FindRoots(BinaryField field, ReadOnlySpan<int> locator, int blockCount)
    {
        List<int> found = [];
        for (int block = 0; block < blockCount; block++)
        {
            int x = field.Power(field.Order - block);
            int sum = 0;
            for (int i = locator.Length - 1; i >= 0; i--)
            {
                sum = field.Multiply(sum, x) ^ locator[i];
            }

            if (sum == 0)
            {
                found.Add(block);
            }
        }

        return found.Count == locator.Length - 1 ? found : null;
    }
}
