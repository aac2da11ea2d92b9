using System.Security.Cryptography.X509Certificates;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Steganography.Embedding;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Protection;

/// <summary>
/// The product's second verb: finds the hidden identity, takes it out of the pixels and puts every original attribute
/// back. What it gives out is proved by the sealed hash; anything less is said to be less.
/// </summary>
/// <remarks>Needs the key ring and the image, no database. Safe to call from several threads.</remarks>
public sealed class Revealer
{
    private readonly SymbolEmbedder _embedder;
    private readonly X509Certificate2Collection _recipients;

    public Revealer(SymbolEmbedder embedder, KeyRing keys)
    {
        _embedder = embedder;
        _recipients = [.. keys.Keys.Select(static k => k.Recipient)];
    }

    /// <summary>Reveals one instance as a PACS returned it, in whatever transfer syntax that kept the pixels.</summary>
    /// <param name="stored">The data set. The original reads long values from it.</param>
    /// <param name="transferSyntax">The one it was read with.</param>
    public RevealOutcome Reveal(DataSet stored, TransferSyntax transferSyntax)
    {
        try
        {
            return TryReveal(stored, transferSyntax);
        }
        catch (PixelCodecRefusedException e)
        {
            return new RevealOutcome.NotRevealed(RefusalReason.PixelsNotDecodable, e.Message);
        }
    }

    private RevealOutcome TryReveal(DataSet stored, TransferSyntax transferSyntax)
    {
        (RefusalReason reason, string detail) = CarrierFrames.TryOpen(stored, transferSyntax, out CarrierFrames frames);
        if (reason != RefusalReason.None)
        {
            return new RevealOutcome.NotRevealed(reason, detail);
        }

        var refused = new RevealOutcome.NotRevealed(RefusalReason.NothingHidden, "Nothing that our keys open is hidden in this image.");
        for (int frame = 0; frame < frames.Tried; frame++)
        {
            switch (_embedder.Extract(frames.Read(frame), frames.Description))
            {
                case Extracted extracted:
                    return Restore(stored, transferSyntax, frames, frame, extracted);
                case NotExtracted not:
                    refused = refused with { Detail = not.Detail };
                    break;
            }
        }

        return refused;
    }

    /// <summary>True when something is hidden that our keys open.</summary>
    public bool Finds(DataSet stored, TransferSyntax transferSyntax) => Reveal(stored, transferSyntax) is not RevealOutcome.NotRevealed { Identity: null };

    private RevealOutcome Restore(DataSet stored, TransferSyntax storedAs, CarrierFrames frames, int frame, Extracted extracted)
    {
        SymbolMessage message = SymbolMessage.Decode(extracted.Message);
        if (!extracted.IsProven)
        {
            return new RevealOutcome.NotRevealed(RefusalReason.PixelsAltered,
                "The identity was read, but the pixels were altered after the image left the gateway: the original cannot be restored.", message.Identity);
        }

        DataSet withPixels = stored.Clone();
        byte[] restored = frames.With(frame, extracted.Restored);
        RestorationRecord record;
        DataSet original;
        try
        {
            if (EncryptedAttributes.Open(stored, _recipients) is not { } plain || RestorationRecord.TryRead(plain) is not { } read)
            {
                withPixels.Set(frames.ToNative(frame, restored));
                return new RevealOutcome.RevealedFromSymbolAlone(FromSymbolAlone(withPixels, message.Identity));
            }

            record = read;
            withPixels.Set(record.Pixels is { } pixels
                ? pixels.Restore(frames, frame, restored, record.TransferSyntax, storedAs)
                : frames.ToNative(frame, restored));
            original = record.Restore(withPixels);
        }
        catch (DicomContentException e)
        {
            return new RevealOutcome.NotRevealed(RefusalReason.OriginalNotProven, e.Message, message.Identity);
        }

        ByteSource encoded = DataSetWriter.ToSource(original, OriginalDigest.EncodingOf(record.TransferSyntax));
        if (!OriginalDigest.Of(encoded).AsSpan().SequenceEqual(message.OriginalDigest))
        {
            return new RevealOutcome.NotRevealed(RefusalReason.OriginalNotProven,
                "The restored data set is not, bit for bit, the one that was received: an attribute was changed after the image left the gateway.",
                message.Identity);
        }

        return new RevealOutcome.Revealed(Describe(original, record.TransferSyntax,
            record.TransferSyntax.Deflated ? DataSetWriter.ToSource(original, record.TransferSyntax) : encoded));
    }

    /// <summary>PS3.15 E.1.2 for the attributes that are known: identity back, marks of de-identification off.</summary>
    private static RevealedInstance FromSymbolAlone(DataSet dataSet, EssentialIdentity identity)
    {
        foreach (Element element in identity.Values)
        {
            dataSet.Set(element);
        }

        dataSet.SetText(Tags.PatientIdentityRemoved, "NO");
        dataSet.Remove(Tags.DeidentificationMethod);
        dataSet.Remove(Tags.DeidentificationMethodCodeSequence);
        dataSet.Remove(Tags.EncryptedAttributesSequence);
        dataSet.Remove(Tags.ExtendedOffsetTable);
        dataSet.Remove(Tags.ExtendedOffsetTableLengths);
        return Describe(dataSet, TransferSyntax.ExplicitVRLittleEndian, DataSetWriter.ToSource(dataSet, TransferSyntax.ExplicitVRLittleEndian));
    }

    private static RevealedInstance Describe(DataSet dataSet, TransferSyntax transferSyntax, ByteSource encoded) => new(
        encoded,
        transferSyntax,
        dataSet.GetText(Tags.SOPClassUID) ?? "",
        dataSet.GetText(Tags.SOPInstanceUID) ?? "",
        dataSet.GetText(Tags.SeriesInstanceUID) ?? "",
        dataSet.GetText(Tags.StudyInstanceUID) ?? "");
}
