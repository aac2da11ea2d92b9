using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>
/// UID attributes that name a class, a syntax, a coding scheme or an implementation, never an instance: without a row
/// in the table and kept, private values included. Every other UID without a row is treated as U.
/// </summary>
internal static class StructuralUIDs
{
    internal static bool Contains(Tag tag) =>
        tag == Tags.SOPClassUID || tag == Tags.ReferencedSOPClassUID || tag == Tags.RelatedGeneralSOPClassUID
        || tag == Tags.OriginalSpecializedSOPClassUID || tag == Tags.SOPClassesInStudy || tag == Tags.SOPClassesSupported
        || tag == Tags.PertinentSOPClassesInStudy || tag == Tags.PertinentSOPClassesInSeries
        || tag == Tags.StoredInstanceTransferSyntaxUID || tag == Tags.AvailableTransferSyntaxUID
        || tag == Tags.MACCalculationTransferSyntaxUID || tag == Tags.EncryptedContentTransferSyntaxUID
        || tag == Tags.CodingSchemeUID || tag == Tags.ContextGroupExtensionCreatorUID || tag == Tags.ContextUID
        || tag == Tags.MappingResourceUID || tag == Tags.CreatorVersionUID;
}
