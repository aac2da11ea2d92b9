using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>
/// The fingerprint that proves a restoration: the first 16 bytes of SHA-256 over width and height (32 bits, big endian)
/// and all samples (low 16 bits, little endian, row-major).
/// </summary>
internal static class SampleHash
{
    public const int Length = 16;

    private const int ChunkLength = 1 << 14;

    public static void Of(PixelPlane plane, Span<byte> hash)
    {
        using IncrementalHash sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> size = stackalloc byte[8];
        BinaryPrimitives.WriteInt32BigEndian(size, plane.Width);
        BinaryPrimitives.WriteInt32BigEndian(size[4..], plane.Height);
        sha.AppendData(size);
        short[] chunk = ArrayPool<short>.Shared.Rent(ChunkLength);
        for (int start = 0; start < plane.Samples.Length; start += ChunkLength)
        {
            ReadOnlySpan<int> samples = plane.Samples.AsSpan(start, Math.Min(ChunkLength, plane.Samples.Length - start));
            Narrow(samples, chunk);
            sha.AppendData(MemoryMarshal.AsBytes(chunk.AsSpan(0, samples.Length)));
        }

        ArrayPool<short>.Shared.Return(chunk);
        Span<byte> whole = stackalloc byte[32];
        sha.GetHashAndReset(whole);
        whole[..Length].CopyTo(hash);
    }

    private static void Narrow(ReadOnlySpan<int> samples, Span<short> words)
    {
        int i = 0;
        for (; i <= samples.Length - (2 * Vector<int>.Count); i += 2 * Vector<int>.Count)
        {
            Vector.Narrow(new Vector<int>(samples[i..]), new Vector<int>(samples[(i + Vector<int>.Count)..])).CopyTo(words[i..]);
        }

        for (; i < samples.Length; i++)
        {
            words[i] = (short)samples[i];
        }

        if (!BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(words[..samples.Length], words[..samples.Length]);
        }
    }
}
