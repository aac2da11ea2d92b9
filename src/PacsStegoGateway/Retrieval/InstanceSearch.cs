using System.Runtime.CompilerServices;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>An instance that is to be retrieved.</summary>
/// <param name="Name">Its SOP Instance UID as the caller knows it.</param>
public sealed record FoundInstance(InstanceRow Row, string Name);

/// <summary>The instances that a retrieval asks for: plain keys become pseudonyms and narrow the rows, the rest is compared with what the view shows.</summary>
public sealed class InstanceSearch(GatewayStore store)
{
    private const int PageSize = 500;

    /// <summary>In order of receipt.</summary>
    /// <remarks>
    /// A row that no key opens fits by its pseudonyms, and bears its pseudonym: it will be counted as failed, not passed over.
    /// </remarks>
    public async IAsyncEnumerable<FoundInstance> FindAsync(QueryView view, QueryIdentifier identifier, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IndexFilter wanted = view.Narrow(identifier);
        var filter = new InstanceFilter
        {
            Patient = wanted.Patients?[0],
            PatientIndex = wanted.PatientIndexes?[0],
            AccessionIndex = wanted.AccessionIndexes?[0],
            StudyUIDs = wanted.StudyUIDs,
            SeriesUIDs = wanted.SeriesUIDs,
            SopUIDs = wanted.SopUIDs,
        };
        for (long after = 0; ;)
        {
            IReadOnlyList<InstanceRow> page = await store.FindAsync(filter, after, PageSize, cancellationToken);
            foreach (InstanceRow row in page)
            {
                DataSet? values = view.IsOriginal ? view.Open(row.Essentials, null) : null;
                if (values is null || identifier.IsMatch(values, QueryLevel.Patient, QueryLevel.Image))
                {
                    yield return new FoundInstance(row, values?.GetText(Tags.SOPInstanceUID) ?? row.SopUID);
                }
            }

            if (page.Count < PageSize)
            {
                yield break;
            }

            after = page[^1].Id;
        }
    }
}
