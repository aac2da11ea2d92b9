using System.Buffers.Binary;

namespace PacsStegoGateway.Steganography.Qr;

/// <summary>
/// Payload to codewords of a QR symbol in byte mode and back (ISO/IEC 18004, 7.4 to 7.6):
/// <code>
/// 0100 | count, 8 or 16 bits | payload | 0000 terminator    -> data codewords
/// data codewords -> blocks -> Reed-Solomon -> interleaved: data column by column, then error correction column by column
/// </code>
/// </summary>
internal static class SymbolCodewords
{
    /// <summary>Makes the symbol's codewords in the order in which they are placed.</summary>
    /// <param name="size">The symbol.</param>
    /// <param name="payload">Exactly <see cref="SymbolSize.PayloadLength"/> bytes.</param>
    /// <param name="codewords"><see cref="SymbolSize.CodewordCount"/> bytes.</param>
    public static void Encode(SymbolSize size, ReadOnlySpan<byte> payload, Span<byte> codewords)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(payload.Length, size.PayloadLength, nameof(payload));
        ArgumentOutOfRangeException.ThrowIfNotEqual(codewords.Length, size.CodewordCount, nameof(codewords));
        Span<byte> data = stackalloc byte[size.DataLength];
        WriteData(size, payload, data);
        Span<byte> parity = stackalloc byte[size.ParityLength];
        int start = 0;
        for (int block = 0; block < size.BlockCount; block++)
        {
            int length = size.DataLengthOf(block);
            ReedSolomon.Encode(data.Slice(start, length), parity);
            for (int i = 0; i < length; i++)
            {
                codewords[DataPosition(size, block, i)] = data[start + i];
            }

            for (int i = 0; i < parity.Length; i++)
            {
                codewords[size.DataLength + (i * size.BlockCount) + block] = parity[i];
            }

            start += length;
        }
    }

    /// <summary>Corrects received codewords and reads the payload.</summary>
    /// <param name="size">The symbol.</param>
    /// <param name="codewords">In placement order.</param>
    /// <param name="reliability">For each codeword, how far it may be trusted (any scale, greater is better).</param>
    /// <param name="payload">Receives <see cref="SymbolSize.PayloadLength"/> bytes.</param>
    /// <returns>False when some block cannot be corrected or the data is not one byte-mode segment of this length.</returns>
    public static bool TryDecode(SymbolSize size, ReadOnlySpan<byte> codewords, ReadOnlySpan<float> reliability, Span<byte> payload)
    {
        Span<byte> data = stackalloc byte[size.DataLength];
        Span<byte> block = stackalloc byte[255];
        Span<float> trust = stackalloc float[255];
        int start = 0;
        for (int b = 0; b < size.BlockCount; b++)
        {
            int dataLength = size.DataLengthOf(b);
            int length = dataLength + size.ParityLength;
            for (int i = 0; i < length; i++)
            {
                int position = i < dataLength ? DataPosition(size, b, i) : size.DataLength + ((i - dataLength) * size.BlockCount) + b;
                block[i] = codewords[position];
                trust[i] = reliability[position];
            }

            if (!TryCorrect(block[..length], trust[..length], size.ParityLength))
            {
                return false;
            }

            block[..dataLength].CopyTo(data[start..]);
            start += dataLength;
        }

        return TryReadData(size, data, payload);
    }

    /// <summary>
    /// Generalised minimum distance decoding: errors alone first, then with two more of the least trusted codewords
    /// taken for erasures each time. A wrong correction is possible; the seal decides.
    /// </summary>
    private static bool TryCorrect(Span<byte> block, Span<float> trust, int parityCount)
    {
        if (ReedSolomon.Decode(block, parityCount, []) >= 0)
        {
            return true;
        }

        Span<int> order = stackalloc int[block.Length];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        trust.Sort(order);
        for (int erasures = 2; erasures <= parityCount; erasures += 2)
        {
            if (ReedSolomon.Decode(block, parityCount, order[..erasures]) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Columns of data codewords; the last column exists in the longer blocks alone.</summary>
    private static int DataPosition(SymbolSize size, int block, int index) =>
        index < size.ShortDataLength
            ? (index * size.BlockCount) + block
            : (size.ShortDataLength * size.BlockCount) + block - (size.BlockCount - size.LongBlockCount);

    private static void WriteData(SymbolSize size, ReadOnlySpan<byte> payload, Span<byte> data)
    {
        // 4 bits of mode shift every byte by half; the terminator is the last half byte, so nothing needs padding.
        int position = 0;
        byte carry = 0x4;
        if (size.CountIndicatorLength == 16)
        {
            Put((byte)(payload.Length >> 8), data);
        }

        Put((byte)payload.Length, data);
        foreach (byte value in payload)
        {
            Put(value, data);
        }

        data[position] = (byte)(carry << 4);

        void Put(byte value, Span<byte> target)
        {
            target[position++] = (byte)((carry << 4) | (value >> 4));
            carry = (byte)(value & 0xF);
        }
    }

    private static bool TryReadData(SymbolSize size, ReadOnlySpan<byte> data, Span<byte> payload)
    {
        int headLength = size.CountIndicatorLength / 8;
        int count = headLength == 2
            ? (BinaryPrimitives.ReadUInt16BigEndian(data) << 4 & 0xFFFF) | (data[2] >> 4)
            : (data[0] << 4 & 0xFF) | (data[1] >> 4);
        if (data[0] >> 4 != 0x4 || count != size.PayloadLength)
        {
            return false;
        }

        for (int i = 0; i < payload.Length; i++)
        {
            payload[i] = (byte)((data[headLength + i] << 4) | (data[headLength + i + 1] >> 4));
        }

        return true;
    }
}
