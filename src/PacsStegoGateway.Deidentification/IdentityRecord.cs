using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>What a clean data set lacks of its original: sealed, it is the way back. It is the identity: never log it.</summary>
public sealed class IdentityRecord
{
    /// <summary>
    /// Longest unchanged value that is recorded although it stays in the clean set, in bytes. Everything below comes back
    /// from the record, so that nothing a PACS may do to it matters: padding, VR, character set, lengths, empty values.
    /// </summary>
    public const int LongestRecordedValue = 1024;

    internal IdentityRecord(IReadOnlyList<Element> originals, IReadOnlyList<RetainedElement> retained,
        IReadOnlyList<Tag> added, IReadOnlyList<AttributeChange> changes)
    {
        Originals = originals;
        Retained = retained;
        Added = added;
        Changes = changes;
    }

    /// <summary>
    /// Top-level elements of the original, whole and raw, in order: every one that was removed or changed at any depth,
    /// and every other one except <see cref="Retained"/>.
    /// </summary>
    public IReadOnlyList<Element> Originals { get; }

    /// <summary>Top-level elements whose bytes are taken from the clean set: pixel data and other unchanged long values.</summary>
    public IReadOnlyList<RetainedElement> Retained { get; }

    /// <summary>Top-level tags that only the clean set has.</summary>
    public IReadOnlyList<Tag> Added { get; }

    /// <summary>What was done, for audit and dry run: one entry for each attribute removed or changed, in order of treatment.</summary>
    public IReadOnlyList<AttributeChange> Changes { get; }

    /// <summary>The original of <paramref name="clean"/>; see the static form.</summary>
    public DataSet Restore(DataSet clean) => Restore(clean, Originals, Retained);

    /// <summary>
    /// The exact inverse of <see cref="Deidentifier.Deidentify"/>: written in the original's transfer syntax, the result
    /// is byte for byte the original, whatever the PACS did to the encoding of the clean set. Attributes that are in
    /// neither list are dropped: the gateway's own marks and whatever a PACS added.
    /// </summary>
    /// <param name="clean">The clean set as it came back, its pixel data as in the original (revealed already).</param>
    /// <param name="originals">As recorded. Items of sequences among them get the result as parent.</param>
    /// <param name="retained">As recorded.</param>
    /// <exception cref="DicomContentException">A retained element is missing or has another length.</exception>
    public static DataSet Restore(DataSet clean, IReadOnlyList<Element> originals, IReadOnlyList<RetainedElement> retained)
    {
        var restored = new DataSet();
        foreach (Element element in originals)
        {
            restored.Set(element);
        }

        foreach (RetainedElement wanted in retained)
        {
            Element element = clean.Find(wanted.Tag)
                ?? throw new DicomContentException($"{wanted.Tag} was in the object when it was sent out and is missing now.");
            restored.Set(wanted.Apply(element));
        }

        return restored;
    }

    public override string ToString() => "[redacted]";
}
