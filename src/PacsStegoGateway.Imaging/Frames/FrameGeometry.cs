using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Imaging.Frames;

/// <summary>How many bits a frame takes in native pixel data.</summary>
internal static class FrameGeometry
{
    /// <summary>True when native pixels share chrominance samples (PS3.3 C.7.6.3.1.2).</summary>
    public static bool SharesChrominance(FrameFormat format) =>
        format.PhotometricInterpretation is "YBR_FULL_422" or "YBR_PARTIAL_422" or "YBR_PARTIAL_420";

    /// <summary>
    /// Bits of one frame in native pixel data. Frames of packed bits follow each other without filling (PS3.5 8.1.1); two
    /// pixels share their chrominance under YBR_FULL_422 and YBR_PARTIAL_422, four under YBR_PARTIAL_420.
    /// </summary>
    public static long NativeBits(FrameFormat format) => format.PhotometricInterpretation switch
    {
        "YBR_FULL_422" or "YBR_PARTIAL_422" => 2 * format.PixelCount * format.BitsAllocated,
        "YBR_PARTIAL_420" => 3 * format.PixelCount * format.BitsAllocated / 2,
        _ => format.SampleCount * format.BitsAllocated,
    };
}
