using System.Buffers;

namespace PacsStegoGateway.Dicom;

/// <summary>
/// Writes data sets (PS3.5 7). Length forms, padding and odd lengths are kept: what was read and not changed is
/// written as the same bytes when the syntax is the same one (except Deflated, whose compressor is not the sender's).
/// </summary>
public static class DataSetWriter
{
    /// <summary>
    /// The bytes of the data set without Part 10 header, as a C-STORE carries it: headers and short values in memory,
    /// long ones where they lie. Of Deflated everything is in memory.
    /// </summary>
    /// <exception cref="ArgumentException">A value is too long for any length field.</exception>
    public static ByteSource ToSource(DataSet dataSet, TransferSyntax transferSyntax)
    {
        ByteSource source = ToSource(dataSet, DataSetReader.EncodingOf(transferSyntax));
        return transferSyntax.Deflated ? ByteSource.Of(Deflated.Deflate(source)) : source;
    }

    /// <summary>The same in an array of its own.</summary>
    /// <exception cref="ArgumentException">A value is too long for any length field, or the whole for an array.</exception>
    public static byte[] ToArray(DataSet dataSet, TransferSyntax transferSyntax) => ToSource(dataSet, transferSyntax).ToArray();

    /// <summary>Writes the same to a buffer writer.</summary>
    /// <exception cref="ArgumentException">A value is too long for any length field.</exception>
    public static void Write(DataSet dataSet, TransferSyntax transferSyntax, IBufferWriter<byte> destination) =>
        ToSource(dataSet, transferSyntax).CopyTo(destination);

    /// <summary>Writes the same to a stream; flushing it is the caller's.</summary>
    /// <exception cref="ArgumentException">A value is too long for any length field.</exception>
    public static void Write(DataSet dataSet, TransferSyntax transferSyntax, Stream destination) =>
        ToSource(dataSet, transferSyntax).CopyTo(destination);

    /// <summary>How many bytes are written; of Deflated, before deflating.</summary>
    public static long LengthOf(DataSet dataSet, TransferSyntax transferSyntax) =>
        EncodedLength.Of(dataSet, DataSetReader.EncodingOf(transferSyntax));

    internal static ByteSource ToSource(DataSet dataSet, ElementEncoding encoding)
    {
        var emitter = new ElementEmitter(EncodedLength.Of(dataSet, encoding));
        emitter.WriteElements(dataSet, encoding);
        return emitter.Complete();
    }
}
