using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Retrieval;

/// <summary>What a retrieval gives out for one instance.</summary>
/// <param name="DataSet">Encoded under <paramref name="TransferSyntax"/>; reads from what was fetched.</param>
/// <param name="SOPInstanceUID">The original one, or the pseudonym of an object that is passed on as it is held.</param>
public sealed record OutgoingObject(ByteSource DataSet, TransferSyntax TransferSyntax, string SOPClassUID, string SOPInstanceUID)
{
    /// <summary>True when pixels and identity are the original ones, and the other attributes those that the archive holds.</summary>
    public bool IsFromSymbolAlone { get; init; }

    public static OutgoingObject Of(RevealedInstance original) =>
        new(original.DataSet, original.TransferSyntax, original.SOPClassUID, original.SOPInstanceUID);

    /// <summary>Identity never slips into a log through string formatting.</summary>
    public override string ToString() => "[redacted]";
}
