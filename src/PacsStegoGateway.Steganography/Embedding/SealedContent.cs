using System.Buffers.Binary;
using PacsStegoGateway.Steganography.Qr;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>
/// What is sealed: how to undo the embedding, how to prove it undone, and the message. Big endian:
/// <code>
///  0  profile          1 = additive reversible cells
///  1  step             twice the amplitude
///  2  bits per cell (1 or 2) | 0x10 skips padding | 0x20 sets the padding range limit | 0x40 has a floor
///  3  floor            i32, 0 when there is none
///  7  ceiling          i32
/// 11  hash             16 bytes of the original samples, see SampleHash
/// 27  mask check       12 bytes (18 from 65,536 blocks on), see MaskCheck
///  .  listed cells     count, then the gap to each from the one before (first: from -1), minus 1: variable length numbers
///  .  held bits        count in bits (0 = none held), then the bits, first in the highest bit
///  .  message          length, then the bytes
///  .  zeros            to the end
/// </code>
/// Variable length numbers have 7 bits a byte, lowest first, the highest bit set on all but the last byte.
/// </summary>
internal sealed record SealedContent(CellRule Rule, bool SetsPaddingRangeLimit, byte[] Hash, byte[] MaskCheck, CellExceptions Exceptions, byte[] Message)
{
    private const byte AdditiveCells = 1;
    private const int FixedLength = 27;

    /// <summary>Plaintext length without padding.</summary>
    /// <param name="blockCount">Blocks of the mask.</param>
    /// <param name="exceptions">Of the plan.</param>
    /// <param name="messageLength">Bytes.</param>
    public static int LengthOf(int blockCount, CellExceptions exceptions, int messageLength) =>
        FixedLength + Embedding.MaskCheck.LengthFor(blockCount) + exceptions.EncodedLength + VariableLength.Of(messageLength) + messageLength;

    /// <summary>The symbol that holds this much, or null.</summary>
    public static SymbolSize? SizeFor(int length) => SymbolSize.For(length + Seal.Overhead);

    /// <summary>Writes the plaintext; the rest of <paramref name="plaintext"/> becomes zero.</summary>
    public void Write(Span<byte> plaintext)
    {
        plaintext.Clear();
        plaintext[0] = AdditiveCells;
        plaintext[1] = (byte)Rule.Step;
        plaintext[2] = (byte)(Rule.BitsPerCell | (Rule.SkipsPadding ? 0x10 : 0) | (SetsPaddingRangeLimit ? 0x20 : 0) | (Rule.Floor is null ? 0 : 0x40));
        BinaryPrimitives.WriteInt32BigEndian(plaintext[3..], Rule.Floor ?? 0);
        BinaryPrimitives.WriteInt32BigEndian(plaintext[7..], Rule.Ceiling);
        Hash.CopyTo(plaintext[11..]);
        MaskCheck.CopyTo(plaintext[FixedLength..]);
        Span<byte> rest = plaintext[(FixedLength + MaskCheck.Length)..];
        Exceptions.Write(ref rest);
        VariableLength.Write(ref rest, Message.Length);
        Message.CopyTo(rest);
    }

    /// <summary>Reads an authenticated plaintext; null when it is of a later format or not well formed.</summary>
    /// <param name="plaintext">As opened.</param>
    /// <param name="bitsPerCell">With how many bits a cell the symbol was found.</param>
    /// <param name="cellCount">Cells of the frame.</param>
    /// <param name="blockCount">Blocks of its mask.</param>
    /// <param name="padding">The padding values of the description, without a limit that embedding set.</param>
    public static SealedContent? Read(ReadOnlySpan<byte> plaintext, int bitsPerCell, int cellCount, int blockCount, PaddingRange? padding)
    {
        int flags = plaintext[2];
        if (plaintext[0] != AdditiveCells || plaintext[1] == 0 || (flags & 0x8F) != bitsPerCell)
        {
            return null;
        }

        CellRule rule = new(
            plaintext[1],
            bitsPerCell,
            (flags & 0x40) != 0 ? BinaryPrimitives.ReadInt32BigEndian(plaintext[3..]) : null,
            BinaryPrimitives.ReadInt32BigEndian(plaintext[7..]),
            int.MinValue,
            int.MaxValue,
            padding,
            (flags & 0x10) != 0);
        byte[] maskCheck = plaintext.Slice(FixedLength, Embedding.MaskCheck.LengthFor(blockCount)).ToArray();
        ReadOnlySpan<byte> rest = plaintext[(FixedLength + maskCheck.Length)..];
        return CellExceptions.TryRead(ref rest, cellCount, out CellExceptions? exceptions)
            && VariableLength.TryRead(ref rest, out int length) && length <= rest.Length
            ? new SealedContent(rule, (flags & 0x20) != 0, plaintext.Slice(11, SampleHash.Length).ToArray(), maskCheck, exceptions, rest[..length].ToArray())
            : null;
    }
}

/// <summary>The cells that the rule alone would get wrong at the receiver.</summary>
/// <param name="Listed">Ascending indices of cells left alone for want of room.</param>
/// <param name="Held">For each cell in doubt (stego sum within one rise of the floor), in order: true = held, false = raised.
/// Empty when none was held.</param>
internal sealed record CellExceptions(IReadOnlyList<int> Listed, IReadOnlyList<bool> Held)
{
    public int EncodedLength
    {
        get
        {
            int length = VariableLength.Of(Listed.Count) + VariableLength.Of(Held.Count) + ((Held.Count + 7) / 8);
            int previous = -1;
            foreach (int cell in Listed)
            {
                length += VariableLength.Of(cell - previous - 1);
                previous = cell;
            }

            return length;
        }
    }

    public void Write(ref Span<byte> target)
    {
        VariableLength.Write(ref target, Listed.Count);
        int previous = -1;
        foreach (int cell in Listed)
        {
            VariableLength.Write(ref target, cell - previous - 1);
            previous = cell;
        }

        VariableLength.Write(ref target, Held.Count);
        for (int i = 0; i < Held.Count; i++)
        {
            target[i >> 3] |= (byte)(Held[i] ? 0x80 >> (i & 7) : 0);
        }

        target = target[((Held.Count + 7) / 8)..];
    }

    public static bool TryRead(ref ReadOnlySpan<byte> source, int cellCount, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out CellExceptions? exceptions)
    {
        exceptions = null;
        if (!VariableLength.TryRead(ref source, out int count) || count > source.Length)
        {
            return false;
        }

        int[] listed = new int[count];
        long previous = -1;
        for (int i = 0; i < count; i++)
        {
            if (!VariableLength.TryRead(ref source, out int gap) || (previous += (long)gap + 1) >= cellCount)
            {
                return false;
            }

            listed[i] = (int)previous;
        }

        if (!VariableLength.TryRead(ref source, out int heldCount) || heldCount > (long)source.Length * 8)
        {
            return false;
        }

        bool[] held = new bool[heldCount];
        for (int i = 0; i < heldCount; i++)
        {
            held[i] = (source[i >> 3] & (0x80 >> (i & 7))) != 0;
        }

        source = source[((heldCount + 7) / 8)..];
        exceptions = new CellExceptions(listed, held);
        return true;
    }
}

/// <summary>Numbers of 7 bits a byte, lowest first; at most 5 bytes, not negative.</summary>
internal static class VariableLength
{
    public static int Of(int value) => value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : value < 1 << 28 ? 4 : 5;

    public static void Write(ref Span<byte> target, int value)
    {
        int length = Of(value);
        for (int i = 0; i < length; i++)
        {
            target[i] = (byte)((value & 0x7F) | (i < length - 1 ? 0x80 : 0));
            value >>= 7;
        }

        target = target[length..];
    }

    public static bool TryRead(ref ReadOnlySpan<byte> source, out int value)
    {
        long read = 0;
        for (int i = 0; i < source.Length && i < 5; i++)
        {
            read |= (long)(source[i] & 0x7F) << (7 * i);
            if (source[i] < 0x80)
            {
                source = source[(i + 1)..];
                value = (int)Math.Min(read, int.MaxValue);
                return read <= int.MaxValue;
            }
        }

        value = 0;
        return false;
    }
}
