using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>Output units to gray, 0 to 1: a VOI LUT or a window (PS3.3 C.11.2).</summary>
internal sealed class VoiTransform
{
    private readonly LookupTable? _table;

    private VoiTransform(LookupTable? table, DisplayWindow window)
    {
        _table = table;
        Window = window;
    }

    /// <summary>The window, when there is no table.</summary>
    public DisplayWindow Window { get; }

    public double Apply(double value) => _table is null ? Window.Apply(value) : (double)_table[value] / _table.Maximum;

    public static VoiTransform Of(DisplayWindow window) => new(null, window);

    /// <summary>
    /// What the data set says for one frame, the first of several: a VOI LUT before a window, for the window beside a table
    /// is what its maker offers to those who cannot use the table. Null when nothing usable is there.
    /// </summary>
    /// <param name="dataSet">The whole data set.</param>
    /// <param name="frame">From 0.</param>
    /// <param name="hasNegativeInput">True when the modality transformation gives numbers below zero.</param>
    public static VoiTransform? Read(DataSet dataSet, int frame, bool hasNegativeInput)
    {
        DataSet source = dataSet.Contains(Tags.VOILUTSequence) || dataSet.Contains(Tags.WindowCenter)
            ? dataSet
            : FunctionalGroups.Find(dataSet, frame, Tags.FrameVOILUTSequence) ?? dataSet;
        if (source.Find(Tags.VOILUTSequence)?.Items is [var item, ..]
            && item.Find(Tags.LUTDescriptor) is { } descriptor && item.Find(Tags.LUTData) is { } data)
        {
            return new VoiTransform(LookupTable.Read(descriptor, data, hasNegativeInput), default);
        }

        if (source.GetDouble(Tags.WindowCenter) is not { } center || source.GetDouble(Tags.WindowWidth) is not { } width)
        {
            return null;
        }

        var window = new DisplayWindow(center, width, source.GetText(Tags.VOILUTFunction) switch
        {
            "SIGMOID" => VoiFunction.Sigmoid,
            "LINEAR_EXACT" => VoiFunction.LinearExact,
            _ => VoiFunction.Linear,
        });
        return window.IsUsable ? Of(window) : null;
    }
}
