using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Commitment;

/// <summary>The presentation context of storage commitment, from either side.</summary>
public static class CommitmentContext
{
    private static readonly ProposedContext Context = new(
        SopClasses.StorageCommitment, TransferSyntax.ImplicitVRLittleEndian.UID, TransferSyntax.ExplicitVRLittleEndian.UID);

    /// <summary>To ask.</summary>
    public static IReadOnlyList<ProposedContext> AsScu { get; } = [Context];

    /// <summary>To report (PS3.4 J.3.3): we are SCP of the class on an association that we open.</summary>
    public static IReadOnlyList<ProposedContext> AsScp { get; } = [Context with { ScpRole = true }];
}
