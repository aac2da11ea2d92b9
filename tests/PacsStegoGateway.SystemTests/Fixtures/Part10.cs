using System.Buffers.Binary;
using System.Security.Cryptography;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>An instance as a file holds it: compared by its bytes, read by the product's reader.</summary>
public sealed class Part10(byte[] bytes)
{
    private readonly Lazy<DicomFile> _file = new(() => DicomFile.Read(bytes));

    public byte[] Bytes => bytes;

    public DataSet DataSet => _file.Value.DataSet;

    public TransferSyntax TransferSyntax => _file.Value.TransferSyntax;

    public string SOPInstanceUID => DataSet.GetText(Tags.SOPInstanceUID) ?? "";

    /// <summary>Every byte after the file meta information, whose length stands at byte 140 (PS3.10 7.1).</summary>
    public ReadOnlySpan<byte> DataSetBytes => bytes.AsSpan(144 + (int)BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(140)));

    public string DataSetHash => Convert.ToHexString(SHA256.HashData(DataSetBytes));

    public ReadOnlyMemory<byte> PixelData => DataSet.Find(Tags.PixelData)!.Value;

    public string PixelHash => Convert.ToHexString(SHA256.HashData(PixelData.Span));

    public PixelDescription Description =>
        PixelDescription.TryRead(DataSet, out PixelDescription description) is { } reason
            ? throw new InvalidOperationException(reason)
            : description;

    /// <summary>The samples of a single-frame image.</summary>
    public PixelPlane Plane => PixelPlane.Read(Description, PixelData.Span[..(int)Description.FrameLength]);

    public static Part10 At(string path) => new(File.ReadAllBytes(path));
}
