using System.Collections.Concurrent;
using Spectre.Console;

namespace PacsStegoGateway.Commands;

/// <summary>Runs one piece of work over many files: on all cores, with a progress bar, never stopping at a bad file.</summary>
internal static class BatchRun
{
    /// <param name="files">From <see cref="InputFiles.Find"/>.</param>
    /// <param name="title">Beside the bar.</param>
    /// <param name="work">Returns null when done, otherwise why not; a broken file throws and is counted like a refusal.</param>
    /// <param name="cancellation">Ctrl-C.</param>
    /// <returns>The exit code; failures have been named on standard error in the order of the files.</returns>
    public static int ForEach(
        IReadOnlyList<(string Path, string RelativePath)> files, string title, Func<string, string?> work, CancellationToken cancellation)
    {
        var failures = new ConcurrentDictionary<int, string>();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        if (Console.IsErrorRedirected || files.Count < 2)
        {
            RunAll(() => { });
        }
        else
        {
            console.Progress()
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
                .Start(context =>
                {
                    ProgressTask bar = context.AddTask(title, maxValue: files.Count);
                    RunAll(() => bar.Increment(1));
                });
        }

        foreach ((int index, string why) in failures.OrderBy(static f => f.Key))
        {
            Console.Error.WriteLine($"{files[index].Path}: {why}");
        }

        Console.Error.WriteLine($"{title}: {files.Count - failures.Count} done, {failures.Count} refused or failed.");
        return failures.IsEmpty ? ExitCode.Done : ExitCode.SomeFailed;

        void RunAll(Action tick) => Parallel.For(0, files.Count,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation },
            index =>
            {
                string? why;
                try
                {
                    why = work(files[index].Path);
                }
                catch (Exception e) when (e is Dicom.DicomContentException or IOException or UnauthorizedAccessException)
                {
                    why = e.Message;
                }

                if (why is not null)
                {
                    failures[index] = why;
                }

                tick();
            });
    }
}
