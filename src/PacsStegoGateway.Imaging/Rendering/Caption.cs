namespace PacsStegoGateway.Imaging;

/// <summary>Short labels under pictures: capitals, digits and a little punctuation in a 5x7 grid, drawn for this program.</summary>
public static class Caption
{
    /// <summary>Pixels from one character to the next at scale 1.</summary>
    public const int Advance = 6;

    /// <summary>Height of a character in pixels at scale 1.</summary>
    public const int Height = 7;

    private const string Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:-+/()=%<>";

    /// <summary>Seven rows of five bits for each character, the leftmost pixel in the highest bit.</summary>
    private static ReadOnlySpan<byte> Rows =>
    [
        14, 17, 17, 31, 17, 17, 17,  30, 17, 17, 30, 17, 17, 30,  14, 17, 16, 16, 16, 17, 14,  30, 17, 17, 17, 17, 17, 30,
        31, 16, 16, 30, 16, 16, 31,  31, 16, 16, 30, 16, 16, 16,  14, 17, 16, 23, 17, 17, 15,  17, 17, 17, 31, 17, 17, 17,
        14, 4, 4, 4, 4, 4, 14,       7, 2, 2, 2, 2, 18, 12,       17, 18, 20, 24, 20, 18, 17,  16, 16, 16, 16, 16, 16, 31,
        17, 27, 21, 21, 17, 17, 17,  17, 25, 21, 19, 17, 17, 17,  14, 17, 17, 17, 17, 17, 14,  30, 17, 17, 30, 16, 16, 16,
        14, 17, 17, 17, 21, 18, 13,  30, 17, 17, 30, 20, 18, 17,  15, 16, 16, 14, 1, 1, 30,    31, 4, 4, 4, 4, 4, 4,
        17, 17, 17, 17, 17, 17, 14,  17, 17, 17, 17, 17, 10, 4,   17, 17, 17, 21, 21, 27, 17,  17, 17, 10, 4, 10, 17, 17,
        17, 17, 10, 4, 4, 4, 4,      31, 1, 2, 4, 8, 16, 31,      14, 17, 19, 21, 25, 17, 14,  4, 12, 4, 4, 4, 4, 14,
        14, 17, 1, 2, 4, 8, 31,      31, 2, 4, 2, 1, 17, 14,      2, 6, 10, 18, 31, 2, 2,      31, 16, 30, 1, 1, 17, 14,
        6, 8, 16, 30, 17, 17, 14,    31, 1, 2, 4, 8, 8, 8,        14, 17, 17, 14, 17, 17, 14,  14, 17, 17, 15, 1, 2, 12,
        0, 0, 0, 0, 0, 0, 0,         0, 0, 0, 0, 0, 12, 12,       0, 0, 0, 0, 4, 4, 8,         0, 12, 12, 0, 12, 12, 0,
        0, 0, 0, 31, 0, 0, 0,        0, 4, 4, 31, 4, 4, 0,        1, 1, 2, 4, 8, 16, 16,       2, 4, 8, 8, 8, 4, 2,
        8, 4, 2, 2, 2, 4, 8,         0, 0, 31, 0, 31, 0, 0,       24, 25, 2, 4, 8, 19, 3,      2, 4, 8, 16, 8, 4, 2,
        8, 4, 2, 1, 2, 4, 8,
    ];

    /// <summary>Draws white text; letters become capitals, unknown characters a space; what does not fit is cut.</summary>
    public static void Draw(Picture picture, string text, int left, int top, int scale)
    {
        for (int i = 0; i < text.Length; i++)
        {
            int index = Characters.IndexOf(char.ToUpperInvariant(text[i]), StringComparison.Ordinal);
            ReadOnlySpan<byte> rows = Rows.Slice((index < 0 ? Characters.IndexOf(' ', StringComparison.Ordinal) : index) * Height, Height);
            for (int y = 0; y < Height * scale; y++)
            {
                for (int x = 0; x < 5 * scale; x++)
                {
                    int px = left + (((i * Advance) * scale) + x);
                    int py = top + y;
                    if ((rows[y / scale] >> (4 - (x / scale)) & 1) != 0 && px < picture.Width && py < picture.Height)
                    {
                        picture.Set(px, py, 255, 255, 255);
                    }
                }
            }
        }
    }
}
