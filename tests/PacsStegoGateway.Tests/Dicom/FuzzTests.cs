using PacsStegoGateway.Fuzz;

namespace PacsStegoGateway.Tests.Dicom;

/// <summary>A bounded run of what scripts/fuzz.sh runs at length: damaged inputs of every kind against the oracle.</summary>
public class FuzzTests
{
    private const int Seed = 20260301;

    [Fact]
    public void Fifteen_thousand_damaged_inputs_are_refused_as_they_should_or_mean_the_same_when_written_and_read_again()
    {
        using var folder = new TemporaryFolder();
        var run = new FuzzRun(new FuzzOptions(Seed, null, folder.Path, TimeSpan.FromSeconds(10)));
        TestContext.Current.SendDiagnosticMessage($"seed {Seed}");

        run.Check(0, 15_000, 1, TestContext.Current.CancellationToken);

        FuzzReport report = run.Report();
        report.Failures.ShouldBeEmpty($"seed {Seed}");
        report.Inputs.ShouldBe(15_000);
        foreach (InputKind kind in Enum.GetValues<InputKind>())
        {
            // Neither all refused, which would test the first check alone, nor all accepted.
            (long given, long accepted) = report.Counts[kind];
            accepted.ShouldBeInRange(given / 20, given * 9 / 10, $"{kind} of {given}");
        }
    }

    [Fact]
    public void The_same_number_makes_the_same_input()
    {
        Mutator first = new(Corpus.Make(Seed, null).Select(Layout.Of)), second = new(Corpus.Make(Seed, null).Select(Layout.Of));
        for (ulong number = 0; number < 500; number++)
        {
            Input input = first.Make(number);
            second.Make(number).Bytes.ShouldBe(input.Bytes);
            second.Make(number).Kind.ShouldBe(input.Kind);
        }
    }

    [Fact]
    public void An_input_is_replayed_by_its_file_alone()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "explicit-1-2.bin");
        File.WriteAllBytes(path, GoldenDataSets.ExplicitLittleEndian);

        Input.Load(path).Kind.ShouldBe(InputKind.Explicit);
        FuzzRun.Replay(Input.Load(path)).ShouldBeNull();
        Should.Throw<FormatException>(() => Input.Load(Path.Combine(folder.Path, "other-1.bin")));
    }

    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("fuzz-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
