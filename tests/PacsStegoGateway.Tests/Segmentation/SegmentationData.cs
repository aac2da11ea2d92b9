using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Segmentation;
using PacsStegoGateway.Segmentation.OnnxRuntime;

namespace PacsStegoGateway.Tests.Segmentation;

/// <summary>Images and the one network session pool the segmentation tests share.</summary>
internal static class SegmentationData
{
    public static readonly string ModelPath = Path.Combine(AppContext.BaseDirectory, "models", "mask-rcnn.onnx");

    private static readonly Lazy<MaskRcnnSegmenter> Shared = new(() => new MaskRcnnSegmenter(ModelPath));

    /// <summary>The shared segmenter, or a skip that says what to run.</summary>
    public static MaskRcnnSegmenter Require()
    {
        RequireLibrary();
        return Shared.Value;
    }

    public static OnnxRuntimeLibrary RequireLibrary()
    {
        try
        {
            return OnnxRuntimeLibrary.Load();
        }
        catch (OnnxRuntimeUnavailableException missing)
        {
            Assert.Skip(missing.Message);
            throw;
        }
    }

    /// <summary>A copy of the model's folder, so that a test may damage it.</summary>
    public static string CopyModel(string name)
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "segmentation-models", name);
        Directory.CreateDirectory(folder);
        foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(ModelPath)!))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        }

        return Path.Combine(folder, Path.GetFileName(ModelPath));
    }

    public static PixelDescription Describe(int width, int height, string modality) => new()
    {
        Rows = height,
        Columns = width,
        BitsAllocated = 16,
        BitsStored = 12,
        HighBit = 11,
        IsSigned = false,
        SamplesPerPixel = 1,
        IsPlanar = false,
        PhotometricInterpretation = "MONOCHROME2",
        NumberOfFrames = 1,
        Modality = modality,
        RescaleIntercept = modality == "CT" ? -1024 : 0,
    };

    /// <summary>
    /// An ellipse of soft tissue with a skin of fat, two lungs and a spine (CT) or a bright ellipse with dark parts (MR),
    /// in noisy air. The same picture at every size.
    /// </summary>
    public static PixelPlane Body(int width, int height, string modality)
    {
        bool isCt = modality == "CT";
        Random noise = new(7166);
        int[] samples = new int[width * height];
        for (int i = 0; i < samples.Length; i++)
        {
            double x = (((i % width) + 0.5) / width * 2) - 1;
            double y = (((i / width) + 0.5) / height * 2) - 1;
            double body = Ellipse(x, y, 0, 0, 0.72, 0.55);
            double level = body > 1 ? (isCt ? 24 : 0)
                : body > 0.86 ? (isCt ? 924 : 900)
                : Ellipse(x, y, -0.3, -0.05, 0.2, 0.32) < 1 || Ellipse(x, y, 0.3, -0.05, 0.2, 0.32) < 1 ? (isCt ? 180 : 60)
                : Ellipse(x, y, 0, 0.32, 0.1, 0.1) < 1 ? (isCt ? 1700 : 250)
                : isCt ? 1070 : 650;
            double spread = isCt ? 8 : 10;
            samples[i] = Math.Clamp((int)Math.Round(level + (spread * (noise.NextDouble() + noise.NextDouble() + noise.NextDouble() - 1.5))), 0, 4095);
        }

        return new PixelPlane(width, height, samples, 0, 4095);
    }

    /// <summary>True inside the body of <see cref="Body"/>, lungs and all.</summary>
    public static bool IsBody(int width, int height, int px, int py) =>
        Ellipse(((px + 0.5) / width * 2) - 1, ((py + 0.5) / height * 2) - 1, 0, 0, 0.72, 0.55) <= 1;

    /// <summary>Every uncompressed grayscale image of the training data.</summary>
    public static IEnumerable<(string Path, PixelPlane Plane, PixelDescription Description)> TrainImages()
    {
        string folder = SharedData.Require("data/train");
        foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (path.EndsWith(".csv", StringComparison.Ordinal))
            {
                continue;
            }

            DicomFile file = DicomFile.Read(File.ReadAllBytes(path));
            if (file.TransferSyntax.Encapsulated || PixelDescription.TryRead(file.DataSet, out PixelDescription description) is not null)
            {
                continue;
            }

            ReadOnlySpan<byte> pixels = file.DataSet.Find(Tags.PixelData)!.Value.Span;
            yield return (Path.GetRelativePath(folder, path), PixelPlane.Read(description, pixels[..(int)description.FrameLength]), description);
        }
    }

    private static double Ellipse(double x, double y, double cx, double cy, double rx, double ry) =>
        ((x - cx) * (x - cx) / (rx * rx)) + ((y - cy) * (y - cy) / (ry * ry));
}
