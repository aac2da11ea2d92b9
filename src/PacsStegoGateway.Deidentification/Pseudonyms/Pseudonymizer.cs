using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>
/// Pseudonyms by HMAC-SHA-256 under one key: the same original gives the same pseudonym in every study, association,
/// process and node that holds the key, without a table, and nobody without the key can try out originals.
/// </summary>
/// <remarks>
/// The message is: name of the domain, then each field as 4 bytes of length (big endian) and UTF-8 text. So a UID and a
/// Patient ID with the same characters, or two fields split elsewhere, never share a pseudonym. Thread-safe.
/// </remarks>
public sealed class Pseudonymizer
{
    /// <summary>Length of the key, in bytes.</summary>
    public const int KeyLength = 32;

    /// <summary>Length of a patient pseudonym, in characters; five bits each.</summary>
    public const int PatientIDLength = 20;

    /// <summary>Length of an accession pseudonym, in characters: the most an SH value holds (PS3.5 6.2).</summary>
    public const int AccessionNumberLength = 16;

    /// <summary>Crockford's base 32: no I, L, O, U, so that a pseudonym can be read out and typed.</summary>
    private const string Base32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    private readonly byte[] _key;

    /// <param name="key">32 random bytes, copied. It must stay the same for ever: with another key every known patient
    /// and study gets another pseudonym.</param>
    /// <exception cref="ArgumentException">The key has another length.</exception>
    public Pseudonymizer(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeyLength)
        {
            throw new ArgumentException($"The pseudonym key has {KeyLength} bytes, not {key.Length}.", nameof(key));
        }

        _key = key.ToArray();
    }

    /// <summary>
    /// The UID that stands for this one: <c>2.25.</c> and 128 bits (PS3.5 B.2). UIDs that the standard registers and the
    /// empty text are returned as they are; padding does not count.
    /// </summary>
    public string MapUID(string uid)
    {
        string trimmed = uid.Trim(' ', '\0');
        if (trimmed.Length == 0 || RegisteredUIDs.Contains(trimmed))
        {
            return trimmed;
        }

        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Compute(mac, "UID", trimmed);
        return Uid.FromBytes(mac[..16]);
    }

    /// <summary>
    /// The patient's pseudonym, 20 characters. The issuer is part of the identity, because two issuers may give the same
    /// ID to two people; null and empty are the same issuer. Surrounding spaces do not count.
    /// </summary>
    public string MapPatientID(string? issuer, string patientID) =>
        Text(PatientIDLength, "PatientID", Significant(issuer), Significant(patientID));

    /// <summary>
    /// The pseudonym of a patient who has no Patient ID: one for each study, so that two unknown people are never one.
    /// </summary>
    public string MapUnknownPatient(string studyInstanceUID) =>
        Text(PatientIDLength, "UnknownPatient", Significant(studyInstanceUID));

    /// <summary>
    /// A keyed index for an accession number, 16 characters. It is not written into objects (the profile empties the
    /// attribute): it lets a look-up by the original number work without the number in the clear.
    /// </summary>
    public string MapAccessionNumber(string? issuer, string accessionNumber) =>
        Text(AccessionNumberLength, "AccessionNumber", Significant(issuer), Significant(accessionNumber));

    private static string Significant(string? value) => (value ?? "").Trim(' ', '\0');

    private string Text(int length, string domain, params ReadOnlySpan<string> fields)
    {
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Compute(mac, domain, fields);
        Span<char> characters = stackalloc char[length];
        UInt128 bits = BinaryPrimitives.ReadUInt128BigEndian(mac);
        for (int i = 0; i < length; i++)
        {
            characters[i] = Base32[(int)(bits >> 123)];
            bits <<= 5;
        }

        return new string(characters);
    }

    private void Compute(Span<byte> mac, string domain, params ReadOnlySpan<string> fields)
    {
        int length = 4 + Encoding.UTF8.GetByteCount(domain);
        foreach (string field in fields)
        {
            length += 4 + Encoding.UTF8.GetByteCount(field);
        }

        Span<byte> message = length <= 512 ? stackalloc byte[512] : new byte[length];
        int at = Append(message, 0, domain);
        foreach (string field in fields)
        {
            at = Append(message, at, field);
        }

        HMACSHA256.HashData(_key, message[..at], mac);
    }

    private static int Append(Span<byte> message, int at, string field)
    {
        int written = Encoding.UTF8.GetBytes(field, message[(at + 4)..]);
        BinaryPrimitives.WriteInt32BigEndian(message[at..], written);
        return at + 4 + written;
    }
}
