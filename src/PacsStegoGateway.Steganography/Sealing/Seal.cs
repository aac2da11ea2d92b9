using System.Buffers.Binary;
using System.Security.Cryptography;

namespace PacsStegoGateway.Steganography.Sealing;

/// <summary>
/// AES-256-GCM over a plaintext of fixed length:
/// <code>
///  0      1         5          17                length-16    length
///  | 0x10 | key id  | nonce 12 | ciphertext ...  | tag 16     |     big endian
///  |------- associated data ---|
/// </code>
/// The upper half of the first byte is the version (1), the lower half is flags (none yet). Nonces are random: by the
/// birthday bound a key must not seal more than 2^32 messages (NIST SP 800-38D, 8.3), rotate well before that.
/// </summary>
public static class Seal
{
    public const int HeaderLength = 17;

    public const int TagLength = 16;

    /// <summary>Sealed length - plaintext length.</summary>
    public const int Overhead = HeaderLength + TagLength;

    /// <summary>Version 1, no flags.</summary>
    public const byte Version = 0x10;

    private const int NonceOffset = 5;

    /// <summary>Seals <paramref name="plaintext"/> with a fresh random nonce.</summary>
    /// <param name="key">The active key.</param>
    /// <param name="plaintext">Any bytes.</param>
    /// <param name="destination">Exactly <see cref="Overhead"/> bytes longer.</param>
    public static void Write(SealingKey key, ReadOnlySpan<byte> plaintext, Span<byte> destination)
    {
        Span<byte> nonce = stackalloc byte[12];
        RandomNumberGenerator.Fill(nonce);
        Write(key, plaintext, nonce, destination);
    }

    /// <summary>The same with a given nonce: for known-answer tests. A nonce used twice breaks the seal.</summary>
    internal static void Write(SealingKey key, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> nonce, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, plaintext.Length + Overhead, nameof(destination));
        WritePrefix(key, destination);
        nonce.CopyTo(destination[NonceOffset..]);
        using AesGcm gcm = new(key.SealKey, TagLength);
        gcm.Encrypt(nonce, plaintext, destination[HeaderLength..^TagLength], destination[^TagLength..], destination[..HeaderLength]);
    }

    /// <summary>The bytes of a sealed message that a holder of the key knows beforehand: version and key id.</summary>
    internal static void WritePrefix(SealingKey key, Span<byte> destination)
    {
        destination[0] = Version;
        BinaryPrimitives.WriteUInt32BigEndian(destination[1..], key.Id);
    }

    /// <summary>Opens a sealed message.</summary>
    /// <returns>False when it was not sealed by this key or was changed anywhere; the plaintext is then zero.</returns>
    public static bool TryOpen(SealingKey key, ReadOnlySpan<byte> sealedMessage, Span<byte> plaintext)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(sealedMessage.Length, plaintext.Length + Overhead, nameof(plaintext));
        plaintext.Clear();
        if (sealedMessage[0] != Version || BinaryPrimitives.ReadUInt32BigEndian(sealedMessage[1..]) != key.Id)
        {
            return false;
        }

        using AesGcm gcm = new(key.SealKey, TagLength);
        try
        {
            gcm.Decrypt(sealedMessage[NonceOffset..HeaderLength], sealedMessage[HeaderLength..^TagLength], sealedMessage[^TagLength..], plaintext, sealedMessage[..HeaderLength]);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            plaintext.Clear();
            return false;
        }
    }
}
