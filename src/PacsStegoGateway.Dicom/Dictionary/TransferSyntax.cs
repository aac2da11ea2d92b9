using System.Collections.Frozen;

namespace PacsStegoGateway.Dicom;

/// <summary>How a data set is encoded under a transfer syntax (PS3.5 Annex A).</summary>
/// <param name="UID">The transfer syntax UID.</param>
/// <param name="Name">The standard's name, or the UID when it has none here.</param>
/// <param name="ExplicitVr">False only for Implicit VR Little Endian.</param>
/// <param name="BigEndian">True only for the retired Explicit VR Big Endian.</param>
/// <param name="Deflated">True when the data set is a raw deflate stream.</param>
/// <param name="Encapsulated">True when pixel data comes in fragments.</param>
/// <param name="Lossy">True when the syntax can only hold, or may hold, irreversibly compressed pixels.</param>
public sealed record TransferSyntax(string UID, string Name, bool ExplicitVr, bool BigEndian, bool Deflated, bool Encapsulated, bool Lossy)
{
    public static readonly TransferSyntax ImplicitVRLittleEndian = new("1.2.840.10008.1.2", "Implicit VR Little Endian", false, false, false, false, false);
    public static readonly TransferSyntax ExplicitVRLittleEndian = new("1.2.840.10008.1.2.1", "Explicit VR Little Endian", true, false, false, false, false);
    public static readonly TransferSyntax DeflatedExplicitVRLittleEndian = new("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", true, false, true, false, false);
    public static readonly TransferSyntax ExplicitVRBigEndian = new("1.2.840.10008.1.2.2", "Explicit VR Big Endian", true, true, false, false, false);

    private static readonly FrozenDictionary<string, TransferSyntax> ByUID = new[]
    {
        ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian,
        new("1.2.840.10008.1.2.1.98", "Encapsulated Uncompressed Explicit VR Little Endian", true, false, false, true, false),

        // Its pixel data is not encapsulated but in the other byte order, which is for no plain reader either.
        new("1.2.840.113619.5.2", "GE Implicit VR Little Endian with Big Endian Pixel Data", false, false, false, true, false),
        Pixels("1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", true),
        Pixels("1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 and 4)", true),
        Pixels("1.2.840.10008.1.2.4.57", "JPEG Lossless, Non-Hierarchical (Process 14)", false),
        Pixels("1.2.840.10008.1.2.4.70", "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14, SV1)", false),
        Pixels("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", false),
        Pixels("1.2.840.10008.1.2.4.81", "JPEG-LS Near-Lossless", true),
        Pixels("1.2.840.10008.1.2.4.90", "JPEG 2000 (Lossless Only)", false),
        Pixels("1.2.840.10008.1.2.4.91", "JPEG 2000", true),
        Pixels("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Multi-component (Lossless Only)", false),
        Pixels("1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2 Multi-component", true),
        Pixels("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level", true),
        Pixels("1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level", true),
        Pixels("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1", true),
        Pixels("1.2.840.10008.1.2.4.103", "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", true),
        Pixels("1.2.840.10008.1.2.4.104", "MPEG-4 AVC/H.264 High Profile / Level 4.2 for 2D Video", true),
        Pixels("1.2.840.10008.1.2.4.105", "MPEG-4 AVC/H.264 High Profile / Level 4.2 for 3D Video", true),
        Pixels("1.2.840.10008.1.2.4.106", "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", true),
        Pixels("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile / Level 5.1", true),
        Pixels("1.2.840.10008.1.2.4.108", "HEVC/H.265 Main 10 Profile / Level 5.1", true),
        Pixels("1.2.840.10008.1.2.4.110", "JPEG XL Lossless", false),
        Pixels("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", true),
        Pixels("1.2.840.10008.1.2.4.112", "JPEG XL", true),
        Pixels("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 (Lossless Only)", false),
        Pixels("1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 with RPCL Options (Lossless Only)", false),
        Pixels("1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000", true),
        Pixels("1.2.840.10008.1.2.5", "RLE Lossless", false),
        Pixels("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", false),
    }.ToFrozenDictionary(static t => t.UID);

    /// <summary>Every transfer syntax known by name.</summary>
    public static IEnumerable<TransferSyntax> All => ByUID.Values;

    /// <summary>
    /// The transfer syntax; an unknown UID is read as Explicit VR Little Endian with encapsulated pixel data, which is
    /// what every syntax added since 1996 is (PS3.5 A.4), and counts as lossy because nobody knows.
    /// </summary>
    public static TransferSyntax Of(string uid) => ByUID.TryGetValue(uid, out TransferSyntax? known) ? known : Pixels(uid, uid, true);

    private static TransferSyntax Pixels(string uid, string name, bool lossy) => new(uid, name, true, false, false, true, lossy);
}
