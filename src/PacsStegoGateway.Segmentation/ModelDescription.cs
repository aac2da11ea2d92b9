using System.Security.Cryptography;
using System.Text.Json;

namespace PacsStegoGateway.Segmentation;

/// <summary>The model file is missing, damaged, not the one its description names, or not a network of the expected form.</summary>
public sealed class SegmentationModelException(string message, Exception? inner = null) : InvalidOperationException(message, inner);

/// <summary>What <c>model.json</c> says about the network beside it.</summary>
/// <param name="Name">For people.</param>
/// <param name="File">The network's file name, in the same folder.</param>
/// <param name="Sha256">Of that file, lower-case hex.</param>
/// <param name="Opset">ONNX operator set, for people.</param>
/// <param name="Input">Float32 (1, 1, height, width).</param>
/// <param name="Outputs">Float32 box (1, 4), score (1), mask (1, maskSize, maskSize).</param>
/// <param name="Normalisation">How stored values become what the network was trained with.</param>
/// <param name="MinimumScore">A best box below this score is not believed.</param>
/// <param name="Refinement">How the mask's rim is drawn at cell resolution.</param>
public sealed record ModelDescription(
    string Name,
    string File,
    string Sha256,
    int Opset,
    NetworkInput Input,
    NetworkOutputs Outputs,
    Normalisation Normalisation,
    double MinimumScore,
    Refinement Refinement)
{
    /// <summary>Largest network file that is read, in bytes.</summary>
    public const long MaximumModelLength = 256L << 20;

    private const long MaximumDescriptionLength = 64 << 10;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Reads <c>model.json</c> beside the network and the network itself, and compares the checksum.</summary>
    /// <param name="modelPath">The network's file.</param>
    /// <param name="model">The network's bytes.</param>
    /// <exception cref="SegmentationModelException">Missing, damaged, or not the file the description names.</exception>
    public static ModelDescription Load(string modelPath, out byte[] model)
    {
        string descriptionPath = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(modelPath))!, "model.json");
        ModelDescription description;
        try
        {
            description = JsonSerializer.Deserialize<ModelDescription>(ReadBounded(descriptionPath, MaximumDescriptionLength), Json)
                ?? throw new JsonException("null");
        }
        catch (JsonException failure)
        {
            throw new SegmentationModelException($"'{descriptionPath}' does not describe a model: {failure.Message}", failure);
        }

        if (description.File != Path.GetFileName(modelPath))
        {
            throw new SegmentationModelException($"'{descriptionPath}' describes '{description.File}', not '{Path.GetFileName(modelPath)}'.");
        }

        description.RequirePlausible(descriptionPath);
        model = ReadBounded(modelPath, MaximumModelLength);
        string found = Convert.ToHexStringLower(SHA256.HashData(model));
        return string.Equals(found, description.Sha256, StringComparison.OrdinalIgnoreCase)
            ? description
            : throw new SegmentationModelException(
                $"'{modelPath}' has SHA-256 {found}, but {description.Sha256} is expected: the file is damaged or another one.");
    }

    private static byte[] ReadBounded(string path, long limit)
    {
        FileInfo file = new(path);
        if (!file.Exists)
        {
            throw new SegmentationModelException($"'{path}' does not exist.");
        }

        return file.Length <= limit
            ? System.IO.File.ReadAllBytes(path)
            : throw new SegmentationModelException($"'{path}' has {file.Length} bytes, more than the {limit} allowed.");
    }

    private void RequirePlausible(string path)
    {
        bool isPlausible = Input.Width is >= 32 and <= 2048 && Input.Height is >= 32 and <= 2048 && Outputs.MaskSize is >= 4 and <= 1024
            && Normalisation.CtRangeHU > 0 && Normalisation.Deviation > 0 && Normalisation.MrPercentile is > 50 and <= 100
            && Refinement.SureBackground < Refinement.SureAnatomy && Refinement.BrightFraction is > 0 and < 1;
        if (!isPlausible)
        {
            throw new SegmentationModelException($"A number in '{path}' is out of its range.");
        }
    }
}

/// <summary>The network's input: its name and size in pixels.</summary>
public sealed record NetworkInput(string Name, int Width, int Height);

/// <summary>The network's outputs by name; the mask is a square of <paramref name="MaskSize"/> probabilities over the box.</summary>
public sealed record NetworkOutputs(string Box, string Score, string Mask, int MaskSize);

/// <summary>
/// CT: v = clip((HU - CtLowestHU) / CtRangeHU, 0, 1), below CtPaddingBelowHU 0. MR: v = sqrt(clip(x / MrPercentile-th
/// percentile, 0, 1)). The network sees (v - Mean) / Deviation.
/// </summary>
public sealed record Normalisation(
    double CtLowestHU, double CtRangeHU, double CtPaddingBelowHU, double MrPercentile, double Mean, double Deviation)
{
    /// <summary>The scale for a segmenter without a network.</summary>
    public static Normalisation Default { get; } = new(-1000, 1400, -1200, 99.5, 0.25, 0.25);
}

/// <summary>
/// Between the two probabilities a cell is anatomy when it is brighter than the point BrightFraction of the way from
/// sure background to sure anatomy, and joined to sure anatomy.
/// </summary>
public sealed record Refinement(double SureBackground, double SureAnatomy, double BrightFraction);
