using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Frames;

namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>Turns a frame into a picture for the eye: never a source of diagnosis, never what is stored.</summary>
public static class FrameRenderer
{
    /// <summary>Renders one frame.</summary>
    /// <param name="dataSet">The whole data set, for its lookup tables, windows and palettes.</param>
    /// <param name="frames">Its frames.</param>
    /// <param name="frame">From 0.</param>
    /// <param name="options">Null for <see cref="RenderOptions.Default"/>.</param>
    /// <exception cref="ArgumentException">An option out of its range, or no such frame.</exception>
    /// <exception cref="DicomContentException">The frame, a lookup table or the palette is damaged.</exception>
    /// <exception cref="PixelCodecRefusedException">No decoder, or a colour space that is not rendered.</exception>
    public static RenderedFrame Render(DataSet dataSet, PixelFrames frames, int frame, RenderOptions? options = null)
    {
        options ??= RenderOptions.Default;
        Check(options, frames.Format);
        PixelFrame pixels = frames.Read(frame);
        return Scaling.Apply(AtOwnSize(dataSet, pixels, frame, options), Scaling.AspectOf(dataSet), options);
    }

    private static RenderedFrame AtOwnSize(DataSet dataSet, PixelFrame pixels, int frame, RenderOptions options) =>
        (pixels.Format.SamplesPerPixel, pixels.Format.PhotometricInterpretation) switch
        {
            (1, "PALETTE COLOR") => ColorRendering.RenderPalette(dataSet, pixels, options),
            (1, "MONOCHROME1" or "MONOCHROME2" or "") => GrayRendering.Render(dataSet, pixels, frame, options),
            (3, _) => ColorRendering.Render(pixels, options),
            _ => throw new DicomContentException(
                $"{pixels.Format.SamplesPerPixel} samples a pixel do not go with the photometric interpretation '{pixels.Format.PhotometricInterpretation}'."),
        };

    private static void Check(RenderOptions options, FrameFormat format)
    {
        if (options.BitsPerSample is not (8 or 16))
        {
            throw new ArgumentException($"Pictures have 8 or 16 bits a sample, not {options.BitsPerSample}.", nameof(options));
        }

        if (options.Window is { IsUsable: false })
        {
            throw new ArgumentException("A window needs a finite center and a width above zero.", nameof(options));
        }

        if (options.Size is var (width, height) && (width is < 1 or > RenderOptions.MaximumEdge || height is < 1 or > RenderOptions.MaximumEdge))
        {
            throw new ArgumentException($"A picture is 1 to {RenderOptions.MaximumEdge} pixels wide and high, not {width}x{height}.", nameof(options));
        }

        if (options.Region is { Width: < 1 } or { Height: < 1 })
        {
            throw new ArgumentException("A region has a width and a height.", nameof(options));
        }

        int channels = format.SamplesPerPixel == 3 || format.PhotometricInterpretation == "PALETTE COLOR" ? 3 : 1;
        long length = format.PixelCount * channels * options.BitsPerSample / 8;
        if (length > FrameFormat.MaxFrameLength)
        {
            throw new PixelCodecRefusedException(PixelCodecRefusal.NotSupported,
                $"A picture of {format.Columns}x{format.Rows} takes {length} bytes, above the limit of {FrameFormat.MaxFrameLength}.");
        }
    }
}
