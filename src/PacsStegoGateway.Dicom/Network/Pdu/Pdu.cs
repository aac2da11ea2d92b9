using System.Buffers;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>A protocol data unit of PS3.8 9.3: one of the seven records below.</summary>
public abstract record Pdu
{
    private protected Pdu()
    {
    }
}

/// <summary>A-ASSOCIATE-RQ (PS3.8 9.3.2).</summary>
public sealed record AssociateRq : Pdu
{
    /// <summary>Bit 0 is version 1, the only one there is.</summary>
    public ushort ProtocolVersion { get; init; } = 1;

    /// <summary>Spaces removed; 0 to 16 characters as they came.</summary>
    public required string CalledAETitle { get; init; }

    /// <inheritdoc cref="CalledAETitle"/>
    public required string CallingAETitle { get; init; }

    public string ApplicationContextName { get; init; } = PduWriter.DicomApplicationContextName;

    public required IReadOnlyList<ProposedContext> PresentationContexts { get; init; }

    public required UserInformation UserInformation { get; init; }
}

/// <summary>A-ASSOCIATE-AC (PS3.8 9.3.3).</summary>
public sealed record AssociateAc : Pdu
{
    public ushort ProtocolVersion { get; init; } = 1;

    /// <summary>Sent back as received; not tested when received (PS3.8 Table 9-17).</summary>
    public required string CalledAETitle { get; init; }

    /// <inheritdoc cref="CalledAETitle"/>
    public required string CallingAETitle { get; init; }

    public string ApplicationContextName { get; init; } = PduWriter.DicomApplicationContextName;

    public required IReadOnlyList<AnsweredContext> PresentationContexts { get; init; }

    public required UserInformation UserInformation { get; init; }
}

/// <summary>One answered presentation context (PS3.8 9.3.3.2).</summary>
/// <param name="TransferSyntax">Not significant unless the result is acceptance.</param>
public sealed record AnsweredContext(byte ID, PresentationContextResult Result, string TransferSyntax);

/// <summary>The sub-items of the User Information Item that are understood (PS3.8 Annex D, PS3.7 Annex D.3.3).</summary>
public sealed record UserInformation
{
    /// <summary>Longest P-DATA-TF PDU the sender of this item receives, in bytes of its variable field; 0 = no limit.</summary>
    public uint MaxPduLength { get; init; }

    public string ImplementationClassUID { get; init; } = "";

    public string? ImplementationVersionName { get; init; }

    public IReadOnlyList<RoleSelection> RoleSelections { get; init; } = [];

    /// <summary>Null when the sub-item is missing, which means 1/1.</summary>
    public AsynchronousOperationsWindow? AsynchronousOperationsWindow { get; init; }

    public IReadOnlyList<ExtendedNegotiation> ExtendedNegotiations { get; init; } = [];

    /// <summary>In an A-ASSOCIATE-RQ only (PS3.7 D.3.3.6).</summary>
    public IReadOnlyList<CommonExtendedNegotiation> CommonExtendedNegotiations { get; init; } = [];

    /// <summary>In an A-ASSOCIATE-RQ only.</summary>
    public UserIdentity? UserIdentity { get; init; }

    /// <summary>In an A-ASSOCIATE-AC only: the server's answer, empty for types 1, 2 and 5; null when there is none.</summary>
    public ReadOnlyMemory<byte>? UserIdentityResponse { get; init; }
}

/// <summary>A-ASSOCIATE-RJ (PS3.8 9.3.4); the three bytes as they stand on the wire.</summary>
public sealed record AssociateRj(byte Result, byte Source, byte Reason) : Pdu
{
    public AssociateRj(AssociationDecision.Rejected rejection)
        : this((byte)rejection.Result, (byte)rejection.Source, (byte)rejection.Reason)
    {
    }

    /// <summary>The same with names; numbers that the standard does not know stay numbers.</summary>
    public AssociationDecision.Rejected ToRejected() =>
        new((RejectResult)Result, (RejectSource)Source, (RejectReason)((Source << 8) | Reason));
}

/// <summary>P-DATA-TF (PS3.8 9.3.5).</summary>
/// <param name="Items">One or more presentation data values, their lengths checked. A view on the receive buffer: it
/// holds only until the next PDU is read.</param>
public sealed record PDataTf(ReadOnlySequence<byte> Items) : Pdu;

/// <summary>A-RELEASE-RQ (PS3.8 9.3.6).</summary>
public sealed record ReleaseRq : Pdu;

/// <summary>A-RELEASE-RP (PS3.8 9.3.7).</summary>
public sealed record ReleaseRp : Pdu;

/// <summary>A-ABORT (PS3.8 9.3.8).</summary>
/// <param name="Source">0 service user, 2 service provider.</param>
/// <param name="Reason">An <see cref="AbortReason"/> when the source is the provider, else not significant.</param>
public sealed record Abort(byte Source, byte Reason) : Pdu
{
    public const byte ServiceUser = 0;
    public const byte ServiceProvider = 2;
}
