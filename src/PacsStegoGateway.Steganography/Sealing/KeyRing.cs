using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PacsStegoGateway.Steganography.Sealing;

/// <summary>
/// The gateway's keys: one active key that seals, older ones that still open, retired ones that are only named; and the
/// pseudonym key, which stays the same for ever so that pseudonyms do not change. Immutable: rotating and retiring write
/// the file and return the new ring, and whoever holds the old one goes on with it undisturbed.
/// </summary>
public sealed class KeyRing
{
    private const int RecipientKeyBits = 3072;
    private const int RecipientYears = 50;

    /// <summary>Longest ring, bytes.</summary>
    public const int MaxLength = KeyRingFile.MaxLength;

    /// <summary>Null: it came from elsewhere, and is changed there.</summary>
    private readonly string? _path;
    private readonly KeyRingDocument _document;
    private readonly byte[] _pseudonymKey;

    private KeyRing(string? path, KeyRingDocument document)
    {
        _path = path;
        _document = document;
        _pseudonymKey = document.PseudonymKey;
        Keys = [.. document.Keys.Select(Open)];
        Active = Keys.Single(key => key.State == KeyState.Active);
    }

    private KeyRing(string? path, KeyRingDocument document, IReadOnlyList<SealingKey> keys)
    {
        _path = path;
        _document = document;
        _pseudonymKey = document.PseudonymKey;
        Keys = keys;
        Active = Keys.Single(key => key.State == KeyState.Active);
    }

    /// <summary>Every key, retired ones included, newest first.</summary>
    public IReadOnlyList<SealingKey> Keys { get; }

    /// <summary>The key that seals.</summary>
    public SealingKey Active { get; }

    public uint ActiveKeyId => Active.Id;

    /// <summary>32 bytes for keyed pseudonyms; survives every rotation.</summary>
    public ReadOnlySpan<byte> PseudonymKey => _pseudonymKey;

    /// <summary>Makes a ring with one key and writes it, mode 0600 on Unix.</summary>
    /// <param name="path">A file that does not exist yet; its folder does.</param>
    /// <param name="time">Clock for the creation time; the system's when null.</param>
    /// <exception cref="KeyRingException">The file exists.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static KeyRing Create(string path, TimeProvider? time = null)
    {
        KeyRingDocument document = new(
            RandomNumberGenerator.GetBytes(SealingKey.KeyLength),
            [NewKey([], (time ?? TimeProvider.System).GetUtcNow())]);
        KeyRingFile.Write(path, document, replace: false);
        return new KeyRing(path, document);
    }

    /// <summary>Reads a ring.</summary>
    /// <exception cref="KeyRingException">Missing, damaged, or open to group or others.</exception>
    public static KeyRing Load(string path)
    {
        return Open(path, KeyRingFile.Read(path), path);
    }

    /// <summary>Takes a ring that was kept elsewhere; it can be used, not rotated.</summary>
    /// <param name="json">What the file would hold; cleared afterwards.</param>
    /// <param name="origin">Where it came from, for messages.</param>
    /// <exception cref="KeyRingException">Damaged.</exception>
    public static KeyRing Parse(byte[] json, string origin) => Open(null, KeyRingFile.Parse(json, origin), origin);

    private static KeyRing Open(string? path, KeyRingDocument document, string origin)
    {
        try
        {
            return new KeyRing(path, document);
        }
        catch (CryptographicException e)
        {
            throw KeyRingFile.Damaged(origin, "a certificate or private key in it cannot be read", e);
        }
    }

    /// <summary>The key of this id in whatever state, or null.</summary>
    public SealingKey? Find(uint id) => Keys.FirstOrDefault(key => key.Id == id);

    /// <summary>Adds a new active key; the one that was active opens on. Written before it returns.</summary>
    public KeyRing Rotate(TimeProvider? time = null)
    {
        string path = RequireFile();
        KeyRingEntry entry = NewKey([.. Keys.Select(key => key.Id)], (time ?? TimeProvider.System).GetUtcNow());
        KeyRingDocument document = _document with
        {
            Keys = [entry, .. _document.Keys.Select(old => old with { State = old.State == KeyState.Active ? KeyState.Retained : old.State })],
        };
        KeyRingFile.Write(path, document, replace: true);
        return new KeyRing(_path, document, [Open(entry), .. Keys.Select(key => key.State == KeyState.Active ? key.With(KeyState.Retained) : key)]);
    }

    /// <summary>The key, when it can be retired.</summary>
    /// <exception cref="KeyRingException">No such key, or it is the active one.</exception>
    public SealingKey RequireRetirable(uint id) => Find(id) switch
    {
        null => throw new KeyRingException(KeyRingError.UnknownKey, $"The key ring holds no key {id:x8}; list the keys to see which it holds."),
        { State: KeyState.Active } => throw new KeyRingException(KeyRingError.KeyIsActive, $"Key {id:x8} is active; rotate first, then retire it."),
        { } key => key,
    };

    /// <summary>From now on this key opens nothing. Written before it returns.</summary>
    /// <exception cref="KeyRingException">No such key, or it is the active one.</exception>
    public KeyRing Retire(uint id)
    {
        string path = RequireFile();
        SealingKey key = RequireRetirable(id);
        KeyRingDocument document = _document with
        {
            Keys = [.. _document.Keys.Select(entry => entry.Id == id ? entry with { State = KeyState.Retired } : entry)],
        };
        KeyRingFile.Write(path, document, replace: true);
        return new KeyRing(_path, document, [.. Keys.Select(other => other.Id == id ? other.With(KeyState.Retired) : other)]);
    }

    private string RequireFile() => _path
        ?? throw new KeyRingException(KeyRingError.NotAFile, "This key ring was not read from a file: change it where it is kept.");

    public override string ToString() => $"key ring of {Keys.Count}, active {ActiveKeyId:x8}";

    private static SealingKey Open(KeyRingEntry entry)
    {
        using RSA privateKey = RSA.Create();
        privateKey.ImportPkcs8PrivateKey(entry.RecipientKey, out _);
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(entry.RecipientCertificate);
        return new SealingKey(entry.Id, entry.Created, entry.State, entry.Master, certificate.CopyWithPrivateKey(privateKey));
    }

    private static KeyRingEntry NewKey(IReadOnlyCollection<uint> taken, DateTimeOffset now)
    {
        uint id;
        do
        {
            id = BinaryPrimitives.ReadUInt32BigEndian(RandomNumberGenerator.GetBytes(4));
        }
        while (id == 0 || taken.Contains(id));

        using RSA recipient = RSA.Create(RecipientKeyBits);
        CertificateRequest request = new($"CN=PacsStegoGateway key {id:x8}", recipient, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyEncipherment, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(RecipientYears));
        return new KeyRingEntry(
            id, now, KeyState.Active, RandomNumberGenerator.GetBytes(SealingKey.KeyLength), recipient.ExportPkcs8PrivateKey(), certificate.RawData);
    }
}
