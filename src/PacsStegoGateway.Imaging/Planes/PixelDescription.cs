using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging;

/// <summary>The Image Pixel Module of one instance (PS3.3 C.7.6.3) and what is needed to read its numbers as HU.</summary>
public sealed record PixelDescription
{
    public required int Rows { get; init; }

    public required int Columns { get; init; }

    public required int BitsAllocated { get; init; }

    public required int BitsStored { get; init; }

    public required int HighBit { get; init; }

    /// <summary>True when (0028,0103) is 1: samples are two's complement of <see cref="BitsStored"/> bits.</summary>
    public required bool IsSigned { get; init; }

    public required int SamplesPerPixel { get; init; }

    /// <summary>True when (0028,0006) is 1: all of one colour, then all of the next.</summary>
    public required bool IsPlanar { get; init; }

    public required string PhotometricInterpretation { get; init; }

    public required int NumberOfFrames { get; init; }

    /// <summary>(0008,0060), empty when absent.</summary>
    public required string Modality { get; init; }

    /// <summary>(0028,1053); 1 when absent. Output units (HU for CT) = stored value x slope + intercept.</summary>
    public double RescaleSlope { get; init; } = 1;

    /// <summary>(0028,1052); 0 when absent.</summary>
    public double RescaleIntercept { get; init; }

    /// <summary>(0028,0120) as a stored value, or null.</summary>
    public int? PixelPaddingValue { get; init; }

    /// <summary>(0028,0121) as a stored value, or null.</summary>
    public int? PixelPaddingRangeLimit { get; init; }

    /// <summary>Least stored value that <see cref="BitsStored"/> and the sign allow.</summary>
    public int MinimumValue => IsSigned ? -(1 << (BitsStored - 1)) : 0;

    /// <summary>Greatest stored value that <see cref="BitsStored"/> and the sign allow.</summary>
    public int MaximumValue => IsSigned ? (1 << (BitsStored - 1)) - 1 : (1 << BitsStored) - 1;

    /// <summary>Bytes of one uncompressed frame.</summary>
    public long FrameLength => (long)Rows * Columns * SamplesPerPixel * BitsAllocated / 8;

    /// <summary>Reads the description, or says why this data set has no image that can be read as planes of integers.</summary>
    /// <param name="dataSet">A whole data set, character sets and all.</param>
    /// <param name="description">The description when the result is null.</param>
    /// <returns>Null when readable, otherwise the reason in words for an operator (no identity in it).</returns>
    public static string? TryRead(DataSet dataSet, out PixelDescription description)
    {
        description = null!;
        if (dataSet.GetInt32(Tags.Rows) is not (> 0 and <= 65535) || dataSet.GetInt32(Tags.Columns) is not (> 0 and <= 65535))
        {
            return "Rows or Columns is missing or zero.";
        }

        int bitsAllocated = dataSet.GetInt32(Tags.BitsAllocated) ?? 0;
        int bitsStored = dataSet.GetInt32(Tags.BitsStored) ?? 0;
        int highBit = dataSet.GetInt32(Tags.HighBit) ?? bitsStored - 1;
        if (bitsAllocated is not (8 or 16) || bitsStored is < 1 || bitsStored > bitsAllocated || highBit >= bitsAllocated || highBit < bitsStored - 1)
        {
            return $"BitsAllocated {bitsAllocated}, BitsStored {bitsStored}, HighBit {highBit} is not a layout of 8- or 16-bit samples.";
        }

        bool isSigned = dataSet.GetInt32(Tags.PixelRepresentation) == 1;
        int? padding = ReadStored(dataSet, Tags.PixelPaddingValue, isSigned);
        description = new PixelDescription
        {
            Rows = dataSet.GetInt32(Tags.Rows)!.Value,
            Columns = dataSet.GetInt32(Tags.Columns)!.Value,
            BitsAllocated = bitsAllocated,
            BitsStored = bitsStored,
            HighBit = highBit,
            IsSigned = isSigned,
            SamplesPerPixel = dataSet.GetInt32(Tags.SamplesPerPixel) ?? 1,
            IsPlanar = dataSet.GetInt32(Tags.PlanarConfiguration) == 1,
            PhotometricInterpretation = dataSet.GetText(Tags.PhotometricInterpretation) ?? "",
            NumberOfFrames = Math.Max(1, dataSet.GetInt32(Tags.NumberOfFrames) ?? 1),
            Modality = dataSet.GetText(Tags.Modality) ?? "",
            RescaleSlope = dataSet.GetDouble(Tags.RescaleSlope) is { } slope && slope != 0 && double.IsFinite(slope) ? slope : 1,
            RescaleIntercept = dataSet.GetDouble(Tags.RescaleIntercept) is { } intercept && double.IsFinite(intercept) ? intercept : 0,
            PixelPaddingValue = padding,
            PixelPaddingRangeLimit = ReadStored(dataSet, Tags.PixelPaddingRangeLimit, isSigned),
        };
        return null;
    }

    /// <summary>US or SS by the pixel representation, whatever VR an implicit data set was read with (PS3.3 C.7.5.1.1.2).</summary>
    private static int? ReadStored(DataSet dataSet, Tag tag, bool isSigned) =>
        dataSet.Find(tag) is { Value.Length: >= 2 } element
            ? isSigned
                ? System.Buffers.Binary.BinaryPrimitives.ReadInt16LittleEndian(element.Value.Span)
                : System.Buffers.Binary.BinaryPrimitives.ReadUInt16LittleEndian(element.Value.Span)
            : null;
}
