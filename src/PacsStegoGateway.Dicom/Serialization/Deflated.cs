using System.Buffers;
using System.IO.Compression;

namespace PacsStegoGateway.Dicom;

/// <summary>The raw deflate stream (RFC 1951) around a deflated data set (PS3.5 A.5).</summary>
internal static class Deflated
{
    private const int Chunk = 64 * 1024;

    /// <param name="deflated">The stream; bytes after its end (the pad to even length) are ignored.</param>
    /// <param name="maxLength">The most bytes it may inflate to.</param>
    /// <param name="isPrefix">True when the stream may be cut: gives what could be inflated.</param>
    /// <exception cref="DicomContentException">Not a deflate stream, cut, or too long.</exception>
    public static ReadOnlyMemory<byte> Inflate(ByteSource deflated, int maxLength, bool isPrefix = false)
    {
        var inflated = new ArrayBufferWriter<byte>(Math.Max(Chunk, (int)Math.Min(maxLength, deflated.Length * 3L)));
        using Stream source = deflated.OpenRead();
        using var inflater = new DeflateStream(source, CompressionMode.Decompress);
        try
        {
            while (true)
            {
                int read = inflater.Read(inflated.GetSpan(Chunk));
                if (read == 0)
                {
                    return inflated.WrittenMemory;
                }

                inflated.Advance(read);
                if (inflated.WrittenCount > maxLength)
                {
                    throw new DicomContentException($"The deflated data set inflates to more than {maxLength} bytes.");
                }
            }
        }
        catch (InvalidDataException failure)
        {
            if (isPrefix)
            {
                return inflated.WrittenMemory;
            }

            throw new DicomContentException("The deflated data set is no deflate stream.", failure);
        }
    }

    /// <summary>Deflates, with a NUL byte at the end when the length would be odd (PS3.5 A.5).</summary>
    public static byte[] Deflate(ByteSource bytes)
    {
        using var destination = new MemoryStream();
        using (var deflater = new DeflateStream(destination, CompressionLevel.Optimal, leaveOpen: true))
        {
            bytes.CopyTo(deflater);
        }

        if ((destination.Length & 1) != 0)
        {
            destination.WriteByte(0);
        }

        return destination.ToArray();
    }
}
