using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Benchmarks;

/// <summary>
/// One frame of 512 x 512 samples, 12 bits in 16, made like a CT slice (air, a body with noise of 12 values, bone), one
/// thread. Run: <c>dotnet run -c Release --project tests/PacsStegoGateway.Benchmarks -- --filter '*Codecs*'</c>.
/// </summary>
[Config(typeof(FiveRuns))]
[MedianColumn]
[MemoryDiagnoser]
public class Codecs
{
    private sealed class FiveRuns : ManualConfig
    {
        public FiveRuns() => AddJob(Job.Default
            .WithToolchain(InProcessEmitToolchain.Instance)
            .WithStrategy(RunStrategy.Monitoring)
            .WithWarmupCount(5)
            .WithIterationCount(5)
            .WithInvocationCount(20)
            .WithUnrollFactor(1));
    }

    private static readonly FrameFormat Format = new()
    {
        Rows = 512,
        Columns = 512,
        BitsAllocated = 16,
        BitsStored = 12,
        HighBit = 11,
        PhotometricInterpretation = "MONOCHROME2",
    };

    private IPixelCodec _codec = null!;
    private byte[] _frame = null!;
    private byte[] _codestream = null!;

    [Params("1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90")]
    public string TransferSyntaxUID { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(7166);
        _frame = new byte[Format.FrameLength];
        for (int i = 0; i < Format.SampleCount; i++)
        {
            int x = (i % 512) - 256, y = (i / 512) - 256;
            double gauss = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            int value = (x * x) + (y * y) > 200 * 200 ? Math.Max(0, (int)(24 + (8 * gauss)))
                : (x * x) + (y * y) < 30 * 30 ? 2000 + (int)(40 * gauss)
                : 1050 + (x / 8) + (int)(12 * gauss);
            BitConverter.TryWriteBytes(_frame.AsSpan(2 * i), (ushort)value);
        }

        _codec = PixelCodecs.Find(TransferSyntax.Of(TransferSyntaxUID))!;
        _codestream = _codec.Encode(_frame, Format);
    }

    [Benchmark]
    public DecodedFrame Decode() => _codec.Decode(_codestream, Format);

    [Benchmark]
    public byte[] Encode() => _codec.Encode(_frame, Format);
}
