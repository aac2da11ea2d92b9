using System.IO.Pipelines;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>(0000,0700) Priority.</summary>
public enum DimsePriority : ushort
{
    Medium = 0,
    High = 1,
    Low = 2,
}

/// <summary>Who asked for the C-MOVE that a C-STORE belongs to: (0000,1030) and (0000,1031).</summary>
public sealed record MoveOriginator(string ApplicationEntityTitle, ushort MessageID);

/// <summary>A C-STORE-RQ whose data set is still arriving.</summary>
public sealed record StoreRequest
{
    public required string AffectedSOPClassUID { get; init; }

    /// <summary>1 to 64 digits and dots; nothing else was checked. Not a file name.</summary>
    public required string AffectedSOPInstanceUID { get; init; }

    public required ushort MessageID { get; init; }

    public DimsePriority Priority { get; init; }

    public MoveOriginator? MoveOriginator { get; init; }

    /// <summary>Of the presentation context: how <see cref="DataSet"/> is encoded.</summary>
    public required string TransferSyntaxUID { get; init; }

    /// <summary>
    /// The data set as it arrives, without preamble and file meta information. Reading it is what lets the peer send on.
    /// A read throws <see cref="IOException"/> when the association ends, or the length limit is passed, before the last byte.
    /// The caller completes it; nobody need read it to the end before answering with a failure.
    /// </summary>
    public required PipeReader DataSet { get; init; }

    public required AssociationRequest Association { get; init; }
}

/// <summary>The answer to a C-STORE.</summary>
/// <param name="ErrorComment">(0000,0902), cut at 64 characters. No identity.</param>
public sealed record StoreResponse(DimseStatus Status, string? ErrorComment = null, Tag? OffendingElement = null)
{
    public static StoreResponse Success { get; } = new(DimseStatus.Success);
}

/// <summary>A C-FIND-RQ.</summary>
public record QueryRequest
{
    private volatile bool _isCanceled;

    public required string AffectedSOPClassUID { get; init; }

    public required ushort MessageID { get; init; }

    public DimsePriority Priority { get; init; }

    public required string TransferSyntaxUID { get; init; }

    public required DataSet Identifier { get; init; }

    public required AssociationRequest Association { get; init; }

    /// <summary>True when a C-CANCEL-RQ is what canceled the token; false when the association is lost.</summary>
    public bool IsCanceled => _isCanceled;

    internal void MarkCanceled() => _isCanceled = true;
}

/// <summary>A C-MOVE-RQ.</summary>
public sealed record MoveRequest : QueryRequest
{
    /// <summary>(0000,0600), spaces removed.</summary>
    public required string MoveDestination { get; init; }
}

/// <summary>One C-FIND-RSP: a match, or the end.</summary>
/// <param name="Identifier">The match; present exactly when the status is pending.</param>
public sealed record FindResponse(DimseStatus Status, DataSet? Identifier = null, string? ErrorComment = null)
{
    public static FindResponse Match(DataSet identifier) => new(DimseStatus.Pending, identifier);
}

/// <summary>One C-MOVE-RSP.</summary>
public sealed record MoveResponse(DimseStatus Status)
{
    public int Remaining { get; init; }

    public int Completed { get; init; }

    public int Failed { get; init; }

    public int Warning { get; init; }

    /// <summary>(0008,0058), sent with the final response unless it is a plain success.</summary>
    public IReadOnlyList<string> FailedSOPInstanceUIDList { get; init; } = [];

    public string? ErrorComment { get; init; }
}

/// <summary>How a C-GET ended.</summary>
public sealed record RetrieveResult(DimseStatus Status)
{
    public int Completed { get; init; }

    public int Failed { get; init; }

    public int Warning { get; init; }

    public IReadOnlyList<string> FailedSOPInstanceUIDList { get; init; } = [];

    public string? ErrorComment { get; init; }
}
