namespace PacsStegoGateway.Dicom.Network;

/// <summary>A DIMSE status (0000,0900) (PS3.7 Annex C, PS3.4 B.2.3, C.4).</summary>
public readonly record struct DimseStatus(ushort Code)
{
    public static DimseStatus Success => new(0x0000);

    public static DimseStatus Cancel => new(0xFE00);

    public static DimseStatus Pending => new(0xFF00);

    /// <summary>Pending, and some optional keys were not matched.</summary>
    public static DimseStatus PendingWithWarning => new(0xFF01);

    public static DimseStatus ProcessingFailure => new(0x0110);

    public static DimseStatus NoSuchSOPInstance => new(0x0112);

    public static DimseStatus NoSuchEventType => new(0x0113);

    public static DimseStatus InvalidArgumentValue => new(0x0115);

    public static DimseStatus ClassInstanceConflict => new(0x0119);

    public static DimseStatus NoSuchAction => new(0x0123);

    /// <summary>Storage commitment: the Transaction UID is in use already.</summary>
    public static DimseStatus DuplicateTransactionUID => new(0x0131);

    public static DimseStatus InvalidSOPInstance => new(0x0117);

    public static DimseStatus SOPClassNotSupported => new(0x0122);

    /// <summary>Refused for want of something that may come back.</summary>
    public static DimseStatus ResourceLimitation => new(0x0213);

    public static DimseStatus NotAuthorized => new(0x0124);

    public static DimseStatus DuplicateInvocation => new(0x0210);

    public static DimseStatus UnrecognizedOperation => new(0x0211);

    public static DimseStatus MistypedArgument => new(0x0212);

    /// <summary>Refused for want of room; the peer may try again.</summary>
    public static DimseStatus OutOfResources => new(0xA700);

    public static DimseStatus UnableToCalculateNumberOfMatches => new(0xA701);

    public static DimseStatus UnableToPerformSuboperations => new(0xA702);

    public static DimseStatus MoveDestinationUnknown => new(0xA801);

    /// <summary>Data set does not match SOP class; for a query, the identifier does not.</summary>
    public static DimseStatus DataSetDoesNotMatch => new(0xA900);

    public static DimseStatus CannotUnderstand => new(0xC000);

    /// <summary>C-STORE: coercion of data elements. C-MOVE and C-GET: one or more sub-operations failed.</summary>
    public static DimseStatus CoercionOfDataElements => new(0xB000);

    /// <summary>C-MOVE, C-GET: complete, one or more sub-operations failed.</summary>
    public static DimseStatus SuboperationsCompleteWithFailures => new(0xB000);

    /// <summary>C-FIND: the number of responses reached a limit.</summary>
    public static DimseStatus MatchingReachedResponseLimit => new(0xB001);

    public static DimseStatus ElementsDiscarded => new(0xB006);

    public static DimseStatus DataSetDoesNotMatchButStored => new(0xB007);

    public bool IsSuccess => Code == 0;

    public bool IsPending => Code is 0xFF00 or 0xFF01;

    /// <summary>0001, 0107, 0116 and Bxxx (PS3.7 Table C.1-1): done, with a remark.</summary>
    public bool IsWarning => Code is 0x0001 or 0x0107 or 0x0116 or (>= 0xB000 and <= 0xBFFF);

    public bool IsCancel => Code == 0xFE00;

    /// <summary>Neither success nor warning nor pending nor cancel.</summary>
    public bool IsFailure => !IsSuccess && !IsWarning && !IsPending && !IsCancel;

    /// <summary>True for refusals that may pass by themselves: A7xx and 0213 Resource limitation.</summary>
    public bool IsTransient => Code is (>= 0xA700 and <= 0xA7FF) or 0x0213;

    /// <summary>The form the standard prints: <c>A700H</c>.</summary>
    public override string ToString() => $"{Code:X4}H";
}
