using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Work;

namespace PacsStegoGateway.Commitment;

/// <summary>
/// Asks one destination to commit itself to what it was sent, gathered by count and time. A Transaction UID is written down
/// before it is asked and asked once: when nobody can say whether it was heard, what it was about is asked again under
/// another one, and a late report of the first still counts.
/// </summary>
/// <remarks>A destination that is away changes no row: it is the destination that waits.</remarks>
public sealed partial class CommitmentRequester(
    GatewayStore store, CommitmentService service, LiveConfiguration live, DestinationOptions destination, TimeProvider time, ILogger<CommitmentRequester> logger)
    : BackgroundService
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly string _name = destination.KnownAs;
    private readonly WorkSignal _never = new();
    private RequestorAssociation? _association;
    private DateTimeOffset _lastUse;

    private CommitmentOptions Options => live.Current.Options.Commitment;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        int failures = 0;
        try
        {
            while (true)
            {
                try
                {
                    await StepAsync(stoppingToken);
                    failures = 0;
                    continue;
                }
                catch (StoreUnavailableException e)
                {
                    LogStoreAway(logger, e);
                }
                catch (AssociationException e)
                {
                    LogAway(logger, _name, e.Failure == AssociationFailure.NoPresentationContext
                        ? "it does not offer storage commitment" : e.Failure.ToString());
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // The type alone: a message may quote what it read.
                    LogUnexpected(logger, _name, e.GetType().Name);
                }

                await CloseAsync();
                await Task.Delay(Backoff.After(failures++, live.Current.Options.Work), time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What was asked and not written down as such lapses at the next start.
        }
        finally
        {
            await CloseAsync();
        }
    }

    /// <summary>Gives up what is overdue, asks what is due, or waits a while: for a report, when an association is open.</summary>
    private async Task StepAsync(CancellationToken stopping)
    {
        await LapseAsync(stopping);
        if (await IsDueAsync(stopping))
        {
            await AskAsync(stopping);
        }
        else if (_association is not { } association)
        {
            await _never.WaitAsync(LookAgain, stopping);
        }
        else if (time.GetUtcNow() - _lastUse >= TimeSpan.FromSeconds(destination.ReleaseAfterSeconds))
        {
            _association = null;
            await using (association)
            {
                await association.ReleaseAsync(stopping);
            }
        }
        else if (await WaitForReportAsync(association, stopping))
        {
            _lastUse = time.GetUtcNow();
        }
    }

    private async Task LapseAsync(CancellationToken stopping)
    {
        DateTimeOffset now = time.GetUtcNow();
        foreach (CommitTransactionRow open in await store.OpenCommitsAsync(_name, stopping))
        {
            if (open.State == CommitTransactionState.Asking)
            {
                // Nothing is being asked at this moment: it was left by a process that is gone.
                await store.LapseCommitAsync(open.UID, $"it is not known whether {_name} was asked.");
            }
            else if (DateTimeOffset.FromUnixTimeMilliseconds(open.DeadlineAt) <= now)
            {
                LogOverdue(logger, _name, open.Instances);
                await store.LapseCommitAsync(open.UID, $"{_name} has not reported in time.");
            }
        }
    }

    private async Task<bool> IsDueAsync(CancellationToken stopping)
    {
        (long count, DateTimeOffset oldest) = await store.UnaskedAsync(_name, Options.MaxInstances, stopping);
        return count >= Options.MaxInstances || (count > 0 && time.GetUtcNow() - oldest >= TimeSpan.FromSeconds(Options.GatherSeconds));
    }

    private async Task AskAsync(CancellationToken stopping)
    {
        if (_association is { IsEstablished: false })
        {
            await CloseAsync();
        }

        RequestorAssociation association = _association ??= await ConnectAsync(stopping);
        string uid = Uid.New();
        IReadOnlyList<(string SopClassUID, string SopUID)> instances = await store.BeginCommitAsync(
            uid, _name, Options.MaxInstances, time.GetUtcNow() + TimeSpan.FromMinutes(Options.ReportMinutes));
        if (instances.Count == 0)
        {
            return;
        }

        var message = new CommitmentMessage(uid, [.. instances.Select(static i => new SopReference(i.SopClassUID, i.SopUID))], []);
        NormalizedResponse response;
        try
        {
            response = await association.ActionAsync(SopClasses.StorageCommitment, SopClasses.StorageCommitmentInstance,
                CommitmentMessage.ActionTypeID, message.ToInformation(), stopping);
        }
        catch (AssociationException e)
        {
            await store.LapseCommitAsync(uid, $"the association with {_name} failed while it was asked: {e.Failure}.");
            throw;
        }

        if (response.Status.IsFailure)
        {
            LogRefused(logger, _name, response.Status);
            await store.LapseCommitAsync(uid, $"{_name} answered {response.Status}.");
            throw new AssociationException(response.Status, null);
        }

        await store.SetCommitAskedAsync(uid);
        _lastUse = time.GetUtcNow();
    }

    private async Task<RequestorAssociation> ConnectAsync(CancellationToken stopping)
    {
        PeerAddress address = live.Current.Tls.AddressOf(destination, destination.CallingAETitle, destination.ConnectTimeoutSeconds);
        AssociationLimits limits = AssociationLimits.Default with
        {
            ArtimTimeout = TimeSpan.FromSeconds(destination.ConnectTimeoutSeconds),
            DimseTimeout = TimeSpan.FromSeconds(destination.AnswerTimeoutSeconds),
        };
        RequestorAssociation association = await RequestorAssociation.ConnectAsync(address, CommitmentContext.AsScu, limits, stopping);
        association.OnEventReport = OnReportAsync;
        if (CommitmentContext.AsScu[0].TransferSyntaxes.Any(t => association.Accepts(SopClasses.StorageCommitment, t)))
        {
            return association;
        }

        await association.DisposeAsync();
        throw new AssociationException(AssociationFailure.NoPresentationContext, "Storage commitment was not accepted.");
    }

    /// <returns>True when one came.</returns>
    private async Task<bool> WaitForReportAsync(RequestorAssociation association, CancellationToken stopping)
    {
        try
        {
            return await association.ReceiveEventReportAsync(LookAgain, OnReportAsync, stopping) is not null;
        }
        catch (AssociationException)
        {
            // The destination released or lost it: it will report on an association of its own.
            await CloseAsync();
            return false;
        }
    }

    private async ValueTask<NormalizedResponse> OnReportAsync(EventReportRequest report, CancellationToken cancellationToken) =>
        await service.ReportAsync(report with { Association = report.Association with { CallingAETitle = destination.AETitle } }, [_name], destination.Host);

    private async ValueTask CloseAsync()
    {
        if (_association is { } association)
        {
            _association = null;
            await association.DisposeAsync();
        }
    }

    [LoggerMessage(8020, LogLevel.Error, "The database is away: asking for storage commitment waits.")]
    private static partial void LogStoreAway(ILogger logger, Exception exception);

    [LoggerMessage(8021, LogLevel.Warning, "{Destination} cannot be asked for storage commitment: {Why}. Its objects stay in the spool.")]
    private static partial void LogAway(ILogger logger, string destination, string why);

    [LoggerMessage(8022, LogLevel.Warning, "{Destination} has not reported about {Count} objects in time: it is asked again.")]
    private static partial void LogOverdue(ILogger logger, string destination, int count);

    [LoggerMessage(8023, LogLevel.Warning, "{Destination} answered a request for storage commitment by {Status}.")]
    private static partial void LogRefused(ILogger logger, string destination, DimseStatus status);

    [LoggerMessage(8024, LogLevel.Error, "Storage commitment of {Destination} failed unexpectedly with {Type}.")]
    private static partial void LogUnexpected(ILogger logger, string destination, string type);
}
