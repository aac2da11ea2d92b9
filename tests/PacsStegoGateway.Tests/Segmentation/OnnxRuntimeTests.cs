using PacsStegoGateway.Segmentation.OnnxRuntime;

namespace PacsStegoGateway.Tests.Segmentation;

public sealed class OnnxRuntimeTests
{
    [Fact]
    public void The_library_tells_its_version_path_and_checksum()
    {
        OnnxRuntimeLibrary library = SegmentationData.RequireLibrary();
        Version.Parse(library.Version).ShouldBeGreaterThanOrEqualTo(new Version(1, 17));
        library.Sha256?.Length.ShouldBe(64);
        if (library.Path.Contains(Path.Combine("native", "linux-x64"), StringComparison.Ordinal))
        {
            library.Version.ShouldBe("1.30.0");
            library.Sha256.ShouldBe("ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23");
        }
    }

    [Fact]
    public void The_same_place_is_loaded_once()
    {
        OnnxRuntimeLibrary library = SegmentationData.RequireLibrary();
        OnnxRuntimeLibrary.Load().ShouldBeSameAs(library);
        if (library.Sha256 is not null)
        {
            OnnxRuntimeLibrary.Load(library.Path).ShouldBeSameAs(library);
        }
    }

    [Fact]
    public void A_missing_library_says_what_to_run() =>
        Should.Throw<OnnxRuntimeUnavailableException>(() => OnnxRuntimeLibrary.Load(Path.Combine(AppContext.BaseDirectory, "no-such-library.so")))
            .Message.ShouldContain("scripts/fetch-onnxruntime.sh");

    [Fact]
    public void A_file_that_is_no_library_says_what_to_run()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "not-a-library.so");
        File.WriteAllText(path, "not a library");
        Should.Throw<OnnxRuntimeUnavailableException>(() => OnnxRuntimeLibrary.Load(path)).Message.ShouldContain("scripts/fetch-onnxruntime.sh");
    }

    [Fact]
    public void Another_library_is_not_taken_for_onnx_runtime()
    {
        string? other = new[] { "/lib/x86_64-linux-gnu/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6" }.FirstOrDefault(File.Exists);
        Assert.SkipWhen(other is null, "No other native library at a known place.");
        Should.Throw<OnnxRuntimeUnavailableException>(() => OnnxRuntimeLibrary.Load(other)).Message.ShouldContain("cannot be loaded");
    }

    [Fact]
    public void A_status_becomes_an_exception_with_the_library_s_words()
    {
        OnnxRuntimeLibrary library = SegmentationData.RequireLibrary();
        OnnxRuntimeException failure = Should.Throw<OnnxRuntimeException>(() => new OrtSession(library, new byte[] { 1, 2, 3, 4 }, [], []));
        failure.ErrorCode.ShouldBe(7);
        failure.Message.ShouldContain("protobuf", Case.Insensitive);
    }

    [Fact]
    public void A_session_runs_the_same_model_again_and_again_with_the_same_result()
    {
        OnnxRuntimeLibrary library = SegmentationData.RequireLibrary();
        using OrtSession session = new(
            library,
            File.ReadAllBytes(SegmentationData.ModelPath),
            [new TensorShape("image", 1, 1, 256, 256)],
            [new TensorShape("box", 1, 4), new TensorShape("score", 1), new TensorShape("mask", 1, 56, 56)]);
        for (int i = 0; i < 65536; i++)
        {
            session.Input(0)[i] = (i / 256) is > 60 and < 200 && (i % 256) is > 50 and < 210 ? 2 : -1;
        }

        session.Run();
        float[] box = [.. session.Output(0)];
        float[] mask = [.. session.Output(2)];
        session.Output(1)[0].ShouldBeInRange(0, 1);
        mask.ShouldAllBe(p => p >= 0 && p <= 1);
        Array.Clear(session.Output(2));
        session.Run();
        session.Output(0).ShouldBe(box);
        session.Output(2).ShouldBe(mask);
    }

    [Fact]
    public void A_tensor_beyond_the_limit_is_not_allocated()
    {
        OnnxRuntimeLibrary library = SegmentationData.RequireLibrary();
        Should.Throw<ArgumentOutOfRangeException>(() => new OrtSession(
            library, File.ReadAllBytes(SegmentationData.ModelPath), [new TensorShape("image", 1, 1, 4096, 4097)], []));
    }
}
