namespace PacsStegoGateway.Imaging;

/// <summary>An 8-bit RGB picture for people to look at; never a source of diagnosis.</summary>
public sealed class Picture
{
    public Picture(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        Width = width;
        Height = height;
        Rgb = new byte[checked(width * height * 3)];
    }

    /// <summary>In pixels.</summary>
    public int Width { get; }

    /// <summary>In pixels.</summary>
    public int Height { get; }

    /// <summary>Red, green, blue of each pixel, row-major.</summary>
    public byte[] Rgb { get; }

    public void Set(int x, int y, byte red, byte green, byte blue)
    {
        int at = ((y * Width) + x) * 3;
        Rgb[at] = red;
        Rgb[at + 1] = green;
        Rgb[at + 2] = blue;
    }

    /// <summary>Copies another picture to a place inside this one.</summary>
    public void Draw(Picture other, int left, int top)
    {
        for (int y = 0; y < other.Height; y++)
        {
            other.Rgb.AsSpan(y * other.Width * 3, other.Width * 3).CopyTo(Rgb.AsSpan((((top + y) * Width) + left) * 3));
        }
    }
}
