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

/// <summary>What belongs to which level of the information models (PS3.4 C.6.1, C.6.2).</summary>
public static class QueryLevels
{
    private static readonly Tag[] UniqueKeys = [Tags.PatientID, Tags.StudyInstanceUID, Tags.SeriesInstanceUID, Tags.SOPInstanceUID];

    private static readonly HashSet<Tag> OfPatient =
        [Tags.PatientName, Tags.PatientID, Tags.IssuerOfPatientID, Tags.PatientBirthDate, Tags.PatientBirthTime, Tags.PatientSex];

    private static readonly HashSet<Tag> OfStudy =
    [
        Tags.StudyInstanceUID, Tags.StudyDate, Tags.StudyTime, Tags.AccessionNumber, Tags.StudyID, Tags.StudyDescription, Tags.ReferringPhysicianName,
        Tags.TimezoneOffsetFromUTC,
    ];

    private static readonly HashSet<Tag> OfSeries =
    [
        Tags.SeriesInstanceUID, Tags.Modality, Tags.SeriesNumber, Tags.SeriesDescription, Tags.SeriesDate, Tags.SeriesTime, Tags.BodyPartExamined,
        Tags.Laterality, Tags.ProtocolName, Tags.StationName, Tags.InstitutionName, Tags.Manufacturer, Tags.ManufacturerModelName,
        Tags.PerformedProcedureStepStartDate, Tags.PerformedProcedureStepStartTime,
    ];

    /// <summary>What tells one entity of the level from another.</summary>
    public static Tag UniqueKeyOf(QueryLevel level) => UniqueKeys[(int)level];

    /// <summary>The level that an attribute of the index belongs to; what is none of the upper ones is the image's.</summary>
    public static QueryLevel Of(Tag attribute) =>
        OfPatient.Contains(attribute) ? QueryLevel.Patient : OfStudy.Contains(attribute) ? QueryLevel.Study : OfSeries.Contains(attribute) ? QueryLevel.Series : QueryLevel.Image;

    /// <summary>True for SOP classes of the Patient Root model.</summary>
    public static bool IsPatientRoot(string sopClassUID) =>
        sopClassUID is SopClasses.PatientRootFind or SopClasses.PatientRootMove or SopClasses.PatientRootGet;

    /// <summary>Null when it is missing, unknown, or not a level of this information model.</summary>
    internal static QueryLevel? Of(DataSet identifier, string sopClassUID) => identifier.GetText(Tags.QueryRetrieveLevel) switch
    {
        "PATIENT" when IsPatientRoot(sopClassUID) => QueryLevel.Patient,
        "STUDY" => QueryLevel.Study,
        "SERIES" => QueryLevel.Series,
        "IMAGE" => QueryLevel.Image,
        _ => null,
    };
}
