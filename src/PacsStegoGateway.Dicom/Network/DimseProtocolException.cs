namespace PacsStegoGateway.Dicom.Network;

/// <summary>The peer broke PS3.7 or PS3.8: the association is aborted, nothing half received is kept.</summary>
public sealed class DimseProtocolException : Exception
{
    public DimseProtocolException(string message) : base(message)
    {
    }

    public DimseProtocolException(string message, Exception innerException) : base(message, innerException)
    {
    }

    /// <param name="message">What the peer did, with both numbers where there are two.</param>
    /// <param name="reason">Goes out in the A-ABORT PDU (PS3.8 9.3.8).</param>
    public DimseProtocolException(string message, AbortReason reason) : base(message) => Reason = reason;

    /// <summary>The provider reason of the A-ABORT that answers this.</summary>
    public AbortReason Reason { get; }
}

/// <summary>Reason of an A-ABORT whose source is the service provider (PS3.8 Table 9-26).</summary>
public enum AbortReason : byte
{
    NotSpecified = 0,
    UnrecognizedPdu = 1,
    UnexpectedPdu = 2,
    UnrecognizedPduParameter = 4,
    UnexpectedPduParameter = 5,
    InvalidPduParameterValue = 6,
}
