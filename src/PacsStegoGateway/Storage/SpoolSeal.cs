using System.Buffers.Binary;
using System.Security.Cryptography;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Storage;

/// <summary>
/// The cryptography of one spool file, written down byte by byte in <c>docs/spool-format.md</c>: a header with a random key of the
/// object's own, wrapped under the key ring, then chunks that are each sealed with it.
/// </summary>
/// <remarks>Not thread-safe. Disposing clears the key.</remarks>
internal sealed class SpoolSeal : IDisposable
{
    public const int HeaderLength = 96;

    /// <summary>Bytes of the object in every chunk but the last, which holds 0 to as many.</summary>
    public const int ChunkLength = 1 << 16;

    public const int TagLength = 16;

    public const int SealedChunkLength = ChunkLength + TagLength;

    private const byte Version = 1;
    private const byte ChunkExponent = 16;
    private const int KeyIdOffset = 12;
    private const int SaltOffset = 16;
    private const int SaltLength = 32;
    private const int KeyOffset = SaltOffset + SaltLength;
    private const int KeyLength = 32;
    private const int KeyTagOffset = KeyOffset + KeyLength;
    private const int NonceLength = 12;

    private readonly AesGcm _cipher;

    private SpoolSeal(ReadOnlySpan<byte> objectKey) => _cipher = new AesGcm(objectKey, TagLength);

    private static ReadOnlySpan<byte> Magic => "PSGSPOOL"u8;

    /// <summary>A new object: its key is made and, wrapped, written into the header.</summary>
    /// <param name="key">The active key of the ring.</param>
    /// <param name="id">Of the file: a file under another name does not open.</param>
    /// <param name="header">Exactly <see cref="HeaderLength"/> bytes.</param>
    public static SpoolSeal Create(SealingKey key, Guid id, Span<byte> header)
    {
        Span<byte> random = stackalloc byte[SaltLength + KeyLength];
        RandomNumberGenerator.Fill(random);
        try
        {
            return Create(key, id, random[..SaltLength], random[SaltLength..], header);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(random);
        }
    }

    /// <summary>The same with given salt and object key: for known-answer tests. Neither may ever be used twice.</summary>
    internal static SpoolSeal Create(SealingKey key, Guid id, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> objectKey, Span<byte> header)
    {
        header.Clear();
        Magic.CopyTo(header);
        header[8] = Version;
        header[9] = ChunkExponent;
        BinaryPrimitives.WriteUInt32BigEndian(header[KeyIdOffset..], key.Id);
        salt.CopyTo(header[SaltOffset..]);
        using AesGcm wrap = WrappingCipher(key, salt);
        wrap.Encrypt(stackalloc byte[NonceLength], objectKey, header.Slice(KeyOffset, KeyLength), header.Slice(KeyTagOffset, TagLength),
            AssociatedData(stackalloc byte[KeyOffset + 16], header, id));
        return new SpoolSeal(objectKey);
    }

    /// <summary>Opens the key of a file.</summary>
    /// <exception cref="SpoolFileException">It is not of our making, changed, another file's, or its key is gone.</exception>
    public static SpoolSeal Open(KeyRing keys, Guid id, ReadOnlySpan<byte> header)
    {
        if (!header.StartsWith(Magic) || header[8] != Version || header[9] != ChunkExponent)
        {
            throw new SpoolFileException(SpoolFault.Damaged, "The spool file does not begin with a header of a version known here.");
        }

        uint keyId = BinaryPrimitives.ReadUInt32BigEndian(header[KeyIdOffset..]);
        SealingKey key = keys.Find(keyId)
            ?? throw new SpoolFileException(SpoolFault.KeyMissing, $"The key ring holds no key {keyId:x8}, under which the spool file is encrypted.");
        if (key.State == KeyState.Retired)
        {
            throw new SpoolFileException(SpoolFault.KeyRetired, $"Key {keyId:x8}, under which the spool file is encrypted, is retired.");
        }

        using AesGcm wrap = WrappingCipher(key, header.Slice(SaltOffset, SaltLength));
        Span<byte> objectKey = stackalloc byte[KeyLength];
        try
        {
            wrap.Decrypt(stackalloc byte[NonceLength], header.Slice(KeyOffset, KeyLength), header.Slice(KeyTagOffset, TagLength), objectKey,
                AssociatedData(stackalloc byte[KeyOffset + 16], header, id));
            return new SpoolSeal(objectKey);
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new SpoolFileException(SpoolFault.Damaged, "The header of the spool file was changed, or belongs to another file.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(objectKey);
        }
    }

    /// <summary>Bytes of the object in a file of so many bytes; -1 when no file of ours is so long.</summary>
    public static long ContentLength(long fileLength)
    {
        long chunks = fileLength - HeaderLength;
        long content = chunks - ((chunks + SealedChunkLength - 1) / SealedChunkLength * TagLength);
        return chunks < TagLength || chunks % SealedChunkLength is > 0 and < TagLength || (chunks % SealedChunkLength == TagLength && chunks > TagLength)
            ? -1
            : content;
    }

    /// <summary>Seals a chunk. Each index once only: the nonce is the index.</summary>
    /// <param name="content">May be where the result goes.</param>
    /// <param name="result">Exactly <see cref="TagLength"/> bytes longer.</param>
    public void Seal(long index, bool isLast, ReadOnlySpan<byte> content, Span<byte> result)
    {
        Span<byte> nonce = stackalloc byte[NonceLength];
        BinaryPrimitives.WriteInt64BigEndian(nonce[4..], index);
        Span<byte> associated = stackalloc byte[9];
        _cipher.Encrypt(nonce, content, result[..content.Length], result[content.Length..], Associated(associated, index, isLast));
    }

    /// <summary>Opens a chunk; on failure the content is zero.</summary>
    /// <exception cref="SpoolFileException">It is not what was sealed as this chunk of this file.</exception>
    public void Open(long index, bool isLast, ReadOnlySpan<byte> chunk, Span<byte> content)
    {
        Span<byte> nonce = stackalloc byte[NonceLength];
        BinaryPrimitives.WriteInt64BigEndian(nonce[4..], index);
        Span<byte> associated = stackalloc byte[9];
        try
        {
            _cipher.Decrypt(nonce, chunk[..content.Length], chunk[content.Length..], content, Associated(associated, index, isLast));
        }
        catch (AuthenticationTagMismatchException)
        {
            content.Clear();
            throw new SpoolFileException(SpoolFault.Damaged, $"Chunk {index} of the spool file is damaged, or the file was cut short or lengthened.");
        }
    }

    public void Dispose() => _cipher.Dispose();

    /// <summary>A wrapping key for each object: so the number of objects under one key of the ring is not bounded by its nonces.</summary>
    private static AesGcm WrappingCipher(SealingKey key, ReadOnlySpan<byte> salt)
    {
        Span<byte> wrappingKey = stackalloc byte[KeyLength];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key.SpoolKey, wrappingKey, salt, "PacsStegoGateway spool object v1"u8);
        try
        {
            return new AesGcm(wrappingKey, TagLength);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(wrappingKey);
        }
    }

    /// <summary>The header in the open, and the file's id.</summary>
    private static ReadOnlySpan<byte> AssociatedData(Span<byte> destination, ReadOnlySpan<byte> header, Guid id)
    {
        header[..KeyOffset].CopyTo(destination);
        id.TryWriteBytes(destination[KeyOffset..], bigEndian: true, out _);
        return destination;
    }

    private static ReadOnlySpan<byte> Associated(Span<byte> destination, long index, bool isLast)
    {
        BinaryPrimitives.WriteInt64BigEndian(destination, index);
        destination[8] = isLast ? (byte)1 : (byte)0;
        return destination;
    }
}
