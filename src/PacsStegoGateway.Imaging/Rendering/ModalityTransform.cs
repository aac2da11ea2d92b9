using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>Stored values to output units: Modality LUT Sequence or Rescale Slope and Intercept (PS3.3 C.11.1).</summary>
internal sealed class ModalityTransform
{
    private readonly LookupTable? _table;
    private readonly double _slope;
    private readonly double _intercept;

    private ModalityTransform(LookupTable? table, double slope, double intercept)
    {
        _table = table;
        _slope = slope;
        _intercept = intercept;
    }

    /// <summary>True when it changes no number.</summary>
    public bool IsIdentity => _table is null && _slope == 1 && _intercept == 0;

    public double Apply(double stored) => _table is null ? (stored * _slope) + _intercept : _table[stored];

    /// <summary>Reads it for one frame; a slope of zero, which would make everything one gray, counts as absent.</summary>
    public static ModalityTransform Read(DataSet dataSet, int frame, bool isSigned)
    {
        if (dataSet.Find(Tags.ModalityLUTSequence)?.Items is [var item, ..]
            && item.Find(Tags.LUTDescriptor) is { } descriptor && item.Find(Tags.LUTData) is { } data)
        {
            return new ModalityTransform(LookupTable.Read(descriptor, data, isSigned), 1, 0);
        }

        DataSet source = dataSet.Contains(Tags.RescaleSlope) || dataSet.Contains(Tags.RescaleIntercept)
            ? dataSet
            : FunctionalGroups.Find(dataSet, frame, Tags.PixelValueTransformationSequence) ?? dataSet;
        double slope = source.GetDouble(Tags.RescaleSlope) is { } s && double.IsFinite(s) && s != 0 ? s : 1;
        double intercept = source.GetDouble(Tags.RescaleIntercept) is { } i && double.IsFinite(i) ? i : 0;
        return new ModalityTransform(null, slope, intercept);
    }
}
