using PacsStegoGateway.Commands;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Rendering;

namespace PacsStegoGateway.Tests.Commands;

public sealed class RenderCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psg-render").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_frame_becomes_a_picture_and_all_frames_become_numbered_ones()
    {
        string file = TwoFrames();
        (await CommandLine.RunAsync(["render", file, "--out", In("one.png"), "--size", "8x8", "--window", "40,400"])).ShouldBe(ExitCode.Done);
        File.Exists(In("one.png")).ShouldBeTrue();
        (await CommandLine.RunAsync(["render", file, "--out", In("all.png"), "--frame", "all", "--bits", "16"])).ShouldBe(ExitCode.Done);
        File.Exists(In("all-00001.png")).ShouldBeTrue();
        File.Exists(In("all-00002.png")).ShouldBeTrue();
        (await CommandLine.RunAsync(["render", file, "--out", In("second.png"), "--frame", "2"])).ShouldBe(ExitCode.Done);
        File.ReadAllBytes(In("second.png")).ShouldNotBe(File.ReadAllBytes(In("one.png")));
    }

    [Theory]
    [InlineData("--frame", "0")]
    [InlineData("--frame", "3")]
    [InlineData("--frame", "2-1")]
    [InlineData("--frame", "1-2-2")]
    [InlineData("--window", "40")]
    [InlineData("--window", "40,0")]
    [InlineData("--window", "40,400,ROUND")]
    [InlineData("--size", "100")]
    [InlineData("--size", "0x100")]
    [InlineData("--size", "100x8193")]
    [InlineData("--bits", "12")]
    public async Task Options_that_cannot_be_are_wrong_usage(string option, string value) =>
        (await CommandLine.RunAsync(["render", TwoFrames(), "--out", In("x.png"), option, value])).ShouldBe(ExitCode.Misused);

    [Fact]
    public async Task A_picture_of_another_kind_and_a_file_that_is_not_there_are_wrong_usage()
    {
        (await CommandLine.RunAsync(["render", TwoFrames(), "--out", In("x.tiff")])).ShouldBe(ExitCode.Misused);
        (await CommandLine.RunAsync(["render", In("nowhere.dcm"), "--out", In("x.png")])).ShouldBe(ExitCode.Misused);
    }

    [Fact]
    public async Task A_JPEG_is_written_by_its_name_and_has_eight_bits()
    {
        if (JpegPictureWriter.Unavailable is { } missing)
        {
            Assert.Skip(missing);
        }

        (await CommandLine.RunAsync(["render", TwoFrames(), "--out", In("x.jpg"), "--size", "64x64"])).ShouldBe(ExitCode.Done);
        (await File.ReadAllBytesAsync(In("x.jpg"), TestContext.Current.CancellationToken)).AsSpan(0, 3).ToArray().ShouldBe([0xFF, 0xD8, 0xFF]);
        (await CommandLine.RunAsync(["render", TwoFrames(), "--out", In("y.jpg"), "--bits", "16"])).ShouldBe(ExitCode.Misused);
        foreach (string quality in (string[])["0", "101"])
        {
            (await CommandLine.RunAsync(["render", TwoFrames(), "--out", In("y.jpg"), "--quality", quality])).ShouldBe(ExitCode.Misused);
        }

        File.Exists(In("y.jpg")).ShouldBeFalse();
    }

    [Fact]
    public async Task An_image_that_cannot_be_decoded_is_refused_and_leaves_no_picture()
    {
        DataSet video = Described();
        video.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[0], new byte[] { 1, 2 }, new byte[] { 1, 2 }]));
        string file = In("video.dcm");
        const string Mpeg2 = "1.2.840.10008.1.2.4.100";
        await File.WriteAllBytesAsync(file, [.. FileMeta.Prefix(SopClasses.CTImageStorage, "1.2.3", Mpeg2), .. DataSetWriter.ToArray(video, TransferSyntax.Of(Mpeg2))], TestContext.Current.CancellationToken);
        (await CommandLine.RunAsync(["render", file, "--out", In("x.png")])).ShouldBe(ExitCode.SomeFailed);
        File.Exists(In("x.png")).ShouldBeFalse();
    }

    private string In(string name) => Path.Combine(_folder, name);

    private string TwoFrames()
    {
        DataSet dataSet = Described();
        dataSet.Set(Element.Raw(Tags.PixelData, Vr.OB, new byte[] { 0, 50, 100, 150, 200, 250, 30, 60 }));
        string path = In("two.dcm");
        File.WriteAllBytes(path, [.. FileMeta.Prefix(SopClasses.CTImageStorage, "1.2.3", TransferSyntax.ExplicitVRLittleEndian.UID), .. DataSetWriter.ToArray(dataSet, TransferSyntax.ExplicitVRLittleEndian)]);
        return path;
    }

    private static DataSet Described()
    {
        var dataSet = new DataSet();
        dataSet.SetText(Tags.PhotometricInterpretation, "MONOCHROME2");
        dataSet.SetText(Tags.NumberOfFrames, "2");
        foreach ((Tag tag, ushort value) in ((Tag, ushort)[])
            [(Tags.SamplesPerPixel, 1), (Tags.Rows, 2), (Tags.Columns, 2), (Tags.BitsAllocated, 8), (Tags.BitsStored, 8), (Tags.HighBit, 7), (Tags.PixelRepresentation, 0)])
        {
            dataSet.Set(Element.UInt16(tag, value));
        }

        return dataSet;
    }
}
