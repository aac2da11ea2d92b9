using System.Buffers.Binary;
using System.Diagnostics;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

/// <summary>GDCM and DCMTK as judges: what they make of a compressed file.</summary>
internal static class OtherDecoders
{
    /// <summary>DCMTK's program for the transfer syntax, with the arguments that leave colours as they are coded, or null.</summary>
    public static string[]? DcmtkFor(string transferSyntaxUID) => transferSyntaxUID switch
    {
        "1.2.840.10008.1.2.5" => ["dcmdrle"],
        "1.2.840.10008.1.2.4.50" or "1.2.840.10008.1.2.4.51" or "1.2.840.10008.1.2.4.57" or "1.2.840.10008.1.2.4.70" => ["dcmdjpeg", "+cn"],
        "1.2.840.10008.1.2.4.80" or "1.2.840.10008.1.2.4.81" => ["dcmdjpls"],
        _ => null,
    };

    public static string[] Gdcm => ["gdcmconv", "--raw"];

    /// <summary>Runs the program on the file; null when it cannot decode it.</summary>
    public static DicomFile? Decode(string[] program, string path)
    {
        string to = Path.Combine(Path.GetTempPath(), $"psg-codec-{Guid.NewGuid():N}.dcm");
        try
        {
            using Process process = StartOrSkip(program[0], [.. program[1..], path, to]);
            if (!process.WaitForExit(TimeSpan.FromMinutes(2)))
            {
                process.Kill();
                return null;
            }

            return process.ExitCode == 0 && File.Exists(to) ? DicomFile.Read(File.ReadAllBytes(to)) : null;
        }
        catch (DicomContentException)
        {
            return null;
        }
        finally
        {
            File.Delete(to);
        }
    }

    /// <summary>The frames that the programs decode from one object of these codestreams, by program; what cannot is left out.</summary>
    public static Dictionary<string, byte[]> DecodeFrames(string transferSyntaxUID, FrameFormat format, params byte[][] codestreams)
    {
        string from = Path.Combine(Path.GetTempPath(), $"psg-codec-{Guid.NewGuid():N}.dcm");
        File.WriteAllBytes(from, Wrap(transferSyntaxUID, format, codestreams));
        try
        {
            string[][] programs = DcmtkFor(transferSyntaxUID) is { } dcmtk ? [Gdcm, dcmtk] : [Gdcm];
            return programs
                .Select(program => (Name: program[0], File: Decode(program, from)))
                .Where(static d => d.File is not null)
                .ToDictionary(static d => d.Name, static d => d.File!.DataSet.Find(Tags.PixelData)!.Value.ToArray());
        }
        finally
        {
            File.Delete(from);
        }
    }

    /// <summary>The codestream that a program makes of an uncompressed frame.</summary>
    public static byte[] Encode(string[] program, FrameFormat format, byte[] frame)
    {
        string from = Path.Combine(Path.GetTempPath(), $"psg-codec-{Guid.NewGuid():N}.dcm");
        DicomFile file = DicomFile.Read(Wrap("1.2.840.10008.1.2.4.70", format, frame));
        file.DataSet.Set(Element.Raw(Tags.PixelData, Vr.OW, frame));
        File.WriteAllBytes(from, new DicomFile(FileMeta.Create("1.2.840.10008.5.1.4.1.1.7", "2.25.1", "1.2.840.10008.1.2.1"), file.DataSet).ToArray());
        try
        {
            return Decode(program, from)!.DataSet.Find(Tags.PixelData)!.Fragments![1].ToArray();
        }
        finally
        {
            File.Delete(from);
        }
    }

    /// <summary>A Secondary Capture object that holds the codestreams, one fragment each.</summary>
    public static byte[] Wrap(string transferSyntaxUID, FrameFormat format, params byte[][] codestreams)
    {
        var set = new DataSet();
        set.SetText(Tags.SOPClassUID, codestreams.Length == 1 ? "1.2.840.10008.5.1.4.1.1.7" : "1.2.840.10008.5.1.4.1.1.7.3");
        set.SetText(Tags.SOPInstanceUID, "2.25.1");
        set.SetText(Tags.StudyInstanceUID, "2.25.2");
        set.SetText(Tags.SeriesInstanceUID, "2.25.3");
        set.SetText(Tags.Modality, "OT");
        set.SetText(Tags.PhotometricInterpretation, format.PhotometricInterpretation);
        set.SetText(Tags.NumberOfFrames, codestreams.Length.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Number(Tags.SamplesPerPixel, format.SamplesPerPixel);
        Number(Tags.Rows, format.Rows);
        Number(Tags.Columns, format.Columns);
        Number(Tags.BitsAllocated, format.BitsAllocated);
        Number(Tags.BitsStored, format.BitsStored);
        Number(Tags.HighBit, format.HighBit);
        Number(Tags.PixelRepresentation, format.IsSigned ? 1 : 0);
        if (format.SamplesPerPixel > 1)
        {
            Number(Tags.PlanarConfiguration, format.IsPlanar ? 1 : 0);
        }

        set.Set(Element.Encapsulated(Tags.PixelData, Vr.OB, [ReadOnlyMemory<byte>.Empty, .. codestreams.Select(static c => (ReadOnlyMemory<byte>)c)]));
        return new DicomFile(FileMeta.Create(set.GetText(Tags.SOPClassUID)!, "2.25.1", transferSyntaxUID), set).ToArray();

        void Number(Tag tag, int value) => set.Set(Element.Raw(tag, Vr.US, new[] { (byte)value, (byte)(value >> 8) }));
    }

    /// <summary>How many samples differ in their stored bits; what stands above them is a matter of taste (zero or the sign).</summary>
    public static int CountDifferent(FrameFormat format, ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        int step = format.BitsAllocated / 8, count = 0;
        uint mask = uint.MaxValue >> (32 - format.BitsStored);
        for (int at = 0; at < format.FrameLength; at += step)
        {
            count += ((Sample(left[at..], step) ^ Sample(right[at..], step)) & mask) == 0 ? 0 : 1;
        }

        return count;
    }

    /// <summary>A sample of 1, 2 or 4 bytes.</summary>
    public static uint Sample(ReadOnlySpan<byte> at, int step) => step switch
    {
        1 => at[0],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(at),
        _ => BinaryPrimitives.ReadUInt32LittleEndian(at),
    };

    private static Process StartOrSkip(string program, string[] arguments)
    {
        try
        {
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            Process process = Process.Start(start)!;
            process.OutputDataReceived += static (_, _) => { };
            process.ErrorDataReceived += static (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            return process;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip($"{program} is not installed.");
            throw;
        }
    }
}
