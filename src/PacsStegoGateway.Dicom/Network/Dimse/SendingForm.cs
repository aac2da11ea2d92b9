namespace PacsStegoGateway.Dicom.Network;

/// <summary>In which transfer syntax an object can go to a peer: its own, or when that is uncompressed and not accepted, another uncompressed one.</summary>
public static class SendingForm
{
    private static readonly TransferSyntax[] Uncompressed = [TransferSyntax.ExplicitVRLittleEndian, TransferSyntax.ImplicitVRLittleEndian];

    /// <summary>
    /// What to propose for these kinds of objects: the own transfer syntax and the uncompressed ones, each in a context of its
    /// own. At most 128: beyond that number the uncompressed ones of the last kinds are what is left out.
    /// </summary>
    public static IReadOnlyList<ProposedContext> ContextsFor(IEnumerable<(string SOPClassUID, string TransferSyntaxUID)> kinds)
    {
        (string SOPClassUID, string TransferSyntaxUID)[] distinct = [.. kinds.Distinct()];
        return [.. distinct.Concat(distinct.SelectMany(static k => Uncompressed.Select(u => (k.SOPClassUID, u.UID)))).Distinct().Take(128)
            .Select(static p => new ProposedContext(p.Item1, p.Item2))];
    }

    /// <summary>True when <see cref="Fit"/> has an answer, by the names alone.</summary>
    public static bool Fits(IStoreTarget target, string sopClassUID, TransferSyntax own) => Find(target, sopClassUID, own) is not null;

    /// <summary>
    /// The bytes to send and their transfer syntax; null when the peer accepts nothing that the object can be sent in. Values are
    /// never changed: only an uncompressed data set is written anew.
    /// </summary>
    /// <exception cref="DicomContentException">It has to be written anew and cannot be read.</exception>
    public static (TransferSyntax TransferSyntax, ByteSource DataSet)? Fit(
        IStoreTarget target, string sopClassUID, TransferSyntax own, ByteSource dataSet) => Find(target, sopClassUID, own) switch
        {
            null => null,
            { } same when same.UID == own.UID => (own, dataSet),
            { } other => (other, DataSetWriter.ToSource(DataSetReader.Read(dataSet, own), other)),
        };

    /// <summary>The uncompressed transfer syntax in which the peer takes the class, or null.</summary>
    public static TransferSyntax? FindUncompressed(IStoreTarget target, string sopClassUID) =>
        Array.Find(Uncompressed, u => target.Accepts(sopClassUID, u.UID));

    private static TransferSyntax? Find(IStoreTarget target, string sopClassUID, TransferSyntax own) =>
        target.Accepts(sopClassUID, own.UID) ? own
        : own.Encapsulated ? null
        : FindUncompressed(target, sopClassUID);
}
