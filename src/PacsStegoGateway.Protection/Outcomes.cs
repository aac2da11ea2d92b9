using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Protection;

/// <summary>What became of an instance that was to be protected. There is no third outcome.</summary>
public abstract record ProtectionOutcome
{
    private ProtectionOutcome()
    {
    }

    /// <summary>De-identified, sealed, hidden and proved: may leave.</summary>
    public sealed record Protected(ProtectedInstance Instance) : ProtectionOutcome;

    /// <summary>Must not leave; a person decides.</summary>
    /// <param name="Reason">Why.</param>
    /// <param name="Detail">For the operator, with numbers; no identity.</param>
    public sealed record Quarantined(RefusalReason Reason, string Detail) : ProtectionOutcome;
}

/// <summary>An instance that is ready for the PACS.</summary>
/// <param name="DataSet">The de-identified data set with the stego pixels, encoded under <paramref name="TransferSyntax"/>, where it was kept.</param>
/// <param name="TransferSyntax">The one it was received in.</param>
/// <param name="SOPClassUID">As received.</param>
/// <param name="SOPInstanceUID">The new UID that the PACS will know.</param>
/// <param name="SeriesInstanceUID">The new UID that the PACS will know.</param>
/// <param name="StudyInstanceUID">The new UID that the PACS will know.</param>
/// <param name="PatientID">The pseudonym that the PACS will know.</param>
/// <param name="Identity">Who it is: sealed before it is stored anywhere.</param>
/// <param name="Embedding">What was done to the pixels.</param>
/// <param name="Changes">How many attributes were removed or changed, at every depth.</param>
public sealed record ProtectedInstance(
    ByteSource DataSet,
    TransferSyntax TransferSyntax,
    string SOPClassUID,
    string SOPInstanceUID,
    string SeriesInstanceUID,
    string StudyInstanceUID,
    string PatientID,
    EssentialIdentity Identity,
    EmbeddingSummary Embedding,
    int Changes)
{
    /// <summary>The data set as a Part 10 file.</summary>
    public ByteSource ToPart10(string? sourceApplicationEntityTitle = null) => ByteSource.Join(
        ByteSource.Of(FileMeta.Prefix(SOPClassUID, SOPInstanceUID, TransferSyntax.UID, sourceApplicationEntityTitle)), DataSet);

    /// <summary>Counts and UIDs only.</summary>
    public override string ToString() => $"{SOPInstanceUID}: {Changes} attributes, {Embedding}";
}

/// <summary>What embedding did, in numbers an operator and an auditor can read.</summary>
/// <param name="Segmenter">Which segmenter made the mask, model checksum included.</param>
/// <param name="Coverage">Background share of the frame, 0 to 1.</param>
/// <param name="Amplitude">Strength A in stored units (0.5 means +1 on half of the pixels of a carrier cell).</param>
/// <param name="MaximumChange">Largest change of any sample, in stored units.</param>
/// <param name="Psnr">PSNR in dB with R = range of the cover frame.</param>
/// <param name="Frame">Which frame carries it, from 0.</param>
/// <param name="PayloadBytes">Sealed bytes in the symbol.</param>
public sealed record EmbeddingSummary(
    string Segmenter, double Coverage, double Amplitude, int MaximumChange, double Psnr, int Frame, int PayloadBytes)
{
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture,
        $"background {Coverage:P0}, A {Amplitude:0.#}, largest change {MaximumChange}, PSNR {Psnr:0.0} dB (range), {PayloadBytes} B in frame {Frame}");
}

/// <summary>What came out of an instance that was to be revealed.</summary>
public abstract record RevealOutcome
{
    private RevealOutcome()
    {
    }

    /// <summary>The original, proved by the sealed hash of its data set.</summary>
    /// <param name="Original">The original data set.</param>
    public sealed record Revealed(RevealedInstance Original) : RevealOutcome;

    /// <summary>
    /// The Encrypted Attributes are gone, so only what the hidden symbol carries was put back: pixels exact, patient, study,
    /// series and instance identifiers true, other removed attributes missing. Never given out as the original.
    /// </summary>
    public sealed record RevealedFromSymbolAlone(RevealedInstance Instance) : RevealOutcome;

    /// <summary>Nothing can be given.</summary>
    /// <param name="Reason">Why.</param>
    /// <param name="Detail">For the operator; no identity.</param>
    /// <param name="Identity">The identity, when it could still be read (altered pixels).</param>
    public sealed record NotRevealed(RefusalReason Reason, string Detail, EssentialIdentity? Identity = null) : RevealOutcome;
}

/// <summary>An instance with its identity back.</summary>
/// <param name="DataSet">Encoded under <paramref name="TransferSyntax"/>; long values lie where those of the protected object do.</param>
/// <param name="TransferSyntax">The transfer syntax in which the modality sent it.</param>
/// <param name="SOPClassUID">As received from the modality.</param>
/// <param name="SOPInstanceUID">The original UID.</param>
/// <param name="SeriesInstanceUID">The original UID.</param>
/// <param name="StudyInstanceUID">The original UID.</param>
public sealed record RevealedInstance(
    ByteSource DataSet, TransferSyntax TransferSyntax, string SOPClassUID, string SOPInstanceUID, string SeriesInstanceUID, string StudyInstanceUID)
{
    /// <summary>The data set as a Part 10 file; the preamble is empty, whatever the original's was.</summary>
    public ByteSource ToPart10(string? sourceApplicationEntityTitle = null) => ByteSource.Join(
        ByteSource.Of(FileMeta.Prefix(SOPClassUID, SOPInstanceUID, TransferSyntax.UID, sourceApplicationEntityTitle)), DataSet);

    /// <summary>Identity never slips into a log through string formatting.</summary>
    public override string ToString() => "[redacted]";
}
