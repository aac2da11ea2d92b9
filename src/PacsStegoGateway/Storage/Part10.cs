using System.Buffers.Binary;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Storage;

/// <summary>The layout of the spool's own files: preamble, "DICM", a meta group that begins with its length, data set (PS3.10 7.1).</summary>
public static class Part10
{
    /// <summary>Preamble and prefix, then (0002,0000) UL: 8 bytes of header, 4 of value.</summary>
    private const int AfterGroupLength = 128 + 4 + 12;

    /// <summary>The data set behind the meta group, a view.</summary>
    /// <exception cref="DicomContentException">Not a file that the spool wrote.</exception>
    public static ByteSource DataSetOf(ByteSource file)
    {
        long start = StartOfDataSet(file);
        return file.Slice(start, file.Length - start);
    }

    /// <summary>Transfer Syntax UID (0002,0010) of the meta group.</summary>
    /// <exception cref="DicomContentException">Not a file that the spool wrote.</exception>
    public static string TransferSyntaxOf(ByteSource file)
    {
        ByteSource head = file.Slice(0, StartOfDataSet(file));
        return DicomFile.Read(head).FileMetaInformation.GetText(Tags.TransferSyntaxUID)
            ?? throw new DicomContentException("The spool file does not say its transfer syntax.");
    }

    private static long StartOfDataSet(ByteSource file)
    {
        Span<byte> head = stackalloc byte[AfterGroupLength];
        if (file.Length < head.Length)
        {
            throw new DicomContentException("The spool file has no Part 10 header.");
        }

        file.Read(0, head);
        if (!head.Slice(128, 4).SequenceEqual("DICM"u8))
        {
            throw new DicomContentException("The spool file has no Part 10 header.");
        }

        long start = AfterGroupLength + (long)BinaryPrimitives.ReadUInt32LittleEndian(head[(AfterGroupLength - 4)..]);
        return start <= file.Length
            ? start
            : throw new DicomContentException("The spool file ends inside its header.");
    }
}
