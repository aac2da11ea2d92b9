using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>Functional groups of enhanced multi-frame objects (PS3.3 C.7.6.16).</summary>
internal static class FunctionalGroups
{
    /// <summary>
    /// The item of a functional group macro that holds for a frame: its own, or the one all frames share, or null.
    /// </summary>
    /// <param name="dataSet">The whole data set.</param>
    /// <param name="frame">From 0.</param>
    /// <param name="macro">The sequence of the macro, for instance Frame VOI LUT Sequence.</param>
    public static DataSet? Find(DataSet dataSet, int frame, Tag macro) =>
        Of(dataSet, Tags.PerFrameFunctionalGroupsSequence, frame, macro) ?? Of(dataSet, Tags.SharedFunctionalGroupsSequence, 0, macro);

    private static DataSet? Of(DataSet dataSet, Tag groups, int index, Tag macro) =>
        dataSet.Find(groups)?.Items is { } items && index < items.Count && items[index].Find(macro)?.Items is [var item, ..] ? item : null;
}
