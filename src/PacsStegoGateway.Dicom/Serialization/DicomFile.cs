using System.Buffers;
using System.Buffers.Binary;

namespace PacsStegoGateway.Dicom;

/// <summary>A DICOM file (PS3.10 7): preamble, "DICM", File Meta Information, data set.</summary>
/// <remarks>
/// <code>
///   0-127    preamble
///   128-131  "DICM"
///   132-     group 0002, Explicit VR Little Endian; (0002,0010) names the syntax of what follows
///            the data set
/// </code>
/// A lenient reader also takes files that lack any of the first three, and writes them again without.
/// </remarks>
public sealed class DicomFile
{
    /// <summary>What a deflated data set was read from: the same elements are written as the same bytes.</summary>
    private readonly (ByteSource Deflated, ByteSource Inflated)? _source;

    private readonly bool _hasPrefix;

    /// <param name="fileMetaInformation">With (0002,0010); its group length is not checked (<see cref="FileMeta.SetGroupLength"/>).</param>
    /// <param name="dataSet">The data set, held and not copied.</param>
    /// <exception cref="ArgumentException">There is no (0002,0010) Transfer Syntax UID.</exception>
    public DicomFile(DataSet fileMetaInformation, DataSet dataSet)
        : this(new byte[FileMeta.PreambleLength], true, fileMetaInformation, dataSet,
            DeclaredSyntax(fileMetaInformation)
                ?? throw new ArgumentException("The meta information names no transfer syntax.", nameof(fileMetaInformation)), null)
    {
    }

    private DicomFile(ReadOnlyMemory<byte> preamble, bool hasPrefix, DataSet meta, DataSet dataSet, TransferSyntax transferSyntax,
        (ByteSource Deflated, ByteSource Inflated)? source)
    {
        Preamble = preamble;
        _hasPrefix = hasPrefix;
        FileMetaInformation = meta;
        DataSet = dataSet;
        TransferSyntax = transferSyntax;
        _source = source;
    }

    /// <summary>128 bytes, or none where the file had none. Anything may stand here, an identity too.</summary>
    public ReadOnlyMemory<byte> Preamble { get; }

    /// <summary>Group 0002; empty where the file had none.</summary>
    public DataSet FileMetaInformation { get; }

    public DataSet DataSet { get; }

    /// <summary>How the data set is encoded: what (0002,0010) says, or what the bytes show where it says nothing or something else.</summary>
    public TransferSyntax TransferSyntax { get; }

    /// <summary>Reads a file; values are slices of the bytes, which must not change while it is in use.</summary>
    /// <exception cref="DicomContentException">No DICOM file, damaged, or beyond a limit.</exception>
    public static DicomFile Read(ReadOnlyMemory<byte> part10, DicomReadOptions? options = null) => Read(ByteSource.Of(part10), options);

    /// <inheritdoc cref="Read(ReadOnlyMemory{byte}, DicomReadOptions?)"/>
    /// <param name="part10">Stays open while the file is in use: long values of a long source stay there.</param>
    public static DicomFile Read(ByteSource part10, DicomReadOptions? options = null)
    {
        options ??= DicomReadOptions.Default;
        byte[] head = new byte[Math.Min(part10.Length, FileMeta.PreambleLength + FileMeta.Magic.Length)];
        part10.Read(0, head);
        int preambleLength = PreambleOf(head);
        bool hasPrefix = head.AsSpan(preambleLength).StartsWith(FileMeta.Magic);
        if (options.Strict && preambleLength == 0)
        {
            throw new DicomContentException("There is no preamble followed by \"DICM\".", 0);
        }

        var cursor = new DataSetCursor(part10, preambleLength + (hasPrefix ? FileMeta.Magic.Length : 0), options);
        long metaStart = cursor.Position;
        DataSet meta = cursor.ReadFileMeta();
        long start = cursor.Position;
        if (options.Strict)
        {
            CheckGroupLength(meta, metaStart, start);
        }

        ReadOnlyMemory<byte> preamble = head.AsMemory(0, preambleLength);
        TransferSyntax syntax = SyntaxOf(meta, cursor.Ahead, start, part10.Length - start, options);
        if (!syntax.Deflated)
        {
            return new DicomFile(preamble, hasPrefix, meta, cursor.ReadDataSet(DataSetReader.EncodingOf(syntax)), syntax, null);
        }

        ByteSource deflated = part10.Slice(start, part10.Length - start);
        var inflated = ByteSource.Of(Deflated.Inflate(deflated, options.MaxInflatedLength, isPrefix: options.StopBefore is not null));
        DataSet dataSet = new DataSetCursor(inflated, 0, options).ReadDataSet(ElementEncoding.ExplicitLittleEndian);
        return new DicomFile(preamble, hasPrefix, meta, dataSet, syntax, (deflated, inflated));
    }

    /// <summary>A file around a data set as a C-STORE carries it, with meta information made by <see cref="FileMeta.Create"/>.</summary>
    /// <exception cref="DicomContentException">No data set of this syntax, beyond a limit, or without SOP class or instance UID.</exception>
    public static DicomFile ReadDataSet(ReadOnlyMemory<byte> dataSet, TransferSyntax transferSyntax, string? sourceAE = null, DicomReadOptions? options = null)
    {
        DataSet read = DataSetReader.Read(dataSet, transferSyntax, options);
        string? sopClassUID = read.GetText(Tags.SOPClassUID);
        string? sopInstanceUID = read.GetText(Tags.SOPInstanceUID);
        if (string.IsNullOrEmpty(sopClassUID) || string.IsNullOrEmpty(sopInstanceUID))
        {
            throw new DicomContentException("The data set has no SOP Class UID or no SOP Instance UID.");
        }

        return new DicomFile(FileMeta.Create(sopClassUID, sopInstanceUID, transferSyntax.UID, sourceAE), read);
    }

    /// <summary>The whole file: headers and short values in memory, long ones where they lie.</summary>
    /// <exception cref="ArgumentException">A value is too long for any length field.</exception>
    public ByteSource ToSource() => ByteSource.Join(
        ByteSource.Of(Preamble),
        _hasPrefix ? ByteSource.Of(FileMeta.Magic.ToArray()) : ByteSource.Empty,
        DataSetWriter.ToSource(FileMetaInformation, ElementEncoding.ExplicitLittleEndian),
        DataSetSource());

    /// <summary>The whole file.</summary>
    /// <exception cref="ArgumentException">A value is too long for any length field, or the whole for an array.</exception>
    public byte[] ToArray() => ToSource().ToArray();

    /// <summary>Writes the whole file.</summary>
    /// <exception cref="ArgumentException">A value is too long for any length field.</exception>
    public void Write(IBufferWriter<byte> destination) => ToSource().CopyTo(destination);

    /// <summary>Writes the whole file; flushing the stream is the caller's.</summary>
    /// <exception cref="ArgumentException">A value is too long for any length field.</exception>
    public void Write(Stream destination) => ToSource().CopyTo(destination);

    private ByteSource DataSetSource()
    {
        ByteSource bytes = DataSetWriter.ToSource(DataSet, DataSetReader.EncodingOf(TransferSyntax));
        return !TransferSyntax.Deflated ? bytes
            : _source is { } source && source.Inflated.ContentEquals(bytes) ? source.Deflated
            : ByteSource.Of(Deflated.Deflate(bytes));
    }

    private static int PreambleOf(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= FileMeta.PreambleLength + FileMeta.Magic.Length && bytes[FileMeta.PreambleLength..].StartsWith(FileMeta.Magic)
            ? FileMeta.PreambleLength
            : 0;

    private static void CheckGroupLength(DataSet meta, long start, long end)
    {
        long counted = end - start - ElementHeader.ShortSize - sizeof(uint);
        if (meta.Find(Tags.FileMetaInformationGroupLength) is not { Value.Length: sizeof(uint) } length
            || BinaryPrimitives.ReadUInt32LittleEndian(length.Value.Span) != counted)
        {
            throw new DicomContentException($"The group length is absent or not {counted}.", start, Tags.FileMetaInformationGroupLength);
        }
    }

    private static TransferSyntax? DeclaredSyntax(DataSet meta) =>
        meta.GetText(Tags.TransferSyntaxUID) is { Length: > 0 } uid ? TransferSyntax.Of(uid) : null;

    /// <param name="head">The first bytes of the data set.</param>
    /// <param name="start">Where it begins, for messages.</param>
    /// <param name="length">Its length.</param>
    private static TransferSyntax SyntaxOf(DataSet meta, ReadOnlySpan<byte> head, long start, long length, DicomReadOptions options)
    {
        TransferSyntax? declared = DeclaredSyntax(meta);
        if (options.Strict)
        {
            return declared ?? throw new DicomContentException("No transfer syntax is named.", start, Tags.TransferSyntaxUID);
        }

        if (declared is { Deflated: true } || length == 0)
        {
            return declared ?? TransferSyntax.ImplicitVRLittleEndian;
        }

        TransferSyntax? shown = Sniff(head, length);
        if (declared is null)
        {
            return shown ?? throw new DicomContentException("These bytes are no DICOM data set.", start);
        }

        return shown is null || DataSetReader.EncodingOf(shown) == DataSetReader.EncodingOf(declared) ? declared : shown;
    }

    /// <summary>The plain syntax that the first element's header shows, or null when it looks like none.</summary>
    private static TransferSyntax? Sniff(ReadOnlySpan<byte> bytes, long length)
    {
        int before = bytes.Length;
        // Some writers put zeros between the meta group and the data set: an element (0000,0000) without VR.
        while (bytes.Length > ElementHeader.ShortSize && !bytes[..ElementHeader.ShortSize].ContainsAnyExcept((byte)0))
        {
            bytes = bytes[ElementHeader.ShortSize..];
        }

        if (bytes.Length < ElementHeader.ShortSize)
        {
            return null;
        }

        // Data sets begin with a low group, so that the zero byte of its number tells the byte order.
        bool bigEndian = bytes[0] == 0 && bytes[1] != 0;
        if (((Vr)BinaryPrimitives.ReadUInt16BigEndian(bytes[4..])).IsKnown())
        {
            return bigEndian ? TransferSyntax.ExplicitVRBigEndian : TransferSyntax.ExplicitVRLittleEndian;
        }

        uint valueLength = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        long left = length - (before - bytes.Length) - ElementHeader.ShortSize;
        bool isPlausible = valueLength <= left || valueLength == ElementHeader.UndefinedLength;
        return !bigEndian && bytes[1] == 0 && isPlausible ? TransferSyntax.ImplicitVRLittleEndian : null;
    }
}
