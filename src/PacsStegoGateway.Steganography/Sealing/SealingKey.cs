using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace PacsStegoGateway.Steganography.Sealing;

/// <summary>
/// One key of a ring. A 32-byte master key, from which HKDF-SHA-256 (salt = key id, big endian; info = "PacsStegoGateway
/// seal v1", "... place v1", "... audit v1" or "... spool v1") derives the AES-256 keys that seal messages and that choose
/// where bits are placed, the HMAC key of the audit trail, and the key under which the keys of spool files are wrapped; and an
/// RSA-3072 key with a self-signed certificate, the recipient of Encrypted Attributes (PS3.15 E.1).
/// </summary>
public sealed class SealingKey
{
    /// <summary>Bytes of a master key and of each key derived from it.</summary>
    public const int KeyLength = 32;

    private readonly byte[] _sealKey;
    private readonly byte[] _placeKey;
    private readonly byte[] _auditKey;
    private readonly byte[] _spoolKey;

    internal SealingKey(uint id, DateTimeOffset created, KeyState state, ReadOnlySpan<byte> master, X509Certificate2 recipient)
    {
        Id = id;
        Created = created;
        State = state;
        Recipient = recipient;
        _sealKey = Derive(master, id, "seal");
        _placeKey = Derive(master, id, "place");
        _auditKey = Derive(master, id, "audit");
        _spoolKey = Derive(master, id, "spool");
    }

    private SealingKey(SealingKey other, KeyState state)
    {
        (Id, Created, State, Recipient, _sealKey, _placeKey, _auditKey, _spoolKey) =
            (other.Id, other.Created, state, other.Recipient, other._sealKey, other._placeKey, other._auditKey, other._spoolKey);
    }

    /// <summary>Random and never 0; stands in the open in every sealed message.</summary>
    public uint Id { get; }

    public DateTimeOffset Created { get; }

    public KeyState State { get; }

    /// <summary>RSA-3072 certificate with its private key; self-signed, key encipherment. Owned by the ring: do not dispose it.</summary>
    public X509Certificate2 Recipient { get; }

    /// <summary>HMAC-SHA-256 key of the audit trail. It proves and opens nothing, so a retired key's goes on proving what was written under it.</summary>
    public ReadOnlySpan<byte> AuditKey => _auditKey;

    /// <summary>Of the files at rest: wraps nothing itself, what wraps an object's key is derived from it and a salt of the object's own.</summary>
    public ReadOnlySpan<byte> SpoolKey => _spoolKey;

    /// <summary>AES-256 key of the seal.</summary>
    internal ReadOnlySpan<byte> SealKey => _sealKey;

    /// <summary>AES-256 key of the placement.</summary>
    internal ReadOnlySpan<byte> PlaceKey => _placeKey;

    public override string ToString() => $"key {Id:x8} ({State})";

    internal SealingKey With(KeyState state) => new(this, state);

    internal static byte[] Derive(ReadOnlySpan<byte> master, uint id, string purpose)
    {
        Span<byte> salt = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(salt, id);
        byte[] key = new byte[KeyLength];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, master, key, salt, Encoding.ASCII.GetBytes($"PacsStegoGateway {purpose} v1"));
        return key;
    }
}
