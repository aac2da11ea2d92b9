using System.Runtime.CompilerServices;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Intake;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>An instance found by its original identifiers.</summary>
/// <param name="Identity">The originals; null when no key of ours opens them.</param>
public sealed record FoundInstance(InstanceRow Row, EssentialIdentity? Identity)
{
    /// <summary>The original SOP Instance UID, or the pseudonym when the original cannot be read.</summary>
    public string OriginalSopInstanceUID => Identity?.Values.GetText(Tags.SOPInstanceUID) ?? Row.SopUID;
}

/// <summary>From original identifiers to rows: exact keys become pseudonyms and use the index, the rest is compared inside the seal.</summary>
public sealed class InstanceSearch(GatewayStore store, IdentityVault vault)
{
    private const int PageSize = 500;

    /// <summary>Rows whose pseudonyms fit the exact keys of the identifier, in order of receipt.</summary>
    public async IAsyncEnumerable<InstanceRow> RowsAsync(DataSet identifier, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var filter = new InstanceFilter
        {
            PatientIndex = Exact(identifier, Tags.PatientID) is { } patientID ? vault.PatientIndexOf(patientID) : null,
            AccessionIndex = Exact(identifier, Tags.AccessionNumber) is { } accession ? vault.AccessionIndexOf(accession) : null,
            StudyUIDs = Pseudonyms(identifier, Tags.StudyInstanceUID),
            SeriesUIDs = Pseudonyms(identifier, Tags.SeriesInstanceUID),
            SopUIDs = Pseudonyms(identifier, Tags.SOPInstanceUID),
        };
        for (long after = 0; ;)
        {
            IReadOnlyList<InstanceRow> page = await store.FindAsync(filter, after, PageSize, cancellationToken);
            foreach (InstanceRow row in page)
            {
                yield return row;
            }

            if (page.Count < PageSize)
            {
                yield break;
            }

            after = page[^1].Id;
        }
    }

    /// <summary>The originals of a row.</summary>
    public FoundInstance Open(InstanceRow row) => new(row, vault.Open(row.Essentials));

    /// <summary>True when every key that the index knows is satisfied.</summary>
    public static bool IsMatch(DataSet identifier, EssentialIdentity identity)
    {
        foreach (Element key in identifier)
        {
            if (key.Tag != Tags.SpecificCharacterSet && EssentialIdentity.Attributes.Contains(key.Tag)
                && identifier.GetText(key.Tag) is { Length: > 0 } text
                && !KeyMatch.IsMatch(key.Vr, text, identity.Values.GetText(key.Tag)))
            {
                return false;
            }
        }

        return true;
    }

    private static string? Exact(DataSet identifier, Tag tag) =>
        identifier.GetText(tag) is { Length: > 0 } text && text.AsSpan().IndexOfAny("*?\\") < 0 ? text : null;

    private string[]? Pseudonyms(DataSet identifier, Tag tag) =>
        identifier.GetTexts(tag) is { Count: > 0 } uids && uids.All(static u => u != "*") ? [.. uids.Select(vault.Pseudonyms.MapUID)] : null;
}
