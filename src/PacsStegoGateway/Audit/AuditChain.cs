using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Audit;

/// <summary>An entry as it stands in the trail: with the key that proves it and its place in the chain.</summary>
/// <param name="Record">With its sequence number.</param>
/// <param name="KeyId">The key of the ring under which <paramref name="Mac"/> was made.</param>
/// <param name="Mac">HMAC-SHA-256 over the MAC of the entry before and every column of this one.</param>
public sealed record ChainedEntry(AuditRecord Record, long KeyId, byte[] Mac);

/// <summary>The end of the chain, as its one row tells it.</summary>
/// <param name="Trail">16 random bytes that name the trail; empty while nothing was ever written.</param>
/// <param name="Sequence">Of the last entry; 0 while there is none.</param>
/// <param name="KeyId">Under which the seal was made.</param>
/// <param name="Mac">Of the last entry.</param>
/// <param name="Seal">HMAC-SHA-256 over all the others: who only has the database cannot set the end back.</param>
public sealed record AuditHead(byte[] Trail, long Sequence, long KeyId, byte[] Mac, byte[] Seal);

/// <summary>
/// The chain: each entry's MAC covers the MAC of the one before and every column, in an encoding in which no two different
/// entries look alike. Whoever changes, removes, adds or moves an entry would need the key to make the rest fit.
/// docs/audit.md has the encoding byte by byte, with a test vector.
/// </summary>
/// <remarks>Not thread-safe: one for each that writes or verifies.</remarks>
public sealed class AuditChain(KeyRing keys)
{
    public const int MacLength = 32;

    public const int TrailLength = 16;

    private readonly ArrayBufferWriter<byte> _buffer = new(1024);

    /// <summary>The key that new entries are made under.</summary>
    public uint ActiveKeyId => keys.ActiveKeyId;

    /// <summary>True when the ring has the key, in whatever state.</summary>
    public bool Knows(long keyId) => Find(keyId) is not null;

    /// <summary>What stands before the first entry of a trail.</summary>
    /// <exception cref="KeyRingException">The ring has no such key.</exception>
    public byte[] Origin(long keyId, ReadOnlySpan<byte> trail)
    {
        Start("psg audit trail 1\n"u8);
        _buffer.Write(trail);
        return Finish(keyId);
    }

    /// <summary>The MAC of an entry that stands after the one whose MAC is given.</summary>
    /// <exception cref="KeyRingException">The ring has no such key.</exception>
    public byte[] MacOf(long keyId, ReadOnlySpan<byte> previous, AuditRecord record)
    {
        Put(keyId, previous, record);
        return Finish(keyId);
    }

    /// <summary>What the MAC of an entry is made over.</summary>
    internal static byte[] Encode(long keyId, ReadOnlySpan<byte> previous, AuditRecord record)
    {
        var buffer = new AuditChain(null!);
        buffer.Put(keyId, previous, record);
        return buffer._buffer.WrittenSpan.ToArray();
    }

    /// <summary>The seal of a head.</summary>
    /// <exception cref="KeyRingException">The ring has no such key.</exception>
    public byte[] SealOf(long keyId, ReadOnlySpan<byte> trail, long sequence, ReadOnlySpan<byte> mac)
    {
        Start("psg audit head 1\n"u8);
        _buffer.Write(trail);
        Add(sequence);
        _buffer.Write(mac);
        return Finish(keyId);
    }

    /// <summary>Whether the head was sealed with the key that it names; null when the ring does not have that key.</summary>
    public bool? IsSealed(AuditHead head) => Knows(head.KeyId)
        ? SealOf(head.KeyId, head.Trail, head.Sequence, head.Mac).AsSpan().SequenceEqual(head.Seal)
        : null;

    /// <summary>The signature of a line of text.</summary>
    /// <exception cref="KeyRingException">The ring has no such key.</exception>
    public byte[] Sign(long keyId, string line)
    {
        Start("psg audit checkpoint 1\n"u8);
        _buffer.Write(Encoding.UTF8.GetBytes(line));
        return Finish(keyId);
    }

    /// <summary>Adds entries after a head.</summary>
    /// <returns>The entries with their numbers, and the head after them.</returns>
    public (IReadOnlyList<ChainedEntry> Entries, AuditHead Head) Extend(AuditHead head, IReadOnlyList<AuditRecord> records)
    {
        uint key = ActiveKeyId;
        byte[] trail = head.Sequence == 0 ? RandomNumberGenerator.GetBytes(TrailLength) : head.Trail;
        byte[] mac = head.Sequence == 0 ? Origin(key, trail) : head.Mac;
        long sequence = head.Sequence;
        var entries = new List<ChainedEntry>(records.Count);
        foreach (AuditRecord record in records)
        {
            AuditRecord numbered = record with { Sequence = ++sequence };
            mac = MacOf(key, mac, numbered);
            entries.Add(new ChainedEntry(numbered, key, mac));
        }

        return (entries, new AuditHead(trail, sequence, key, mac, SealOf(key, trail, sequence, mac)));
    }

    private void Put(long keyId, ReadOnlySpan<byte> previous, AuditRecord record)
    {
        Start("psg audit entry 1\n"u8);
        _buffer.Write(previous);
        Add(record.Sequence);
        Add(record.At.ToUnixTimeMilliseconds());
        Add(record.Node);
        Add((int)record.Event);
        Add((int)record.Outcome);
        Add(record.CallingAE);
        Add(record.RemoteAddress);
        Add(record.User);
        Add(record.Purpose);
        Add(record.Patient);
        Add(record.StudyUID);
        Add(record.SopUID);
        Add(record.Reason);
        Add(record.Detail);
        Add(record.Sealed);
        Add(keyId);
    }

    private void Start(ReadOnlySpan<byte> purpose)
    {
        _buffer.ResetWrittenCount();
        _buffer.Write(purpose);
    }

    private SealingKey? Find(long keyId) => keyId is > 0 and <= uint.MaxValue ? keys.Find((uint)keyId) : null;

    private byte[] Finish(long keyId) => HMACSHA256.HashData(
        (Find(keyId) ?? throw new KeyRingException(KeyRingError.UnknownKey, $"The key ring holds no key {keyId:x8}, which proves part of the audit trail.")).AuditKey,
        _buffer.WrittenSpan);

    private void Add(long value)
    {
        AddLength(8);
        BinaryPrimitives.WriteInt64BigEndian(_buffer.GetSpan(8), value);
        _buffer.Advance(8);
    }

    private void Add(string? text)
    {
        if (text is null)
        {
            AddLength(uint.MaxValue);
            return;
        }

        int length = Encoding.UTF8.GetByteCount(text);
        AddLength((uint)length);
        Encoding.UTF8.GetBytes(text, _buffer.GetSpan(length));
        _buffer.Advance(length);
    }

    private void Add(byte[]? bytes)
    {
        AddLength(bytes is null ? uint.MaxValue : (uint)bytes.Length);
        _buffer.Write(bytes);
    }

    private void AddLength(uint length)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_buffer.GetSpan(4), length);
        _buffer.Advance(4);
    }
}
