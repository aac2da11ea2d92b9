using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Phantoms;
using PacsStegoGateway.Segmentation;
using PacsStegoGateway.Segmentation.OnnxRuntime;

namespace PacsStegoGateway.Tests.Segmentation;

public sealed class MaskRcnnSegmenterTests
{
    [Fact]
    public void The_name_for_the_audit_holds_model_checksum_and_library_version()
    {
        MaskRcnnSegmenter segmenter = SegmentationData.Require();
        segmenter.Name.ShouldContain(segmenter.Model.Sha256[..16]);
        segmenter.Name.ShouldContain(segmenter.Library.Version);
    }

    [Fact]
    public void A_second_run_a_second_segmenter_and_eight_threads_give_the_same_mask()
    {
        MaskRcnnSegmenter segmenter = SegmentationData.Require();
        using MaskRcnnSegmenter other = new(SegmentationData.ModelPath, new MaskRcnnOptions { MaximumSessions = 3 });
        (CellSums Sums, PixelDescription Description)[] images =
        [
            (CellSums.Of(SegmentationData.Body(512, 512, "CT")), SegmentationData.Describe(512, 512, "CT")),
            (CellSums.Of(SegmentationData.Body(300, 260, "MR")), SegmentationData.Describe(300, 260, "MR")),
            (CellSums.Of(SegmentationData.Body(256, 256, "CT")), SegmentationData.Describe(256, 256, "CT")),
        ];
        bool[][] expected = [.. images.Select(i => segmenter.Segment(i.Sums, i.Description).IsBackground)];
        expected.ShouldAllBe(e => e.Contains(true));
        Parallel.For(0, 48, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
            other.Segment(images[i % 3].Sums, images[i % 3].Description).IsBackground.AsSpan().SequenceEqual(expected[i % 3]).ShouldBeTrue());
    }

    [Fact]
    public void An_image_leaves_no_trace_in_the_next_one()
    {
        SegmentationData.RequireLibrary();
        using MaskRcnnSegmenter segmenter = new(SegmentationData.ModelPath, new MaskRcnnOptions { MaximumSessions = 1 });
        bool[] Segment(int width, int height) => segmenter.Segment(
            CellSums.Of(SegmentationData.Body(width, height, "MR")), SegmentationData.Describe(width, height, "MR")).IsBackground;
        bool[] first = Segment(512, 512);
        Segment(1024, 768);
        Segment(300, 200);
        Segment(512, 512).ShouldBe(first);
        Segment(2300, 2000);
        Segment(512, 512).ShouldBe(first);
    }

    [Fact]
    public void Every_slice_of_the_phantom_study_has_background_enough()
    {
        MaskRcnnSegmenter segmenter = SegmentationData.Require();
        foreach (PhantomInstance instance in PhantomStudy.Create(new PhantomOptions { Seed = 11, SlicesPerSeries = 2 }))
        {
            PixelDescription.TryRead(instance.DataSet, out PixelDescription description).ShouldBeNull();
            PixelPlane plane = PixelPlane.Read(description, instance.DataSet.Find(Tags.PixelData)!.Value.Span);
            BackgroundMask mask = segmenter.Segment(CellSums.Of(plane), description);
            mask.Reason.ShouldBeNull(instance.RelativePath);
            mask.Coverage.ShouldBeGreaterThan(0.1, instance.RelativePath);
            bool[] body = ClassicalBodyMask.Of(plane, description);
            Enumerable.Range(0, body.Length).Count(p => body[p] && mask.ContainsPixel(p % plane.Width, p / plane.Width)).ShouldBe(0, instance.RelativePath);
        }
    }

    [Fact]
    public void A_change_of_one_bit_in_the_model_stops_the_start()
    {
        string path = SegmentationData.CopyModel("one-bit");
        byte[] model = File.ReadAllBytes(path);
        model[model.Length / 2] ^= 1;
        File.WriteAllBytes(path, model);
        Should.Throw<SegmentationModelException>(() => new MaskRcnnSegmenter(path)).Message.ShouldContain("SHA-256");
    }

    [Fact]
    public void A_file_that_is_no_network_stops_the_start_even_with_the_right_checksum()
    {
        SegmentationData.RequireLibrary();
        string path = SegmentationData.CopyModel("no-network");
        byte[] garbage = [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 31))];
        string old = ModelDescription.Load(SegmentationData.ModelPath, out _).Sha256;
        File.WriteAllBytes(path, garbage);
        Edit(path, json => json.Replace(old, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(garbage)), StringComparison.Ordinal));
        Should.Throw<SegmentationModelException>(() => new MaskRcnnSegmenter(path)).InnerException.ShouldBeOfType<OnnxRuntimeException>();
    }

    [Theory]
    [InlineData("\"name\": \"image\"", "\"name\": \"picture\"")]
    [InlineData("\"maskSize\": 56", "\"maskSize\": 57")]
    [InlineData("\"width\": 256", "\"width\": 250")]
    public void A_description_of_another_form_than_the_network_stops_the_start(string from, string to)
    {
        SegmentationData.RequireLibrary();
        string path = SegmentationData.CopyModel("other-form");
        Edit(path, json => json.Replace(from, to, StringComparison.Ordinal));
        Should.Throw<SegmentationModelException>(() => new MaskRcnnSegmenter(path)).Message.ShouldContain("does not run");
    }

    [Theory]
    [InlineData("\"file\": \"mask-rcnn.onnx\"", "\"file\": \"other.onnx\"", "describes 'other.onnx'")]
    [InlineData("\"width\": 256", "\"width\": 200000", "out of its range")]
    [InlineData("\"maskSize\": 56", "\"maskSize\": 0", "out of its range")]
    [InlineData("\"sha256\"", "\"sha512\"", "does not describe a model")]
    [InlineData("{", "", "does not describe a model")]
    public void A_wrong_description_stops_the_start(string from, string to, string words)
    {
        string path = SegmentationData.CopyModel("wrong-description");
        Edit(path, json => json.Replace(from, to, StringComparison.Ordinal));
        Should.Throw<SegmentationModelException>(() => new MaskRcnnSegmenter(path)).Message.ShouldContain(words);
    }

    [Fact]
    public void Missing_files_stop_the_start()
    {
        string path = SegmentationData.CopyModel("missing");
        File.Delete(path);
        Should.Throw<SegmentationModelException>(() => new MaskRcnnSegmenter(path)).Message.ShouldContain("does not exist");
        File.Delete(Path.Combine(Path.GetDirectoryName(path)!, "model.json"));
        Should.Throw<SegmentationModelException>(() => new MaskRcnnSegmenter(path)).Message.ShouldContain("model.json");
    }

    [Fact]
    public void Files_beyond_the_limits_are_not_read()
    {
        string path = SegmentationData.CopyModel("too-long");
        using (FileStream file = File.OpenWrite(path))
        {
            file.SetLength(ModelDescription.MaximumModelLength + 1);
        }

        Should.Throw<SegmentationModelException>(() => new MaskRcnnSegmenter(path)).Message.ShouldContain("more than");
        File.Delete(path);
        Edit(path, json => json + new string(' ', 1 << 16));
        Should.Throw<SegmentationModelException>(() => new MaskRcnnSegmenter(path)).Message.ShouldContain("more than");
    }

    [Fact]
    public void A_disposed_segmenter_refuses()
    {
        SegmentationData.RequireLibrary();
        MaskRcnnSegmenter segmenter = new(SegmentationData.ModelPath);
        segmenter.Dispose();
        segmenter.Dispose();
        Should.Throw<ObjectDisposedException>(() => segmenter.Segment(
            CellSums.Of(SegmentationData.Body(64, 64, "CT")), SegmentationData.Describe(64, 64, "CT")));
    }

    private static void Edit(string modelPath, Func<string, string> change)
    {
        string path = Path.Combine(Path.GetDirectoryName(modelPath)!, "model.json");
        File.WriteAllText(path, change(File.ReadAllText(path)));
    }
}
