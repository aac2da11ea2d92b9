using System.Buffers.Binary;
using System.Numerics;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.JpegLs;

/// <summary>What a scan is coded with (T.87 C.2.4.1.1, A.2.1): given by an LSE segment or by default.</summary>
internal sealed record JpegLsParameters(int MaxValue, int Threshold1, int Threshold2, int Threshold3, int Reset, int Near)
{
    /// <summary>RANGE: how many prediction errors there are.</summary>
    public int Range { get; } = ((MaxValue + (2 * Near)) / ((2 * Near) + 1)) + 1;

    /// <summary>qbpp: bits of a prediction error that is written as it is.</summary>
    public int ErrorBits => BitOperations.Log2((uint)Range - 1) + 1;

    /// <summary>LIMIT: the longest code, in bits.</summary>
    public int Limit
    {
        get
        {
            int bits = Math.Max(2, BitOperations.Log2((uint)MaxValue) + 1);
            return 2 * (bits + Math.Max(8, bits));
        }
    }

    /// <summary>The parameters of a scan.</summary>
    /// <param name="preset">The content of an LSE segment of type 1, or nothing; zeros there mean the default.</param>
    /// <exception cref="DicomContentException">Not what the standard allows.</exception>
    public static JpegLsParameters Of(ReadOnlySpan<byte> preset, int precision, int near)
    {
        int maxValue = Preset(preset, 0), most = (1 << precision) - 1;
        maxValue = maxValue == 0 ? most : maxValue;
        if (maxValue > most || near > Math.Min(255, maxValue / 2))
        {
            throw new DicomContentException($"JPEG-LS: MAXVAL {maxValue} and NEAR {near} do not go with {precision} bits.");
        }

        bool isWide = maxValue >= 128;
        int factor = isWide ? (Math.Min(maxValue, 4095) + 128) / 256 : 256 / (maxValue + 1);
        int t1 = Preset(preset, 1), t2 = Preset(preset, 2), t3 = Preset(preset, 3), reset = Preset(preset, 4);
        t1 = t1 != 0 ? t1 : Within(isWide ? factor + 2 + (3 * near) : Math.Max(2, (3 / factor) + (3 * near)), near + 1);
        t2 = t2 != 0 ? t2 : Within(isWide ? (factor * 4) + 3 + (5 * near) : Math.Max(3, (7 / factor) + (5 * near)), t1);
        t3 = t3 != 0 ? t3 : Within(isWide ? (factor * 17) + 4 + (7 * near) : Math.Max(4, (21 / factor) + (7 * near)), t2);
        reset = reset == 0 ? 64 : reset;
        return t1 > near && t1 <= maxValue && t2 >= t1 && t2 <= maxValue && t3 >= t2 && t3 <= maxValue && reset >= 3 && reset <= Math.Max(255, maxValue)
            ? new JpegLsParameters(maxValue, t1, t2, t3, reset, near)
            : throw new DicomContentException($"JPEG-LS: the thresholds {t1}, {t2}, {t3} or RESET {reset} are impossible.");

        int Within(int value, int least) => value > maxValue || value < least ? least : value;
    }

    private static int Preset(ReadOnlySpan<byte> preset, int index) => preset.IsEmpty ? 0 : BinaryPrimitives.ReadUInt16BigEndian(preset[(1 + (2 * index))..]);
}
