using System.CommandLine;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Commands;

/// <summary>What a query or retrieval asks for: level, information model and keys.</summary>
internal sealed class QuerySwitches
{
    private readonly Option<QueryRetrieveLevel> _level = new("--level", "-l")
    {
        Description = "patient, study, series or image.",
        DefaultValueFactory = static _ => QueryRetrieveLevel.Study,
    };

    private readonly Option<bool> _patientRoot = new("--patient-root") { Description = "The patient root information model. Default: study root, except at patient level." };

    private readonly Option<string[]> _keys = new("--key", "-k")
    {
        Description = "KEY=VALUE or KEY, as often as needed; a keyword or a tag: PatientID=4711, 0010,0020=4711, StudyDate=20240101-.",
        DefaultValueFactory = static _ => [],
    };

    public QuerySwitches(Command command)
    {
        command.Add(_level);
        command.Add(_patientRoot);
        command.Add(_keys);
    }

    /// <summary>From the top (PS3.4 C.6).</summary>
    internal enum QueryRetrieveLevel
    {
        Patient,
        Study,
        Series,
        Image,
    }

    /// <param name="forFind">Also the attributes that are wanted back when no key says which.</param>
    /// <returns>The keys, and whether the patient root is meant.</returns>
    /// <exception cref="CommandException">A key that is none.</exception>
    public (DataSet Identifier, bool IsPatientRoot) Read(ParseResult result, bool forFind)
    {
        QueryRetrieveLevel level = result.GetValue(_level);
        var identifier = new DataSet();
        string[] keys = result.GetValue(_keys) ?? [];
        if (keys.Any(static k => k.Any(static c => c > '~')))
        {
            identifier.SetText(Tags.SpecificCharacterSet, "ISO_IR 192");
        }

        identifier.SetText(Tags.QueryRetrieveLevel, level.ToString().ToUpperInvariant());
        if (forFind)
        {
            foreach (Tag wanted in WantedAt(level))
            {
                identifier.SetText(wanted, "");
            }
        }

        foreach (string key in keys)
        {
            (Tag tag, string value) = Parse(key);
            identifier.SetText(tag, value);
        }

        return (identifier, level == QueryRetrieveLevel.Patient || result.GetValue(_patientRoot));
    }

    internal static (Tag Tag, string Value) Parse(string key)
    {
        int equals = key.IndexOf('=', StringComparison.Ordinal);
        string name = (equals < 0 ? key : key[..equals]).Trim();
        return Tag.TryParse(name, out Tag tag) || DataDictionary.TryFindKeyword(name, out tag)
            ? (tag, equals < 0 ? "" : key[(equals + 1)..])
            : throw new CommandException($"'{name}' is neither a keyword of the dictionary nor a tag such as 0010,0020.");
    }

    private static Tag[] WantedAt(QueryRetrieveLevel level) => level switch
    {
        QueryRetrieveLevel.Patient => [Tags.PatientID, Tags.PatientName, Tags.PatientBirthDate, Tags.PatientSex],
        QueryRetrieveLevel.Study => [Tags.PatientID, Tags.PatientName, Tags.StudyDate, Tags.AccessionNumber, Tags.ModalitiesInStudy, Tags.StudyDescription, Tags.StudyInstanceUID],
        QueryRetrieveLevel.Series => [Tags.StudyInstanceUID, Tags.Modality, Tags.SeriesNumber, Tags.SeriesDescription, Tags.SeriesInstanceUID],
        _ => [Tags.StudyInstanceUID, Tags.SeriesInstanceUID, Tags.InstanceNumber, Tags.SOPClassUID, Tags.SOPInstanceUID],
    };
}
