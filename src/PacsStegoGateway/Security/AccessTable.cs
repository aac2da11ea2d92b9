using System.Collections.Frozen;

namespace PacsStegoGateway.Security;

/// <summary>
/// Which roles may do what: the only place that says it, for DIMSE, command line and web alike. What is not here is refused.
/// </summary>
/// <remarks>
/// No role includes another. Who runs the gateway does not thereby see patients, and who reads the trail cannot do what
/// stands in it.
/// </remarks>
public static class AccessTable
{
    private static readonly FrozenDictionary<Operation, FrozenSet<Role>> Table = new Dictionary<Operation, Role[]>
    {
        [Operation.Echo] = Enum.GetValues<Role>(),
        [Operation.Store] = [Role.Modality],
        [Operation.QueryPseudonyms] = [Role.Reader],
        [Operation.QueryOriginals] = [Role.Reidentifier],
        [Operation.RetrievePseudonyms] = [Role.Reader],
        [Operation.RetrieveOriginals] = [Role.Reidentifier],
        [Operation.RequestCommitment] = [Role.Modality],
        [Operation.ReadStatus] = [Role.Operator, Role.Auditor, Role.Admin],
        [Operation.ReadQueue] = [Role.Operator],
        [Operation.ChangeQueue] = [Role.Operator],
        [Operation.ReadQuarantine] = [Role.Operator],
        [Operation.ChangeQuarantine] = [Role.Operator],
        [Operation.ExportQuarantined] = [Role.Reidentifier],
        [Operation.ReadAudit] = [Role.Auditor],
        [Operation.ExportAudit] = [Role.Auditor],
        [Operation.ReadAuditIdentity] = [Role.Auditor],
        [Operation.ReadKeys] = [Role.Admin],
        [Operation.ChangeKeys] = [Role.Admin],
        [Operation.ProtectFiles] = [Role.Modality, Role.Operator],
        [Operation.InspectFiles] = [Role.Operator, Role.Reidentifier],
        [Operation.RevealFiles] = [Role.Reidentifier],
        [Operation.RunService] = [Role.Admin],
    }.ToFrozenDictionary(static e => e.Key, static e => e.Value.ToFrozenSet());

    /// <summary>True when one of the roles may do it.</summary>
    public static bool Allows(IEnumerable<Role> roles, Operation operation) =>
        Table.TryGetValue(operation, out FrozenSet<Role>? allowed) && roles.Any(allowed.Contains);

    /// <summary>The roles that may do it; none for an operation that is not in the table.</summary>
    public static IReadOnlySet<Role> RolesFor(Operation operation) =>
        Table.TryGetValue(operation, out FrozenSet<Role>? allowed) ? allowed : FrozenSet<Role>.Empty;
}
