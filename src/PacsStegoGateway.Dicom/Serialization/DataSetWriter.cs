using System.Buffers;

namespace PacsStegoGateway.Dicom;

/// <summary>
/// Writes data sets (PS3.5 7). Length forms, padding and odd lengths are kept: what was read and not changed is
/// written as the same bytes when the syntax is the same one (except Deflated, whose compressor is not the sender's).
/// </summary>
public static class DataSetWriter
{
    /// <summary>The bytes of the data set without Part 10 header, as a C-STORE carries it.</summary>
    /// <exception cref="ArgumentException">A value is too long for any length field, or the whole for an array.</exception>
    public static byte[] ToArray(DataSet dataSet, TransferSyntax transferSyntax)
    {
        byte[] bytes = ToArray(dataSet, DataSetReader.EncodingOf(transferSyntax));
        return transferSyntax.Deflated ? Deflated.Deflate(bytes) : bytes;
    }

    /// <summary>Writes the same bytes as <see cref="ToArray(DataSet, TransferSyntax)"/>, without an array for the whole.</summary>
    /// <exception cref="ArgumentException">A value is too long for any length field.</exception>
    public static void Write(DataSet dataSet, TransferSyntax transferSyntax, IBufferWriter<byte> destination)
    {
        if (transferSyntax.Deflated)
        {
            destination.Write(ToArray(dataSet, transferSyntax));
            return;
        }

        Write(dataSet, DataSetReader.EncodingOf(transferSyntax), destination);
    }

    /// <summary>How many bytes <see cref="Write(DataSet, TransferSyntax, IBufferWriter{byte})"/> writes; of Deflated, before deflating.</summary>
    public static long LengthOf(DataSet dataSet, TransferSyntax transferSyntax) =>
        EncodedLength.Of(dataSet, DataSetReader.EncodingOf(transferSyntax));

    internal static byte[] ToArray(DataSet dataSet, ElementEncoding encoding)
    {
        long length = EncodedLength.Of(dataSet, encoding);
        if (length > Array.MaxLength)
        {
            throw new ArgumentException($"The data set has {length} bytes, more than an array holds.", nameof(dataSet));
        }

        var destination = new ExactBuffer((int)length);
        Write(dataSet, encoding, destination);
        return destination.Complete();
    }

    internal static void Write(DataSet dataSet, ElementEncoding encoding, IBufferWriter<byte> destination)
    {
        var emitter = new ElementEmitter(destination);
        emitter.WriteElements(dataSet, encoding);
        emitter.Flush();
    }
}
