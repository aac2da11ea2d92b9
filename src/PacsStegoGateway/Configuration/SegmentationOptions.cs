namespace PacsStegoGateway.Configuration;

public enum SegmenterKind
{
    MaskRcnn,
    Threshold,
}

/// <summary>Who decides what is background.</summary>
public sealed class SegmentationOptions
{
    /// <summary>maskrcnn or threshold. Default maskrcnn.</summary>
    public SegmenterKind Kind { get; set; } = SegmenterKind.MaskRcnn;

    /// <summary>The ONNX file of maskrcnn. Default <c>models/mask-rcnn.onnx</c>; relative to the working folder, else to the program's.</summary>
    public string ModelPath { get; set; } = "models/mask-rcnn.onnx";

    /// <summary>The ONNX Runtime library. Empty: looked for beside the program.</summary>
    public string LibraryPath { get; set; } = "";
}

/// <summary>How strongly the symbol is embedded; the room of steganography documents what each value does.</summary>
public sealed class EmbeddingSettings
{
    /// <summary>Largest change of a background sample, in stored values, 1 to 255. Default 0: 6, or as much as 1.5 standard deviations of a noisier background.</summary>
    public int MaximumChange { get; set; }
}
