using System.Collections.Frozen;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs.Jpeg;
using PacsStegoGateway.Imaging.Codecs.Jpeg2000;
using PacsStegoGateway.Imaging.Codecs.JpegLs;
using PacsStegoGateway.Imaging.Codecs.Rle;

namespace PacsStegoGateway.Imaging.Codecs;

/// <summary>Which codec serves which transfer syntax.</summary>
public static class PixelCodecs
{
    /// <summary>JPEG with DCT, also for lossy encoding of pictures.</summary>
    public static readonly JpegCodec Jpeg = new();

    /// <summary>JPEG-LS, also for near-lossless encoding.</summary>
    public static readonly JpegLsCodec JpegLs = new();

    /// <summary>JPEG 2000, also for lossy encoding.</summary>
    public static readonly Jpeg2000Codec Jpeg2000 = new(isHighThroughput: false);

    private static readonly Jpeg2000Codec HighThroughput = new(isHighThroughput: true);

    private static readonly FrozenDictionary<string, IPixelCodec> ByTransferSyntax = new Dictionary<string, IPixelCodec>
    {
        ["1.2.840.10008.1.2.1.98"] = new UncompressedCodec(),
        ["1.2.840.10008.1.2.8.1"] = new DeflateCodec(),
        ["1.2.840.10008.1.2.4.50"] = Jpeg,
        ["1.2.840.10008.1.2.4.51"] = Jpeg,
        ["1.2.840.10008.1.2.4.57"] = new JpegLosslessCodec(predictor: null),
        ["1.2.840.10008.1.2.4.70"] = new JpegLosslessCodec(predictor: 1),
        ["1.2.840.10008.1.2.4.80"] = JpegLs,
        ["1.2.840.10008.1.2.4.81"] = JpegLs,
        ["1.2.840.10008.1.2.4.90"] = Jpeg2000,
        ["1.2.840.10008.1.2.4.91"] = Jpeg2000,
        ["1.2.840.10008.1.2.4.201"] = HighThroughput,
        ["1.2.840.10008.1.2.4.202"] = HighThroughput,
        ["1.2.840.10008.1.2.4.203"] = HighThroughput,
        ["1.2.840.10008.1.2.5"] = new RleCodec(),
    }.ToFrozenDictionary();

    /// <summary>UIDs of the transfer syntaxes that have a codec, whether its library is here or not.</summary>
    public static IEnumerable<string> TransferSyntaxUIDs => ByTransferSyntax.Keys;

    /// <summary>
    /// The codec, or null when there is none: pixel data of the transfer syntax is native, or kept and sent on as it is.
    /// A codec whose library is missing is found too and says so in <see cref="IPixelCodec.Unavailable"/>.
    /// </summary>
    public static IPixelCodec? Find(TransferSyntax transferSyntax) => ByTransferSyntax.GetValueOrDefault(transferSyntax.UID);

    /// <summary>
    /// True when the transfer syntax can hold nothing but reversibly compressed (or uncompressed) samples. False says only
    /// that it may be lossy.
    /// </summary>
    public static bool IsLossless(TransferSyntax transferSyntax) => !transferSyntax.Lossy;
}
