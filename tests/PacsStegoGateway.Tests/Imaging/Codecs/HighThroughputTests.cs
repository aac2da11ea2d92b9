using System.Diagnostics;
using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

/// <summary>High-Throughput JPEG 2000, which neither GDCM nor DCMTK decodes: OpenJPH is the judge.</summary>
public sealed class HighThroughputTests
{
    [Fact]
    public void Every_sample_is_what_OpenJPH_decodes()
    {
        CompressedFile[] files = [.. CompressedFile.All("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203")];
        files.Length.ShouldBe(3);
        foreach (CompressedFile file in files)
        {
            byte[] ours = PixelCodecs.Find(file.TransferSyntax)!.Decode(file.Frames[0], file.Format).Bytes;

            // Debian's OpenJPH 0.9 makes a flat image of this one, which a newer one wrote: it is a slope from 0 by 2.
            byte[] theirs = file.Format.Rows == 8 ? [.. Enumerable.Range(0, 64).Select(static i => (byte)(2 * i))] : Expand(file);

            // The irreversible transform computes with fractions: there the last digit is a matter of taste.
            int tolerance = file.TransferSyntax.Lossy ? 1 : 0;
            ours.Zip(theirs, static (a, b) => Math.Abs(a - b)).Max().ShouldBeLessThanOrEqualTo(tolerance, file.Name);
        }
    }

    [Fact]
    public void Damaged_codestreams_give_an_image_or_an_error()
    {
        CompressedFile file = CompressedFile.All("1.2.840.10008.1.2.4.201").First(static f => f.Format.Rows == 8);
        IPixelCodec codec = PixelCodecs.Find(file.TransferSyntax)!;
        Hostile.Truncate(codec, file.Frames[0].ToArray(), file.Format);
        Hostile.FlipBits(codec, file.Frames[0].ToArray(), file.Format, 2_000);
    }

    /// <summary>The samples of the PGM or PPM file that ojph_expand makes.</summary>
    private static byte[] Expand(CompressedFile file)
    {
        string folder = Directory.CreateTempSubdirectory("psg-ojph-").FullName;
        try
        {
            string from = Path.Combine(folder, "frame.j2c"), to = Path.Combine(folder, file.Format.SamplesPerPixel == 1 ? "frame.pgm" : "frame.ppm");
            File.WriteAllBytes(from, file.Frames[0].ToArray());
            using Process process = Process.Start(new ProcessStartInfo("ojph_expand", ["-i", from, "-o", to]) { RedirectStandardOutput = true })!;
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            process.ExitCode.ShouldBe(0, file.Name);
            return File.ReadAllBytes(to)[^(int)file.Format.FrameLength..];
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("ojph_expand is not installed.");
            throw;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
