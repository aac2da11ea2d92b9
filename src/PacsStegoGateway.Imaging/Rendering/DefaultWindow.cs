using System.Buffers.Binary;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Frames;

namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>The window of an image that brings none.</summary>
/// <remarks>
/// Up to 8 stored bits without modality transformation: the whole range, for such images are made to be shown as they
/// are. Otherwise from the 0.5th to the 99.5th percentile of the frame, padding pixels (PS3.3 C.7.5.1.1.2) not counted.
/// </remarks>
internal static class DefaultWindow
{
    private const double Lower = 0.005;
    private const double Upper = 0.995;

    /// <summary>Every how manieth pixel is looked at is chosen so that about this many are.</summary>
    private const int Looks = 1 << 18;

    public static DisplayWindow Of(DataSet dataSet, PixelFrame frame, ModalityTransform modality)
    {
        if (frame.Samples == SampleKind.Integer && frame.Format.BitsStored <= 8 && modality.IsIdentity)
        {
            double least = frame.Format.IsSigned ? -(1 << (frame.Format.BitsStored - 1)) : 0;
            return DisplayWindow.Between(least, least + (1 << frame.Format.BitsStored) - 1);
        }

        List<(double Value, int Count)> values = Count(frame, modality, Padding(dataSet, frame), out int total);
        if (total == 0)
        {
            return DisplayWindow.Between(0, 1);
        }

        values.Sort(static (left, right) => left.Value.CompareTo(right.Value));
        double black = At(values, (int)((total - 1) * Lower));
        double white = At(values, (int)((total - 1) * Upper));
        return white > black ? DisplayWindow.Between(black, white) : DisplayWindow.Between(black - 0.5, black + 0.5);
    }

    /// <summary>The values in output units and how often each occurs among the pixels that are looked at.</summary>
    private static List<(double Value, int Count)> Count(PixelFrame frame, ModalityTransform modality, (double From, double To)? padding, out int total)
    {
        var reader = new SampleReader(frame);
        int pixels = (int)frame.Format.PixelCount;
        int step = Math.Max(1, pixels / Looks);
        var values = new List<(double, int)>();
        total = 0;
        if (frame.Samples == SampleKind.Integer && frame.Format.BitsStored <= 16)
        {
            int[] counts = new int[1 << frame.Format.BitsStored];
            for (int i = 0; i < pixels; i += step)
            {
                counts[reader.Field(i)]++;
            }

            for (int field = 0; field < counts.Length; field++)
            {
                double stored = SampleReader.Stored((uint)field, frame.Format);
                if (counts[field] > 0 && !IsPadding(stored))
                {
                    values.Add((modality.Apply(stored), counts[field]));
                    total += counts[field];
                }
            }

            return values;
        }

        for (int i = 0; i < pixels; i += step)
        {
            double stored = reader.Value(i);
            if (double.IsFinite(stored) && !IsPadding(stored))
            {
                values.Add((modality.Apply(stored), 1));
                total++;
            }
        }

        return values;

        bool IsPadding(double stored) => padding is var (from, to) && stored >= from && stored <= to;
    }

    /// <summary>The value that this many pixels lie below.</summary>
    private static double At(List<(double Value, int Count)> sorted, int rank)
    {
        foreach ((double value, int count) in sorted)
        {
            rank -= count;
            if (rank < 0)
            {
                return value;
            }
        }

        return sorted[^1].Value;
    }

    /// <summary>The stored values that are no image: Pixel Padding Value alone, or all up to the Range Limit.</summary>
    private static (double From, double To)? Padding(DataSet dataSet, PixelFrame frame)
    {
        (Tag value, Tag limit) = frame.Samples switch
        {
            SampleKind.Float32 => (Tags.FloatPixelPaddingValue, Tags.FloatPixelPaddingRangeLimit),
            SampleKind.Float64 => (Tags.DoubleFloatPixelPaddingValue, Tags.DoubleFloatPixelPaddingRangeLimit),
            _ => (Tags.PixelPaddingValue, Tags.PixelPaddingRangeLimit),
        };
        return Stored(dataSet, value, frame) is not { } one ? null
            : Stored(dataSet, limit, frame) is { } other ? (Math.Min(one, other), Math.Max(one, other))
            : (one, one);
    }

    /// <summary>US or SS by the pixel representation, whatever VR an implicit data set was read with.</summary>
    private static double? Stored(DataSet dataSet, Tag tag, PixelFrame frame) =>
        frame.Samples != SampleKind.Integer ? dataSet.GetDouble(tag)
        : dataSet.Find(tag) is { Value.Length: >= 2 } element
            ? frame.Format.IsSigned
                ? BinaryPrimitives.ReadInt16LittleEndian(element.Value.Span)
                : BinaryPrimitives.ReadUInt16LittleEndian(element.Value.Span)
            : null;
}
