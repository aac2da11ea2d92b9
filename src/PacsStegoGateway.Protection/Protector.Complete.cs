using System.Globalization;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Steganography.Embedding;

namespace PacsStegoGateway.Protection;
/// <summary>The last two steps: completing the clean data set truthfully, and proving it.</summary>
public sealed partial class Protector
{
    private const string JpegBaseline = "1.2.840.10008.1.2.4.50";
    private const string JpegExtended = "1.2.840.10008.1.2.4.51";
    private const string Derivation = "Identity hidden reversibly in background pixels; pixels of the anatomy are unchanged";

    /// <summary>
    /// Puts the stego pixels in, says what was done to them (PS3.3 C.7.6.1.1.2: pixels that differ from the source make a
    /// DERIVED image) and adds everything else that was removed as an item of the Encrypted Attributes Sequence.
    /// </summary>
    private static DataSet Complete(
        DataSet original, DeidentificationResult split, RestorationRecord record, CarriedPixels pixels, Embedded embedded)
    {
        DataSet clean = split.Clean;
        clean.Set(pixels.PixelData);
        record.Pixels = pixels.Restoration;
        CompleteOffsetTables(original, clean, record, pixels);
        if (pixels.PixelData.Fragments is null && record.TransferSyntax.UID is JpegBaseline or JpegExtended && original.GetText(Tags.LossyImageCompression) != "01")
        {
            // The compression can no longer be seen from the transfer syntax (PS3.3 C.7.6.1.1.5).
            record.Replace(original, clean, Element.Text(Tags.LossyImageCompression, Vr.CS, "01"));
        }


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

    private static void CompleteOffsetTables(DataSet original, DataSet clean, RestorationRecord record, CarriedPixels pixels)
    {
        if (pixels.Restoration is null || !(original.Contains(Tags.ExtendedOffsetTable) || original.Contains(Tags.ExtendedOffsetTableLengths)))
        {
            return;
        }

        if (pixels.OffsetTables is var (offsets, lengths))
        {
            record.Replace(original, clean, Element.Raw(Tags.ExtendedOffsetTable, Vr.OV, offsets));
            record.Replace(original, clean, Element.Raw(Tags.ExtendedOffsetTableLengths, Vr.OV, lengths));
        }
        else
        {
            record.Remove(original, clean, Tags.ExtendedOffsetTable);
            record.Remove(original, clean, Tags.ExtendedOffsetTableLengths);
        }
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
                $"The attributes and codestreams that must be restored have {length} bytes, more than the {EncryptedAttributes.MostSealed} that are sealed.");
        }

        DataSet item = EncryptedAttributes.Seal(plain, _keys.Active.Recipient);
        clean.Set(Element.Sequence(Tags.EncryptedAttributesSequence, [.. clean.Find(Tags.EncryptedAttributesSequence)!.Items!, item]));
        return null;
    }

    /// <summary>
    /// Does with the bytes that would leave what an authorised retrieval would do, and compares.
    /// </summary>
    /// <returns>Null when proved, otherwise what was not equal.</returns>
    private string? Prove(ProtectedInstance kept, ByteSource received, TransferSyntax transferSyntax, CarrierFrames original,
        PixelPlane cover, BackgroundMask mask, int frame)
    {
        DataSet readBack = DataSetReader.Read(kept.DataSet, kept.TransferSyntax);
        if (CarrierFrames.TryOpen(readBack, kept.TransferSyntax, out CarrierFrames frames) is (not RefusalReason.None, var problem))
        {
            return problem;
        }

        if (mask.FirstChangeOutside(cover, frames.Read(frame)) is var (x, y))
        {
            return string.Create(CultureInfo.InvariantCulture, $"The pixel at column {x}, row {y} lies outside the mask and was changed.");
        }

        if (ProveOtherFrames(original, frames, frame) is { } changed)
        {
            return changed;
        }

        return _revealer.Reveal(readBack, kept.TransferSyntax) switch
        {
            RevealOutcome.Revealed revealed when revealed.Original.TransferSyntax.UID != transferSyntax.UID => "Reading back gave another transfer syntax.",


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
