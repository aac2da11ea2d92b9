using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Forwarding;

/// <summary>The one table from what a destination answers about an object (PS3.4 B.2.3, PS3.18 10.5.3) to what is done.</summary>
public static class StatusVerdict
{
    /// <summary>Duplicate SOP Instance: it has an object under our pseudonym, which is ours.</summary>
    private const ushort Duplicate = 0x0111;

    /// <summary>The Failure Reason with which Azure's dicom-server says the same.</summary>
    private const ushort AlreadyExists = 0xB00E;

    /// <summary>Failure Reason: referenced transfer syntax not supported.</summary>
    private const ushort TransferSyntaxNotSupported = 0xC122;

    /// <summary>The status of a C-STORE, or the Warning Reason of an object that a STOW-RS service stored (0: none).</summary>
    public static SendOutcome Of(string destination, DimseStatus status) => status switch
    {
        // Perhaps the sealed ones: our files are then the only way back to the original, and a person decides.
        _ when status == DimseStatus.ElementsDiscarded => new SendOutcome.Refused($"{destination} stored it but discarded elements ({status})."),
        { IsSuccess: true } or { IsWarning: true } => new SendOutcome.Stored($"{destination} answered {status}."),
        { Code: Duplicate } => new SendOutcome.Stored($"{destination} has it already ({status})."),
        { IsTransient: true } => new SendOutcome.Later($"{destination} answered {status}."),
        _ => new SendOutcome.Refused($"{destination} answered {status}."),
    };

    /// <summary>The Failure Reason (0008,1197) that a STOW-RS service gives.</summary>
    /// <param name="isCompressed">The object might be taken uncompressed.</param>
    public static SendOutcome OfFailure(string destination, DimseStatus reason, bool isCompressed) => reason switch
    {
        { Code: Duplicate or AlreadyExists } => new SendOutcome.Stored($"{destination} has it already (Failure Reason {reason})."),
        { Code: TransferSyntaxNotSupported } when isCompressed => new SendOutcome.OtherForm(
            $"{destination} does not take its transfer syntax (Failure Reason {reason}).", TransferSyntax.ExplicitVRLittleEndian),
        { IsTransient: true } => new SendOutcome.Later($"{destination} gave Failure Reason {reason}."),
        _ => new SendOutcome.Refused($"{destination} gave Failure Reason {reason}."),
    };
}
