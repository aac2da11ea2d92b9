using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Steganography.Embedding;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Benchmarks;

/// <summary>
/// Embedding with all its proofs and extraction, 512 x 512, 180-byte message, one thread. The segmenter is a given mask,
/// so that steganography alone is measured. Run:
/// <c>dotnet run -c Release --project tests/PacsStegoGateway.Benchmarks -- --filter '*Embedding*'</c>.
/// </summary>
[Config(typeof(FiveRuns))]
[MedianColumn]
[MemoryDiagnoser]
public class Embedding
{
    /// <summary>Five measured runs of 40 images in this process (the RSA key of the ring is made once).</summary>
    private sealed class FiveRuns : ManualConfig
    {
        public FiveRuns() => AddJob(Job.Default
            .WithToolchain(InProcessEmitToolchain.Instance)
            .WithStrategy(RunStrategy.Monitoring)
            .WithWarmupCount(4)
            .WithIterationCount(5)
            .WithInvocationCount(40)
            .WithUnrollFactor(1));
    }

    private readonly byte[] _message = new byte[180];
    private SymbolEmbedder _embedder = null!;
    private PixelDescription _description = null!;
    private PixelPlane _cover = null!;
    private PixelPlane _stego = null!;

    /// <summary>Standard deviation of the background's own noise; 0 = constant padding.</summary>
    [Params(0, 8)]
    public int Noise { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        const int Edge = 512;
        Random random = new(7166);
        random.NextBytes(_message);
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
            Modality = "CT",
            RescaleIntercept = -1024,
        };
        int[] samples = new int[Edge * Edge];
        bool[] blocks = new bool[Edge / 4 * (Edge / 4)];
        Array.Fill(blocks, true);
        for (int i = 0; i < samples.Length; i++)
        {
            int x = i % Edge, y = i / Edge;
            bool isAnatomy = ((x - 256) * (x - 256)) + ((y - 256) * (y - 256)) < 180 * 180;
            double gauss = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            samples[i] = isAnatomy ? 1000 + (int)(12 * gauss) : Math.Max(0, (3 * Noise) + (int)Math.Round(Noise * gauss));
            if (isAnatomy)
            {
                blocks[(y / 4 * (Edge / 4)) + (x / 4)] = false;
            }
        }

        _cover = new PixelPlane(Edge, Edge, samples, 0, 4095);
        string path = Path.Combine(Directory.CreateTempSubdirectory("psg-bench-").FullName, "keys.json");
        _embedder = new SymbolEmbedder(KeyRing.Create(path), new GivenMask(new BackgroundMask(Edge / 4, Edge / 4, blocks)));
        _stego = ((Embedded)_embedder.Embed(_cover, _description, _message)).Stego;
    }

    [Benchmark]
    public EmbeddingOutcome Embed() => _embedder.Embed(_cover, _description, _message);

    [Benchmark]
    public ExtractionOutcome Extract() => _embedder.Extract(_stego, _description);

    [Benchmark]
    public ExtractionOutcome ExtractWhereNothingIs() => _embedder.Extract(_cover, _description);

    private sealed class GivenMask(BackgroundMask mask) : IBackgroundSegmenter
    {
        public string Name => "given";

        public BackgroundMask Segment(CellSums sums, PixelDescription description) => mask;
    }
}
