using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Intake;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>
/// What a caller may see, one of two and nothing in between: keys, answers and objects are all originals, or all as the PACS holds them.
/// </summary>
/// <remarks>Thread-safe.</remarks>
public abstract class QueryView
{
    /// <summary>True when patients are named and objects are revealed: every answer is a disclosure.</summary>
    public abstract bool IsOriginal { get; }

    /// <summary>What the plain keys at and above the level say about the rows.</summary>
    public abstract IndexFilter Narrow(QueryIdentifier identifier);

    /// <summary>The attributes that this view shows of an entry; null when no key of ours opens it.</summary>
    /// <param name="closed">The originals, sealed.</param>
    /// <param name="attributes">Those of the protected object; null when they were not recorded.</param>
    public abstract DataSet? Open(byte[] closed, byte[]? attributes);
}

/// <summary>Both views, made once.</summary>
public sealed class QueryViews(IdentityVault vault)
{
    public QueryView Original { get; } = new OriginalView(vault);

    public QueryView Pseudonymous { get; } = new PseudonymousView(vault);
}

/// <summary>For callers with the role of re-identification.</summary>
public sealed class OriginalView(IdentityVault vault) : QueryView
{
    public override bool IsOriginal => true;

    public override IndexFilter Narrow(QueryIdentifier identifier) => new()
    {
        PatientIndexes = identifier.Single(Tags.PatientID) is { } patientID ? [vault.PatientIndexOf(patientID)] : null,
        AccessionIndexes = identifier.Level > QueryLevel.Patient && identifier.Single(Tags.AccessionNumber) is { } accession ? [vault.AccessionIndexOf(accession)] : null,
        StudyUIDs = Pseudonyms(identifier, Tags.StudyInstanceUID),
        SeriesUIDs = Pseudonyms(identifier, Tags.SeriesInstanceUID),
        SopUIDs = Pseudonyms(identifier, Tags.SOPInstanceUID),
    };

    public override DataSet? Open(byte[] closed, byte[]? attributes) => vault.Open(closed)?.Values;

    private string[]? Pseudonyms(QueryIdentifier identifier, Tag tag) => identifier.Uids(tag)?.Select(vault.Pseudonyms.MapUID).ToArray();
}

/// <summary>
/// For readers. An original identifier among the keys is compared with pseudonyms like any other text and fits nothing: that there is such
/// a patient cannot be found out.
/// </summary>
public sealed class PseudonymousView(IdentityVault vault) : QueryView
{
    private readonly Deidentifier _deidentifier = new(DeidentificationProfile.Basic, vault.Pseudonyms);

    public override bool IsOriginal => false;

    public override IndexFilter Narrow(QueryIdentifier identifier) => new()
    {
        Patients = identifier.Single(Tags.PatientID) is { } patientID ? [patientID.Trim()] : null,
        StudyUIDs = identifier.Uids(Tags.StudyInstanceUID),
        SeriesUIDs = identifier.Uids(Tags.SeriesInstanceUID),
        SopUIDs = identifier.Uids(Tags.SOPInstanceUID),
    };

    /// <remarks>What an earlier version protected is de-identified here again, as it was then: pseudonyms are the same.</remarks>
    public override DataSet? Open(byte[] closed, byte[]? attributes) =>
        attributes is { Length: > 0 } ? EssentialIdentity.Decode(attributes).Values
        : vault.Open(closed) is { } identity ? EssentialIdentity.Of(_deidentifier.Deidentify(identity.Values).Clean).Values
        : null;
}
