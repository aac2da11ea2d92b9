using PacsStegoGateway.Steganography.Coding;
using PacsStegoGateway.Steganography.Qr;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>
/// The order in which the codewords of a symbol size are carried: first those that hold what the receiver knows (mode,
/// count, seal version, key id), then the others as the symbol places them, which spreads a burst over the blocks.
/// </summary>
internal sealed class SymbolOrder
{
    private static readonly Dictionary<SymbolSize, SymbolOrder> Orders = SymbolSize.All.ToDictionary(static size => size, static size => new SymbolOrder(size));

    private readonly int[] _codewords;

    private SymbolOrder(SymbolSize size)
    {
        Size = size;
        KnownBits = 4 + size.CountIndicatorLength + 8 + 32;
        int knownCodewords = (KnownBits + 7) / 8;

        // Data codewords of the first block stand one block count apart.
        int[] first = [.. Enumerable.Range(0, knownCodewords).Select(i => i * size.BlockCount)];
        _codewords = [.. first, .. Enumerable.Range(0, size.CodewordCount).Except(first)];
    }

    public SymbolSize Size { get; }

    /// <summary>Carried bits, from the first, that do not depend on the message.</summary>
    public int KnownBits { get; }

    public int CodedLength => ConvolutionalCode.CodedLength(Size.BitCount);

    public static SymbolOrder Of(SymbolSize size) => Orders[size];

    /// <summary>Codewords to carried bits, one to a byte, highest bit first.</summary>
    public void Spread(ReadOnlySpan<byte> codewords, Span<byte> bits)
    {
        for (int i = 0; i < _codewords.Length; i++)
        {
            byte value = codewords[_codewords[i]];
            for (int bit = 0; bit < 8; bit++)
            {
                bits[(8 * i) + bit] = (byte)((value >> (7 - bit)) & 1);
            }
        }
    }

    /// <summary>The inverse of <see cref="Spread"/>, with a reliability for each codeword.</summary>
    /// <param name="bits">Decoded bits.</param>
    /// <param name="soft">What they were decoded from, 3 values a bit; a bit's trust is how far these agree with its own code.</param>
    /// <param name="recoded">The code of the decoded bits, as long as <paramref name="soft"/>.</param>
    /// <param name="codewords">Receives the codewords in the symbol's order.</param>
    /// <param name="reliability">Receives their trust.</param>
    public void Gather(ReadOnlySpan<byte> bits, ReadOnlySpan<float> soft, ReadOnlySpan<byte> recoded, Span<byte> codewords, Span<float> reliability)
    {
        for (int i = 0; i < _codewords.Length; i++)
        {
            int value = 0;
            for (int bit = 0; bit < 8; bit++)
            {
                value = (value << 1) | bits[(8 * i) + bit];
            }

            // A bit shows in its own step and in the six after it.
            float trust = 0;
            int end = Math.Min(soft.Length, ConvolutionalCode.Rate * ((8 * i) + 8 + ConvolutionalCode.TailLength));
            for (int s = ConvolutionalCode.Rate * 8 * i; s < end; s++)
            {
                trust += recoded[s] == 1 ? soft[s] : -soft[s];
            }

            codewords[_codewords[i]] = (byte)value;
            reliability[_codewords[i]] = trust;
        }
    }

    /// <summary>The coded bits a holder of the key expects first; 3 x <see cref="KnownBits"/> of them.</summary>
    public byte[] ExpectedPrefix(SealingKey key)
    {
        Span<byte> payload = stackalloc byte[Size.PayloadLength];
        payload.Clear();
        Seal.WritePrefix(key, payload);
        Span<byte> codewords = stackalloc byte[Size.CodewordCount];
        SymbolCodewords.Encode(Size, payload, codewords);
        byte[] bits = new byte[Size.BitCount];
        Spread(codewords, bits);
        byte[] coded = new byte[ConvolutionalCode.Rate * KnownBits];
        ConvolutionalCode.Encode(bits.AsSpan(0, KnownBits), coded);
        return coded;
    }
}
