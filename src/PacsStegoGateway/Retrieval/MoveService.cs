using System.Runtime.CompilerServices;
using System.Threading.Channels;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>
/// C-MOVE and C-GET in the view of the caller. Either the whole object of that view arrives at the destination, or the instance is counted as
/// failed; there is nothing in between.
/// </summary>
public sealed partial class MoveService(
    GatewayStore store, InstanceSearch search, Func<IReadOnlyList<PacsFetcher>> createFetchers, OriginalSource objects, LiveConfiguration live, ILogger<MoveService> logger)
{
    /// <summary>Revealing is computing: more at a time than there are cores only takes memory.</summary>
    private readonly SemaphoreSlim _revealing = new(Environment.ProcessorCount);

    public async IAsyncEnumerable<MoveResponse> MoveAsync(
        MoveRequest request, RetrievalCaller caller, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (GatewayOptions options, GatewayTls tls) = (live.Current.Options, live.Current.Tls);
        if (options.MoveDestinations.Find(d => d.AETitle == request.MoveDestination) is not { } destination)
        {
            await RefuseAsync(caller, null, "Unknown move destination.");
            yield return new MoveResponse(DimseStatus.MoveDestinationUnknown) { ErrorComment = "Move destination unknown" };
            yield break;
        }

        if (!caller.MayMoveTo(destination.AETitle))
        {
            await RefuseAsync(caller, nameof(RefusalReason.NotAuthorized), $"The caller may not move to {destination.AETitle}.");
            yield return new MoveResponse(DimseStatus.NotAuthorized) { ErrorComment = "Move destination not allowed for this caller; recorded" };
            yield break;
        }

        int timeout = options.Retrieval.ConnectTimeoutSeconds;
        var target = new DeliveryTarget(
            destination.AETitle, new MoveOriginator(request.Association.CallingAETitle, request.MessageID),
            async (contexts, token) => await RequestorAssociation.ConnectAsync(
                tls.AddressOf(destination, request.Association.CalledAETitle, timeout), contexts,
                AssociationLimits.Default with { ArtimTimeout = TimeSpan.FromSeconds(timeout) }, token));
        await foreach (MoveResponse response in RetrieveAsync(request, caller, target, cancellationToken))
        {
            yield return response;
        }
    }

    /// <summary>The same to the caller itself, on the association of its request.</summary>
    public IAsyncEnumerable<MoveResponse> GetAsync(GetRequest request, RetrievalCaller caller, CancellationToken cancellationToken) => RetrieveAsync(
        request, caller, new DeliveryTarget(request.Association.CallingAETitle, null, (_, _) => Task.FromResult(request.Requestor)), cancellationToken);

    private async IAsyncEnumerable<MoveResponse> RetrieveAsync(
        QueryRequest request, RetrievalCaller caller, DeliveryTarget destination, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (QueryIdentifier? identifier, string refusal) = QueryIdentifier.Read(request, isRetrieval: true);
        if (identifier is null)
        {
            await RefuseAsync(caller, null, $"{refusal}.");
            yield return new MoveResponse(DimseStatus.DataSetDoesNotMatch) { ErrorComment = refusal };
            yield break;
        }

        List<FoundInstance> found = [];
        DimseStatus? noMatches = await FindAsync(caller, identifier, found, cancellationToken);
        var progress = new MoveProgress(found);
        Channel<MoveResponse> pending = Channel.CreateUnbounded<MoveResponse>();
        Task work = noMatches is null
            ? Task.Run(() => WorkAsync(caller, destination, progress, pending.Writer, cancellationToken), CancellationToken.None)
            : Task.CompletedTask;
        MoveResponse? final = null;
        try
        {
            while (noMatches is null && await pending.Reader.WaitToReadAsync(CancellationToken.None))
            {
                // Only the latest counts are news.
                MoveResponse? latest = null;
                while (pending.Reader.TryRead(out MoveResponse? counts))
                {
                    latest = counts;
                }

                if (latest is not null)
                {
                    yield return latest;
                }
            }
        }
        finally
        {
            // Also when nobody listens any more: what was given out is recorded.
            await work;
            final = progress.Final(request.IsCanceled);
            final = noMatches is { } status ? final with { Status = status } : final;
            await store.AppendAuditAsync(caller.About(new AuditRecord(
                AuditEvent.RetrieveCompleted, final.Status.IsSuccess ? AuditOutcome.Success : AuditOutcome.MinorFailure)
            {
                Detail = $"{identifier.Level} level, {(caller.View.IsOriginal ? "originals" : "protected objects")} to {destination.AETitle}: {final.Completed} completed, {final.Failed} failed, {final.Warning} with warning, {final.Remaining} not tried, status {final.Status}.",
            }));
        }

        yield return final;
    }

    /// <returns>Null when all that fit were found; else the final status: canceled, or the database is away.</returns>
    private async Task<DimseStatus?> FindAsync(RetrievalCaller caller, QueryIdentifier identifier, List<FoundInstance> found, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (FoundInstance instance in search.FindAsync(caller.View, identifier, cancellationToken))
            {
                found.Add(instance);
            }

            return null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return DimseStatus.Cancel;
        }
        catch (StoreUnavailableException e)
        {
            LogBroken(logger, e);
            return DimseStatus.UnableToCalculateNumberOfMatches;
        }
    }

    private async Task WorkAsync(
        RetrievalCaller caller, DeliveryTarget destination, MoveProgress progress, ChannelWriter<MoveResponse> pending, CancellationToken cancellationToken)
    {
        try
        {
            if (progress.Total > 0)
            {
                pending.TryWrite(progress.Pending());
                await using var delivery = new MoveDelivery(
                    store, objects, destination, caller, progress, pending, _revealing, logger, cancellationToken);
                // The destination first: when it is off, nothing need be fetched, let alone opened.
                if (await delivery.ConnectAsync())
                {
                    await FetchAsync(delivery, progress, cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // C-CANCEL, or nobody waits any more: what was not tried remains.
        }
        catch (IOException e)
        {
            LogBroken(logger, e);
        }
        finally
        {
            if (!cancellationToken.IsCancellationRequested)
            {
                progress.FailRemaining();
            }

            pending.TryComplete();
        }
    }

    private async Task FetchAsync(MoveDelivery delivery, MoveProgress progress, CancellationToken cancellationToken)
    {
        foreach (FoundInstance local in progress.All.Where(static f => f.Row.ProtectedFile is not null))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await delivery.FromSpoolAsync(local);
        }

        List<FoundInstance> open = [.. progress.All.Where(progress.IsWaiting)];
        if (open.Count == 0)
        {
            return;
        }

        IReadOnlyList<PacsFetcher> fetchers = createFetchers();
        ILookup<long, string> holders = fetchers.Count > 1
            ? await store.HoldersAsync([.. open.Select(static f => f.Row.Id)], cancellationToken)
            : Enumerable.Empty<string>().ToLookup(static _ => 0L);
        AssociationException? away = null;
        for (int i = 0; i < fetchers.Count; i++)
        {
            // A row of an earlier version has no deliveries: what it says is that the PACS has the object.
            List<FoundInstance> here = [.. open.Where(progress.IsWaiting).Where(f => i == 0 && !holders.Contains(f.Row.Id) || holders[f.Row.Id].Contains(fetchers[i].Destination))];
            bool HasOther(FoundInstance found) => fetchers.Skip(i + 1).Any(f => holders[found.Row.Id].Contains(f.Destination));
            try
            {
                await FetchAsync(fetchers[i], here, delivery, progress, HasOther, cancellationToken);
            }
            catch (AssociationException e) when (e.Failure == AssociationFailure.NotConnected && !delivery.IsBroken)
            {
                away = e;
            }

            if (delivery.IsBroken)
            {
                return;
            }
        }

        if (away is not null)
        {
            throw away;
        }

        await delivery.FailAsync(open.Where(progress.IsWaiting), "No destination that holds the object can be asked for it.");
    }

    /// <param name="fetcher">Of a destination that holds them.</param>
    /// <param name="instances">To be asked for.</param>
    /// <param name="delivery">Takes what comes, and counts what does not.</param>
    /// <param name="progress">Tells what still waits.</param>
    /// <param name="hasOther">True when another destination will be asked for what this one does not give.</param>
    /// <param name="cancellationToken">Ends the retrieval.</param>
    private async Task FetchAsync(
        PacsFetcher fetcher, IReadOnlyList<FoundInstance> instances, MoveDelivery delivery, MoveProgress progress, Func<FoundInstance, bool> hasOther, CancellationToken cancellationToken)
    {
        foreach (IGrouping<(string, string), FoundInstance> series in instances.GroupBy(static f => (f.Row.StudyUID, f.Row.SeriesUID)))
        {
            var parts = new Stack<FoundInstance[]>(series.Chunk(PacsFetcher.MostAtOnce).Reverse());
            while (parts.TryPop(out FoundInstance[]? some))
            {
                cancellationToken.ThrowIfCancellationRequested();
                bool answered = true;
                try
                {
                    await fetcher.FetchAsync([.. some.Select(static f => f.Row)], delivery.FromPacsAsync, cancellationToken);
                }
                catch (AssociationException e) when (e.Failure != AssociationFailure.NotConnected && !delivery.IsBroken)
                {
                    // This part failed; the PACS may well give the next.
                    LogBroken(logger, e);
                    answered = e.Status is not null;
                }

                if (delivery.IsBroken)
                {
                    return;
                }

                FoundInstance[] missing = [.. some.Where(progress.IsWaiting)];
                if (answered && some.Length > 1 && missing.Length > 0)
                {
                    // Orthanc gives nothing of a list when it has lost one of it: asked for by halves, the others come.
                    foreach (FoundInstance[] half in missing.Chunk((missing.Length + 1) / 2))
                    {
                        parts.Push(half);
                    }
                }
                else
                {
                    await delivery.FailAsync(missing.Where(f => !hasOther(f)), "The PACS did not give the object.");
                }
            }
        }
    }

    private Task RefuseAsync(RetrievalCaller caller, string? reason, string detail) => store.AppendAuditAsync(caller.About(
        new AuditRecord(AuditEvent.RetrieveRefused, reason is null ? AuditOutcome.MinorFailure : AuditOutcome.SeriousFailure) { Reason = reason, Detail = detail }));

    [LoggerMessage(5001, LogLevel.Warning, "A retrieval could not be completed.")]
    private static partial void LogBroken(ILogger logger, Exception exception);
}
