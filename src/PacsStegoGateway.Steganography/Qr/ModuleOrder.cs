namespace PacsStegoGateway.Steganography.Qr;

/// <summary>
/// Where codeword bits stand in a symbol (ISO/IEC 18004, 7.7.3): columns of two from the right, upward and downward in
/// turn, around the function patterns, under the data mask that the format information names.
/// </summary>
internal static class ModuleOrder
{
    /// <summary>Reads the codewords from a drawn symbol.</summary>
    /// <param name="size">The symbol.</param>
    /// <param name="isDark">Modules, row-major, no quiet zone.</param>
    public static byte[] ReadCodewords(SymbolSize size, ReadOnlySpan<bool> isDark)
    {
        int edge = size.ModuleCount;
        ArgumentOutOfRangeException.ThrowIfNotEqual(isDark.Length, edge * edge, nameof(isDark));

        // Bits 12 to 10 of the format information are the mask; they stand in row 8 from column 2 on, XOR 101 (7.9.1).
        int mask = ((isDark[(8 * edge) + 2] ? 4 : 0) | (isDark[(8 * edge) + 3] ? 2 : 0) | (isDark[(8 * edge) + 4] ? 1 : 0)) ^ 0b101;
        byte[] codewords = new byte[size.CodewordCount];
        int bit = 0;
        bool isUpward = true;
        for (int right = edge - 1; right > 0; right -= 2, isUpward = !isUpward)
        {
            if (right == 6)
            {
                right = 5;
            }

            for (int step = 0; step < edge; step++)
            {
                int y = isUpward ? edge - 1 - step : step;
                for (int x = right; x >= right - 1; x--)
                {
                    if (IsFunction(size.Version, edge, x, y) || bit >= size.BitCount)
                    {
                        continue;
                    }

                    if (isDark[(y * edge) + x] != IsInverted(mask, x, y))
                    {
                        codewords[bit >> 3] |= (byte)(0x80 >> (bit & 7));
                    }

                    bit++;
                }
            }
        }

        return codewords;
    }

    /// <summary>The eight data masks (7.8.2, table 10); i is the row, j the column there.</summary>
    private static bool IsInverted(int mask, int x, int y) => mask switch
    {
        0 => (x + y) % 2 == 0,
        1 => y % 2 == 0,
        2 => x % 3 == 0,
        3 => (x + y) % 3 == 0,
        4 => ((y / 2) + (x / 3)) % 2 == 0,
        5 => (x * y % 2) + (x * y % 3) == 0,
        6 => ((x * y % 2) + (x * y % 3)) % 2 == 0,
        _ => (((x + y) % 2) + (x * y % 3)) % 2 == 0,
    };

    /// <summary>Finders with separators and format information, timing, alignment and, from version 7 on, version information.</summary>
    private static bool IsFunction(int version, int edge, int x, int y)
    {
        bool isCorner = (x < 9 && y < 9) || (x >= edge - 8 && y < 9) || (x < 9 && y >= edge - 8);
        bool isVersion = version >= 7 && ((x >= edge - 11 && y < 6) || (y >= edge - 11 && x < 6));
        return isCorner || isVersion || x == 6 || y == 6 || IsAlignment(version, edge, x, y);
    }

    private static bool IsAlignment(int version, int edge, int x, int y)
    {
        // Centres stand at 6 and then evenly spaced back from edge - 7 (annex E).
        int count = (version / 7) + 2;
        int spacing = version == 32 ? 26 : ((version * 4) + (count * 2) + 1) / ((count * 2) - 2) * 2;
        int column = Nearest(x), row = Nearest(y);
        bool isFinder = (column == 6 && row == 6) || (column == 6 && row == edge - 7) || (column == edge - 7 && row == 6);
        return column > 0 && row > 0 && !isFinder;

        int Nearest(int at)
        {
            if (Math.Abs(at - 6) <= 2)
            {
                return 6;
            }

            for (int i = 0; i < count - 1; i++)
            {
                int centre = edge - 7 - (i * spacing);
                if (Math.Abs(at - centre) <= 2)
                {
                    return centre;
                }
            }

            return -1;
        }
    }
}
