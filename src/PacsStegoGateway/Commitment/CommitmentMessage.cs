using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Commitment;

/// <summary>One object of a storage commitment, as either side names it.</summary>
public readonly record struct SopReference(string SopClassUID, string SopInstanceUID)
{
    /// <summary>A UID of an object may lead to a patient.</summary>
    public override string ToString() => SopClassUID;
}

/// <summary>An object that is not committed.</summary>
/// <param name="Reason">Failure Reason (0008,1197), PS3.3 C.14.1.1.</param>
public readonly record struct FailedReference(SopReference Reference, DimseStatus Reason);

/// <summary>The information of a request (PS3.4 Table J.3-1) and of its result (Table J.3-2).</summary>
/// <param name="TransactionUID">A UID.</param>
/// <param name="References">Of a request: what is asked about. Of a result: what is committed. Each once.</param>
/// <param name="Failures">Of a result only; each once, and not among the references.</param>
public sealed record CommitmentMessage(
    string TransactionUID, IReadOnlyList<SopReference> References, IReadOnlyList<FailedReference> Failures)
{
    /// <summary>N-ACTION: request storage commitment.</summary>
    public const ushort ActionTypeID = 1;

    /// <summary>N-EVENT-REPORT: all are committed.</summary>
    public const ushort AllCommitted = 1;

    /// <summary>N-EVENT-REPORT: complete, failures exist.</summary>
    public const ushort FailuresExist = 2;

    public ushort EventTypeID => Failures.Count == 0 ? AllCommitted : FailuresExist;

    /// <summary>Reads what a peer sent; names that stand twice are taken once.</summary>
    /// <returns>Null, and why: a status of PS3.7 10.1.</returns>
    public static CommitmentMessage? Read(DataSet? information, bool isResult, int most, out DimseStatus wrong)
    {
        wrong = DimseStatus.InvalidArgumentValue;
        if (information?.GetText(Tags.TransactionUID) is not { } transaction || !Uid.IsValid(transaction))
        {
            return null;
        }

        IReadOnlyList<DataSet> references = information.Find(Tags.ReferencedSOPSequence)?.Items ?? [];
        IReadOnlyList<DataSet> failures = isResult ? information.Find(Tags.FailedSOPSequence)?.Items ?? [] : [];
        if (references.Count + failures.Count is var count && (count == 0 || count > most))
        {
            wrong = count == 0 ? wrong : DimseStatus.ResourceLimitation;
            return null;
        }

        var named = new HashSet<SopReference>(count);
        var failed = new List<FailedReference>(failures.Count);
        foreach (DataSet item in failures)
        {
            if (!TryRead(item, out SopReference reference))
            {
                return null;
            }

            if (named.Add(reference))
            {
                failed.Add(new FailedReference(reference, new DimseStatus((ushort)(item.GetInt32(Tags.FailureReason) ?? DimseStatus.ProcessingFailure.Code))));
            }
        }

        // What stands in both sequences has failed: whoever says both has not committed it for sure.
        var good = new List<SopReference>(references.Count);
        foreach (DataSet item in references)
        {
            if (!TryRead(item, out SopReference reference))
            {
                return null;
            }

            if (named.Add(reference))
            {
                good.Add(reference);
            }
        }

        wrong = DimseStatus.Success;
        return new CommitmentMessage(transaction, good, failed);
    }

    /// <summary>As it is sent: a sequence without items is left out, the order of the references is kept.</summary>
    public DataSet ToInformation()
    {
        var information = new DataSet();
        information.SetText(Tags.TransactionUID, TransactionUID);
        if (Failures.Count > 0)
        {
            information.Set(Element.Sequence(Tags.FailedSOPSequence, Failures.Select(static f =>
            {
                DataSet item = ItemOf(f.Reference);
                item.Set(Element.UInt16(Tags.FailureReason, f.Reason.Code));
                return item;
            }).ToList()));
        }

        if (References.Count > 0)
        {
            information.Set(Element.Sequence(Tags.ReferencedSOPSequence, References.Select(ItemOf).ToList()));
        }

        return information;
    }

    private static bool TryRead(DataSet item, out SopReference reference)
    {
        reference = new SopReference(item.GetText(Tags.ReferencedSOPClassUID) ?? "", item.GetText(Tags.ReferencedSOPInstanceUID) ?? "");
        // As loose as C-STORE: components with a leading zero come from real devices.
        return IsNearlyUid(reference.SopClassUID) && IsNearlyUid(reference.SopInstanceUID);
    }

    private static bool IsNearlyUid(string text) =>
        text.Length is > 0 and <= Uid.MaxLength && !text.AsSpan().ContainsAnyExcept("0123456789.");

    private static DataSet ItemOf(SopReference reference)
    {
        var item = new DataSet();
        item.SetText(Tags.ReferencedSOPClassUID, reference.SopClassUID);
        item.SetText(Tags.ReferencedSOPInstanceUID, reference.SopInstanceUID);
        return item;
    }
}
