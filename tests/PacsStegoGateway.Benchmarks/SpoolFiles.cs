using BenchmarkDotNet.Attributes;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Benchmarks;

/// <summary>One CT image of 512 KiB into the spool and out again, with encryption and without: what encryption costs.</summary>
[MemoryDiagnoser]
public class SpoolFiles
{
    private readonly byte[] _image = new byte[512 * 1024];
    private string _folder = "";
    private Spool _spool = null!;
    private string _kept = "";

    [Params(true, false)]
    public bool Encrypt { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        new Random(1).NextBytes(_image);
        _folder = Directory.CreateTempSubdirectory("psg-benchmark-").FullName;
        KeyRing keys = KeyRing.Create(Path.Combine(_folder, "keyring.json"));
        _spool = new Spool(new SpoolOptions { MinFreeMegabytes = 0, Encrypt = Encrypt }, Path.Combine(_folder, "spool"), keys);
        using SpoolFile file = _spool.Create();
        file.Write(_image);
        file.Flush();
        file.Keep();
        _kept = file.Name;
    }

    [GlobalCleanup]
    public void Remove()
    {
        _spool.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Not flushed: the disk is not what is measured.</summary>
    [Benchmark]
    public long Write()
    {
        using SpoolFile file = _spool.Create();
        file.Write(_image);
        return file.Length;
    }

    /// <summary>As an object is received: flushed, with its name.</summary>
    [Benchmark]
    public long WriteAndFlush()
    {
        using SpoolFile file = _spool.Create();
        file.Write(_image);
        file.Flush();
        return file.Length;
    }

    [Benchmark]
    public long Read()
    {
        using ByteSource source = _spool.Open(_kept);
        long sum = 0;
        source.Pass(chunk => sum += chunk[^1]);
        return sum;
    }
}
