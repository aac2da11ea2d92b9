using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Protection;

/// <summary>The difference between two codestreams: what of the one stands in the other, and what does not.</summary>
/// <remarks><code>
/// length of the target, then until that many bytes are made:
///   literals: count, bytes | copy: position in the base, count          numbers are base-128 varints, low seven bits first
/// </code></remarks>
internal static class CodestreamDelta
{
    /// <summary>Longest codestream that is restored, in bytes.</summary>
    public const int MostTarget = 512 << 20;

    /// <summary>Bytes that must agree before a copy is thought of.</summary>
    private const int Window = sizeof(ulong);

    /// <summary>The difference that makes <paramref name="target"/> of <paramref name="basis"/>.</summary>
    public static byte[] Encode(ReadOnlySpan<byte> basis, ReadOnlySpan<byte> target)
    {
        var writer = new ArrayBufferWriter<byte>();
        Varint.Write(writer, target.Length);
        int[] places = Places(basis, out int shift);
        int literal = 0;
        for (int at = 0; at <= target.Length;)
        {
            (int from, int count) = at + Window <= target.Length ? Match(basis, target[at..], places, shift) : default;
            if (count < Window && at < target.Length)
            {
                at++;
                continue;
            }

            Varint.Write(writer, at - literal);
            writer.Write(target[literal..at]);
            Varint.Write(writer, from);
            Varint.Write(writer, count);
            at += count;
            literal = at;
            if (at == target.Length)
            {
                break;
            }
        }

        return writer.WrittenSpan.ToArray();
    }

    /// <summary>The target.</summary>
    /// <exception cref="DicomContentException">The difference does not go with the base.</exception>
    public static byte[] Apply(ReadOnlySpan<byte> basis, ReadOnlySpan<byte> delta)
    {
        int position = 0;
        int length = Varint.Read(delta, ref position);
        if (length > MostTarget || length > ((long)basis.Length + delta.Length) * delta.Length)
        {
            throw Varint.Damaged();
        }

        byte[] target = new byte[length];
        for (int at = 0; at < length;)
        {
            int literals = Varint.Read(delta, ref position);
            if (literals > length - at || literals > delta.Length - position)
            {
                throw Varint.Damaged();
            }

            delta.Slice(position, literals).CopyTo(target.AsSpan(at));
            position += literals;
            at += literals;
            int from = Varint.Read(delta, ref position);
            int count = Varint.Read(delta, ref position);
            if (count > length - at || from > basis.Length - count || (literals == 0 && count == 0))
            {
                throw Varint.Damaged();
            }

            basis.Slice(from, count).CopyTo(target.AsSpan(at));
            at += count;
        }

        return target;
    }

    /// <summary>For hashes of windows of the base where the last window of that hash is, plus one.</summary>
    private static int[] Places(ReadOnlySpan<byte> basis, out int shift)
    {
        int bits = Math.Clamp(BitOperations.Log2((uint)Math.Max(1, basis.Length)) + 1, 8, 22);
        shift = 64 - bits;
        int[] places = new int[1 << bits];
        for (int i = 0; i + Window <= basis.Length; i++)
        {
            places[Hash(basis[i..], shift)] = i + 1;
        }

        return places;
    }

    private static (int From, int Count) Match(ReadOnlySpan<byte> basis, ReadOnlySpan<byte> target, int[] places, int shift)
    {
        int from = places[Hash(target, shift)] - 1;
        return from < 0 ? default : (from, basis[from..].CommonPrefixLength(target));
    }

    private static int Hash(ReadOnlySpan<byte> bytes, int shift) => (int)((MemoryMarshal.Read<ulong>(bytes) * 0x9E3779B97F4A7C15) >> shift);
}
