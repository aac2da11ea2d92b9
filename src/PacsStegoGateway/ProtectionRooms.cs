using PacsStegoGateway.Configuration;
using PacsStegoGateway.Deidentification;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Security;
using PacsStegoGateway.Segmentation;
using PacsStegoGateway.Steganography.Embedding;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway;

/// <summary>The rooms below, composed once: what the service and every verb protect and reveal with.</summary>
public sealed class ProtectionRooms : IDisposable
{
    private readonly IBackgroundSegmenter _segmenter;

    private ProtectionRooms(KeyRing keys, IBackgroundSegmenter segmenter, EmbeddingOptions embedding)
    {
        _segmenter = segmenter;
        Keys = keys;
        Pseudonyms = new Pseudonymizer(keys.PseudonymKey);
        Embedder = new SymbolEmbedder(keys, segmenter, embedding);
        Revealer = new Revealer(Embedder, keys);
        Protector = new Protector(new Deidentifier(DeidentificationProfile.Basic, Pseudonyms), Embedder, keys, Revealer, segmenter.Name);
    }

    public KeyRing Keys { get; }

    public Pseudonymizer Pseudonyms { get; }

    public IBackgroundSegmenter Segmenter => _segmenter;

    public SymbolEmbedder Embedder { get; }

    public Protector Protector { get; }

    public Revealer Revealer { get; }

    /// <summary>Opens key ring and segmenter as configured.</summary>
    /// <exception cref="KeyRingException">The key ring is missing, damaged or readable by others; says what to do.</exception>
    /// <exception cref="Segmentation.OnnxRuntime.OnnxRuntimeUnavailableException">The native library is missing; says how to get it.</exception>
    /// <exception cref="SegmentationModelException">The network is missing or not the pinned one.</exception>
    public static ProtectionRooms Open(GatewayOptions options)
    {
        KeyRing keys = OpenKeys(options);
        return new ProtectionRooms(keys, OpenSegmenter(options), options.Embedding.MaximumChange > 0
            ? new EmbeddingOptions { MaximumChange = options.Embedding.MaximumChange }
            : new EmbeddingOptions());
    }

    internal static KeyRing OpenKeys(GatewayOptions options) => KeySource.Open(options);

    internal static IBackgroundSegmenter OpenSegmenter(GatewayOptions options) => options.Segmentation.Kind == SegmenterKind.Threshold
        ? new ThresholdSegmenter()
        : new MaskRcnnSegmenter(FindModel(options.Segmentation.ModelPath),
            new MaskRcnnOptions { LibraryPath = options.Segmentation.LibraryPath is { Length: > 0 } path ? path : null });

    public void Dispose() => (_segmenter as IDisposable)?.Dispose();

    /// <summary>A relative path is looked for in the working folder, then beside the program, then upward from it.</summary>
    private static string FindModel(string path)
    {
        if (Path.IsPathRooted(path) || File.Exists(path))
        {
            return path;
        }

        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, path);
            if (File.Exists(candidate))
            {
                return candidate;
            }
        }

        return path;
    }
}
