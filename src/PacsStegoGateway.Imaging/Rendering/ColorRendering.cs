using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Frames;

namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>Colour to RGB: RGB, palettes and the YBR family (PS3.3 C.7.6.3.1.2).</summary>
internal static class ColorRendering
{
    /// <summary>Renders a frame of three samples a pixel.</summary>
    /// <exception cref="PixelCodecRefusedException">A colour space that nothing writes any more.</exception>
    public static RenderedFrame Render(PixelFrame frame, RenderOptions options)
    {
        int count = (int)frame.Format.PixelCount;
        int maximum = Levels.MaximumOf(options.BitsPerSample);
        byte[] samples = new byte[checked(count * 3 * options.BitsPerSample / 8)];
        if (frame.Format is { PhotometricInterpretation: "RGB", BitsAllocated: 8, BitsStored: 8, IsPlanar: false } && options.BitsPerSample == 8)
        {
            frame.Bytes.Span[..samples.Length].CopyTo(samples);
            return new RenderedFrame(frame.Format.Columns, frame.Format.Rows, 3, 8, samples, null);
        }

        var reader = new SampleReader(frame);
        double scale = 1 / (Math.Pow(2, frame.Format.BitsStored) - 1);
        Func<double, double, double, (double, double, double)> convert = Conversion(frame.Format);
        bool shares = FrameGeometry.SharesChrominance(frame.Format);
        for (int i = 0; i < count; i++)
        {
            (int first, int second, int third) = shares ? SharedPlaces(i)
                : frame.Format.IsPlanar ? (i, i + count, i + (2 * count))
                : (i * 3, (i * 3) + 1, (i * 3) + 2);
            (double red, double green, double blue) = convert(reader.Field(first) * scale, reader.Field(second) * scale, reader.Field(third) * scale);
            Levels.Put(samples, options.BitsPerSample, i * 3, Levels.Of(red, maximum));
            Levels.Put(samples, options.BitsPerSample, (i * 3) + 1, Levels.Of(green, maximum));
            Levels.Put(samples, options.BitsPerSample, (i * 3) + 2, Levels.Of(blue, maximum));
        }

        return new RenderedFrame(frame.Format.Columns, frame.Format.Rows, 3, options.BitsPerSample, samples, null);
    }

    /// <summary>Renders a frame of indices into a palette.</summary>
    /// <exception cref="DicomContentException">The palette is missing or damaged.</exception>
    public static RenderedFrame RenderPalette(DataSet dataSet, PixelFrame frame, RenderOptions options)
    {
        LookupTable red = Palette(dataSet, frame, Tags.RedPaletteColorLookupTableDescriptor, Tags.RedPaletteColorLookupTableData, Tags.SegmentedRedPaletteColorLookupTableData);
        LookupTable green = Palette(dataSet, frame, Tags.GreenPaletteColorLookupTableDescriptor, Tags.GreenPaletteColorLookupTableData, Tags.SegmentedGreenPaletteColorLookupTableData);
        LookupTable blue = Palette(dataSet, frame, Tags.BluePaletteColorLookupTableDescriptor, Tags.BluePaletteColorLookupTableData, Tags.SegmentedBluePaletteColorLookupTableData);
        int count = (int)frame.Format.PixelCount;
        int maximum = Levels.MaximumOf(options.BitsPerSample);
        byte[] samples = new byte[checked(count * 3 * options.BitsPerSample / 8)];
        var reader = new SampleReader(frame);
        for (int i = 0; i < count; i++)
        {
            double index = reader.Value(i);
            Levels.Put(samples, options.BitsPerSample, i * 3, Levels.Of((double)red[index] / red.Maximum, maximum));
            Levels.Put(samples, options.BitsPerSample, (i * 3) + 1, Levels.Of((double)green[index] / green.Maximum, maximum));
            Levels.Put(samples, options.BitsPerSample, (i * 3) + 2, Levels.Of((double)blue[index] / blue.Maximum, maximum));
        }

        return new RenderedFrame(frame.Format.Columns, frame.Format.Rows, 3, options.BitsPerSample, samples, null);
    }

    private static LookupTable Palette(DataSet dataSet, PixelFrame frame, Tag descriptor, Tag data, Tag segmented) =>
        dataSet.Find(descriptor) is not { } numbers ? throw new DicomContentException($"PALETTE COLOR without {descriptor}.")
        : dataSet.Find(data) is { IsEmpty: false } entries ? LookupTable.Read(numbers, entries, frame.Format.IsSigned)
        : dataSet.Find(segmented) is { IsEmpty: false } segments ? LookupTable.ReadSegmented(numbers, segments, frame.Format.IsSigned)
        : throw new DicomContentException($"PALETTE COLOR without {data}.");

    /// <summary>Two pixels as Y1 Y2 Cb Cr.</summary>
    private static (int, int, int) SharedPlaces(int pixel) => ((pixel / 2 * 4) + (pixel & 1), (pixel / 2 * 4) + 2, (pixel / 2 * 4) + 3);

    /// <summary>From samples of 0 to 1 to red, green and blue of 0 to 1.</summary>
    private static Func<double, double, double, (double, double, double)> Conversion(FrameFormat format)
    {
        // Chrominance is zero at half of the range, 128 of 255.
        double zero = Math.Pow(2, format.BitsStored - 1) / (Math.Pow(2, format.BitsStored) - 1);
        switch (format.PhotometricInterpretation)
        {
            case "RGB":
            case "YBR_RCT": // decoders undo RCT and ICT, and native samples of that name can only be what decoders left
            case "YBR_ICT":
                return static (red, green, blue) => (red, green, blue);
            case "YBR_FULL":
            case "YBR_FULL_422":
                return (y, cb, cr) => (y + (1.402 * (cr - zero)), y - (0.344136 * (cb - zero)) - (0.714136 * (cr - zero)), y + (1.772 * (cb - zero)));
            case "YBR_PARTIAL_422":
                return (y, cb, cr) =>
                {
                    double level = 1.164383 * (y - (zero / 8));
                    return (level + (1.596027 * (cr - zero)), level - (0.391762 * (cb - zero)) - (0.812968 * (cr - zero)), level + (2.017232 * (cb - zero)));
                };
            default:
                throw new PixelCodecRefusedException(PixelCodecRefusal.NotSupported,
                    $"Three samples a pixel with the photometric interpretation '{format.PhotometricInterpretation}' are not rendered.");
        }
    }
}
