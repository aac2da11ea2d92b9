using PacsStegoGateway.Configuration;
using PacsStegoGateway.Security;

namespace PacsStegoGateway.Tests.Security;

public sealed class AccessTableTests
{
    /// <summary>Written out a second time, on purpose: a change of rights is a change of this test.</summary>
    private static readonly Dictionary<Role, Operation[]> Expected = new()
    {
        [Role.Modality] = [Operation.Echo, Operation.Store, Operation.RequestCommitment, Operation.ProtectFiles],
        [Role.Reader] = [Operation.Echo, Operation.QueryPseudonyms, Operation.RetrievePseudonyms],
        [Role.Reidentifier] =
        [
            Operation.Echo, Operation.QueryOriginals, Operation.RetrieveOriginals, Operation.ExportQuarantined, Operation.InspectFiles,
            Operation.RevealFiles,
        ],
        [Role.Operator] =
        [
            Operation.Echo, Operation.ReadStatus, Operation.ReadQueue, Operation.ChangeQueue, Operation.ReadQuarantine,
            Operation.ChangeQuarantine, Operation.ProtectFiles, Operation.InspectFiles,
        ],
        [Role.Auditor] = [Operation.Echo, Operation.ReadStatus, Operation.ReadAudit, Operation.ExportAudit, Operation.ReadAuditIdentity],
        [Role.Admin] = [Operation.Echo, Operation.ReadStatus, Operation.ReadKeys, Operation.ChangeKeys, Operation.RunService],
    };

    public static TheoryData<Role, Operation> Everything
    {
        get
        {
            var all = new TheoryData<Role, Operation>();
            foreach (Role role in Enum.GetValues<Role>())
            {
                foreach (Operation operation in Enum.GetValues<Operation>())
                {
                    all.Add(role, operation);
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Everything))]
    public void Every_role_may_do_what_is_meant_for_it_and_nothing_else(Role role, Operation operation) =>
        AccessTable.Allows([role], operation).ShouldBe(Expected[role].Contains(operation));

    [Fact]
    public void Who_has_no_role_may_do_nothing_and_what_is_not_in_the_table_nobody_may()
    {
        foreach (Operation operation in Enum.GetValues<Operation>())
        {
            AccessTable.Allows([], operation).ShouldBeFalse();
            AccessTable.RolesFor(operation).ShouldNotBeEmpty($"Nobody may {operation}: then there is no use in it.");
        }

        AccessTable.Allows(Enum.GetValues<Role>(), (Operation)9999).ShouldBeFalse();
    }

    [Fact]
    public void Originals_are_for_one_role_alone()
    {
        foreach (Operation operation in (Operation[])[Operation.QueryOriginals, Operation.RetrieveOriginals, Operation.ExportQuarantined, Operation.RevealFiles])
        {
            AccessTable.RolesFor(operation).ShouldBe([Role.Reidentifier]);
        }
    }

    [Fact]
    public void Several_roles_may_do_what_each_of_them_may()
    {
        var policy = new AccessPolicy(new GatewayOptions { Callers = [new CallerOptions { AETitle = "A", Roles = [Role.Modality, Role.Reidentifier] }] });
        Caller caller = policy.Find("A", null, null)!;
        (caller.May(Operation.Store), caller.May(Operation.RetrieveOriginals), caller.May(Operation.ReadAudit)).ShouldBe((true, true, false));
    }
}
