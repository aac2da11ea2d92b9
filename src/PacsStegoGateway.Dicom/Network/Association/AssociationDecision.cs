namespace PacsStegoGateway.Dicom.Network;

/// <summary>Whether an association is accepted; its contexts are answered one by one after that.</summary>
public abstract record AssociationDecision
{
    private AssociationDecision()
    {
    }

    public static AssociationDecision Accept { get; } = new Accepted();

    public static AssociationDecision CalledAETitleNotRecognized { get; } =
        new Rejected(RejectResult.Permanent, RejectSource.ServiceUser, RejectReason.CalledAETitleNotRecognized);

    public static AssociationDecision CallingAETitleNotRecognized { get; } =
        new Rejected(RejectResult.Permanent, RejectSource.ServiceUser, RejectReason.CallingAETitleNotRecognized);

    /// <summary>Too many associations: transient, so that the peer tries again.</summary>
    public static AssociationDecision LocalLimitExceeded { get; } =
        new Rejected(RejectResult.Transient, RejectSource.ServiceProviderPresentation, RejectReason.LocalLimitExceeded);

    /// <summary>Accepted.</summary>
    public sealed record Accepted : AssociationDecision
    {
        /// <summary>
        /// Sent when the user identity was looked at and a positive response asked for: empty for types 1, 2 and 5, the
        /// server's ticket or assertion for 3 and 4 (PS3.7 D.3.3.7.2). Null: identities are not supported, and nothing is sent.
        /// </summary>
        public ReadOnlyMemory<byte>? UserIdentityResponse { get; init; }

        /// <summary>Answers to <see cref="AssociationRequest.ExtendedNegotiations"/>; those left out are declined.</summary>
        public IReadOnlyList<ExtendedNegotiation> ExtendedNegotiations { get; init; } = [];
    }

    /// <summary>Answered by an A-ASSOCIATE-RJ (PS3.8 Table 9-21).</summary>
    public sealed record Rejected(RejectResult Result, RejectSource Source, RejectReason Reason) : AssociationDecision;
}

/// <summary>Whether asking again can help (PS3.8 Table 9-21).</summary>
public enum RejectResult : byte
{
    Permanent = 1,
    Transient = 2,
}

/// <summary>Who rejects (PS3.8 Table 9-21).</summary>
public enum RejectSource : byte
{
    ServiceUser = 1,
    ServiceProviderAcse = 2,
    ServiceProviderPresentation = 3,
}

/// <summary>
/// Why (PS3.8 Table 9-21): the source in the high byte and the reason on the wire in the low one, because the same number
/// means something else from each source.
/// </summary>
public enum RejectReason : ushort
{
    NoReasonGiven = 0x0101,
    ApplicationContextNameNotSupported = 0x0102,
    CallingAETitleNotRecognized = 0x0103,
    CalledAETitleNotRecognized = 0x0107,
    ProviderNoReasonGiven = 0x0201,
    ProtocolVersionNotSupported = 0x0202,
    TemporaryCongestion = 0x0301,
    LocalLimitExceeded = 0x0302,
}

/// <summary>How an association came to its end.</summary>
public enum AssociationEndKind
{
    /// <summary>A-RELEASE, asked for by either side.</summary>
    Released,

    /// <summary>We answered with A-ASSOCIATE-RJ.</summary>
    Rejected,

    /// <summary>The peer sent A-ABORT.</summary>
    AbortedByPeer,

    /// <summary>We sent A-ABORT because the peer broke the protocol.</summary>
    AbortedHere,

    /// <summary>The connection went away without release or abort.</summary>
    ConnectionLost,

    /// <summary>A TLS record was damaged or forged; nothing half received is kept.</summary>
    IntegrityLost,

    /// <summary>ARTIM, DIMSE or idle time ran out.</summary>
    TimedOut,

    /// <summary>The peer connected and left without a word, as health checks do.</summary>
    NothingSaid,

    /// <summary>The peer does not speak DICOM: its first bytes are HTTP or TLS.</summary>
    NotDicom,

    /// <summary>We are stopping.</summary>
    ShutDown,
}

/// <summary>The end of an association, for log and audit.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Detail">In words, without identity.</param>
/// <param name="Request">What was asked for; null when no A-ASSOCIATE-RQ came.</param>
/// <param name="BytesReceived">Bytes read from the peer, PDU headers included.</param>
public sealed record AssociationEnd(AssociationEndKind Kind, string Detail, AssociationRequest? Request, long BytesReceived);
