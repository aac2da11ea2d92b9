namespace PacsStegoGateway.Tests.Gateway;

/// <summary>Waits for a condition with a deadline.</summary>
public static class Eventually
{
    public static async Task BecomesTrueAsync(Func<Task<bool>> condition, int seconds = 30)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        while (!await condition())
        {
            try
            {
                await timer.WaitForNextTickAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"The condition did not hold within {seconds} s.");
            }
        }
    }

    public static Task BecomesTrueAsync(Func<bool> condition, int seconds = 30) =>
        BecomesTrueAsync(() => Task.FromResult(condition()), seconds);
}
