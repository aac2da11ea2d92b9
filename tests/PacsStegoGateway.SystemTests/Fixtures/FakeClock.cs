namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>The wall clock of a program that can be put forward and back while it runs: libfaketime. What measures intervals goes on as it does.</summary>
public sealed class FakeClock : IDisposable
{
    private readonly TemporaryFolder _folder = new("clock");

    private FakeClock(string library)
    {
        Set("+0");
        Environment = new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = library,
            ["FAKETIME_TIMESTAMP_FILE"] = _folder.At("offset"),
            ["FAKETIME_CACHE_DURATION"] = "1",
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        };
    }

    /// <summary>What a program needs in its environment to follow this clock.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>A clock that is right; the test is skipped where the library is not installed.</summary>
    public static FakeClock Create()
    {
        string? library = Directory.Exists("/usr/lib")
            ? Directory.EnumerateFiles("/usr/lib", "libfaketimeMT.so.1", SearchOption.AllDirectories).FirstOrDefault()
            : null;
        if (library is null)
        {
            Assert.Skip("libfaketime is not installed.");
        }

        return new FakeClock(library);
    }

    /// <summary>Within a second the program has this offset to the true time, such as "+1d" or "-2h".</summary>
    public void Set(string offset) => File.WriteAllText(_folder.At("offset"), offset);

    public void Dispose() => _folder.Dispose();
}
