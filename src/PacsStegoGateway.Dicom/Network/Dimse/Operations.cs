using System.Diagnostics.CodeAnalysis;
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
    /// <param name="request">What C-FIND, C-MOVE and C-GET have in common.</param>
    /// <param name="moveDestination">(0000,0600), spaces removed.</param>
    [SetsRequiredMembers]
    public MoveRequest(QueryRequest request, string moveDestination)
        : base(request) => MoveDestination = moveDestination;

    public string MoveDestination { get; }
}

/// <summary>A C-GET-RQ: instances go back on the association that it came on.</summary>
public sealed record GetRequest : QueryRequest
{
    /// <param name="request">What C-FIND, C-MOVE and C-GET have in common.</param>
    /// <param name="requestor">
    /// Takes the instances, one at a time, until the operation is over. It accepts what was negotiated with the requestor as
    /// SCP (<see cref="IDimseServiceProvider.AcceptRole"/>).
    /// </param>
    [SetsRequiredMembers]
    public GetRequest(QueryRequest request, IStoreTarget requestor)
        : base(request) => Requestor = requestor;

    public IStoreTarget Requestor { get; }
}

/// <summary>Where instances can be stored: an association that we opened, or the one on which a C-GET came.</summary>
public interface IStoreTarget
{
    /// <summary>True when instances of this class can be sent in this transfer syntax.</summary>
    bool Accepts(string abstractSyntax, string transferSyntax);

    /// <summary>C-STORE of data set bytes in their own transfer syntax. A refusal is a response, not an exception.</summary>
    /// <param name="dataSet">Read in parts while it is sent.</param>
    /// <param name="origin">The C-MOVE that it belongs to; null otherwise.</param>
    /// <exception cref="AssociationException">The pair was not accepted, or the association failed: whether the peer has the
    /// object is not known then.</exception>
    Task<StoreResponse> StoreAsync(string sopClassUID, string sopInstanceUID, string transferSyntaxUID,
        ByteSource dataSet, MoveOriginator? origin, CancellationToken cancellationToken);
}

/// <summary>Who can be told of an event: over an association that we opened, or over the one on which an N-ACTION came.</summary>
public interface IEventReportTarget
{
    /// <summary>False once the association is released, aborted or lost.</summary>
    bool IsEstablished { get; }

    /// <summary>N-EVENT-REPORT. A refusal is a response, not an exception.</summary>
    /// <exception cref="AssociationException">The SOP class was not accepted, or the association failed: whether the peer
    /// knows is not known then.</exception>
    Task<NormalizedResponse> EventReportAsync(string sopClassUID, string sopInstanceUID, ushort eventTypeID, DataSet? information,
        CancellationToken cancellationToken);
}

/// <summary>An N-ACTION-RQ (PS3.7 10.1.4).</summary>
public sealed record ActionRequest
{
    public required string RequestedSOPClassUID { get; init; }

    public required string RequestedSOPInstanceUID { get; init; }

    public required ushort MessageID { get; init; }

    public required ushort ActionTypeID { get; init; }

    /// <summary>Action Information; null when there was none.</summary>
    public DataSet? Information { get; init; }

    public required AssociationRequest Association { get; init; }

    /// <summary>Takes reports about what was asked, for as long as the association lasts, also after the answer.</summary>
    public required IEventReportTarget Requestor { get; init; }
}

/// <summary>An N-EVENT-REPORT-RQ (PS3.7 10.1.1).</summary>
public sealed record EventReportRequest
{
    public required string AffectedSOPClassUID { get; init; }

    public required string AffectedSOPInstanceUID { get; init; }

    public required ushort MessageID { get; init; }

    public required ushort EventTypeID { get; init; }

    /// <summary>Event Information; null when there was none.</summary>
    public DataSet? Information { get; init; }

    public required AssociationRequest Association { get; init; }
}

/// <summary>The answer to an N-ACTION or N-EVENT-REPORT.</summary>
/// <param name="Reply">Action or Event Reply; sent with a success only.</param>
public sealed record NormalizedResponse(DimseStatus Status, DataSet? Reply = null, string? ErrorComment = null)
{
    public static NormalizedResponse Success { get; } = new(DimseStatus.Success);
}

/// <summary>One C-FIND-RSP: a match, or the end.</summary>
/// <param name="Identifier">The match; present exactly when the status is pending.</param>
public sealed record FindResponse(DimseStatus Status, DataSet? Identifier = null, string? ErrorComment = null)
{
    public static FindResponse Match(DataSet identifier) => new(DimseStatus.Pending, identifier);
}

/// <summary>One C-MOVE-RSP or C-GET-RSP.</summary>
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
