using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs;

/// <summary>What one frame of pixel data looks like once it is uncompressed (PS3.3 C.7.6.3): all that a codec must know.</summary>
/// <remarks>
/// Frames are little endian, samples <see cref="BitsAllocated"/> wide; one-bit samples are packed from the least
/// significant bit on (PS3.5 8.1.1), every frame beginning on a byte.
/// </remarks>
public sealed record FrameFormat
{
    /// <summary>Greatest length of one uncompressed frame that is decoded or encoded, in bytes: 512 MiB.</summary>
    public const long MaxFrameLength = 512L << 20;

    /// <summary>1 to 65535.</summary>
    public required int Rows { get; init; }

    /// <summary>1 to 65535.</summary>
    public required int Columns { get; init; }

    /// <summary>1, 3 or 4.</summary>
    public int SamplesPerPixel { get; init; } = 1;

    /// <summary>1, 8, 16 or 32.</summary>
    public required int BitsAllocated { get; init; }

    /// <summary>1 to <see cref="BitsAllocated"/>.</summary>
    public required int BitsStored { get; init; }

    /// <summary>Usually <see cref="BitsStored"/> - 1; more when other things lie below the samples.</summary>
    public required int HighBit { get; init; }

    /// <summary>True when (0028,0103) is 1: two's complement.</summary>
    public bool IsSigned { get; init; }

    /// <summary>True when (0028,0006) is 1: all of one colour, then all of the next.</summary>
    public bool IsPlanar { get; init; }

    /// <summary>(0028,0004), for instance MONOCHROME2, RGB, YBR_FULL_422.</summary>
    public required string PhotometricInterpretation { get; init; }

    /// <summary>Pixels of a frame.</summary>
    public long PixelCount => (long)Rows * Columns;

    /// <summary>Samples of a frame, all colours together.</summary>
    public long SampleCount => PixelCount * SamplesPerPixel;

    /// <summary>Bytes of one uncompressed frame, one-bit samples rounded up to whole bytes.</summary>
    public long FrameLength => ((SampleCount * BitsAllocated) + 7) / 8;

    /// <summary>Why no codec can work with this format, in words for an operator, or null when one can.</summary>
    public string? Fault =>
        Rows is < 1 or > 65535 || Columns is < 1 or > 65535 ? $"Rows {Rows}, Columns {Columns}: each must be 1 to 65535."
        : SamplesPerPixel is not (1 or 3 or 4) ? $"SamplesPerPixel {SamplesPerPixel} is not 1, 3 or 4."
        : BitsAllocated is not (1 or 8 or 16 or 32) || BitsStored < 1 || BitsStored > BitsAllocated || HighBit < BitsStored - 1 || HighBit >= BitsAllocated
            ? $"BitsAllocated {BitsAllocated}, BitsStored {BitsStored}, HighBit {HighBit} is not a layout of 1-, 8-, 16- or 32-bit samples."
        : BitsAllocated == 1 && SamplesPerPixel != 1 ? "One-bit samples go with SamplesPerPixel 1 only."
        : FrameLength > MaxFrameLength ? $"A frame of {FrameLength} bytes is above the limit of {MaxFrameLength}."
        : null;

    /// <summary>Reads the format of the frames of a data set, compressed or not.</summary>
    /// <param name="dataSet">A data set with an Image Pixel Module.</param>
    /// <param name="format">The format when the result is null.</param>
    /// <returns>Null when readable, otherwise the reason in words for an operator (no identity in it).</returns>
    public static string? TryRead(DataSet dataSet, out FrameFormat format)
    {
        int bitsAllocated = dataSet.GetInt32(Tags.BitsAllocated) ?? 0;
        int bitsStored = dataSet.GetInt32(Tags.BitsStored) ?? bitsAllocated;
        format = new FrameFormat
        {
            Rows = dataSet.GetInt32(Tags.Rows) ?? 0,
            Columns = dataSet.GetInt32(Tags.Columns) ?? 0,
            SamplesPerPixel = dataSet.GetInt32(Tags.SamplesPerPixel) ?? 1,
            BitsAllocated = bitsAllocated,
            BitsStored = bitsStored,
            HighBit = dataSet.GetInt32(Tags.HighBit) ?? bitsStored - 1,
            IsSigned = dataSet.GetInt32(Tags.PixelRepresentation) == 1,
            IsPlanar = dataSet.GetInt32(Tags.PlanarConfiguration) == 1,
            PhotometricInterpretation = dataSet.GetText(Tags.PhotometricInterpretation)?.Trim() ?? "",
        };
        return format.Fault;
    }

    /// <summary>Throws unless the format is one that codecs work with.</summary>
    internal void RequireSound()
    {
        if (Fault is { } fault)
        {
            throw new ArgumentException(fault);
        }
    }

    /// <summary>Throws unless the bytes are one frame of this format, a trailing pad byte allowed.</summary>
    /// <returns>The frame without the pad byte.</returns>
    internal ReadOnlySpan<byte> RequireFrame(ReadOnlySpan<byte> frame)
    {
        RequireSound();
        return frame.Length == FrameLength || (frame.Length == FrameLength + 1 && (FrameLength & 1) != 0)
            ? frame[..(int)FrameLength]
            : throw new ArgumentException($"The frame has {frame.Length} bytes, its format says {FrameLength}.", nameof(frame));
    }
}
