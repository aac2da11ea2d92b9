namespace PacsStegoGateway.Steganography.Qr;

/// <summary>
/// One of the eight fixed QR symbols that carry sealed bytes. The sealed bytes always fill the symbol, so a symbol's size
/// tells no more about the message than its class.
/// </summary>
/// <param name="Version">QR version, 1 to 40; always error correction level L.</param>
/// <param name="PayloadLength">Bytes in byte mode that fill the symbol (ISO/IEC 18004, table 7).</param>
/// <param name="BlockCount">Reed-Solomon blocks (table 9).</param>
/// <param name="ShortDataLength">Data codewords in the shorter blocks.</param>
/// <param name="LongBlockCount">How many blocks, the last ones, hold one data codeword more.</param>
/// <param name="ParityLength">Error correction codewords in each block.</param>
public sealed record SymbolSize(int Version, int PayloadLength, int BlockCount, int ShortDataLength, int LongBlockCount, int ParityLength)
{
    /// <summary>The classes, smallest first.</summary>
    public static IReadOnlyList<SymbolSize> All { get; } =
    [
        new(5, 106, 1, 108, 0, 26),
        new(8, 192, 2, 97, 0, 24),
        new(10, 271, 4, 68, 2, 18),
        new(12, 367, 4, 92, 2, 24),
        new(14, 458, 4, 115, 1, 30),
        new(17, 644, 6, 107, 5, 28),
        new(25, 1273, 12, 106, 4, 26),
        new(40, 2953, 25, 118, 6, 30),
    ];

    /// <summary>Data codewords of the symbol.</summary>
    public int DataLength => (BlockCount * ShortDataLength) + LongBlockCount;

    /// <summary>Data and error correction codewords of the symbol.</summary>
    public int CodewordCount => DataLength + (BlockCount * ParityLength);

    /// <summary>Bits carried: every codeword bit, neither function patterns nor remainder bits.</summary>
    public int BitCount => CodewordCount * 8;

    /// <summary>Modules on a side, without the quiet zone.</summary>
    public int ModuleCount => 17 + (4 * Version);

    /// <summary>Bits of the character count indicator in byte mode (table 3).</summary>
    public int CountIndicatorLength => Version < 10 ? 8 : 16;

    /// <summary>The least class that holds the payload, or null when none does.</summary>
    public static SymbolSize? For(int payloadLength) => All.FirstOrDefault(size => size.PayloadLength >= payloadLength);

    internal int DataLengthOf(int block) => ShortDataLength + (block >= BlockCount - LongBlockCount ? 1 : 0);
}
