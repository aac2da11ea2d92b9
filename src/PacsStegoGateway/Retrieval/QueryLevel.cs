using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Retrieval;

/// <summary>Query/Retrieve Level (0008,0052), from the top (PS3.4 C.6).</summary>
public enum QueryLevel
{
    Patient,
    Study,
    Series,
    Image,
}

/// <summary>Reads the level of an identifier.</summary>
public static class QueryLevels
{
    /// <summary>Null when it is missing, unknown, or not a level of this information model.</summary>
    public static QueryLevel? Of(DataSet identifier, string sopClassUID) => identifier.GetText(Tags.QueryRetrieveLevel) switch
    {
        "PATIENT" when sopClassUID is SopClasses.PatientRootFind or SopClasses.PatientRootMove or SopClasses.PatientRootGet => QueryLevel.Patient,
        "STUDY" => QueryLevel.Study,
        "SERIES" => QueryLevel.Series,
        "IMAGE" => QueryLevel.Image,
        _ => null,
    };

    /// <summary>What tells one entity of the level from another.</summary>
    public static Tag UniqueKeyOf(QueryLevel level) => level switch
    {
        QueryLevel.Patient => Tags.PatientID,
        QueryLevel.Study => Tags.StudyInstanceUID,
        QueryLevel.Series => Tags.SeriesInstanceUID,
        _ => Tags.SOPInstanceUID,
    };
}
