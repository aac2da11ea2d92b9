using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Dimse;

/// <summary>The one table from reasons to DIMSE statuses (PS3.7 Annex C, PS3.4 B.2.3), for what is refused at the door.</summary>
public static class RefusalStatus
{
    /// <summary>The status: A7xx where trying again later helps, else one that says it never will.</summary>
    public static DimseStatus Of(RefusalReason reason) => reason switch
    {
        RefusalReason.None => DimseStatus.Success,
        RefusalReason.OutOfResources or RefusalReason.StoreUnavailable => DimseStatus.OutOfResources,
        RefusalReason.DataSetDoesNotMatchCommand => DimseStatus.DataSetDoesNotMatch,
        RefusalReason.UnsupportedObject => DimseStatus.SOPClassNotSupported,
        RefusalReason.NotAuthorized => DimseStatus.NotAuthorized,
        RefusalReason.MalformedDataSet or RefusalReason.MissingIdentifier or RefusalReason.TooLarge => DimseStatus.CannotUnderstand,
        _ => DimseStatus.ProcessingFailure,
    };

    /// <summary>Error Comment (0000,0902): our own words, at most 64 characters.</summary>
    public static string CommentOf(RefusalReason reason) => reason switch
    {
        RefusalReason.OutOfResources => "No room at present, send again later",
        RefusalReason.StoreUnavailable => "Database away at present, send again later",
        RefusalReason.DataSetDoesNotMatchCommand => "SOP class or instance UID is not that of the command",
        RefusalReason.UnsupportedObject => "This kind of object is not supported",
        RefusalReason.NotAuthorized => "Not authorised; this attempt was recorded",
        RefusalReason.MalformedDataSet => "The data set is cut short or not well-formed",
        RefusalReason.AlreadyProtected => "One of this gateway's own protected objects came back",
        RefusalReason.MissingIdentifier => "A mandatory identifier is missing",
        RefusalReason.TooLarge => "Larger than is accepted here: do not send it again",
        _ => "The object cannot be processed",
    };

    /// <summary>Error Comment of a query or retrieval above the limit of its caller.</summary>
    public const string TooManyRequests = "Too many requests, ask again later";

    public static StoreResponse ResponseOf(RefusalReason reason, Tag? offendingElement = null) =>
        new(Of(reason), CommentOf(reason), offendingElement);
}
