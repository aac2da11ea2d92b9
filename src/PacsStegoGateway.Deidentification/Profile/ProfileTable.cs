using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>PS3.15 Table E.1-1, generated: constant data of the assembly, looked up by binary search.</summary>
public static partial class ProfileTable
{
    private const string CurvesId = "(50xx,xxxx)";
    private const string OverlayDataId = "(60xx,3000)";
    private const string OverlayCommentsId = "(60xx,4000)";
    private const string PrivateId = "(gggg,eeee) gggg odd";

    /// <summary>The row for a tag, or null when the table has none. Patterns match after exact tags.</summary>
    public static ProfileRow? Find(Tag tag)
    {
        int index = Keys.BinarySearch(tag.Value);
        if (index >= 0)
        {
            return new ProfileRow(tag, null, (ProfileAction)Actions[index], OptionCells[index]);
        }

        if (tag.IsPrivate)
        {
            return PrivateAttributes(tag, PrivateId);
        }

        return (tag.Group & 0xFF00, tag.Element) switch
        {
            (0x5000, _) => Curves(tag, CurvesId),
            (0x6000, 0x3000) => OverlayData(tag, OverlayDataId),
            (0x6000, 0x4000) => OverlayComments(tag, OverlayCommentsId),
            _ => null,
        };
    }

    /// <summary>The tags that have a row of their own, in order.</summary>
    internal static IEnumerable<Tag> Tags => Keys.ToArray().Select(static k => new Tag(k));
}
