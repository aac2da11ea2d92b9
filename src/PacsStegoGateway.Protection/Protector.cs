using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Steganography.Embedding;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Protection;

/// <summary>Keeps the data set of an instance that is yet to be proved.</summary>
/// <returns>What was kept, read back from where it is; stays open until its user disposes it.</returns>
public delegate ByteSource KeepProtected(ProtectedInstance instance);

/// <summary>
/// The product's first verb: an instance with identity goes in, a de-identified one that carries its sealed identity
/// comes out, proved; or nothing does.
/// </summary>
/// <remarks>Safe to call from several threads. Deterministic but for nonces: the same instance gets the same UIDs.</remarks>
public sealed partial class Protector
{
    private readonly Deidentifier _deidentifier;
    private readonly SymbolEmbedder _embedder;
    private readonly KeyRing _keys;
    private readonly Revealer _revealer;
    private readonly string _segmenter;

    /// <param name="deidentifier">Splits a data set into clean and identity.</param>
    /// <param name="embedder">Hides the symbol.</param>
    /// <param name="keys">Seals with its active key.</param>
    /// <param name="revealer">Must use the same keys: it proves every result before it is given out.</param>
    /// <param name="segmenterName">For the audit trail.</param>
    public Protector(Deidentifier deidentifier, SymbolEmbedder embedder, KeyRing keys, Revealer revealer, string segmenterName)
    {
        _deidentifier = deidentifier;
        _embedder = embedder;
        _keys = keys;
        _revealer = revealer;
        _segmenter = segmenterName;
    }

    /// <summary>Protects one instance in memory.</summary>
    /// <inheritdoc cref="Protect(ByteSource, TransferSyntax, KeepProtected)"/>
    public ProtectionOutcome Protect(ReadOnlyMemory<byte> dataSet, TransferSyntax transferSyntax) =>
        Protect(ByteSource.Of(dataSet), transferSyntax, static instance => ByteSource.Of(instance.DataSet.ToArray()));

    /// <summary>Protects one instance.</summary>
    /// <param name="dataSet">The data set as received, encoded under <paramref name="transferSyntax"/>, without meta header.</param>
    /// <param name="transferSyntax">The transfer syntax it was received in. The result has the same, or Explicit VR Little Endian when the pixels were compressed in a way that cannot carry the symbol (lossy, or without encoder).</param>
    /// <param name="keep">Keeps the result where it will leave from: the proof reads it there.</param>
    /// <exception cref="IOException">The source cannot be read, or the result not be kept.</exception>
    public ProtectionOutcome Protect(ByteSource dataSet, TransferSyntax transferSyntax, KeepProtected keep)
    {
        try
        {
            return TryProtect(dataSet, transferSyntax, keep);
        }
        catch (DicomContentException e)
        {
            return new ProtectionOutcome.Quarantined(RefusalReason.MalformedDataSet, e.Message);
        }
        catch (PixelCodecRefusedException e)
        {
            return new ProtectionOutcome.Quarantined(RefusalReason.PixelsNotDecodable, e.Message);
        }
    }

    private ProtectionOutcome TryProtect(ByteSource dataSet, TransferSyntax transferSyntax, KeepProtected keep)
    {
        DataSet original = DataSetReader.Read(dataSet, transferSyntax);
        if (Decide(original) is { } refusal)
        {
            return refusal;
        }

        (RefusalReason reason, string detail) = CarrierFrames.TryOpen(original, transferSyntax, out CarrierFrames frames);
        if (reason != RefusalReason.None)
        {
            return new ProtectionOutcome.Quarantined(reason, detail);
        }

        if (original.Contains(Tags.EncryptedAttributesSequence) && _revealer.Finds(original, transferSyntax))
        {
            return new ProtectionOutcome.Quarantined(RefusalReason.AlreadyProtected, "The image already carries an identity that our keys open.");
        }

        DeidentificationResult split = _deidentifier.Deidentify(original);
        if (split.HasOverlayInPixelData)
        {
            return new ProtectionOutcome.Quarantined(RefusalReason.BurnedInIdentity,
                "An overlay lies in unused bits of the pixel data (retired since 2004); it may show identity and cannot be removed reversibly in this version.");
        }

        var identity = EssentialIdentity.Of(original);
        TransferSyntax encoding = OriginalDigest.EncodingOf(transferSyntax);
        byte[] digest = OriginalDigest.Of(transferSyntax.Deflated ? DataSetWriter.ToSource(original, encoding) : dataSet);
        byte[] message = new SymbolMessage(digest, identity).Encode();

        string why = "";
        for (int frame = 0; frame < frames.Tried; frame++)
        {
            PixelPlane cover = frames.Read(frame);
            switch (_embedder.Embed(cover, frames.Description, message))
            {
                case NotEmbedded refused:
                    why = why.Length == 0 ? refused.Detail : why;
                    break;
                case Embedded embedded:
                    var record = RestorationRecord.Of(original, split.Identity, transferSyntax);
                    if (Carry(original, frames, frame, frames.With(frame, embedded.Stego), transferSyntax, out string? tooLong) is not { } pixels)
                    {
                        return new ProtectionOutcome.Quarantined(RefusalReason.UnsupportedObject, tooLong!);
                    }

                    DataSet clean = Complete(original, split, record, pixels, embedded);
                    if (TryHide(clean, record) is { } tooMuch)
                    {
                        return tooMuch;
                    }

                    ProtectedInstance instance = Describe(clean, pixels.TransferSyntax, identity, split, embedded, frame);
                    instance = instance with { DataSet = keep(instance) };
                    return Prove(instance, dataSet, transferSyntax, frames, cover, embedded.Mask, frame) is { } unproved
                        ? new ProtectionOutcome.Quarantined(RefusalReason.ProofFailed, unproved)
                        : new ProtectionOutcome.Protected(instance);
            }
        }

        return new ProtectionOutcome.Quarantined(RefusalReason.NoBackground, why);
    }

    /// <summary>What must never be tried: kinds of objects without a rule, and images that show identity themselves.</summary>
    private static ProtectionOutcome.Quarantined? Decide(DataSet original)
    {
        string sopClass = original.GetText(Tags.SOPClassUID) ?? "";
        foreach (Tag tag in (ReadOnlySpan<Tag>)[Tags.SOPClassUID, Tags.SOPInstanceUID, Tags.StudyInstanceUID, Tags.SeriesInstanceUID])
        {
            if (!Uid.IsValid(original.GetText(tag)))
            {
                return new ProtectionOutcome.Quarantined(RefusalReason.MissingIdentifier, $"{tag} is missing or not a valid UID.");
            }
        }

        if (!SopClasses.IsStandardStorage(sopClass))
        {
            return new ProtectionOutcome.Quarantined(RefusalReason.UnsupportedObject,
                $"SOP class {sopClass} is not a storage class of the standard: how to de-identify it is not defined.");
        }

        if (original.GetText(Tags.Modality) == "CT" && original.GetDouble(Tags.RescaleIntercept) is null)
        {
            // Enhanced multi-frame objects keep it elsewhere: without it air cannot be told from tissue.
            return new ProtectionOutcome.Quarantined(RefusalReason.PixelsNotDecodable, "A CT without Rescale Intercept (0028,1052) has no Hounsfield units to segment by.");
        }

        // By class, not by modality alone: dose sheets and screenshots are Secondary Captures that call themselves CT.
        if (sopClass is not (SopClasses.CTImageStorage or SopClasses.MRImageStorage))
        {
            return new ProtectionOutcome.Quarantined(RefusalReason.UnsupportedObject,
                $"{SopClasses.NameOf(sopClass)} has no rule yet: only CT and MR Image Storage are protected in this version.");
        }

        return original.GetTexts(Tags.BurnedInAnnotation).Any(static v => !v.Equals("NO", StringComparison.OrdinalIgnoreCase))
            ? new ProtectionOutcome.Quarantined(RefusalReason.BurnedInIdentity, "Burned In Annotation (0028,0301) is not NO: the pixels show identity.")
            : null;
    }
}
