using System.Globalization;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Retrieval;

/// <summary>From a match to a C-FIND response.</summary>
public static class QueryAnswer
{
    /// <summary>
    /// Every key that was asked for comes back: its value where the index has it at this level, else empty. FF01 says that one of them is
    /// not supported.
    /// </summary>
    /// <param name="retrieveAETitle">From where it can be retrieved: ours.</param>
    public static FindResponse Of(QueryIdentifier identifier, QueryMatch match, string retrieveAETitle)
    {
        var answer = new DataSet();
        bool all = true;
        if (match.Values.Find(Tags.SpecificCharacterSet) is { } characterSet)
        {
            answer.Set(characterSet);
        }

        foreach (Element key in identifier.Keys)
        {
            if (key.Tag == Tags.SpecificCharacterSet || key.Tag.IsGroupLength)
            {
                continue;
            }

            if (key.Tag == Tags.QueryRetrieveLevel)
            {
                answer.Set(key);
            }
            else if (Computed(identifier.Level, match, key.Tag) is { } computed)
            {
                answer.SetText(key.Tag, computed);
            }
            else if (EssentialIdentity.Attributes.Contains(key.Tag) && QueryLevels.Of(key.Tag) <= identifier.Level)
            {
                answer.Set(match.Values.Find(key.Tag) ?? Element.Raw(key.Tag, DataDictionary.VrOf(key.Tag), default(ReadOnlyMemory<byte>)));
            }
            else
            {
                all = false;
                answer.Set(key.Vr == Vr.SQ || key.Items is not null ? Element.Sequence(key.Tag, []) : Element.Raw(key.Tag, key.Vr, default(ReadOnlyMemory<byte>)));
            }
        }

        // Both are in every answer, asked for or not (PS3.4 C.4.1.1.3.2).
        answer.SetText(Tags.RetrieveAETitle, retrieveAETitle);
        if (match.Values.Find(QueryLevels.UniqueKeyOf(identifier.Level)) is { } unique)
        {
            answer.Set(unique);
        }

        return new FindResponse(all ? DimseStatus.Pending : DimseStatus.PendingWithWarning, answer);
    }

    private static string? Computed(QueryLevel level, QueryMatch match, Tag key)
    {
        return level switch
        {
            _ when key == Tags.InstanceAvailability => "ONLINE",
            _ when key == Tags.RetrieveAETitle => "",
            QueryLevel.Patient when key == Tags.NumberOfPatientRelatedStudies => Text(match.Studies),
            QueryLevel.Patient when key == Tags.NumberOfPatientRelatedSeries => Text(match.Series),
            QueryLevel.Patient when key == Tags.NumberOfPatientRelatedInstances => Text(match.Instances),
            QueryLevel.Study when key == Tags.NumberOfStudyRelatedSeries => Text(match.Series),
            QueryLevel.Study when key == Tags.NumberOfStudyRelatedInstances => Text(match.Instances),
            QueryLevel.Study when key == Tags.ModalitiesInStudy => string.Join('\\', match.Modalities),
            QueryLevel.Study when key == Tags.SOPClassesInStudy => string.Join('\\', match.SopClasses),
            QueryLevel.Series when key == Tags.NumberOfSeriesRelatedInstances => Text(match.Instances),
            QueryLevel.Image when key == Tags.AvailableTransferSyntaxUID => match.TransferSyntaxUID,
            _ => null,
        };

        static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
    }
}
