namespace PacsStegoGateway.Dicom.Network;

/// <summary>Why a requested association, or an operation on it, came to nothing.</summary>
public enum AssociationFailure
{
    /// <summary>The name did not resolve, or nobody listens, or nobody answered in time.</summary>
    NotConnected,

    /// <summary>The TLS handshake failed: one of the two does not trust the other, or does not speak TLS.</summary>
    TlsFailed,

    /// <summary>A-ASSOCIATE-RJ.</summary>
    Rejected,

    /// <summary>A-ABORT by the peer.</summary>
    Aborted,

    /// <summary>The connection went away.</summary>
    ConnectionLost,

    /// <summary>The peer said nothing for longer than the limit.</summary>
    TimedOut,

    /// <summary>The peer broke the protocol and was aborted.</summary>
    ProtocolViolation,

    /// <summary>No accepted presentation context fits.</summary>
    NoPresentationContext,

    /// <summary>The final status of the operation is a failure.</summary>
    OperationFailed,
}

/// <summary>An association as requestor failed. What was acknowledged before stays acknowledged.</summary>
public sealed class AssociationException : IOException
{
    public AssociationException(AssociationFailure failure, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Failure = failure;
        IsTransient = failure is AssociationFailure.NotConnected or AssociationFailure.Aborted
            or AssociationFailure.ConnectionLost or AssociationFailure.TimedOut;
    }

    public AssociationException(AssociationDecision.Rejected rejection)
        : base($"The peer rejected the association: {rejection.Result}, {rejection.Source}, {rejection.Reason}.")
    {
        Failure = AssociationFailure.Rejected;
        Rejection = rejection;
        IsTransient = rejection.Result == RejectResult.Transient;
    }

    public AssociationException(DimseStatus status, string? errorComment)
        : base($"The peer answered {status}{(string.IsNullOrEmpty(errorComment) ? "" : " with a comment")}.")
    {
        Failure = AssociationFailure.OperationFailed;
        Status = status;
        ErrorComment = errorComment;
        IsTransient = status.IsTransient;
    }

    public AssociationFailure Failure { get; }

    /// <summary>True when the same attempt may succeed later; false when a person must change something first.</summary>
    public bool IsTransient { get; }

    public AssociationDecision.Rejected? Rejection { get; }

    /// <summary>The final status, when <see cref="Failure"/> is <see cref="AssociationFailure.OperationFailed"/>.</summary>
    public DimseStatus? Status { get; }

    /// <summary>The peer's words (0000,0902): not ours, so they may hold anything and stay out of <see cref="Exception.Message"/>.</summary>
    public string? ErrorComment { get; }
}
