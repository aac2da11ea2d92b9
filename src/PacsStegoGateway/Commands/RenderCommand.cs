using System.CommandLine;
using System.Globalization;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Frames;
using PacsStegoGateway.Imaging.Rendering;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg render FILE --out PICTURE</c>: a frame as PNG or JPEG, windowed and in colour as a viewer shows it.</summary>
internal static class RenderCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "A DICOM image." };
        var output = new Option<string>("--out") { Description = "The picture: .png, .jpg or .jpeg says which. Several frames get their number before the dot.", Required = true };
        var frame = new Option<string>("--frame") { Description = "Which frame, from 1; a range such as 3-7; or all.", DefaultValueFactory = static _ => "1" };
        var window = new Option<string?>("--window") { Description = "Display window C,W in output units (HU for CT), with LINEAR, LINEAR_EXACT or SIGMOID after another comma. Default: what the file says, else fitted to the frame." };
        var size = new Option<string?>("--size") { Description = $"Fits the picture into WxH pixels, proportions and pixel aspect ratio kept, at most {RenderOptions.MaximumEdge} each." };
        var bits = new Option<int>("--bits") { Description = "8 or 16 bits a sample (16: PNG alone).", DefaultValueFactory = static _ => 8 };
        var quality = new Option<int>("--quality") { Description = "JPEG quality, 1 to 100.", DefaultValueFactory = static _ => 90 };
        var command = new Command("render", "Draws frames of an image into PNG or JPEG files.") { file, output, frame, window, size, bits, quality };
        command.SetAction(result => Run(
            result.GetRequiredValue(file),
            result.GetRequiredValue(output),
            result.GetRequiredValue(frame),
            new RenderOptions
            {
                Window = result.GetValue(window) is { } w ? ParseWindow(w) : null,
                Size = result.GetValue(size) is { } s ? ParseSize(s) : null,
                BitsPerSample = result.GetValue(bits),
            },
            result.GetValue(quality)));
        return command;
    }

    private static int Run(string path, string output, string which, RenderOptions options, int quality)
    {
        bool isJpeg = Path.GetExtension(output).ToUpperInvariant() switch
        {
            ".PNG" => false,
            ".JPG" or ".JPEG" => true,
            _ => throw new CommandException($"{output}: a picture ends in .png, .jpg or .jpeg."),
        };
        if (options.BitsPerSample is not (8 or 16))
        {
            throw new CommandException($"--bits {options.BitsPerSample}: give 8 or 16.");
        }

        if (isJpeg)
        {
            CheckJpeg(options, quality);
        }

        if (!File.Exists(path))
        {
            throw new CommandException($"{path}: no such file.");
        }

        using FileSource source = FileSource.Open(path);
        DicomFile file = DicomFile.Read(source);
        var frames = PixelFrames.Open(file.DataSet, file.TransferSyntax);
        (int first, int last) = ParseFrames(which, frames.Count);
        for (int frame = first; frame <= last; frame++)
        {
            try
            {
                RenderedFrame picture = FrameRenderer.Render(file.DataSet, frames, frame - 1, options);
                using FileStream stream = File.Create(first == last ? output : Numbered(output, frame));
                if (isJpeg)
                {
                    JpegPictureWriter.Write(picture, stream, quality);
                }
                else
                {
                    PngWriter.Write(picture, stream);
                }
            }
            catch (Exception e) when (e is PixelCodecRefusedException or InvalidOperationException or ArgumentException or OutOfMemoryException or OverflowException or IndexOutOfRangeException)
            {
                Console.Error.WriteLine($"{path}: frame {frame}: {e.Message}");
                return ExitCode.SomeFailed;
            }
        }

        return ExitCode.Done;
    }

    private static void CheckJpeg(RenderOptions options, int quality)
    {
        if (JpegPictureWriter.Unavailable is { } missing)
        {
            throw new CommandException(missing);
        }

        if (options.BitsPerSample != 8)
        {
            throw new CommandException("--bits: a JPEG has 8 bits a sample.");
        }

        if (quality is < 1 or > 100)
        {
            throw new CommandException($"--quality {quality}: give 1 to 100.");
        }
    }

    private static string Numbered(string output, int frame) => Path.Combine(
        Path.GetDirectoryName(output) ?? "",
        string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(output)}-{frame:00000}{Path.GetExtension(output)}"));

    /// <summary>From 1, both ends included.</summary>
    private static (int First, int Last) ParseFrames(string text, int count)
    {
        if (text == "all")
        {
            return (1, count);
        }

        string[] ends = text.Split('-');
        return ends.Length is 1 or 2
            && int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first)
            && int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int last)
            && first >= 1 && last >= first && last <= count
            ? (first, last)
            : throw new CommandException($"--frame {text}: the file has frames 1 to {count}; give one, a range such as 1-{count}, or all.");
    }

    private static DisplayWindow ParseWindow(string text)
    {
        string[] parts = text.Split(',');
        VoiFunction? function = parts.Length < 3 ? VoiFunction.Linear : parts[2].ToUpperInvariant() switch
        {
            "LINEAR" => VoiFunction.Linear,
            "LINEAR_EXACT" => VoiFunction.LinearExact,
            "SIGMOID" => VoiFunction.Sigmoid,
            _ => null,
        };
        return parts.Length is 2 or 3 && function is { } known
            && double.TryParse(parts[0], CultureInfo.InvariantCulture, out double center)
            && double.TryParse(parts[1], CultureInfo.InvariantCulture, out double width)
            && new DisplayWindow(center, width, known) is { IsUsable: true } window
            ? window
            : throw new CommandException($"--window {text}: give center and width such as 40,400, the width above zero.");
    }

    private static (int Width, int Height) ParseSize(string text) =>
        text.Split('x', 'X') is [var w, var h]
            && int.TryParse(w, NumberStyles.None, CultureInfo.InvariantCulture, out int width)
            && int.TryParse(h, NumberStyles.None, CultureInfo.InvariantCulture, out int height)
            && width is >= 1 and <= RenderOptions.MaximumEdge && height is >= 1 and <= RenderOptions.MaximumEdge
            ? (width, height)
            : throw new CommandException($"--size {text}: give width and height such as 512x512, each 1 to {RenderOptions.MaximumEdge}.");
}
