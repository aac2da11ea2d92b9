using System.Collections.Concurrent;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Intake;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Work;

namespace PacsStegoGateway.Commitment;

/// <summary>
/// Tells modalities what became of what they asked to be committed, each on its own: one that is off keeps no other from
/// its answer. The rows are the list of what is to be told; nothing is lost with this.
/// </summary>
public sealed partial class CommitmentReporter(
    GatewayStore store, CommitmentService service, IdentityVault vault, LiveConfiguration live, OpenRequestors requestors, WorkSignal requested, TimeProvider time,
    ILogger<CommitmentReporter> logger) : BackgroundService
{
    private const int PageLength = 1000;

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan BetweenPurges = TimeSpan.FromHours(1);

    /// <summary>Late reports count, and repeated requests are known as such, for so long.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromDays(30);

    private readonly CommitmentJudge _judge = new(store, vault);
    private readonly ConcurrentDictionary<long, (int Place, DateTimeOffset NotBefore)> _progress = new();
    private readonly Dictionary<string, Task> _callers = [];

    private CommitmentOptions Options => live.Current.Options.Commitment;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        DateTimeOffset nextPurge = default;
        bool hasWaived = false;
        try
        {
            while (true)
            {
                try
                {
                    if (!hasWaived)
                    {
                        await service.WaiveAsync();
                        hasWaived = true;
                    }

                    await LookAsync(stoppingToken);
                    if (time.GetUtcNow() >= nextPurge)
                    {
                        nextPurge = time.GetUtcNow() + BetweenPurges;
                        await store.ForgetCommitsAsync(time.GetUtcNow() - Memory);
                    }
                }
                catch (StoreUnavailableException e)
                {
                    LogStoreAway(logger, e);
                }

                await requested.WaitAsync(LookAgain, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What was not told is told after the next start.
        }

        await Task.WhenAll(_callers.Values);
    }

    private async Task LookAsync(CancellationToken stopping)
    {
        foreach (string done in _callers.Where(static c => c.Value.IsCompleted).Select(static c => c.Key).ToList())
        {
            _callers.Remove(done);
        }

        var due = new List<CommitRequestRow>();
        IReadOnlyList<CommitRequestRow> page;
        do
        {
            page = await store.DueCommitRequestsAsync(due.Count == 0 ? 0 : due[^1].Id, PageLength, stopping);
            due.AddRange(page);
        }
        while (page.Count == PageLength);
        DateTimeOffset now = time.GetUtcNow();
        foreach (IGrouping<string, CommitRequestRow> caller in due
            .Where(r => r.State == CommitRequestState.Ready || _progress.GetValueOrDefault(r.Id).NotBefore <= now)
            .GroupBy(static r => r.CallingAE).Where(c => !_callers.ContainsKey(c.Key)))
        {
            IReadOnlyList<CommitRequestRow> rows = [.. caller];
            _callers[caller.Key] = Task.Run(() => ServeAsync(caller.Key, rows, stopping), CancellationToken.None);
        }
    }

    private async Task ServeAsync(string callingAE, IReadOnlyList<CommitRequestRow> rows, CancellationToken stopping)
    {
        try
        {
            foreach (CommitRequestRow row in rows.Where(static r => r.State == CommitRequestState.Waiting))
            {
                if (await DecideAsync(row, stopping))
                {
                    requested.Set();
                }
            }

            CommitRequestRow[] ready = [.. rows.Where(static r => r.State == CommitRequestState.Ready)];
            if (ready.Length > 0)
            {
                await ReportAsync(callingAE, ready, stopping);
            }
        }
        catch (StoreUnavailableException e)
        {
            LogStoreAway(logger, e);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // As above.
        }
        catch (Exception e)
        {
            LogUnexpected(logger, callingAE, e.GetType().Name);
        }
    }

    /// <returns>True when the result stands.</returns>
    private async Task<bool> DecideAsync(CommitRequestRow row, CancellationToken stopping)
    {
        if (await OpenAsync(row, stopping) is not { } opened)
        {
            return false;
        }

        DateTimeOffset now = time.GetUtcNow();
        TimeSpan age = now - DateTimeOffset.FromUnixTimeMilliseconds(row.ReceivedAt);
        int from = _progress.GetValueOrDefault(row.Id).Place;
        (int? undecided, List<(int, DimseStatus)> failures) = await _judge.LookAsync(opened.Request, from, age, Options, stopping);
        if (undecided is null && from > 0)
        {
            // Those before were looked at earlier, and may have changed since.
            (undecided, failures) = await _judge.LookAsync(opened.Request, 0, age, Options, stopping);
        }

        if (undecided is { } place)
        {
            TimeSpan pause = TimeSpan.FromTicks(Math.Clamp(age.Ticks / 20, LookAgain.Ticks, LongestPause.Ticks));
            _progress[row.Id] = (place, now + pause);
            return false;
        }

        _progress.TryRemove(row.Id, out _);
        return await store.SetCommitReadyAsync(row, failures.Count, SealedRequest.Pack(failures));
    }

    private async Task ReportAsync(string callingAE, CommitRequestRow[] rows, CancellationToken stopping)
    {
        ConfigurationSnapshot configuration = live.Current;
        PeerOptions? modality = configuration.Options.Callers.Find(c => c.AETitle == callingAE)?.Commitment;
        int done = 0;
        string trouble;
        try
        {
            if (modality is { Host.Length: > 0 })
            {
                PeerAddress address = configuration.Tls.AddressOf(modality, rows[0].CalledAE, configuration.Options.Retrieval.ConnectTimeoutSeconds)
                    with { CalledAETitle = modality.AETitle.Length > 0 ? modality.AETitle : callingAE };
                await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(address, CommitmentContext.AsScp, AssociationLimits.Default, stopping);
                for (; done < rows.Length; done++)
                {
                    await ReportAsync(association, rows[done], stopping);
                }

                await association.ReleaseAsync(stopping);
                return;
            }

            if (requestors.Find(callingAE) is { } requestor)
            {
                for (; done < rows.Length; done++)
                {
                    await ReportAsync(requestor, rows[done], stopping);
                }

                return;
            }

            trouble = "It has no association open, and the configuration names no address for its reports.";
        }
        catch (AssociationException e)
        {
            trouble = $"It cannot be reached: {e.Failure}.";
        }

        if (done < rows.Length)
        {
            LogAway(logger, callingAE, rows.Length - done);
        }

        foreach (CommitRequestRow row in rows.Skip(done))
        {
            await LaterAsync(row, trouble);
        }
    }

    private async Task ReportAsync(IEventReportTarget target, CommitRequestRow row, CancellationToken stopping)
    {
        if (await OpenAsync(row, stopping) is not { } opened)
        {
            return;
        }

        CommitmentMessage result = SealedRequest.ResultOf(opened.Request, opened.Failures);
        NormalizedResponse response = await target.EventReportAsync(SopClasses.StorageCommitment, SopClasses.StorageCommitmentInstance,
            result.EventTypeID, result.ToInformation(), stopping);
        if (response.Status.IsSuccess || response.Status.IsWarning)
        {
            await store.EndCommitRequestAsync(row, CommitRequestState.Reported, $"{result.References.Count} committed, {result.Failures.Count} not.");
        }
        else if (response.Status == DimseStatus.ProcessingFailure || response.Status == DimseStatus.ResourceLimitation)
        {
            await LaterAsync(row, $"It answered {response.Status}.");
        }
        else
        {
            LogRefused(logger, row.CallingAE, response.Status);
            await store.EndCommitRequestAsync(row, CommitRequestState.Refused, $"It answered {response.Status}.");
        }
    }

    private async Task LaterAsync(CommitRequestRow row, string trouble)
    {
        DateTimeOffset ready = DateTimeOffset.FromUnixTimeMilliseconds(row.ReadyAt ?? row.ReceivedAt);
        if (time.GetUtcNow() - ready < TimeSpan.FromDays(Options.GiveUpDays))
        {
            await store.ReportLaterAsync(row, time.GetUtcNow() + Backoff.After(row.Attempts, live.Current.Options.Work), trouble);
            return;
        }

        LogAbandoned(logger, row.CallingAE, row.Id);
        await store.EndCommitRequestAsync(row, CommitRequestState.Abandoned, $"Not told within {Options.GiveUpDays} days. {trouble}");
    }

    /// <returns>Null when it is over, or cannot be opened and was ended for that.</returns>
    private async Task<(CommitmentMessage Request, byte[] Failures)?> OpenAsync(CommitRequestRow row, CancellationToken stopping)
    {
        if (await store.OpenCommitRequestAsync(row.Id, stopping) is not { } held)
        {
            return null;
        }

        if (SealedRequest.Open(vault, held.Sealed) is { } request)
        {
            return (request, held.Failures);
        }

        LogAbandoned(logger, row.CallingAE, row.Id);
        await store.EndCommitRequestAsync(row, CommitRequestState.Abandoned, "Its key is not in the ring any more.");
        return null;
    }

    [LoggerMessage(8010, LogLevel.Error, "The database is away: reports of storage commitment wait.")]
    private static partial void LogStoreAway(ILogger logger, Exception exception);

    [LoggerMessage(8011, LogLevel.Warning, "{CallingAE} cannot be told about {Count} requests for storage commitment; tried again later.")]
    private static partial void LogAway(ILogger logger, string callingAE, int count);

    [LoggerMessage(8012, LogLevel.Warning, "{CallingAE} answered a storage commitment report by {Status}.")]
    private static partial void LogRefused(ILogger logger, string callingAE, DimseStatus status);

    [LoggerMessage(8013, LogLevel.Error, "Storage commitment request {Id} of {CallingAE} is given up: it never learned the result.")]
    private static partial void LogAbandoned(ILogger logger, string callingAE, long id);

    [LoggerMessage(8014, LogLevel.Error, "Storage commitment for {CallingAE} failed unexpectedly with {Type}.")]
    private static partial void LogUnexpected(ILogger logger, string callingAE, string type);
}
