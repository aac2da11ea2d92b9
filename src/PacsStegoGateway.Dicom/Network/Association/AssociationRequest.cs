using System.Net;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>What a peer asked for in its A-ASSOCIATE-RQ (PS3.8 9.3.2), and from where.</summary>
public sealed record AssociationRequest
{
    /// <summary>Leading and trailing spaces removed; at most 16 characters, none of them a control or a backslash.</summary>
    public required string CalledAETitle { get; init; }

    /// <inheritdoc cref="CalledAETitle"/>
    public required string CallingAETitle { get; init; }

    /// <summary>The other end of the connection; null when the transport is no network.</summary>
    public IPEndPoint? RemoteEndPoint { get; init; }

    public required IReadOnlyList<ProposedContext> PresentationContexts { get; init; }

    /// <summary>Longest P-DATA-TF PDU the peer receives, in bytes; 0 = no limit (PS3.8 D.1).</summary>
    public uint MaxPduLength { get; init; }

    public string ImplementationClassUID { get; init; } = "";

    public string? ImplementationVersionName { get; init; }

    public UserIdentity? UserIdentity { get; init; }

    public IReadOnlyList<RoleSelection> RoleSelections { get; init; } = [];

    public IReadOnlyList<ExtendedNegotiation> ExtendedNegotiations { get; init; } = [];

    public IReadOnlyList<CommonExtendedNegotiation> CommonExtendedNegotiations { get; init; } = [];

    /// <summary>What the peer would like; it is always answered by 1/1. Null when it did not ask.</summary>
    public AsynchronousOperationsWindow? AsynchronousOperationsWindow { get; init; }
}

/// <summary>One presentation context as proposed: an abstract syntax and the transfer syntaxes the proposer can do.</summary>
/// <param name="AbstractSyntax">The SOP class UID.</param>
/// <param name="TransferSyntaxes">In the proposer's order.</param>
public sealed record ProposedContext(string AbstractSyntax, IReadOnlyList<string> TransferSyntaxes)
{
    public ProposedContext(string abstractSyntax, params string[] transferSyntaxes)
        : this(abstractSyntax, (IReadOnlyList<string>)transferSyntaxes)
    {
    }

    /// <summary>Odd, 1 to 255 (PS3.8 9.3.2.2); given by the requestor when it sends, 0 before.</summary>
    public byte ID { get; init; }

    /// <summary>
    /// True when the requestor offers to receive instances of this class, which C-GET needs (PS3.7 D.3.3.4). Says what we
    /// propose; what a peer proposes stands in <see cref="AssociationRequest.RoleSelections"/>.
    /// </summary>
    public bool ScpRole { get; init; }
}

/// <summary>Who plays which part for a SOP class, seen from the requestor (PS3.7 D.3.3.4).</summary>
public sealed record RoleSelection(string SOPClassUID, bool ScuRole, bool ScpRole);

/// <summary>Operations outstanding at a time that the sender would invoke and perform; 0 = any number (PS3.7 D.3.3.3).</summary>
public sealed record AsynchronousOperationsWindow(ushort MaxInvoked, ushort MaxPerformed);

/// <summary>SOP Class Extended Negotiation (PS3.7 D.3.3.5); what the bytes mean is said by the service class.</summary>
public sealed record ExtendedNegotiation(string SOPClassUID, ReadOnlyMemory<byte> ApplicationInformation);

/// <summary>SOP Class Common Extended Negotiation (PS3.7 D.3.3.6): what an unknown SOP class is a kind of.</summary>
public sealed record CommonExtendedNegotiation(string SOPClassUID, string ServiceClassUID, IReadOnlyList<string> RelatedGeneralSOPClassUIDs);

/// <summary>User Identity Negotiation (PS3.7 D.3.3.7). The fields may be a passcode: they are never printed.</summary>
/// <param name="Type">1 username, 2 username and passcode, 3 Kerberos, 4 SAML, 5 JSON Web Token.</param>
public sealed record UserIdentity(byte Type, bool PositiveResponseRequested, ReadOnlyMemory<byte> PrimaryField, ReadOnlyMemory<byte> SecondaryField)
{
    /// <summary>Longest name that is taken for one.</summary>
    private const int LongestName = 256;

    /// <summary>
    /// The name, UTF-8, of types 1 and 2; null for others, whose fields are tickets and assertions, and for what is no name. Said by the peer,
    /// proved by nothing here.
    /// </summary>
    public string? UserName => Type is 1 or 2 && PrimaryField.Length is > 0 and <= LongestName
        && System.Text.Encoding.UTF8.GetString(PrimaryField.Span).Trim(' ', '\0') is { Length: > 0 } name && !name.Any(char.IsControl)
            ? name
            : null;

    public override string ToString() => "[redacted]";
}

/// <summary>Result of a presentation context in the A-ASSOCIATE-AC (PS3.8 Table 9-18).</summary>
public enum PresentationContextResult : byte
{
    Acceptance = 0,
    UserRejection = 1,
    NoReason = 2,
    AbstractSyntaxNotSupported = 3,
    TransferSyntaxesNotSupported = 4,
}

/// <summary>The acceptor's answer to one proposed context.</summary>
/// <param name="TransferSyntax">The one chosen; not significant, and empty, unless accepted.</param>
public readonly record struct ContextAnswer(PresentationContextResult Result, string TransferSyntax)
{
    public static ContextAnswer AbstractSyntaxNotSupported => new(PresentationContextResult.AbstractSyntaxNotSupported, "");

    public static ContextAnswer TransferSyntaxesNotSupported => new(PresentationContextResult.TransferSyntaxesNotSupported, "");

    public static ContextAnswer Accept(string transferSyntax) => new(PresentationContextResult.Acceptance, transferSyntax);

    /// <summary>Accepts the first of <paramref name="preferred"/> that was proposed, else reason 4.</summary>
    public static ContextAnswer FirstOf(IEnumerable<string> preferred, IReadOnlyList<string> proposed)
    {
        foreach (string transferSyntax in preferred)
        {
            if (proposed.Contains(transferSyntax))
            {
                return Accept(transferSyntax);
            }
        }

        return TransferSyntaxesNotSupported;
    }
}
