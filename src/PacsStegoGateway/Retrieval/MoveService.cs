using System.Runtime.CompilerServices;
using System.Threading.Channels;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>
/// C-MOVE and C-GET of originals for those who may. Either the original, proved, arrives at the destination, or the instance is counted
/// as failed; there is nothing in between.
/// </summary>
public sealed partial class MoveService(
    GatewayStore store, InstanceSearch search, Func<PacsFetcher> createFetcher, OriginalSource originals, LiveConfiguration live, ILogger<MoveService> logger)
{
    public async IAsyncEnumerable<MoveResponse> MoveAsync(
        MoveRequest request, string remoteAddress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (GatewayOptions options, GatewayTls tls) = (live.Current.Options, live.Current.Tls);
        if (options.MoveDestinations.Find(d => d.AETitle == request.MoveDestination) is not { } destination)
        {
            await AuditAsync(request, remoteAddress, new AuditRecord(AuditEvent.RetrieveRefused, AuditOutcome.MinorFailure) { Detail = "Unknown move destination." });
            yield return new MoveResponse(DimseStatus.MoveDestinationUnknown) { ErrorComment = "Move destination unknown" };
            yield break;
        }

        int timeout = options.Retrieval.ConnectTimeoutSeconds;
        var target = new DeliveryTarget(
            destination.AETitle, new MoveOriginator(request.Association.CallingAETitle, request.MessageID),
            async (contexts, token) => await RequestorAssociation.ConnectAsync(
                tls.AddressOf(destination, request.Association.CalledAETitle, timeout), contexts,
                AssociationLimits.Default with { ArtimTimeout = TimeSpan.FromSeconds(timeout) }, token));
        await foreach (MoveResponse response in RetrieveAsync(request, remoteAddress, target, cancellationToken))
        {
            yield return response;
        }
    }

    /// <summary>The same to the caller itself, on the association of its request.</summary>
    public IAsyncEnumerable<MoveResponse> GetAsync(GetRequest request, string remoteAddress, CancellationToken cancellationToken) => RetrieveAsync(
        request, remoteAddress, new DeliveryTarget(request.Association.CallingAETitle, null, (_, _) => Task.FromResult(request.Requestor)), cancellationToken);

    private async IAsyncEnumerable<MoveResponse> RetrieveAsync(
        QueryRequest request, string remoteAddress, DeliveryTarget destination, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (QueryLevels.Of(request.Identifier, request.AffectedSOPClassUID) is not { } level
            || request.Identifier.GetText(QueryLevels.UniqueKeyOf(level)) is not { Length: > 0 } unique
            || unique.AsSpan().ContainsAny('*', '?'))
        {
            // PS3.4 C.4.2.1.4.2: unique keys are single values or UID lists. A wildcard would hand out everybody.
            await AuditAsync(request, remoteAddress, new AuditRecord(AuditEvent.RetrieveRefused, AuditOutcome.MinorFailure) { Detail = "Identifier without level or with no plain unique key." });
            yield return new MoveResponse(DimseStatus.DataSetDoesNotMatch) { ErrorComment = "Level or its unique key is missing or a wildcard" };
            yield break;
        }

        List<FoundInstance> found = [];
        await foreach (InstanceRow row in search.RowsAsync(request.Identifier, cancellationToken))
        {
            // A row that no key opens fits by its pseudonyms; it will be counted as failed, not passed over.
            FoundInstance instance = search.Open(row);
            if (instance.Identity is not { } identity || InstanceSearch.IsMatch(request.Identifier, identity))
            {
                found.Add(instance);
            }
        }

        var progress = new MoveProgress(found);
        Channel<MoveResponse> pending = Channel.CreateUnbounded<MoveResponse>();
        Task work = Task.Run(() => WorkAsync(request, remoteAddress, destination, progress, pending.Writer, cancellationToken), CancellationToken.None);
        MoveResponse? final = null;
        try
        {
            await foreach (MoveResponse response in pending.Reader.ReadAllAsync(CancellationToken.None))
            {
                yield return response;
            }
        }
        finally
        {
            // Also when nobody listens any more: what was given out is recorded.
            await work;
            final = progress.Final(request.IsCanceled);
            await AuditAsync(request, remoteAddress, new AuditRecord(
                AuditEvent.RetrieveCompleted, final.Failed == 0 && final.Remaining == 0 ? AuditOutcome.Success : AuditOutcome.MinorFailure)
            {
                Detail = $"{level} level to {destination.AETitle}: {final.Completed} completed, {final.Failed} failed, {final.Warning} with warning, {final.Remaining} not tried, status {final.Status}.",
            });
        }

        yield return final;
    }

    private async Task WorkAsync(
        QueryRequest request, string remoteAddress, DeliveryTarget destination, MoveProgress progress, ChannelWriter<MoveResponse> pending, CancellationToken cancellationToken)
    {
        try
        {
            if (progress.Total == 0)
            {
                return;
            }

            pending.TryWrite(progress.Pending());
            await using var delivery = new MoveDelivery(
                store, originals, destination, request, remoteAddress, progress, pending, logger);
            // The destination first: when it is off, nothing need be fetched, let alone opened.
            if (!await delivery.ConnectAsync(cancellationToken))
            {
                return;
            }

            await DeliverAsync(delivery, progress, cancellationToken);
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

    private async Task DeliverAsync(MoveDelivery delivery, MoveProgress progress, CancellationToken cancellationToken)
    {
        foreach (FoundInstance local in progress.All.Where(static f => f.Row.State == InstanceState.Protected))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await delivery.FromSpoolAsync(local, cancellationToken);
        }

        PacsFetcher fetcher = createFetcher();
        foreach (IGrouping<(string, string), FoundInstance> series in progress.All.Where(progress.IsOpen).GroupBy(static f => (f.Row.StudyUID, f.Row.SeriesUID)))
        {
            foreach (FoundInstance[] some in series.Chunk(PacsFetcher.MostAtOnce))
            {
                cancellationToken.ThrowIfCancellationRequested();
                try
                {
                    await fetcher.FetchAsync([.. some.Select(static f => f.Row)], delivery.FromPacsAsync, cancellationToken);
                }
                catch (AssociationException e) when (e.Failure != AssociationFailure.NotConnected && !delivery.IsBroken)
                {
                    // This part failed; the PACS may well give the next.
                    LogBroken(logger, e);
                }

                if (delivery.IsBroken)
                {
                    return;
                }

                await delivery.FailAsync(some.Where(progress.IsOpen), "The PACS did not give the object.");
            }
        }
    }

    private Task AuditAsync(QueryRequest request, string remoteAddress, AuditRecord record) =>
        store.AppendAuditAsync(record with { CallingAE = request.Association.CallingAETitle, RemoteAddress = remoteAddress });

    [LoggerMessage(5001, LogLevel.Warning, "A retrieval could not be completed.")]
    private static partial void LogBroken(ILogger logger, Exception exception);
}
