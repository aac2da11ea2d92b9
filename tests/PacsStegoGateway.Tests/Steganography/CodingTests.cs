using PacsStegoGateway.Steganography.Coding;
using PacsStegoGateway.Steganography.Qr;

namespace PacsStegoGateway.Tests.Steganography;

public class CodingTests
{
    [Fact]
    public void The_impulse_response_is_the_generators()
    {
        byte[] coded = new byte[ConvolutionalCode.CodedLength(1)];
        ConvolutionalCode.Encode([1], coded);

        // One triple a step: bit t, from the lowest, of the generators 133, 171 and 165 (octal).
        string.Concat(coded).ShouldBe("111100001110111011111");
    }

    [Fact]
    public void A_clean_block_decodes_to_itself()
    {
        foreach (int length in (int[])[1, 7, 64, 3232])
        {
            byte[] bits = Bits(length, length);
            Decode(Soft(bits, 0, 1)).ShouldBe(bits);
        }
    }

    [Fact]
    public void Every_pattern_of_erased_and_reversed_values_within_the_free_distance_is_corrected()
    {
        // Free distance 15: any 7 wrong hard decisions in one place are corrected; 14 unknown ones too.
        byte[] bits = Bits(400, 3);
        float[] soft = Soft(bits, 0, 1);
        for (int start = 0; start < soft.Length - 16; start += 5)
        {
            float[] wrong = (float[])soft.Clone();
            for (int i = 0; i < 7; i++)
            {
                wrong[start + i] = -wrong[start + i];
            }

            Decode(wrong).ShouldBe(bits);
            Array.Copy(soft, wrong, soft.Length);
            wrong.AsSpan(start, 14).Clear();
            Decode(wrong).ShouldBe(bits);
        }
    }

    [Fact]
    public void The_decoder_finds_as_likely_a_path_as_a_plain_one()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            byte[] bits = Bits(120, seed);
            float[] soft = Soft(bits, 1.6, seed);
            double vectorised = Likelihood(Decode(soft), soft);
            double plain = Likelihood(DecodePlainly(soft, bits.Length), soft);

            // Quantisation may lose a little; never more than a hundredth.
            vectorised.ShouldBeGreaterThanOrEqualTo(plain - (Math.Abs(plain) * 0.01));
        }
    }

    [Fact]
    public void At_4_dB_a_long_block_has_no_error()
    {
        for (int seed = 0; seed < 5; seed++)
        {
            byte[] bits = Bits(3232, seed);

            // Eb/N0 = 4 dB at rate 1/3: Es/N0 = -0.77 dB, noise deviation 0.773 at amplitude 1.
            Decode(Soft(bits, 0.773, seed)).ShouldBe(bits);
        }
    }

    [Fact]
    public void Reed_Solomon_gives_the_known_answer()
    {
        // ISO/IEC 18004 version 1-M, "HELLO WORLD".
        byte[] data = [32, 91, 11, 120, 209, 114, 220, 77, 67, 64, 236, 17, 236, 17, 236, 17];
        byte[] parity = new byte[10];

        ReedSolomon.Encode(data, parity);

        parity.ShouldBe([196, 35, 39, 119, 235, 215, 231, 226, 93, 23]);
    }

    [Fact]
    public void Errors_and_erasures_are_corrected_exactly_as_far_as_the_distance_reaches()
    {
        Random random = new(4);
        foreach (int parityCount in (int[])[20, 24, 26, 28, 30])
        {
            for (int erasures = 0; erasures <= parityCount; erasures++)
            {
                int errors = (parityCount - erasures) / 2;
                byte[] block = RandomBlock(random, 101 + parityCount, parityCount);
                byte[] received = (byte[])block.Clone();
                int[] places = [.. Enumerable.Range(0, block.Length).OrderBy(_ => random.Next()).Take(errors + erasures)];
                foreach (int place in places)
                {
                    received[place] ^= (byte)random.Next(1, 256);
                }

                ReedSolomon.Decode(received, parityCount, places.AsSpan(0, erasures)).ShouldBe(errors + erasures);
                received.ShouldBe(block);
            }
        }
    }

    [Fact]
    public void Beyond_the_distance_a_block_stays_as_it_was_or_becomes_another_codeword()
    {
        Random random = new(5);
        int refused = 0;
        for (int turn = 0; turn < 200; turn++)
        {
            byte[] received = RandomBlock(random, 101, 20);
            foreach (int place in Enumerable.Range(0, 101).OrderBy(_ => random.Next()).Take(11))
            {
                received[place] ^= (byte)random.Next(1, 256);
            }

            byte[] kept = (byte[])received.Clone();
            if (ReedSolomon.Decode(received, 20, []) < 0)
            {
                refused++;
                received.ShouldBe(kept);
            }
        }

        refused.ShouldBeGreaterThan(190);
    }

    private static byte[] RandomBlock(Random random, int length, int parityCount)
    {
        byte[] block = new byte[length];
        random.NextBytes(block);
        ReedSolomon.Encode(block.AsSpan(0, length - parityCount), block.AsSpan(length - parityCount));
        return block;
    }

    private static byte[] Bits(int length, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, length).Select(_ => (byte)random.Next(2))];
    }

    private static float[] Soft(byte[] bits, double sigma, int seed)
    {
        Random random = new(seed + 1000);
        byte[] coded = new byte[ConvolutionalCode.CodedLength(bits.Length)];
        ConvolutionalCode.Encode(bits, coded);
        return [.. coded.Select(bit => (float)((bit == 1 ? 1 : -1) + (sigma * Bench.Gauss(random))))];
    }

    private static byte[] Decode(float[] soft)
    {
        byte[] bits = new byte[(soft.Length / 3) - ConvolutionalCode.TailLength];
        ViterbiDecoder.Decode(soft, bits);
        return bits;
    }

    private static double Likelihood(byte[] bits, float[] soft)
    {
        byte[] coded = new byte[soft.Length];
        ConvolutionalCode.Encode(bits, coded);
        return coded.Select((bit, i) => (double)(bit == 1 ? soft[i] : -soft[i])).Sum();
    }

    /// <summary>The textbook algorithm in doubles, state by state.</summary>
    private static byte[] DecodePlainly(float[] soft, int length)
    {
        int steps = soft.Length / 3;
        double[] metric = [.. Enumerable.Range(0, 64).Select(static s => s == 0 ? 0 : double.NegativeInfinity)];
        int[,] from = new int[steps, 64];
        for (int t = 0; t < steps; t++)
        {
            double[] next = new double[64];
            Array.Fill(next, double.NegativeInfinity);
            for (int state = 0; state < 64; state++)
            {
                for (int bit = 0; bit < 2; bit++)
                {
                    int register = (state << 1) | bit;
                    double branch = metric[state];
                    for (int o = 0; o < 3; o++)
                    {
                        branch += ((ConvolutionalCode.Outputs[register] >> o) & 1) == 1 ? soft[(3 * t) + o] : -soft[(3 * t) + o];
                    }

                    if (branch > next[register & 63])
                    {
                        next[register & 63] = branch;
                        from[t, register & 63] = state;
                    }
                }
            }

            metric = next;
        }

        byte[] bits = new byte[length];
        int at = 0;
        for (int t = steps - 1; t >= 0; t--)
        {
            if (t < length)
            {
                bits[t] = (byte)(at & 1);
            }

            at = from[t, at];
        }

        return bits;
    }
}
