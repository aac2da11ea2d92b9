using System.Buffers.Binary;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

/// <summary>What is read in parts must be what is read as a whole: same elements, same bytes, same errors.</summary>
public class DeferredReadingTests
{
    private static readonly TransferSyntax Explicit = TransferSyntax.ExplicitVRLittleEndian;

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(64 * 1024)]
    public void Every_file_reads_the_same_through_a_window_as_from_memory(int longest)
    {
        var options = new DicomReadOptions { LongestReadSource = 0, LongestReadValue = longest };
        int compared = 0;
        foreach (string path in RealFileTests.Files("conformance"))
        {
            byte[] bytes = File.ReadAllBytes(path);
            (DicomFile? whole, string wholeError) = Read(ByteSource.Of(bytes), DicomReadOptions.Default);
            (DicomFile? parts, string partsError) = Read(new Elsewhere(bytes), options);
            partsError.ShouldBe(wholeError, path);
            if (whole is not null)
            {
                Describe(parts!.DataSet).ShouldBe(Describe(whole.DataSet), path);
                parts.ToSource().ContentEquals(whole.ToSource()).ShouldBeTrue(path);
                compared++;
            }
        }

        compared.ShouldBeGreaterThan(300);

        static (DicomFile?, string) Read(ByteSource source, DicomReadOptions options)
        {
            try
            {
                return (DicomFile.Read(source, options), "");
            }
            catch (DicomContentException e)
            {
                return (null, e.Message);
            }
        }
    }

    [Theory]
    [InlineData("1.2.840.10008.1.2")]
    [InlineData("1.2.840.10008.1.2.1")]
    [InlineData("1.2.840.10008.1.2.2")]
    public void A_data_set_cut_anywhere_is_refused_the_same_way_through_a_short_window(string transferSyntaxUID)
    {
        var syntax = TransferSyntax.Of(transferSyntaxUID);
        byte[] bytes = !syntax.ExplicitVr ? GoldenDataSets.ImplicitLittleEndian
            : syntax.BigEndian ? GoldenDataSets.ExplicitBigEndian : GoldenDataSets.ExplicitLittleEndian;
        var options = new DicomReadOptions { LongestReadSource = 0, LongestReadValue = 4 };
        for (int length = 0; length <= bytes.Length; length++)
        {
            byte[] cut = bytes[..length];
            Outcome(ByteSource.Of(cut), DicomReadOptions.Default).ShouldBe(Outcome(new Elsewhere(cut), options));
        }

        string Outcome(ByteSource source, DicomReadOptions how)
        {
            try
            {
                DataSet read = DataSetReader.Read(source, syntax, how);
                return Describe(read) + Convert.ToHexString(DataSetWriter.ToArray(read, syntax));
            }
            catch (DicomContentException e)
            {
                return $"{e.Message} {e.Offset} {e.Tag}";
            }
        }
    }

    [Theory]
    [InlineData("1.2.840.10008.1.2.1")]
    [InlineData("1.2.840.10008.1.2.2")]
    public void Three_gigabytes_of_native_pixels_are_a_view(string transferSyntaxUID)
    {
        var syntax = TransferSyntax.Of(transferSyntaxUID);
        var pixels = new EndlessPattern(3L << 30);
        ByteSource encoded = DataSetWriter.ToSource(WithPixels(Element.Raw(Tags.PixelData, Vr.OW, pixels)), syntax);
        encoded.Length.ShouldBeGreaterThan(3L << 30);
        long before = GC.GetAllocatedBytesForCurrentThread();

        DataSet read = DataSetReader.Read(encoded, syntax);

        Element element = read.Find(Tags.PixelData)!;
        element.IsDeferred.ShouldBeTrue();
        element.ValueLength.ShouldBe(3L << 30);
        ByteSource frame = element.Source.Slice(2_500_000_000, 524_288);
        frame.ContentEquals(pixels.Slice(2_500_000_000, 524_288)).ShouldBeTrue();
        DataSetWriter.ToSource(read, syntax).Slice(2_700_000_000, 1 << 20).ContentEquals(encoded.Slice(2_700_000_000, 1 << 20)).ShouldBeTrue();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(2_000_000);
        pixels.BytesRead.ShouldBeLessThan(20_000_000, "nothing but the frame was looked at");
        Should.Throw<DicomContentException>(() => element.Value).Message.ShouldContain("3221225472 bytes");
    }

    [Fact]
    public void Encapsulated_pixels_beyond_four_gigabytes_are_found_by_the_extended_offset_table()
    {
        const int Frames = 4_200;
        const int FrameLength = 1 << 20;
        byte[] offsets = new byte[Frames * 8];
        byte[] lengths = new byte[Frames * 8];
        for (int i = 0; i < Frames; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(offsets.AsSpan(i * 8), (ulong)i * (FrameLength + 8));
            BinaryPrimitives.WriteUInt64LittleEndian(lengths.AsSpan(i * 8), FrameLength);
        }

        var all = new EndlessPattern((long)Frames * FrameLength);
        DataSet dataSet = WithPixels(Element.Encapsulated(Tags.PixelData, Vr.OB, new Fragments(
            [ByteSource.Empty, .. Enumerable.Range(0, Frames).Select(i => all.Slice((long)i * FrameLength, FrameLength))])));
        dataSet.Set(Element.Raw(Tags.ExtendedOffsetTable, Vr.OV, offsets));
        dataSet.Set(Element.Raw(Tags.ExtendedOffsetTableLengths, Vr.OV, lengths));
        dataSet.SetText(Tags.NumberOfFrames, "4200");
        ByteSource encoded = DataSetWriter.ToSource(dataSet, TransferSyntax.Of("1.2.840.10008.1.2.5"));
        encoded.Length.ShouldBeGreaterThan(uint.MaxValue);
        long before = GC.GetAllocatedBytesForCurrentThread();

        DataSet read = DataSetReader.Read(encoded, TransferSyntax.Of("1.2.840.10008.1.2.5"));

        Fragments fragments = read.Find(Tags.PixelData)!.Fragments!;
        fragments.Count.ShouldBe(Frames + 1);
        fragments.TotalLength.ShouldBe((long)Frames * FrameLength);
        var frames = PacsStegoGateway.Imaging.Frames.PixelFrames.Open(read, TransferSyntax.Of("1.2.840.10008.1.2.5"));
        frames.FragmentsOf(4_150).ShouldBe((4_151, 1));
        ByteSource.Of(frames.Codestream(4_150)).ContentEquals(all.Slice(4_150L * FrameLength, FrameLength)).ShouldBeTrue();
        DataSetWriter.ToSource(read, Explicit).Slice(encoded.Length - 5_000_000, 5_000_000).ContentEquals(encoded.Slice(encoded.Length - 5_000_000, 5_000_000)).ShouldBeTrue();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(8_000_000);

        Fragments other = fragments.Replace(4_151, 1, ByteSource.Of(new byte[] { 1, 2 }), ByteSource.Of(new byte[] { 3, 4 }));
        other.Count.ShouldBe(Frames + 2);
        other[4_152].ToArray().ShouldBe([3, 4]);
        other.SourceOf(4_153).ContentEquals(fragments.SourceOf(4_152)).ShouldBeTrue();
        fragments.Count.ShouldBe(Frames + 1);
    }

    [Fact]
    public void Many_values_just_short_enough_to_be_read_do_not_fill_the_memory()
    {
        var dataSet = new DataSet();
        byte[] value = new byte[60_000];
        for (int i = 0; i < 3_000; i++)
        {
            dataSet.Set(Element.Raw(new Tag(0x0009, (ushort)(0x1000 + i)), Vr.OB, value));
        }

        var encoded = new Elsewhere(DataSetWriter.ToArray(dataSet, Explicit));
        long before = GC.GetAllocatedBytesForCurrentThread();

        DataSet read = DataSetReader.Read(encoded, Explicit);

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(35 << 20);
        read.Count.ShouldBe(3_000);
        read.Elements[^1].IsDeferred.ShouldBeTrue();
        read.Elements[^1].Value.Length.ShouldBe(60_000);
        DataSetWriter.ToSource(read, Explicit).ContentEquals(encoded).ShouldBeTrue();
    }

    [Fact]
    public void A_text_that_stays_elsewhere_is_text_when_it_is_asked_for()
    {
        var dataSet = new DataSet();
        string text = string.Concat(Enumerable.Repeat(" Langer Befund.", 10_000));
        dataSet.SetText(Tags.TextValue, text);
        DataSet read = DataSetReader.Read(
            new Elsewhere(DataSetWriter.ToArray(dataSet, Explicit)), Explicit, new DicomReadOptions { LongestReadSource = 0 });
        read.Find(Tags.TextValue)!.IsDeferred.ShouldBeTrue();
        read.GetText(Tags.TextValue).ShouldBe(text);
        using var writer = new StringWriter();
        DataSetText.Dump(read, writer);
        writer.ToString().ShouldContain("Langer Befund. Langer Befund.");
        read.Clone().GetText(Tags.TextValue).ShouldBe(text);
    }

    private static DataSet WithPixels(Element pixelData)
    {
        var dataSet = new DataSet();
        dataSet.SetText(Tags.Modality, "CT");
        dataSet.Set(Element.UInt16(Tags.SamplesPerPixel, 1));
        dataSet.SetText(Tags.PhotometricInterpretation, "MONOCHROME2");
        dataSet.Set(Element.UInt16(Tags.Rows, 512));
        dataSet.Set(Element.UInt16(Tags.Columns, 512));
        dataSet.Set(Element.UInt16(Tags.BitsAllocated, 16));
        dataSet.Set(Element.UInt16(Tags.BitsStored, 12));
        dataSet.Set(Element.UInt16(Tags.HighBit, 11));
        dataSet.Set(Element.UInt16(Tags.PixelRepresentation, 0));
        dataSet.Set(pixelData);
        dataSet.Set(Element.Raw(new Tag(0x7FE1, 0x0010), Vr.LO, "AFTER THE PIXELS"u8.ToArray()));
        return dataSet;
    }

    private static string Describe(DataSet dataSet)
    {
        using var writer = new StringWriter();
        DataSetText.Dump(dataSet, writer);
        return writer.ToString();
    }
}
