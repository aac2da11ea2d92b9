using System.Runtime.CompilerServices;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>C-FIND, answered from our own index in the view of the caller, never asked of the PACS.</summary>
public sealed class QueryService(GatewayStore store, IndexSearch search, Func<RetrievalOptions> options)
{
    public async IAsyncEnumerable<FindResponse> FindAsync(
        QueryRequest request, RetrievalCaller caller, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int most = options().MaxMatches;
        (QueryIdentifier? identifier, string refusal) = QueryIdentifier.Read(request, isRetrieval: false);
        if (identifier is null)
        {
            yield return new FindResponse(DimseStatus.DataSetDoesNotMatch, null, refusal);
            yield break;
        }

        // Recorded before the first answer leaves: an answer without a record must not be.
        await store.AppendAuditAsync(caller.About(new AuditRecord(AuditEvent.Query)
        {
            Detail = $"{identifier.Level} level, {(caller.View.IsOriginal ? "originals" : "pseudonyms")}, keys {string.Join(", ", request.Identifier.Where(static k => !k.Tag.IsGroupLength).Select(static k => DataDictionary.Find(k.Tag)?.Keyword ?? k.Tag.ToString()))}.",
        }));

        int count = 0;
        var patients = new HashSet<string>();
        await foreach (QueryMatch match in search.FindAsync(caller.View, identifier, cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (count++ == most)
            {
                yield return new FindResponse(DimseStatus.MatchingReachedResponseLimit, null, $"More than {most} matches");
                yield break;
            }

            if (caller.View.IsOriginal && patients.Add(match.Patient))
            {
                // Whose identity was told is a question of its own: one record a patient, before the answer leaves.
                await store.AppendAuditAsync(caller.About(new AuditRecord(AuditEvent.Disclosed)
                {
                    Patient = match.Patient,
                    Detail = $"Told at {identifier.Level} level.",
                }));
            }

            yield return QueryAnswer.Of(identifier, match, request.Association.CalledAETitle);
        }
    }
}
