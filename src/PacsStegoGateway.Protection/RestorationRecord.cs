using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Protection;

/// <summary>
/// Everything that turns the protected data set back into the received one: what de-identification set apart and what
/// protection replaced afterwards. Its data set is the plaintext of the Encrypted Attributes.
/// </summary>
/// <remarks><code>
/// (0071,0010) LO "PACSSTEGOGATEWAY 1"
/// (0071,1001) UI  transfer syntax of the original
/// (0071,1002) OB  the elements whose bytes come from the protected data set (RetainedElement)
/// (0071,1003) OB  bytes that followed the last element of the original, if any
/// (0071,1004) OB  how its encapsulated pixel data is made again, if it was (PixelRestoration)
/// (0400,0550) SQ  one item: the original attributes, whole and raw
/// </code></remarks>
internal sealed class RestorationRecord
{
    private const string Creator = "PACSSTEGOGATEWAY 1";
    private static readonly Tag CreatorTag = new(0x0071, 0x0010);
    private static readonly Tag TransferSyntaxTag = new(0x0071, 0x1001);
    private static readonly Tag RetainedTag = new(0x0071, 0x1002);
    private static readonly Tag TrailingTag = new(0x0071, 0x1003);
    private static readonly Tag PixelsTag = new(0x0071, 0x1004);

    private readonly DataSet _originals;
    private readonly List<RetainedElement> _retained;
    private readonly ReadOnlyMemory<byte> _trailing;

    private RestorationRecord(DataSet originals, List<RetainedElement> retained, ReadOnlyMemory<byte> trailing, TransferSyntax transferSyntax)
    {
        _originals = originals;
        _retained = retained;
        _trailing = trailing;
        TransferSyntax = transferSyntax;
    }

    /// <summary>The record of one split.</summary>
    public static RestorationRecord Of(DataSet original, IdentityRecord identity, TransferSyntax transferSyntax)
    {
        var originals = new DataSet();
        foreach (Element element in identity.Originals)
        {
            originals.Set(element);
        }

        return new RestorationRecord(originals, [.. identity.Retained], original.TrailingBytes, transferSyntax);
    }

    /// <summary>The transfer syntax in which the original was received.</summary>
    public TransferSyntax TransferSyntax { get; }

    /// <summary>How the encapsulated pixel data of the original is made again; null when it was native.</summary>
    public PixelRestoration? Pixels { get; set; }

    /// <summary>Takes an element out of the clean data set and remembers what the original has there.</summary>
    public void Remove(DataSet original, DataSet clean, Tag tag)
    {
        clean.Remove(tag);
        _retained.RemoveAll(r => r.Tag == tag);
        if (original.Find(tag) is { } removed)
        {
            _originals.Set(removed);
        }
    }

    /// <summary>Sets an element of the clean data set and remembers what the original has there, if anything.</summary>
    public void Replace(DataSet original, DataSet clean, Element element)
    {
        clean.Set(element);
        _retained.RemoveAll(r => r.Tag == element.Tag);
        if (original.Find(element.Tag) is { } replaced)
        {
            _originals.Set(replaced);
        }
    }

    /// <summary>The plaintext of the Encrypted Attributes.</summary>
    public DataSet ToDataSet()
    {
        var plain = new DataSet();
        plain.Set(Element.Text(CreatorTag, Vr.LO, Creator));
        plain.Set(Element.Text(TransferSyntaxTag, Vr.UI, TransferSyntax.UID));
        plain.Set(Element.Raw(RetainedTag, Vr.OB, RetainedElement.Encode(_retained)));
        if (!_trailing.IsEmpty)
        {
            plain.Set(Element.Raw(TrailingTag, Vr.OB, _trailing));
        }

        if (Pixels is { } pixels)
        {
            byte[] record = pixels.Encode();
            plain.Set(Element.Raw(PixelsTag, Vr.OB, (record.Length & 1) == 0 ? record : [.. record, 0]));
        }

        plain.Set(Element.Sequence(Tags.ModifiedAttributesSequence, [_originals]));
        return plain;
    }

    /// <summary>Reads the plaintext of the Encrypted Attributes; null when it was written by another program.</summary>
    /// <exception cref="DicomContentException">Ours, but damaged.</exception>
    public static RestorationRecord? TryRead(DataSet plain) =>
        plain.GetText(CreatorTag) != Creator
        || plain.GetText(TransferSyntaxTag) is not { } transferSyntax
        || plain.Find(RetainedTag) is not { } retained
        || plain.Find(Tags.ModifiedAttributesSequence)?.Items is not [var originals]
            ? null
            : new RestorationRecord(originals, [.. RetainedElement.Decode(retained.Value.Span)],
                plain.Find(TrailingTag)?.Value ?? default, TransferSyntax.Of(transferSyntax))
            {
                Pixels = plain.Find(PixelsTag) is { } pixels ? PixelRestoration.Decode(pixels.Value) : null,
            };

    /// <summary>Puts every original back and drops what was added on the way.</summary>
    /// <param name="stored">The protected data set, its pixel data already restored.</param>
    /// <exception cref="DicomContentException">The PACS lost an element that was kept in the clear.</exception>
    public DataSet Restore(DataSet stored)
    {
        DataSet restored = IdentityRecord.Restore(stored, [.. _originals], _retained);
        restored.TrailingBytes = _trailing;
        return restored;
    }
}
