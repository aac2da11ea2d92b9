using System.Diagnostics;
using System.Globalization;

namespace PacsStegoGateway.Fuzz;

/// <summary>How long, from where and where to.</summary>
/// <param name="Seed">Makes the inputs; the same seed and number give the same input.</param>
/// <param name="Corpus">A folder of DICOM files to start from too, or null.</param>
/// <param name="Failures">The folder that failing inputs are written to.</param>
/// <param name="TimeLimit">The longest that one input may take.</param>
public sealed record FuzzOptions(int Seed, string? Corpus, string Failures, TimeSpan TimeLimit);

/// <summary>What a run found.</summary>
/// <param name="Inputs">Inputs checked.</param>
/// <param name="Counts">Of each kind those that were checked, and those that their reader accepted.</param>
/// <param name="Failures">One line per failing input: its file and what did not hold.</param>
/// <param name="Slowest">The longest that one input took.</param>
public sealed record FuzzReport(long Inputs, IReadOnlyDictionary<InputKind, (long Given, long Accepted)> Counts, IReadOnlyList<string> Failures, TimeSpan Slowest);

/// <summary>Mutates inputs and checks each, from any number of threads.</summary>
public sealed class FuzzRun
{
    private const int MostFailures = 20;

    private readonly FuzzOptions _options;
    private readonly Mutator _mutator;
    private readonly List<string> _failures = [];
    private readonly Lock _gate = new();
    private long _done;
    private readonly Dictionary<InputKind, (long Given, long Accepted)> _counts = [];
    private TimeSpan _slowest;

    public FuzzRun(FuzzOptions options)
    {
        _options = options;
        List<Input> inputs = Corpus.Make(options.Seed, options.Corpus);
        Seeds = inputs.Count;
        _mutator = new Mutator(inputs.Select(Layout.Of));
    }

    /// <summary>How many inputs the mutations start from.</summary>
    public int Seeds { get; }

    /// <summary>Inputs checked so far.</summary>
    public long Done => Interlocked.Read(ref _done);

    /// <summary>Failing inputs so far.</summary>
    public int FailureCount
    {
        get
        {
            lock (_gate)
            {
                return _failures.Count;
            }
        }
    }

    /// <summary>Checks the numbers of a range; ends early after twenty failures. May be called from many threads with ranges of their own.</summary>
    /// <param name="first">The first number.</param>
    /// <param name="count">How many.</param>
    /// <param name="step">The distance from one to the next.</param>
    public void Check(ulong first, long count, ulong step, CancellationToken cancellationToken)
    {
        var oracle = new Oracle();
        using var watch = new HangWatch(this, _options.TimeLimit);
        for (long i = 0; i < count && FailureCount < MostFailures && !cancellationToken.IsCancellationRequested; i++)
        {
            ulong number = first + ((ulong)i * step);
            Input input = _mutator.Make(number + ((ulong)(uint)_options.Seed << 32));
            long start = Stopwatch.GetTimestamp();
            watch.Begin(number, input);
            try
            {
                oracle.Check(input);
            }
            catch (Exception failure)
            {
                Fail(number, input, $"{failure.GetType().Name}: {failure.Message} {(failure is FuzzFailureException ? "" : failure.StackTrace)}");
            }

            watch.End();
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            if (took > _slowest)
            {
                _slowest = took;
            }

            Interlocked.Increment(ref _done);
        }

        lock (_gate)
        {
            foreach ((InputKind kind, (long given, long accepted)) in oracle.Counts)
            {
                (long g, long a) = _counts.GetValueOrDefault(kind);
                _counts[kind] = (g + given, a + accepted);
            }
        }
    }

    public FuzzReport Report()
    {
        lock (_gate)
        {
            return new FuzzReport(Done, new Dictionary<InputKind, (long, long)>(_counts), [.. _failures], _slowest);
        }
    }

    /// <summary>What does not hold for one input, or null.</summary>
    public static string? Replay(Input input)
    {
        try
        {
            new Oracle().Check(input);
            return null;
        }
        catch (Exception failure)
        {
            return failure.ToString();
        }
    }

    private void Fail(ulong number, Input input, string what)
    {
        Directory.CreateDirectory(_options.Failures);
        string path = Path.Combine(_options.Failures, string.Create(CultureInfo.InvariantCulture, $"{input.Kind.ToString().ToLowerInvariant()}-{_options.Seed}-{number}.bin"));
        File.WriteAllBytes(path, input.Bytes);
        lock (_gate)
        {
            _failures.Add($"{path}: {what}");
        }
    }

    /// <summary>Looks every second whether one input takes too long, which its own thread cannot say.</summary>
    private sealed class HangWatch : IDisposable
    {
        private readonly FuzzRun _run;
        private readonly Timer _timer;
        private readonly TimeSpan _limit;
        private readonly Lock _gate = new();
        private (ulong Number, Input Input, long Start)? _current;

        public HangWatch(FuzzRun run, TimeSpan limit)
        {
            (_run, _limit) = (run, limit);
            _timer = new Timer(_ => Look(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        }

        public void Begin(ulong number, Input input)
        {
            lock (_gate)
            {
                _current = (number, input, Stopwatch.GetTimestamp());
            }
        }

        public void End()
        {
            lock (_gate)
            {
                _current = null;
            }
        }

        public void Dispose() => _timer.Dispose();

        private void Look()
        {
            (ulong Number, Input Input, long Start)? late = null;
            lock (_gate)
            {
                if (_current is { } current && Stopwatch.GetElapsedTime(current.Start) > _limit)
                {
                    (late, _current) = (current, null);
                }
            }

            if (late is { } hung)
            {
                _run.Fail(hung.Number, hung.Input, $"takes longer than {_limit.TotalSeconds} s");
                Console.Error.WriteLine($"An input takes longer than {_limit.TotalSeconds} s; it is written to the folder of failures.");
            }
        }
    }
}
