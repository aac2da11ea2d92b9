using PacsStegoGateway.Audit;

namespace PacsStegoGateway.Retrieval;

/// <summary>Who asks, and what of.</summary>
/// <param name="AETitle">Calling AE title.</param>
/// <param name="RemoteAddress">From where.</param>
/// <param name="View">What it may see.</param>
public sealed record RetrievalCaller(string AETitle, string RemoteAddress, QueryView View)
{
    /// <summary>The user that the association named (PS3.7 D.3.3.7), if it did: said by the caller, not proved.</summary>
    public string? User { get; init; }

    /// <summary>Purpose of use as configured for the caller: a code of HL7 v3 PurposeOfUse.</summary>
    public string? Purpose { get; init; }

    /// <summary>Where its C-MOVE may send to; empty: to all that are configured.</summary>
    public IReadOnlyList<string> MoveDestinations { get; init; } = [];

    public bool MayMoveTo(string destination) => MoveDestinations.Count == 0 || MoveDestinations.Contains(destination);

    /// <summary>The record as one of this caller's.</summary>
    public AuditRecord About(AuditRecord record) => record with { CallingAE = AETitle, RemoteAddress = RemoteAddress, User = User, Purpose = Purpose };
}
