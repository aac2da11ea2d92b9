using Spectre.Console;

namespace PacsStegoGateway.Commands;

/// <summary>One bar on standard error while something runs; nothing where nobody looks.</summary>
internal static class ProgressBar
{
    public static Task RunAsync(string title, Func<ProgressTask, Task> work) =>
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.IsErrorRedirected ? TextWriter.Null : Console.Error) })
            .Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context => work(context.AddTask(Markup.Escape(title))));

    /// <summary>As a retrieval reports: how many of how many are settled.</summary>
    public static void Show(this ProgressTask bar, int settled, int remaining)
    {
        bar.MaxValue = Math.Max(1, settled + remaining);
        bar.Value = settled;
    }
}
