using System.Buffers.Binary;
using System.Security.Cryptography;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Intake;

/// <summary>Who an object belongs to, in the only forms that go into a row.</summary>
public sealed record InstancePseudonyms(
    string Patient, string PatientIndex, string AccessionIndex, string StudyUID, string SeriesUID, string SopUID);

/// <summary>
/// Turns identity into what may be stored: pseudonyms to look things up by, sealed bytes to answer with, keyed hashes to
/// compare contents with. Nobody who has the database alone learns anything, not even by trying out names.
/// </summary>
/// <remarks>Thread-safe.</remarks>
public sealed class IdentityVault
{
    private readonly KeyRing _keys;
    private readonly byte[] _contentKey;

    public IdentityVault(KeyRing keys)
    {
        _keys = keys;
        Pseudonyms = new Pseudonymizer(keys.PseudonymKey);
        _contentKey = new byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, keys.PseudonymKey, _contentKey, default, "PacsStegoGateway content v1"u8);
    }

    /// <summary>The mapping that the protected objects bear too.</summary>
    public Pseudonymizer Pseudonyms { get; }

    /// <summary>The pseudonyms of an object by its original identifiers. A patient without ID is one per study.</summary>
    public InstancePseudonyms PseudonymsOf(DataSet original)
    {
        string study = original.GetText(Tags.StudyInstanceUID) ?? "";
        return new InstancePseudonyms(
            PatientOf(original.GetText(Tags.IssuerOfPatientID), original.GetText(Tags.PatientID), study),
            PatientIndexOf(original.GetText(Tags.PatientID)),
            AccessionIndexOf(original.GetText(Tags.AccessionNumber)),
            Pseudonyms.MapUID(study),
            Pseudonyms.MapUID(original.GetText(Tags.SeriesInstanceUID) ?? ""),
            Pseudonyms.MapUID(original.GetText(Tags.SOPInstanceUID) ?? ""));
    }

    public string PatientOf(string? issuer, string? patientID, string studyInstanceUID) => string.IsNullOrWhiteSpace(patientID)
        ? Pseudonyms.MapUnknownPatient(studyInstanceUID)
        : Pseudonyms.MapPatientID(issuer, patientID);

    /// <summary>What a query by Patient ID alone looks up.</summary>
    public string PatientIndexOf(string? patientID) =>
        string.IsNullOrWhiteSpace(patientID) ? "" : Pseudonyms.MapPatientID(null, patientID);

    /// <summary>What a query by Accession Number looks up.</summary>
    public string AccessionIndexOf(string? accessionNumber) =>
        string.IsNullOrWhiteSpace(accessionNumber) ? "" : Pseudonyms.MapAccessionNumber(null, accessionNumber);

    /// <summary>The index entry, sealed under the active key.</summary>
    public byte[] Seal(EssentialIdentity identity) => SealBytes(identity.EncodeForIndex());

    /// <summary>Any bytes, sealed under the active key.</summary>
    public byte[] SealBytes(ReadOnlySpan<byte> plain)
    {
        byte[] closed = new byte[plain.Length + Steganography.Sealing.Seal.Overhead];
        Steganography.Sealing.Seal.Write(_keys.Active, plain, closed);
        return closed;
    }

    /// <summary>The id of the key that an index entry is sealed under, as the audit trail names it; empty for what is no entry.</summary>
    public static string KeyOf(ReadOnlySpan<byte> closed) =>
        closed.Length < Steganography.Sealing.Seal.Overhead ? "" : Convert.ToHexStringLower(closed.Slice(1, 4));

    /// <summary>Opens an index entry.</summary>
    /// <returns>Null when its key is not in the ring any more, is retired, or the bytes were changed.</returns>
    public EssentialIdentity? Open(ReadOnlySpan<byte> closed) => OpenBytes(closed) is { } plain ? EssentialIdentity.Decode(plain) : null;

    /// <inheritdoc cref="Open"/>
    public byte[]? OpenBytes(ReadOnlySpan<byte> closed)
    {
        if (closed.Length < Steganography.Sealing.Seal.Overhead
            || _keys.Find(BinaryPrimitives.ReadUInt32BigEndian(closed[1..])) is not { State: not KeyState.Retired } key)
        {
            return null;
        }

        byte[] plain = new byte[closed.Length - Steganography.Sealing.Seal.Overhead];
        return Steganography.Sealing.Seal.TryOpen(key, closed, plain) ? plain : null;
    }

    /// <summary>A running keyed hash over transfer syntax and data set bytes.</summary>
    public IncrementalHash StartContentHash(string transferSyntaxUID)
    {
        var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _contentKey);
        hash.AppendData(System.Text.Encoding.ASCII.GetBytes(transferSyntaxUID + "\n"));
        return hash;
    }
}
