using System.CommandLine;
using PacsStegoGateway.Configuration;

namespace PacsStegoGateway.Commands;

/// <summary>What the verbs that protect and reveal can be told about keys and segmenter; the rest comes from the configuration.</summary>
internal sealed class RoomOptions
{
    private readonly Option<string?> _config = CommonOptions.Config();
    private readonly Option<string?> _keys = new("--keys") { Description = "The key ring file. Default: the one of the configuration." };
    private readonly Option<SegmenterKind?> _segmenter = new("--segmenter") { Description = "Who finds the background. Default: the one of the configuration." };
    private readonly Option<string?> _model = new("--model") { Description = "The ONNX file of the Mask R-CNN. Default: the one of the configuration." };

    public void AddTo(Command command)
    {
        command.Options.Add(_config);
        command.Options.Add(_keys);
        command.Options.Add(_segmenter);
        command.Options.Add(_model);
    }

    public ProtectionRooms Open(ParseResult result)
    {
        GatewayOptions options = ConfigurationFile.LoadSections(result.GetValue(_config), "Keys", "Segmentation", "Embedding");
        if (result.GetValue(_keys) is { } ring)
        {
            options.Keys = new KeyOptions { RingPath = Path.GetFullPath(ring) };
        }

        options.Segmentation.Kind = result.GetValue(_segmenter) ?? options.Segmentation.Kind;
        options.Segmentation.ModelPath = result.GetValue(_model) ?? options.Segmentation.ModelPath;
        return ProtectionRooms.Open(options);
    }
}
