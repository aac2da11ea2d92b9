using System.Runtime.InteropServices;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Service;

/// <summary>
/// Takes a changed configuration file while the gateway runs: whole, or not at all. Looks at the file every second, and at once on
/// SIGHUP. What needs a restart is named and stays as it runs.
/// </summary>
public sealed partial class ConfigurationReload(
    ConfigurationSource source, LiveConfiguration live, GatewayStore store, TimeProvider time, ILogger<ConfigurationReload> logger) : BackgroundService
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _one = new(1);
    private string _taken = source.Fingerprint();

    /// <summary>What the last reading would change at the next start; the same is not told twice.</summary>
    private string _waiting = "";

    /// <summary>Reads the configuration now and takes it if it is right.</summary>
    /// <returns>False when it was refused, or could not be recorded: then the one before stays in effect.</returns>
    public async Task<bool> ReloadAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            return await TakeAsync(source.Fingerprint());
        }
        finally
        {
            _one.Release();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PosixSignalRegistration? hangUp = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            _ = HangUpAsync(stoppingToken);
        });
        await TellChangesSinceLastRunAsync();
        WriteLastGood();
        using var timer = new PeriodicTimer(BetweenLooks, time);
        string seen = _taken;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                // Twice the same: a file that is being written is not read half.
                string now = source.Fingerprint();
                bool isSettled = now == seen;
                seen = now;
                if (isSettled && now != _taken)
                {
                    await ReloadAsync(stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    public override void Dispose()
    {
        _one.Dispose();
        base.Dispose();
    }

    /// <summary>A change made while the gateway was stopped is a change too. Secrets are in no file of ours and cannot be compared.</summary>
    private async Task TellChangesSinceLastRunAsync()
    {
        string path = LastGoodConfiguration.PathOf(live.Current.Options);
        var problems = new List<ConfigurationProblem>();
        if (!File.Exists(path) || GatewayConfiguration.Read(path, problems) is not { } last || problems.Count > 0)
        {
            return;
        }

        ConfigurationDifference[] changed = [.. ConfigurationDifference.Between(last, live.Current.Options)
            .Where(static d => d.Before != "(secret)" && d.After != "(secret)")];
        if (changed.Length == 0)
        {
            return;
        }

        try
        {
            await store.AppendAuditAsync(new AuditRecord(AuditEvent.ConfigurationChanged)
            {
                Detail = Cut("Since the last run: ", [.. changed.Select(static d => d.ToString())]),
            });
        }
        catch (StoreUnavailableException e)
        {
            LogStoreAway(logger, e);
        }
    }

    private async Task HangUpAsync(CancellationToken stoppingToken)
    {
        try
        {
            await ReloadAsync(stoppingToken);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // Stopping.
        }
    }

    private async Task<bool> TakeAsync(string fingerprint)
    {
        ConfigurationSnapshot before = live.Current;
        try
        {
            GatewayOptions wanted = source.Load();
            IReadOnlyList<ConfigurationDifference> differences = ConfigurationDifference.Between(before.Options, wanted);
            string[] waiting = [.. differences.Where(static d => !d.IsLive).Select(static d => d.Path)];
            ConfigurationDifference[] changed = [.. differences.Where(static d => d.IsLive)];
            ConfigurationSnapshot next = Open(ConfigurationDifference.TakeLive(before.Options, wanted), waiting);
            if (changed.Length > 0 || string.Join(", ", waiting) != _waiting)
            {
                // Recorded first: what cannot be recorded is not done.
                await store.AppendAuditAsync(new AuditRecord(AuditEvent.ConfigurationChanged) { Detail = DetailOf(changed, waiting) });
            }

            live.Exchange(next);
            _taken = fingerprint;
            _waiting = string.Join(", ", waiting);
            LogTaken(logger, changed.Length == 0 ? "nothing" : string.Join("; ", (object[])changed));
            if (waiting.Length > 0)
            {
                LogWaiting(logger, _waiting);
            }

            WriteLastGood();
            return true;
        }
        catch (ConfigurationException e)
        {
            return await RefuseAsync(e, fingerprint);
        }
        catch (StoreUnavailableException e)
        {
            // Seen as new again at the next look.
            LogStoreAway(logger, e);
            return false;
        }
    }

    /// <exception cref="ConfigurationException">It cannot be used with what waits for a restart, or its files cannot.</exception>
    private ConfigurationSnapshot Open(GatewayOptions effective, string[] waiting)
    {
        IReadOnlyList<ConfigurationProblem> problems = GatewayOptionsValidator.Validate(effective);
        return problems.Count == 0
            ? live.Open(effective)
            : throw new ConfigurationException(
                [.. problems, new ConfigurationProblem(string.Join(", ", waiting), "takes effect at a restart only, and the rest does not fit what runs: restart with this configuration.")]);
    }

    private async Task<bool> RefuseAsync(ConfigurationException e, string fingerprint)
    {
        LogRefused(logger, e.Message);
        try
        {
            await store.AppendAuditAsync(new AuditRecord(AuditEvent.ConfigurationRefused, AuditOutcome.MinorFailure)
            {
                Detail = Cut("Wrong: ", [.. e.Problems.Select(static p => p.Path)]),
            });
            _taken = fingerprint;
        }
        catch (StoreUnavailableException away)
        {
            LogStoreAway(logger, away);
        }

        return false;
    }

    private static string DetailOf(ConfigurationDifference[] changed, string[] waiting) => string.Join(' ', (string[])
    [
        .. changed.Length > 0 ? [Cut("Changed: ", [.. changed.Select(static d => d.ToString())])] : Array.Empty<string>(),
        .. waiting.Length > 0 ? [Cut("At the next start: ", waiting)] : Array.Empty<string>(),
    ]);

    /// <summary>As many as fit into half an entry; how many more there are is told.</summary>
    private static string Cut(string title, string[] parts)
    {
        const int Longest = 900;
        int fit = 0, length = 0;
        while (fit < parts.Length && (length += parts[fit].Length + 2) <= Longest)
        {
            fit++;
        }

        string more = fit < parts.Length ? $"{(fit > 0 ? "; " : "")}{parts.Length - fit} more" : "";
        return $"{title}{string.Join("; ", parts[..fit])}{more}.";
    }

    private void WriteLastGood()
    {
        try
        {
            LastGoodConfiguration.Write(live.Current.Options);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotWritten(logger, e);
        }
    }

    [LoggerMessage(6101, LogLevel.Information, "A changed configuration is in effect. Changed: {Changes}.")]
    private static partial void LogTaken(ILogger logger, string changes);

    [LoggerMessage(6102, LogLevel.Warning, "Changed options that take effect at the next start only: {Paths}.")]
    private static partial void LogWaiting(ILogger logger, string paths);

    [LoggerMessage(6103, LogLevel.Error, "The changed configuration is refused, the one before stays in effect. {Problems}")]
    private static partial void LogRefused(ILogger logger, string problems);

    [LoggerMessage(6104, LogLevel.Warning, "The database is away: the changed configuration cannot be recorded, and waits.")]
    private static partial void LogStoreAway(ILogger logger, Exception exception);

    [LoggerMessage(6105, LogLevel.Warning, "The configuration in effect cannot be written beside the data.")]
    private static partial void LogNotWritten(ILogger logger, Exception exception);
}
