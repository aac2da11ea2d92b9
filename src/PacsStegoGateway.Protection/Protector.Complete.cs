using System.Globalization;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Steganography.Embedding;

namespace PacsStegoGateway.Protection;
/// <summary>The last two steps: completing the clean data set truthfully, and proving it.</summary>
public sealed partial class Protector
{
    private const string Derivation = "Identity hidden reversibly in background pixels; pixels of the anatomy are unchanged";

    /// <summary>
    /// Puts the stego pixels in, says what was done to them (PS3.3 C.7.6.1.1.2: pixels that differ from the source make a
    /// DERIVED image) and adds everything else that was removed as an item of the Encrypted Attributes Sequence.
    /// </summary>
    private static DataSet Complete(
        DataSet original, DeidentificationResult split, RestorationRecord record, Element pixelData, Embedded embedded)
    {
        DataSet clean = split.Clean;
        clean.Set(pixelData);

        string[] imageType = [.. original.GetTexts(Tags.ImageType)];
        if (imageType.Length > 0)
        {
            imageType[0] = "DERIVED";
            record.Replace(original, clean, Element.Text(Tags.ImageType, Vr.CS, string.Join('\\', imageType)));
        }

        record.Replace(original, clean, Element.Text(Tags.DerivationDescription, Vr.ST, Derivation));
        if (embedded.PaddingRangeLimit is { } limit)
        {
            // Padding pixels now reach from Pixel Padding Value to this value: still "not part of the image" (PS3.3 C.7.5.1.1.2).
            Vr vr = original.Find(Tags.PixelPaddingValue)!.Vr;
            record.Replace(original, clean, Element.UInt16(Tags.PixelPaddingRangeLimit, unchecked((ushort)limit), vr));
        }

        // Items that another site sealed stay beside ours; the record holds them too, as they were.
        Element foreign = clean.Find(Tags.EncryptedAttributesSequence) ?? Element.Sequence(Tags.EncryptedAttributesSequence, []);
        record.Replace(original, clean, foreign);
        return clean;
    }

    /// <summary>Seals the record into the clean data set.</summary>
    /// <returns>Null when done, a refusal when the record is too large to be encrypted in memory.</returns>
    private ProtectionOutcome.Quarantined? TryHide(DataSet clean, RestorationRecord record)
    {
        DataSet plain = record.ToDataSet();
        long length = DataSetWriter.LengthOf(plain, TransferSyntax.ExplicitVRLittleEndian);
        if (length > EncryptedAttributes.MostSealed)
        {
            return new ProtectionOutcome.Quarantined(RefusalReason.UnsupportedObject,
                $"The attributes that must be removed have {length} bytes, more than the {EncryptedAttributes.MostSealed} that are sealed.");
        }

        DataSet item = EncryptedAttributes.Seal(plain, _keys.Active.Recipient);
        clean.Set(Element.Sequence(Tags.EncryptedAttributesSequence, [.. clean.Find(Tags.EncryptedAttributesSequence)!.Items!, item]));
        return null;
    }

    /// <summary>
    /// Does with the bytes that would leave what an authorised retrieval would do, and compares.
    /// </summary>
    /// <returns>Null when proved, otherwise what was not equal.</returns>
    private string? Prove(ByteSource kept, ByteSource received, TransferSyntax transferSyntax, PixelPlane cover, BackgroundMask mask, int frame)
    {
        DataSet readBack = DataSetReader.Read(kept, transferSyntax);
        if (PixelFrames.TryOpen(readBack, out PixelFrames frames) is (not RefusalReason.None, var problem))
        {
            return problem;
        }

        if (mask.FirstChangeOutside(cover, frames.Read(frame)) is var (x, y))
        {
            return string.Create(CultureInfo.InvariantCulture, $"The pixel at column {x}, row {y} lies outside the mask and was changed.");
        }

        return _revealer.Reveal(readBack) switch
        {
            // Deflated bytes depend on the deflater; there the digest inside, which the revealer compared, is the proof.
            RevealOutcome.Revealed revealed when transferSyntax.Deflated || revealed.Original.DataSet.ContentEquals(received) => null,
            RevealOutcome.NotRevealed not => $"Reading back failed ({not.Reason}): {not.Detail}",
            _ => "Reading back gave another data set.",
        };
    }

    private ProtectedInstance Describe(DataSet clean, TransferSyntax transferSyntax, EssentialIdentity identity,
        DeidentificationResult split, Embedded embedded, int frame) => new(
            DataSetWriter.ToSource(clean, transferSyntax),
            transferSyntax,
            clean.GetText(Tags.SOPClassUID)!,
            clean.GetText(Tags.SOPInstanceUID)!,
            clean.GetText(Tags.SeriesInstanceUID)!,
            clean.GetText(Tags.StudyInstanceUID)!,
            clean.GetText(Tags.PatientID) ?? "",
            identity,
            new EmbeddingSummary(_segmenter, embedded.Mask.Coverage, embedded.Report.Step / 2.0, embedded.Report.MaximumChange,
                embedded.Report.PsnrOfRange, frame, embedded.Report.SealedLength),
            split.Identity.Changes.Count);
}
