using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Service;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>Objects with planted identity, and a small reversible stand-in for the product's two verbs.</summary>
public static class SampleObjects
{
    public const string PatientName = "Zwetschgenbaum^Kunigunde";
    public const string PatientID = "PLANTED-4711";
    public const string AccessionNumber = "ACCPLANTED99";
    public const string StudyUID = "1.2.276.0.7230010.3.1.2.777000111";
    public const string SeriesUID = "1.2.276.0.7230010.3.1.3.777000222";

    /// <summary>Where the stand-in keeps the original; even group, so that a PACS keeps it.</summary>
    private static readonly Tag Hidden = Tags.PixelData;

    /// <summary>Where <see cref="Keys"/> lies, for programs that load it themselves.</summary>
    public static string RingPath { get; } = Path.Combine(Directory.CreateTempSubdirectory("psg-keys-").FullName, "keyring.json");

    /// <summary>Made once: it holds an RSA key.</summary>
    public static KeyRing Keys { get; } = KeyRing.Create(RingPath);

    public static Pseudonymizer Pseudonyms { get; } = new(Keys.PseudonymKey);

    /// <summary>What must never stand in the clear in a row, an audit entry, a log line or at the PACS.</summary>
    public static IReadOnlyList<string> Planted { get; } =
        ["Zwetschgenbaum", "Kunigunde", PatientID, AccessionNumber, StudyUID, SeriesUID, "1.2.276.0.7230010.3.1.4."];

    public static ProtectionParts Parts { get; } = new(Keys, Protect, Reveal);

    public static string SopUID(int number) => $"1.2.276.0.7230010.3.1.4.777{number}";

    public static DataSet Create(int number, int pixelBytes = 4096, byte fill = 7)
    {
        var dataSet = new DataSet();
        dataSet.SetText(Tags.SOPClassUID, SopClasses.CTImageStorage);
        dataSet.SetText(Tags.SOPInstanceUID, SopUID(number));
        dataSet.SetText(Tags.StudyDate, "20240131");
        dataSet.SetText(Tags.AccessionNumber, AccessionNumber);
        dataSet.SetText(Tags.Modality, "CT");
        dataSet.SetText(Tags.PatientName, PatientName);
        dataSet.SetText(Tags.PatientID, PatientID);
        dataSet.SetText(Tags.StudyInstanceUID, StudyUID);
        dataSet.SetText(Tags.SeriesInstanceUID, SeriesUID);
        dataSet.SetText(Tags.InstanceNumber, number.ToString(System.Globalization.CultureInfo.InvariantCulture));
        byte[] pixels = new byte[pixelBytes];
        pixels.AsSpan().Fill(fill);
        dataSet.Set(Element.Raw(Tags.PixelData, Vr.OW, pixels));
        return dataSet;
    }

    public static byte[] Encode(DataSet dataSet) => DataSetWriter.ToArray(dataSet, TransferSyntax.ExplicitVRLittleEndian);

    /// <summary>New UIDs, and the whole original inverted in the place of the pixels.</summary>
    public static ProtectionOutcome Protect(ByteSource dataSet, TransferSyntax transferSyntax, KeepProtected keep)
    {
        DataSet original = DataSetReader.Read(dataSet, transferSyntax);
        var clean = new DataSet();
        clean.SetText(Tags.SOPClassUID, original.GetText(Tags.SOPClassUID)!);
        clean.SetText(Tags.SOPInstanceUID, Pseudonyms.MapUID(original.GetText(Tags.SOPInstanceUID)!));
        clean.SetText(Tags.PatientID, Pseudonyms.MapPatientID(null, original.GetText(Tags.PatientID)!));
        clean.SetText(Tags.StudyInstanceUID, Pseudonyms.MapUID(original.GetText(Tags.StudyInstanceUID)!));
        clean.SetText(Tags.SeriesInstanceUID, Pseudonyms.MapUID(original.GetText(Tags.SeriesInstanceUID)!));
        clean.Set(Element.Raw(Hidden, Vr.OW, Invert(dataSet.Load().Span)));
        var instance = new ProtectedInstance(
            DataSetWriter.ToSource(clean, transferSyntax), transferSyntax, clean.GetText(Tags.SOPClassUID)!, clean.GetText(Tags.SOPInstanceUID)!,
            clean.GetText(Tags.SeriesInstanceUID)!, clean.GetText(Tags.StudyInstanceUID)!, clean.GetText(Tags.PatientID)!,
            EssentialIdentity.Of(original), new EmbeddingSummary("stand-in", 0.5, 1, 1, 90, 0, 100), 7);
        return new ProtectionOutcome.Protected(instance with { DataSet = keep(instance) });
    }

    public static RevealOutcome Reveal(DataSet stored, TransferSyntax transferSyntax)
    {
        byte[] original = Invert(stored.Find(Hidden)!.Value.Span);
        DataSet read = DataSetReader.Read(original, TransferSyntax.ExplicitVRLittleEndian);
        return new RevealOutcome.Revealed(new RevealedInstance(ByteSource.Of(original), TransferSyntax.ExplicitVRLittleEndian, read.GetText(Tags.SOPClassUID)!,
            read.GetText(Tags.SOPInstanceUID)!, read.GetText(Tags.SeriesInstanceUID)!, read.GetText(Tags.StudyInstanceUID)!));
    }

    private static byte[] Invert(ReadOnlySpan<byte> bytes)
    {
        byte[] inverted = bytes.ToArray();
        for (int i = 0; i < inverted.Length; i++)
        {
            inverted[i] ^= 0xFF;
        }

        return inverted;
    }
}
