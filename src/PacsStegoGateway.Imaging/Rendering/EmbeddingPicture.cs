namespace PacsStegoGateway.Imaging;

/// <summary>The picture people ask for first: cover, mask, stego and what was changed, side by side.</summary>
public static class EmbeddingPicture
{
    private const int Gap = 8;
    private const int CaptionHeight = 28;

    /// <summary>Draws the four panels.</summary>
    /// <param name="description">For the display window.</param>
    /// <param name="cover">The image before.</param>
    /// <param name="stego">The image after, same size.</param>
    /// <param name="mask">Background blocks are tinted.</param>
    /// <param name="window">Display window (lower, upper) in stored values, or null for the 1st to 99.5th percentile of the cover.</param>
    /// <param name="symbol">The hidden symbol, drawn, as a fifth panel; null for none. Shrunk to whole pixels when it is larger.</param>
    public static Picture Draw(PixelDescription description, PixelPlane cover, PixelPlane stego, BackgroundMask mask,
        (int Lower, int Upper)? window = null, Picture? symbol = null)
    {
        (int lower, int upper) = window ?? Window(cover);
        bool inverted = description.PhotometricInterpretation == "MONOCHROME1";
        int maximum = LargestDifference(cover, stego);
        var panels = new List<(string Caption, Picture Panel)>
        {
            ("cover", Gray(cover, lower, upper, inverted)),
            ($"mask {mask.Coverage * 100:0}%", Tinted(Gray(cover, lower, upper, inverted), mask)),
            ("stego", Gray(stego, lower, upper, inverted)),
            ($"difference 0-{maximum}", Difference(cover, stego, maximum)),
        };
        if (symbol is not null)
        {
            panels.Add(("hidden symbol", Fit(symbol, cover.Width, cover.Height)));
        }

        var picture = new Picture(((cover.Width + Gap) * panels.Count) + Gap, cover.Height + CaptionHeight + Gap);
        picture.Rgb.AsSpan().Fill(32);
        int scale = cover.Width >= 200 ? 2 : 1;
        for (int i = 0; i < panels.Count; i++)
        {
            int left = Gap + (i * (cover.Width + Gap));
            Caption.Draw(picture, panels[i].Caption, left, (CaptionHeight - (Caption.Height * scale)) / 2, scale);
            picture.Draw(panels[i].Panel, left, CaptionHeight);
        }

        return picture;
    }

    /// <summary>Enlarges by a whole factor, or samples down, into the middle of a panel.</summary>
    private static Picture Fit(Picture symbol, int width, int height)
    {
        var panel = new Picture(width, height);
        int factor = Math.Max(1, Math.Min(width / symbol.Width, height / symbol.Height));
        int shown = Math.Min(symbol.Width * factor, Math.Min(width, height));
        int left = (width - shown) / 2;
        int top = (height - shown) / 2;
        for (int y = 0; y < shown; y++)
        {
            for (int x = 0; x < shown; x++)
            {
                symbol.Rgb.AsSpan((((y * symbol.Height / shown) * symbol.Width) + (x * symbol.Width / shown)) * 3, 3)
                    .CopyTo(panel.Rgb.AsSpan((((top + y) * width) + left + x) * 3));
            }
        }

        return panel;
    }

    private static (int Lower, int Upper) Window(PixelPlane plane)
    {
        int[] sorted = (int[])plane.Samples.Clone();
        Array.Sort(sorted);
        int lower = sorted[sorted.Length / 100];
        int upper = sorted[(int)((sorted.Length - 1) * 0.995)];
        return upper > lower ? (lower, upper) : (lower, lower + 1);
    }

    private static Picture Gray(PixelPlane plane, int lower, int upper, bool inverted)
    {
        var picture = new Picture(plane.Width, plane.Height);
        for (int i = 0; i < plane.Samples.Length; i++)
        {
            byte level = (byte)Math.Clamp(((long)plane.Samples[i] - lower) * 255 / ((long)upper - lower), 0, 255);
            picture.Rgb.AsSpan(i * 3, 3).Fill(inverted ? (byte)(255 - level) : level);
        }

        return picture;
    }

    private static Picture Tinted(Picture picture, BackgroundMask mask)
    {
        for (int y = 0; y < picture.Height; y++)
        {
            for (int x = 0; x < picture.Width; x++)
            {
                if (mask.ContainsPixel(x, y))
                {
                    Span<byte> rgb = picture.Rgb.AsSpan(((y * picture.Width) + x) * 3, 3);
                    rgb[0] = (byte)(rgb[0] / 2);
                    rgb[1] = (byte)((rgb[1] / 2) + 90);
                    rgb[2] = (byte)((rgb[2] / 2) + 110);
                }
            }
        }

        return picture;
    }

    private static int LargestDifference(PixelPlane cover, PixelPlane stego)
    {
        int largest = 0;
        for (int i = 0; i < cover.Samples.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(stego.Samples[i] - cover.Samples[i]));
        }

        return largest;
    }

    private static Picture Difference(PixelPlane cover, PixelPlane stego, int maximum)
    {
        var picture = new Picture(cover.Width, cover.Height);
        for (int i = 0; i < cover.Samples.Length; i++)
        {
            int difference = Math.Abs(stego.Samples[i] - cover.Samples[i]);
            if (difference > 0)
            {
                byte level = (byte)(95 + (160 * difference / maximum));
                picture.Rgb[i * 3] = level;
                picture.Rgb[(i * 3) + 1] = (byte)(level / 2);
            }
        }

        return picture;
    }
}
