using System.Runtime.CompilerServices;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>C-FIND by original identifiers for those who may: answered from our own rows, never asked of the PACS.</summary>
public sealed class QueryService(GatewayStore store, InstanceSearch search, Func<RetrievalOptions> options)
{
    public async IAsyncEnumerable<FindResponse> FindAsync(
        QueryRequest request, string remoteAddress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int most = options().MaxMatches;
        string caller = request.Association.CallingAETitle;
        if (QueryLevels.Of(request.Identifier, request.AffectedSOPClassUID) is not { } level)
        {
            yield return new FindResponse(DimseStatus.DataSetDoesNotMatch, null, "Query/Retrieve Level is missing or not of this model");
            yield break;
        }

        // Recorded before the first answer leaves: an answer without a record must not be.
        await store.AppendAuditAsync(new AuditRecord(AuditEvent.Query)
        {
            CallingAE = caller,
            RemoteAddress = remoteAddress,
            Detail = $"{level} level, keys {string.Join(", ", request.Identifier.Where(static k => !k.Tag.IsGroupLength).Select(static k => DataDictionary.Find(k.Tag)?.Keyword ?? k.Tag.ToString()))}.",
        });

        var seen = new HashSet<string>();
        var patients = new HashSet<string>();
        await foreach (InstanceRow row in search.RowsAsync(request.Identifier, cancellationToken))
        {
            string entity = level switch
            {
                QueryLevel.Patient => row.Patient,
                QueryLevel.Study => row.StudyUID,
                QueryLevel.Series => row.SeriesUID,
                _ => row.SopUID,
            };
            if (seen.Contains(entity) || search.Open(row).Identity is not { } identity || !InstanceSearch.IsMatch(request.Identifier, identity))
            {
                continue;
            }

            if (seen.Count == most)
            {
                yield return new FindResponse(DimseStatus.MatchingReachedResponseLimit, null, $"More than {most} matches");
                yield break;
            }

            if (patients.Add(row.Patient))
            {
                // Whose identity was told is a question of its own: one record a patient, before the answer leaves.
                await store.AppendAuditAsync(new AuditRecord(AuditEvent.Disclosed)
                {
                    CallingAE = caller,
                    RemoteAddress = remoteAddress,
                    Patient = row.Patient,
                    Detail = $"Told at {level} level.",
                });
            }

            seen.Add(entity);
            yield return AnswerOf(request, identity);
        }
    }

    /// <summary>Every key that was asked for comes back: its value where the index has it, else empty.</summary>
    private static FindResponse AnswerOf(QueryRequest request, EssentialIdentity identity)
    {
        var answer = new DataSet();
        bool all = true;
        if (identity.Values.Find(Tags.SpecificCharacterSet) is { } characterSet)
        {
            answer.Set(characterSet);
        }

        foreach (Element key in request.Identifier)
        {
            if (key.Tag == Tags.SpecificCharacterSet || key.Tag.IsGroupLength)
            {
                continue;
            }

            if (key.Tag == Tags.QueryRetrieveLevel)
            {
                answer.Set(key);
            }
            else if (key.Tag == Tags.RetrieveAETitle)
            {
                answer.Set(Element.Text(Tags.RetrieveAETitle, Vr.AE, request.Association.CalledAETitle));
            }
            else
            {
                all &= EssentialIdentity.Attributes.Contains(key.Tag);
                answer.Set(identity.Values.Find(key.Tag) ?? (key.Vr == Vr.SQ ? Element.Sequence(key.Tag, []) : Element.Raw(key.Tag, key.Vr, default)));
            }
        }

        return new FindResponse(all ? DimseStatus.Pending : DimseStatus.PendingWithWarning, answer);
    }
}
