using System.Buffers;
using PacsStegoGateway.Steganography.Coding;
using PacsStegoGateway.Steganography.Qr;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>A symbol that was found and whose seal opened.</summary>
/// <param name="Key">The key it was sealed with.</param>
/// <param name="Placement">Where its bits are.</param>
/// <param name="Payload">The sealed bytes, which fill the symbol.</param>
/// <param name="Plaintext">What was sealed.</param>
internal sealed record FoundSymbol(SealingKey Key, Placement Placement, byte[] Payload, byte[] Plaintext);

/// <summary>Finds a symbol in soft cells without knowing its size, its amplitude or the mask.</summary>
internal sealed class SymbolReader(PlacementCache placements)
{
    /// <summary>Below this presence a symbol is not there or far from decodable; by chance it is exceeded once in 30,000 tries.</summary>
    internal const double LeastPresence = 4;

    /// <summary>Decoding attempts for one frame at most, best presence first.</summary>
    private const int MaxAttempts = 3;

    /// <summary>Tries every key and symbol size.</summary>
    public FoundSymbol? Find(SoftCells soft, int bitsPerCell, IEnumerable<SealingKey> keys)
    {
        List<(double Presence, Placement Placement, SealingKey Key)> candidates = [];
        int cellCount = soft.CellsWide * soft.CellsHigh;
        foreach (SealingKey key in keys)
        {
            foreach (SymbolSize size in SymbolSize.All)
            {
                if (!Placement.IsPossible(size, bitsPerCell, cellCount))
                {
                    continue;
                }

                Placement placement = placements.Get(key, soft.CellsWide, soft.CellsHigh, size, bitsPerCell);
                double presence = placement.Presence(soft.Values);
                if (presence >= LeastPresence)
                {
                    candidates.Add((presence, placement, key));
                }
            }
        }

        candidates.Sort(static (left, right) => right.Presence.CompareTo(left.Presence));
        return candidates.Take(MaxAttempts).Select(candidate => TryDecode(soft, candidate.Placement, candidate.Key)).FirstOrDefault(static found => found is not null);
    }

    /// <summary>Decodes one placement: collect, Viterbi, Reed-Solomon, seal. The seal alone decides.</summary>
    public static FoundSymbol? TryDecode(SoftCells soft, Placement placement, SealingKey key)
    {
        SymbolOrder order = placement.Order;
        SymbolSize size = order.Size;
        float[] coded = ArrayPool<float>.Shared.Rent(order.CodedLength);
        byte[] bits = ArrayPool<byte>.Shared.Rent(size.BitCount + order.CodedLength);
        try
        {
            Span<float> received = coded.AsSpan(0, order.CodedLength);
            Span<byte> decoded = bits.AsSpan(0, size.BitCount);
            Span<byte> recoded = bits.AsSpan(size.BitCount, order.CodedLength);
            placement.Collect(soft.Values, received);
            ViterbiDecoder.Decode(received, decoded);
            ConvolutionalCode.Encode(decoded, recoded);
            Span<byte> codewords = stackalloc byte[size.CodewordCount];
            Span<float> reliability = stackalloc float[size.CodewordCount];
            order.Gather(decoded, received, recoded, codewords, reliability);
            byte[] payload = new byte[size.PayloadLength];
            byte[] plaintext = new byte[size.PayloadLength - Seal.Overhead];
            return SymbolCodewords.TryDecode(size, codewords, reliability, payload) && Seal.TryOpen(key, payload, plaintext)
                ? new FoundSymbol(key, placement, payload, plaintext)
                : null;
        }
        finally
        {
            ArrayPool<float>.Shared.Return(coded);
            ArrayPool<byte>.Shared.Return(bits);
        }
    }

    /// <summary>The coded bits of a payload.</summary>
    public static byte[] Encode(SymbolSize size, ReadOnlySpan<byte> payload)
    {
        SymbolOrder order = SymbolOrder.Of(size);
        Span<byte> codewords = stackalloc byte[size.CodewordCount];
        SymbolCodewords.Encode(size, payload, codewords);
        byte[] bits = new byte[size.BitCount];
        order.Spread(codewords, bits);
        byte[] coded = new byte[order.CodedLength];
        ConvolutionalCode.Encode(bits, coded);
        return coded;
    }
}
