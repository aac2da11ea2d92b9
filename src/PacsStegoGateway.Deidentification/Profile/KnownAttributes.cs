using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>
/// The attributes that PS3.6 knew in the edition of the table. An attribute added later was never judged by that
/// table, so the absence of a row says nothing about it.
/// </summary>
public static partial class KnownAttributes
{
    /// <summary>True for an attribute of that edition; private ones and repeating groups are none.</summary>
    public static bool Contains(Tag tag) => Keys.BinarySearch(tag.Value) >= 0;
}
