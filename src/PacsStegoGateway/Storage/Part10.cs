using System.Buffers.Binary;

namespace PacsStegoGateway.Storage;

/// <summary>The layout of the spool's own files: preamble, "DICM", a meta group that begins with its length, data set (PS3.10 7.1).</summary>
public static class Part10
{
    /// <summary>Preamble and prefix, then (0002,0000) UL: 8 bytes of header, 4 of value.</summary>
    private const int AfterGroupLength = 128 + 4 + 12;

    /// <summary>The data set behind the meta group.</summary>
    /// <exception cref="Dicom.DicomContentException">Not a file that the spool wrote.</exception>
    public static ReadOnlyMemory<byte> DataSetOf(ReadOnlyMemory<byte> file)
    {
        ReadOnlySpan<byte> bytes = file.Span;
        if (bytes.Length < AfterGroupLength || !bytes.Slice(128, 4).SequenceEqual("DICM"u8))
        {
            throw new Dicom.DicomContentException("The spool file has no Part 10 header.");
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(AfterGroupLength - 4)..]);
        return length <= bytes.Length - AfterGroupLength
            ? file[(AfterGroupLength + (int)length)..]
            : throw new Dicom.DicomContentException("The spool file ends inside its header.");
    }
}
