using System.Globalization;
using System.Text;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Frames;
using PacsStegoGateway.Imaging.Rendering;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Imaging;

/// <summary>DCMTK's dcmj2pnm judges our pictures, on every file of the conformance data that both can open.</summary>
public sealed class RenderingAgainstDcmtkTests
{
    /// <summary>
    /// The most that two correct roundings can be apart, in gray levels of 255. DCMTK cuts the two products of a YBR
    /// conversion off one by one, which is one level more.
    /// </summary>
    private static int ToleranceFor(string photometric) => photometric.StartsWith("YBR", StringComparison.Ordinal) ? 2 : 1;

    /// <summary>
    /// Samples of 32 bits in big endian words: DCMTK takes the halves in the wrong order. Their little endian twins lie
    /// beside them and give the same picture as ours.
    /// </summary>
    private static readonly string[] TwoWordSamples = ["rtdose_expb.dcm", "rtdose_expb_1frame.dcm"];

    /// <summary>
    /// RGB by the data set, YCbCr by the JPEG stream (JFIF, or subsampled chroma). We believe the stream and show white
    /// as white; DCMTK believes the data set.
    /// </summary>
    private static readonly string[] Mislabelled = ["example.dcm", "example-mg.dcm", "GH195.dcm", "SC_rgb_jpeg_lossy_gdcm.dcm"];

    /// <summary>Two inverse DCTs may be one sample value apart, which a narrow window makes more levels of.</summary>
    private const int TwelveBitTolerance = 3;

    [Fact]
    public async Task Pictures_with_the_same_window_are_within_one_level_of_DCMTKs()
    {
        string folder = SharedData.Require("data/conformance");
        string scratch = Directory.CreateTempSubdirectory("psg-render").FullName;
        var compared = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var differing = new List<string>();
        try
        {
            foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                if (!TwoWordSamples.Contains(Path.GetFileName(path)) && !Mislabelled.Contains(Path.GetFileName(path))
                    && TryRender(path, out RenderedFrame ours, out string photometric, out bool isTwelveBitJpeg) is null
                    && await ByDcmtk(path, ours, Path.Combine(scratch, "out.pnm")) is { } theirs)
                {
                    compared[photometric] = compared.GetValueOrDefault(photometric) + 1;
                    if (Farthest(ours, theirs) is var difference && difference > (isTwelveBitJpeg ? TwelveBitTolerance : ToleranceFor(photometric)))
                    {
                        differing.Add($"{Path.GetRelativePath(folder, path)} ({photometric}): {difference}");
                    }
                }
            }
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }

        TestContext.Current.SendDiagnosticMessage(string.Join(", ", compared.Select(static c => $"{c.Key} {c.Value}")));
        differing.ShouldBeEmpty();
        foreach (string photometric in (string[])["MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422"])
        {
            compared.ShouldContainKey(photometric);
        }
    }

    /// <summary>The first frame in a window of whole numbers, or why there is no picture.</summary>
    private static string? TryRender(string path, out RenderedFrame rendered, out string photometric, out bool isTwelveBitJpeg)
    {
        rendered = null!;
        photometric = "";
        isTwelveBitJpeg = false;
        try
        {
            DicomFile file = DicomFile.Read(File.ReadAllBytes(path));
            var frames = PixelFrames.Open(file.DataSet, file.TransferSyntax);
            photometric = frames.Format.PhotometricInterpretation;
            isTwelveBitJpeg = file.TransferSyntax.UID == "1.2.840.10008.1.2.4.51" && frames.Format.BitsAllocated == 16;
            rendered = FrameRenderer.Render(file.DataSet, frames, 0);
            if (rendered.Channels == 1)
            {
                DisplayWindow window = rendered.Window ?? new DisplayWindow(128, 256);
                rendered = FrameRenderer.Render(file.DataSet, frames, 0, new RenderOptions { Window = Whole(window, file.DataSet) });
            }

            return null;
        }
        catch (Exception e) when (e is DicomContentException or PixelCodecRefusedException)
        {
            return e.Message;
        }
    }

    /// <summary>
    /// Whole numbers, which both take alike. DCMTK cuts values after a fractional rescaling to whole numbers before the
    /// window: in one of 512 that is half a level.
    /// </summary>
    private static DisplayWindow Whole(DisplayWindow window, DataSet dataSet) => new(
        Math.Round(window.Center),
        Math.Max((dataSet.GetDouble(Tags.RescaleSlope) ?? 1) % 1 == 0 ? 2 : 512, Math.Round(window.Width)));

    [Fact]
    public void Samples_of_two_big_endian_words_give_the_picture_of_their_little_endian_twins()
    {
        string folder = SharedData.Require("data/conformance/pydicom+pydicom/src/pydicom/data/test_files");
        foreach ((string Big, string Little) twin in ((string, string)[])[("rtdose_expb.dcm", "rtdose.dcm"), ("rtdose_expb_1frame.dcm", "rtdose_1frame.dcm")])
        {
            TryRender(Path.Combine(folder, twin.Big), out RenderedFrame big, out _, out _).ShouldBeNull();
            TryRender(Path.Combine(folder, twin.Little), out RenderedFrame little, out _, out _).ShouldBeNull();
            big.Samples.ShouldBe(little.Samples);
        }
    }

    private static async Task<byte[]?> ByDcmtk(string path, RenderedFrame ours, string output)
    {
        File.Delete(output);
        string[] window = ours.Window is { } w
            ? ["+Ww", w.Center.ToString(CultureInfo.InvariantCulture), w.Width.ToString(CultureInfo.InvariantCulture), "+Wfl"]
            : [];
        (int exitCode, _) = await Dcmtk.RunAsync("dcmj2pnm", ["-O", "+F", "1", .. window, "+op", path, output]);
        if (exitCode != 0 || !File.Exists(output))
        {
            return null;
        }

        // P5 or P6, width, height, 255, each followed by white space, then the samples.
        byte[] pnm = await File.ReadAllBytesAsync(output, TestContext.Current.CancellationToken);
        string[] head = Encoding.ASCII.GetString(pnm, 0, Math.Min(pnm.Length, 64)).Split(['\n', ' '], 5);
        byte[] samples = pnm[(head[..4].Sum(static h => h.Length) + 4)..];
        return head[0] == (ours.Channels == 1 ? "P5" : "P6") && head[1] == $"{ours.Width}" && head[2] == $"{ours.Height}" && head[3] == "255" ? samples : null;
    }

    private static int Farthest(RenderedFrame ours, byte[] theirs)
    {
        int farthest = 0;
        for (int i = 0; i < ours.Samples.Length; i++)
        {
            farthest = Math.Max(farthest, Math.Abs(ours.Samples[i] - theirs[i]));
        }

        return farthest;
    }
}
