using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Imaging.Frames;

/// <summary>What the bits of a sample mean.</summary>
public enum SampleKind
{
    /// <summary>Integers of <see cref="FrameFormat.BitsStored"/> bits (Pixel Data).</summary>
    Integer,

    /// <summary>IEEE 754 binary32 (Float Pixel Data).</summary>
    Float32,

    /// <summary>IEEE 754 binary64 (Double Float Pixel Data).</summary>
    Float64,
}

/// <summary>One frame, uncompressed, samples in little endian.</summary>
/// <param name="Bytes">
/// A view into the data set when it was native, the decoder's own array when it was compressed. A frame of packed bits
/// may begin, and end, within a byte.
/// </param>
/// <param name="BitOffset">Where in the first byte the frame begins, 0 to 7 from the least significant bit; 0 unless BitsAllocated is 1.</param>
/// <param name="Format">
/// What the bytes are. YBR_FULL_422, YBR_PARTIAL_422 and YBR_PARTIAL_420 stand here only for native frames, whose pixels
/// share their chrominance samples (PS3.3 C.7.6.3.1.2).
/// </param>
/// <param name="Samples">For floating point the format's BitsStored, HighBit and IsSigned say nothing.</param>
public sealed record PixelFrame(ReadOnlyMemory<byte> Bytes, int BitOffset, FrameFormat Format, SampleKind Samples);
