using System.Collections.Concurrent;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Commands;

/// <summary>What became of one object.</summary>
internal sealed record Sent(SendItem Item, DimseStatus? Status, string? Why)
{
    public bool IsStored => Why is null;
}

/// <summary>
/// Sends many objects over one or more associations. An answer settles an object; what fails with its association, or is
/// refused for want of room, is tried again, so that nothing that was acknowledged is sent twice.
/// </summary>
internal sealed class Sending(PeerAddress peer, AssociationLimits limits, int associations, int retries, TimeSpan firstWait)
{
    /// <summary>Kinds of objects that one association has room for, three contexts each.</summary>
    private const int MostKinds = 42;

    private readonly ConcurrentQueue<Sent> _sent = [];

    /// <param name="tick">Called for each object that is settled.</param>
    public async Task<IReadOnlyCollection<Sent>> RunAsync(IReadOnlyList<SendItem> items, Action<Sent> tick, CancellationToken cancellation)
    {
        var byKind = items.GroupBy(static i => (i.SOPClassUID, i.TransferSyntaxUID)).Chunk(MostKinds);
        foreach (IGrouping<(string, string), SendItem>[] kinds in byKind)
        {
            IReadOnlyList<ProposedContext> contexts = SendingForm.ContextsFor(kinds.Select(static k => k.Key));
            var queue = new ConcurrentQueue<SendItem>(kinds.SelectMany(static k => k));
            await Task.WhenAll(Enumerable.Range(0, Math.Min(associations, queue.Count))
                .Select(_ => Task.Run(() => WorkAsync(queue, contexts, tick, cancellation), cancellation))).ConfigureAwait(false);
        }

        return _sent;
    }

    private async Task WorkAsync(ConcurrentQueue<SendItem> queue, IReadOnlyList<ProposedContext> contexts, Action<Sent> tick, CancellationToken cancellation)
    {
        RequestorAssociation? association = null;
        try
        {
            while (queue.TryDequeue(out SendItem? item))
            {
                for (int attempt = 0; ; attempt++)
                {
                    (Sent outcome, bool isTransient) = await SendAsync(item).ConfigureAwait(false);
                    if (isTransient && attempt < retries)
                    {
                        await Task.Delay(firstWait * (1 << Math.Min(attempt, 6)), cancellation).ConfigureAwait(false);
                        continue;
                    }

                    _sent.Enqueue(outcome);
                    tick(outcome);
                    break;
                }
            }

            if (association is not null)
            {
                await association.ReleaseAsync(cancellation).ConfigureAwait(false);
            }
        }
        catch (AssociationException)
        {
            // The release was not answered; every object was.
        }
        finally
        {
            await CloseAsync().ConfigureAwait(false);
        }

        async Task<(Sent Outcome, bool IsTransient)> SendAsync(SendItem item)
        {
            try
            {
                using ByteSource source = item.Open();
                DicomFile file = DicomFile.Read(source);
                association ??= await RequestorAssociation.ConnectAsync(peer, contexts, limits, cancellation).ConfigureAwait(false);
                if (SendingForm.Fit(association, item.SOPClassUID, file.TransferSyntax, DataSetWriter.ToSource(file.DataSet, file.TransferSyntax)) is not { } form)
                {
                    return (new Sent(item, null,
                        $"the peer does not accept {SopClasses.NameOf(item.SOPClassUID) ?? item.SOPClassUID} in {file.TransferSyntax.Name}"), false);
                }

                StoreResponse response = await association.StoreAsync(item.SOPClassUID, file.DataSet.GetText(Tags.SOPInstanceUID) ?? "",
                    form.TransferSyntax.UID, form.DataSet, null, cancellation).ConfigureAwait(false);
                return response.Status.IsFailure
                    ? (new Sent(item, response.Status, $"the peer answered {response.Status}"
                        + (response.ErrorComment is { Length: > 0 } comment ? $": {MatchText.Printable(comment)}" : "")), response.Status.IsTransient)
                    : (new Sent(item, response.Status, null), false);
            }
            catch (AssociationException e)
            {
                await CloseAsync().ConfigureAwait(false);
                return (new Sent(item, null, e.Message), e.IsTransient);
            }
            catch (Exception e) when (e is DicomContentException or IOException or UnauthorizedAccessException)
            {
                // A file that fails while it is sent takes its association along.
                await CloseAsync().ConfigureAwait(false);
                return (new Sent(item, null, e.Message), false);
            }
        }

        async Task CloseAsync()
        {
            if (association is { } open)
            {
                association = null;
                await open.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}
