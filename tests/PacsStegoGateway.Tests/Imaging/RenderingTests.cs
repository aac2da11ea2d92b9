using System.Buffers.Binary;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Frames;
using PacsStegoGateway.Imaging.Rendering;

namespace PacsStegoGateway.Tests.Imaging;

public sealed class RenderingTests
{
    [Theory]
    [InlineData(VoiFunction.Linear)]
    [InlineData(VoiFunction.LinearExact)]
    [InlineData(VoiFunction.Sigmoid)]
    public void Windows_map_as_the_formulas_of_the_standard_say(VoiFunction function)
    {
        var random = new Random(3);
        for (int round = 0; round < 200; round++)
        {
            double c = random.Next(-1000, 1000), w = random.Next(1, 2000), x = c + ((random.NextDouble() - 0.5) * 2 * w);
            double expected = function switch
            {
                // PS3.3 C.11.2.1.2.1 as it is printed, with ymin 0 and ymax 1.
                VoiFunction.Linear when x <= c - 0.5 - ((w - 1) / 2) => 0,
                VoiFunction.Linear when x > c - 0.5 + ((w - 1) / 2) => 1,
                VoiFunction.Linear => ((x - (c - 0.5)) / (w - 1)) + 0.5,
                VoiFunction.LinearExact when x <= c - (w / 2) => 0,
                VoiFunction.LinearExact when x > c + (w / 2) => 1,
                VoiFunction.LinearExact => ((x - c) / w) + 0.5,
                _ => 1 / (1 + Math.Exp(-4 * (x - c) / w)),
            };
            new DisplayWindow(c, w, function).Apply(x).ShouldBe(expected, 1e-12);
        }
    }

    [Fact]
    public void A_window_of_width_one_is_a_threshold_and_a_narrower_one_is_exact()
    {
        var threshold = new DisplayWindow(10, 1);
        threshold.Apply(9.5).ShouldBe(0);
        threshold.Apply(9.6).ShouldBe(1);
        new DisplayWindow(0.5, 0.5).Apply(0.5).ShouldBe(0.5);
        new DisplayWindow(0.5, 0).IsUsable.ShouldBeFalse();
        new DisplayWindow(double.NaN, 1).IsUsable.ShouldBeFalse();
    }

    [Fact]
    public void Rescale_window_and_inversion_act_in_their_order()
    {
        DataSet ct = Gray(16, signed: true, -100, 0, 50, 100);
        ct.SetText(Tags.RescaleSlope, "2");
        ct.SetText(Tags.RescaleIntercept, "-50");
        ct.SetText(Tags.WindowCenter, "0\\99");
        ct.SetText(Tags.WindowWidth, "200\\1");
        ct.SetText(Tags.VOILUTFunction, "LINEAR_EXACT");
        Show(ct).ShouldBe([0, 64, 191, 255]);
        Show(ct, new RenderOptions { Window = new DisplayWindow(50, 200, VoiFunction.LinearExact) }).ShouldBe([0, 0, 128, 255]);
        ct.SetText(Tags.PhotometricInterpretation, "MONOCHROME1");
        Show(ct).ShouldBe([255, 191, 64, 0]);
        ct.SetText(Tags.PresentationLUTShape, "INVERSE");
        Show(ct).ShouldBe([255, 191, 64, 0]);
        ct.SetText(Tags.PhotometricInterpretation, "MONOCHROME2");
        Show(ct).ShouldBe([255, 191, 64, 0]);
    }

    [Fact]
    public void Lookup_tables_come_before_a_window_and_map_what_lies_outside_to_their_ends()
    {
        DataSet image = Gray(16, signed: false, 5, 10, 11, 12, 90);
        image.SetText(Tags.WindowCenter, "1");
        image.SetText(Tags.WindowWidth, "1");
        image.Set(Element.Sequence(Tags.VOILUTSequence, [Lut(3, 10, 10, [0, 511, 1023])]));
        Show(image).ShouldBe([0, 0, 127, 255, 255]);
        image.Set(Element.Sequence(Tags.ModalityLUTSequence, [Lut(2, 11, 8, [10, 12])]));
        Show(image).ShouldBe([0, 0, 0, 255, 255]);
        Show(image, new RenderOptions { Window = new DisplayWindow(11.5, 3) }).ShouldBe([0, 0, 0, 255, 255]);
    }

    [Fact]
    public void A_table_whose_first_value_is_below_zero_is_read_by_the_sign_of_its_input()
    {
        DataSet image = Gray(16, signed: true, -3, -2, -1, 0);
        image.Set(Element.Sequence(Tags.VOILUTSequence, [Lut(3, unchecked((ushort)-2), 8, [0, 100, 255])]));
        Show(image).ShouldBe([0, 0, 100, 255]);
    }

    [Fact]
    public void An_image_without_window_gets_one_that_ignores_padding_and_extremes()
    {
        int[] values = [.. Enumerable.Range(0, 10000).Select(static i => i switch { < 3000 => -2000, 3000 => 30000, _ => i % 1000 })];
        DataSet image = Gray(16, signed: true, values);
        image.Set(Element.Raw(Tags.PixelPaddingValue, Vr.SS, BitConverter.GetBytes((short)-2000)));
        DisplayWindow window = Render(image).Window!.Value;
        window.Center.ShouldBe(499.5, 5);
        window.Width.ShouldBe(990, 10);
        image.Set(Element.Raw(Tags.PixelPaddingRangeLimit, Vr.SS, BitConverter.GetBytes((short)-1000)));
        Render(image).Window!.Value.Width.ShouldBe(990, 10);
        image.Remove(Tags.PixelPaddingValue);
        Render(image).Window!.Value.Width.ShouldBeGreaterThan(2000);
        Show(Gray(16, signed: false, 7, 7, 7)).ShouldBe([128, 128, 128]);
        Show(Gray(8, signed: false, 0, 7, 255)).ShouldBe([0, 7, 255], "eight bits are shown as they are");
    }

    [Theory]
    [InlineData("shared")]
    [InlineData("per frame")]
    public void Functional_groups_give_a_frame_its_rescale_and_window(string where)
    {
        DataSet image = Gray(16, signed: false, 0, 100, 200);
        image.SetText(Tags.NumberOfFrames, "2");
        byte[] both = [.. image.Find(Tags.PixelData)!.Value.ToArray(), .. image.Find(Tags.PixelData)!.Value.ToArray()];
        image.Set(Element.Raw(Tags.PixelData, Vr.OW, both));
        var rescale = new DataSet();
        rescale.SetText(Tags.RescaleSlope, "2");
        rescale.SetText(Tags.RescaleIntercept, "0");
        var voi = new DataSet();
        voi.SetText(Tags.WindowCenter, "200");
        voi.SetText(Tags.WindowWidth, "400");
        voi.SetText(Tags.VOILUTFunction, "LINEAR_EXACT");
        var group = new DataSet();
        group.Set(Element.Sequence(Tags.PixelValueTransformationSequence, [rescale]));
        group.Set(Element.Sequence(Tags.FrameVOILUTSequence, [voi]));
        image.Set(where == "shared"
            ? Element.Sequence(Tags.SharedFunctionalGroupsSequence, [group])
            : Element.Sequence(Tags.PerFrameFunctionalGroupsSequence, [new DataSet(), group]));
        Show(image, frame: 1).ShouldBe([0, 128, 255]);
    }

    [Fact]
    public void Bits_outside_BitsStored_are_not_shown()
    {
        DataSet image = Gray(16, signed: false, 0xF000, 0xF7FF, 0xAFFF);
        image.Set(Element.UInt16(Tags.BitsStored, 12));
        image.Set(Element.UInt16(Tags.HighBit, 11));
        Show(image, new RenderOptions { Window = DisplayWindow.Between(0, 4095) }).ShouldBe([0, 127, 255]);
    }

    [Fact]
    public void Single_bits_32_bits_and_floating_point_are_gray_too()
    {
        DataSet bits = Gray(8, signed: false, 0b0101_1010);
        bits.Set(Element.UInt16(Tags.BitsAllocated, 1));
        bits.Set(Element.UInt16(Tags.BitsStored, 1));
        bits.Set(Element.UInt16(Tags.HighBit, 0));
        bits.Set(Element.UInt16(Tags.Columns, 4));
        bits.SetText(Tags.NumberOfFrames, "2");
        Show(bits).ShouldBe([0, 255, 0, 255]);
        Show(bits, frame: 1).ShouldBe([255, 0, 255, 0]);

        DataSet wide = Gray(16, signed: false);
        wide.Set(Element.UInt16(Tags.BitsAllocated, 32));
        wide.Set(Element.UInt16(Tags.BitsStored, 32));
        wide.Set(Element.UInt16(Tags.HighBit, 31));
        wide.Set(Element.UInt16(Tags.Columns, 3));
        byte[] samples = new byte[12];
        BinaryPrimitives.WriteUInt32LittleEndian(samples.AsSpan(4), 0x80000000);
        BinaryPrimitives.WriteUInt32LittleEndian(samples.AsSpan(8), 0xFFFFFFFF);
        wide.Set(Element.Raw(Tags.PixelData, Vr.OW, samples));
        Show(wide, new RenderOptions { Window = DisplayWindow.Between(0, uint.MaxValue) }).ShouldBe([0, 128, 255]);

        wide.Remove(Tags.PixelData);
        wide.Set(Element.Raw(Tags.FloatPixelData, Vr.OF, (byte[])[.. new[] { 0f, float.NaN, 1f }.SelectMany(BitConverter.GetBytes)]));
        Show(wide, new RenderOptions { Window = new DisplayWindow(0.5, 1, VoiFunction.LinearExact) }).ShouldBe([0, 0, 255]);
    }

    [Fact]
    public void Sixteen_bits_are_written_in_PNGs_order() =>
        Render(Gray(16, signed: false, 0, 32768, 65535), new RenderOptions { Window = DisplayWindow.Between(0, 65535), BitsPerSample = 16 })
            .Samples.ShouldBe([0, 0, 0x80, 0, 0xFF, 0xFF]);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Colours_come_by_pixel_or_by_plane(bool planar)
    {
        DataSet image = Color("RGB", planar ? [1, 4, 2, 5, 3, 6] : [1, 2, 3, 4, 5, 6]);
        image.Set(Element.UInt16(Tags.PlanarConfiguration, (ushort)(planar ? 1 : 0)));
        Show(image).ShouldBe([1, 2, 3, 4, 5, 6]);
    }

    [Fact]
    public void Luminance_and_chrominance_become_red_green_and_blue()
    {
        Show(Color("YBR_FULL", [76, 85, 255, 150, 44, 21])).ShouldBe([254, 0, 0, 0, 255, 1]);
        Show(Color("YBR_FULL_422", [76, 29, 128, 128])).ShouldBe([76, 76, 76, 29, 29, 29]);
        Show(Color("YBR_PARTIAL_422", [16, 235, 128, 128])).ShouldBe([0, 0, 0, 255, 255, 255]);
        Show(Color("YBR_RCT", [1, 2, 3, 4, 5, 6])).ShouldBe([1, 2, 3, 4, 5, 6]);
        Should.Throw<PixelCodecRefusedException>(() => Show(Color("HSV", [1, 2, 3, 4, 5, 6]))).Message.ShouldContain("HSV");
        Should.Throw<DicomContentException>(() => Show(With(Gray(8, signed: false, 1), Tags.PhotometricInterpretation, "RGB")));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void Palettes_are_looked_up_whether_their_entries_are_bytes_or_words(int bits)
    {
        DataSet image = With(Gray(8, signed: false, 0, 1, 2, 9), Tags.PhotometricInterpretation, "PALETTE COLOR");
        byte[] data = bits == 8 ? [10, 20, 30, 0] : [0, 10, 0, 20, 0, 30];
        foreach ((Tag descriptor, Tag entries) in ((Tag, Tag)[])
        [
            (Tags.RedPaletteColorLookupTableDescriptor, Tags.RedPaletteColorLookupTableData),
            (Tags.GreenPaletteColorLookupTableDescriptor, Tags.GreenPaletteColorLookupTableData),
            (Tags.BluePaletteColorLookupTableDescriptor, Tags.BluePaletteColorLookupTableData),
        ])
        {
            image.Set(Element.Raw(descriptor, Vr.US, Words(3, 0, (ushort)bits)));
            image.Set(Element.Raw(entries, Vr.OW, data));
        }

        Show(image).ShouldBe([10, 10, 10, 20, 20, 20, 30, 30, 30, 30, 30, 30]);
        image.Remove(Tags.GreenPaletteColorLookupTableData);
        Should.Throw<DicomContentException>(() => Show(image));
        image.Remove(Tags.RedPaletteColorLookupTableDescriptor);
        Should.Throw<DicomContentException>(() => Show(image));
    }

    [Fact]
    public void Segmented_palettes_expand_and_hostile_ones_end()
    {
        // Three values, a line of five to 50, the first two segments again.
        ushort[] code = [0, 3, 5, 6, 10, 1, 5, 50, 2, 2, 0, 0];
        SegmentedPalette.Expand(Bytes(code), 16, 16).ShouldBe(
            [5, 6, 10, 18, 26, 34, 42, 50, 5, 6, 10, 18, 26, 34, 42, 50]);
        byte[] small = [0, 2, 1, 9, 1, 2, 11, 2, 1, 0, 0, 0, 0];
        SegmentedPalette.Expand(small, 6, 8).ShouldBe([1, 9, 10, 11, 1, 9]);
        SegmentedPalette.Expand(Bytes(0, 2, 1, 9), 2, 8).ShouldBe([1, 9], "entries of eight bits in words");
        foreach (ushort[] hostile in (ushort[][])
        [
            [2, 65535, 0, 0], // itself
            [0, 65535, 1], // cut short
            [1, 5, 50], // a line from nowhere
            [0, 2, 1, 2, 2, 1, 4096, 0], // outside
            [0, 2, 1, 2, 2, 1, 3, 0], // between two words
            [3, 1, 1], // no such operation
            [0, 1, 1], // too few
            [0, 0, 0, 0],
            [0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20], // too many
        ])
        {
            Should.Throw<DicomContentException>(() => SegmentedPalette.Expand(Bytes(hostile), 16, 16));
        }
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(0, 8193)]
    [InlineData(8193, 1)]
    public void A_size_outside_its_range_is_our_own_misuse(int width, int height) =>
        Should.Throw<ArgumentException>(() => Render(Gray(8, signed: false, 1), new RenderOptions { Size = (width, height) }));

    [Fact]
    public void A_picture_above_the_limit_is_refused_before_a_pixel_is_read()
    {
        DataSet image = With(Gray(8, signed: false, 1), Tags.PhotometricInterpretation, "PALETTE COLOR");
        image.Set(Element.UInt16(Tags.Rows, 20000));
        image.Set(Element.UInt16(Tags.Columns, 20000));
        image.Set(Element.Raw(Tags.PixelData, Vr.OB, new Unreadable(400_000_000)));
        Should.Throw<PixelCodecRefusedException>(() => Render(image)).Message.ShouldContain("1200000000");
    }

    private sealed class Unreadable(long length) : ByteSource
    {
        public override long Length => length;

        protected internal override void ReadInside(long offset, Span<byte> destination) => throw new InvalidOperationException("Nothing is to be read.");
    }

    [Fact]
    public void Other_options_outside_their_range_are_our_own_misuse()
    {
        foreach (RenderOptions options in (RenderOptions[])
        [
            new() { BitsPerSample = 12 },
            new() { Window = new DisplayWindow(1, 0) },
            new() { Region = (0, 0, 0, 1) },
            new() { Region = (1, 0, 5, 5) },
            new() { Region = (0, -4, 5, 4) },
        ])
        {
            Should.Throw<ArgumentException>(() => Render(Gray(8, signed: false, 1), options));
        }
    }

    [Fact]
    public void A_smaller_picture_holds_means_and_a_larger_one_lies_between_its_neighbours()
    {
        DataSet image = Gray(8, signed: false, 0, 100, 200, 100);
        Show(image, new RenderOptions { Size = (2, 1) }).ShouldBe([50, 150]);
        image = Gray(8, signed: false, 0, 100);
        Show(image, new RenderOptions { Size = (4, 2) }).ShouldBe([0, 25, 75, 100, 0, 25, 75, 100]);
        Show(image, new RenderOptions { Region = (1, 0, 5, 5) }).ShouldBe([100]);
        var random = new Random(11);
        for (int round = 0; round < 50; round++)
        {
            int[] values = [.. Enumerable.Range(0, random.Next(1, 60)).Select(_ => 77)];
            RenderedFrame picture = Render(Gray(8, signed: false, values), new RenderOptions { Size = (random.Next(1, 200), random.Next(1, 9)) });
            picture.Samples.ShouldAllBe(static s => s == 77, "an even picture stays even at every size");
        }
    }

    [Fact]
    public void The_aspect_ratio_of_pixels_counts_once_a_size_is_asked_for()
    {
        DataSet image = With(Gray(8, signed: false, 1, 2, 3, 4), Tags.PixelAspectRatio, "2\\1");
        Render(image).Height.ShouldBe(1);
        RenderedFrame scaled = Render(image, new RenderOptions { Size = (100, 100) });
        (scaled.Width, scaled.Height).ShouldBe((100, 50));
    }

    private static byte[] Show(DataSet dataSet, RenderOptions? options = null, int frame = 0) => Render(dataSet, options, frame).Samples;

    private static RenderedFrame Render(DataSet dataSet, RenderOptions? options = null, int frame = 0) =>
        FrameRenderer.Render(dataSet, PixelFrames.Open(dataSet, TransferSyntax.ExplicitVRLittleEndian), frame, options);

    private static DataSet With(DataSet dataSet, Tag tag, string text)
    {
        dataSet.SetText(tag, text);
        return dataSet;
    }

    private static DataSet Lut(ushort entries, ushort first, ushort bits, ushort[] data)
    {
        var item = new DataSet();
        item.Set(Element.Raw(Tags.LUTDescriptor, Vr.US, Words(entries, first, bits)));
        item.Set(Element.Raw(Tags.LUTData, Vr.OW, Bytes(data)));
        return item;
    }

    private static byte[] Words(params ushort[] words) => Bytes(words);

    private static byte[] Bytes(params ushort[] words) => [.. words.SelectMany(BitConverter.GetBytes)];

    private static DataSet Gray(int bits, bool signed, params int[] values)
    {
        byte[] samples = bits == 8 ? [.. values.Select(static v => (byte)v)] : [.. values.SelectMany(static v => BitConverter.GetBytes((short)v))];
        DataSet dataSet = Image(bits, 1, "MONOCHROME2", values.Length, samples);
        dataSet.Set(Element.UInt16(Tags.PixelRepresentation, (ushort)(signed ? 1 : 0)));
        return dataSet;
    }

    /// <summary>Two pixels.</summary>
    private static DataSet Color(string photometric, byte[] samples) => Image(8, 3, photometric, 2, samples);

    private static DataSet Image(int bits, int samplesPerPixel, string photometric, int columns, byte[] samples)
    {
        var dataSet = new DataSet();
        dataSet.Set(Element.UInt16(Tags.SamplesPerPixel, (ushort)samplesPerPixel));
        dataSet.SetText(Tags.PhotometricInterpretation, photometric);
        dataSet.Set(Element.UInt16(Tags.Rows, 1));
        dataSet.Set(Element.UInt16(Tags.Columns, (ushort)columns));
        dataSet.Set(Element.UInt16(Tags.BitsAllocated, (ushort)bits));
        dataSet.Set(Element.UInt16(Tags.BitsStored, (ushort)bits));
        dataSet.Set(Element.UInt16(Tags.HighBit, (ushort)(bits - 1)));
        dataSet.Set(Element.Raw(Tags.PixelData, Vr.OW, samples));
        return dataSet;
    }
}
