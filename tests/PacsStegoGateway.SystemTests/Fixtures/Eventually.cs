using System.Diagnostics;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>Waits for a condition with a deadline: the only way anything waits here.</summary>
public static class Eventually
{
    /// <summary>Asks every 50 ms until the answer is true.</summary>
    /// <exception cref="TimeoutException">Not within <paramref name="seconds"/>; names <paramref name="what"/>.</exception>
    public static Task IsTrue(string what, Func<bool> condition, double seconds = 60) =>
        IsTrue(what, () => Task.FromResult(condition()), seconds);

    /// <inheritdoc cref="IsTrue(string, Func{bool}, double)"/>
    public static async Task IsTrue(string what, Func<Task<bool>> condition, double seconds = 60)
    {
        long start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(start).TotalSeconds > seconds)
            {
                throw new TimeoutException($"Not within {seconds} s: {what}.");
            }

            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}
