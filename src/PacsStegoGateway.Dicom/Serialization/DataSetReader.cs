namespace PacsStegoGateway.Dicom;

/// <summary>
/// Reads data sets (PS3.5 7) into elements whose values are slices of the input: nothing is copied but the values of
/// Big Endian and the whole of Deflated. The input must not change while the data set is in use.
/// </summary>
public static class DataSetReader
{
    /// <summary>Reads a whole data set without Part 10 header, as a C-STORE carries it.</summary>
    /// <exception cref="DicomContentException">The bytes are no data set of this syntax, or exceed a limit.</exception>
    public static DataSet Read(ReadOnlyMemory<byte> bytes, TransferSyntax transferSyntax, DicomReadOptions? options = null) =>
        Read(ByteSource.Of(bytes), transferSyntax, options);

    /// <inheritdoc cref="Read(ReadOnlyMemory{byte}, TransferSyntax, DicomReadOptions?)"/>
    /// <param name="source">Stays open while the data set is in use: long values of a long source stay there.</param>
    public static DataSet Read(ByteSource source, TransferSyntax transferSyntax, DicomReadOptions? options = null)
    {
        options ??= DicomReadOptions.Default;
        if (transferSyntax.Deflated)
        {
            source = ByteSource.Of(Deflated.Inflate(source, options.MaxInflatedLength, isPrefix: options.StopBefore is not null));
        }

        return new DataSetCursor(source, 0, options).ReadDataSet(EncodingOf(transferSyntax));
    }

    /// <summary>
    /// Reads what stands before a tag at the head of a data set of which only the first bytes are at hand: every
    /// top-level element that is complete and lower than <paramref name="stopBefore"/>. An element that is cut by the
    /// end of the bytes ends the reading and is not in the result.
    /// </summary>
    /// <exception cref="DicomContentException">The bytes are no data set of this syntax, or exceed a limit.</exception>
    public static DataSet ReadHead(ReadOnlyMemory<byte> firstBytes, TransferSyntax transferSyntax, Tag stopBefore, DicomReadOptions? options = null)
    {
        options = (options ?? DicomReadOptions.Default) with { StopBefore = stopBefore };
        ByteSource source = ByteSource.Of(firstBytes);
        if (transferSyntax.Deflated)
        {
            source = ByteSource.Of(Deflated.Inflate(source, options.MaxInflatedLength, isPrefix: true));
        }

        return new DataSetCursor(source, 0, options).ReadHead(EncodingOf(transferSyntax));
    }

    internal static ElementEncoding EncodingOf(TransferSyntax transferSyntax) =>
        !transferSyntax.ExplicitVr ? ElementEncoding.ImplicitLittleEndian
        : transferSyntax.BigEndian ? ElementEncoding.ExplicitBigEndian
        : ElementEncoding.ExplicitLittleEndian;
}
