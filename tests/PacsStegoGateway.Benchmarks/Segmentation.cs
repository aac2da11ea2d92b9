using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Segmentation;

namespace PacsStegoGateway.Benchmarks;

/// <summary>
/// One 512x512 slice, single-threaded, cell sums included: a body ellipse with lungs in noisy air. Needs
/// <c>scripts/fetch-onnxruntime.sh</c>. Run: <c>dotnet run -c Release --project tests/PacsStegoGateway.Benchmarks -- --filter '*Segmentation*'</c>.
/// </summary>
[Config(typeof(FiveRuns))]
[MedianColumn]
[MemoryDiagnoser]
public class Segmentation : IDisposable
{
    /// <summary>Five measured runs of 40 slices in this process (the network's session is made once).</summary>
    private sealed class FiveRuns : ManualConfig
    {
        public FiveRuns() => AddJob(Job.Default
            .WithToolchain(InProcessEmitToolchain.Instance)
            .WithStrategy(RunStrategy.Monitoring)
            .WithWarmupCount(2)
            .WithIterationCount(5)
            .WithInvocationCount(40)
            .WithUnrollFactor(1));
    }

    private const int Edge = 512;
    private MaskRcnnSegmenter _network = null!;
    private ThresholdSegmenter _threshold = null!;
    private PixelPlane _plane = null!;
    private PixelDescription _description = null!;

    [Params("CT", "MR")]
    public string Modality { get; set; } = "CT";

    [GlobalSetup]
    public void Setup()
    {
        _network = new MaskRcnnSegmenter(
            Path.Combine(AppContext.BaseDirectory, "models", "mask-rcnn.onnx"),
            new MaskRcnnOptions { LibraryPath = Environment.GetEnvironmentVariable("PSG_ONNXRUNTIME"), MaximumSessions = 1 });
        _threshold = new ThresholdSegmenter();
        _description = new PixelDescription
        {
            Rows = Edge,
            Columns = Edge,
            BitsAllocated = 16,
            BitsStored = 12,
            HighBit = 11,
            IsSigned = false,
            SamplesPerPixel = 1,
            IsPlanar = false,
            PhotometricInterpretation = "MONOCHROME2",
            NumberOfFrames = 1,
            Modality = Modality,
            RescaleIntercept = Modality == "CT" ? -1024 : 0,
        };
        Random noise = new(1);
        int[] samples = new int[Edge * Edge];
        for (int i = 0; i < samples.Length; i++)
        {
            double x = (i % Edge) - 256;
            double y = (i / Edge) - 256;
            bool isBody = (x * x / (185 * 185)) + (y * y / (140 * 140)) < 1;
            bool isLung = Math.Abs(Math.Abs(x) - 77) < 45 && Math.Abs(y + 13) < 75;
            samples[i] = noise.Next(24) + (!isBody ? 12 : isLung ? 170 : 1070);
        }

        _plane = new PixelPlane(Edge, Edge, samples, 0, 4095);
        if (_network.Segment(CellSums.Of(_plane), _description).Reason is { } reason)
        {
            throw new InvalidOperationException($"The benchmark's image has no background: {reason}");
        }
    }

    [Benchmark]
    public int MaskRcnn() => _network.Segment(CellSums.Of(_plane), _description).Count;

    [Benchmark]
    public int Threshold() => _threshold.Segment(CellSums.Of(_plane), _description).Count;

    [GlobalCleanup]
    public void Dispose()
    {
        _network.Dispose();
        GC.SuppressFinalize(this);
    }
}
