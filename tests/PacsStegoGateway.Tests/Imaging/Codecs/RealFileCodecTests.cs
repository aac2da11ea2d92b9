using System.Collections.Concurrent;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

/// <summary>Every compressed file at hand is decoded by us, by GDCM and by DCMTK, and compared sample by sample.</summary>
public sealed class RealFileCodecTests(ITestOutputHelper output)
{
    /// <summary>Files that we do not decode, by the file's name, and what is said of them.</summary>
    private static readonly Dictionary<string, string> Refused = [];

    /// <summary>Files that a judge decodes differently, by the file's name and the judge, and why it is not believed.</summary>
    private static readonly Dictionary<(string File, string Judge), string> Doubted = new()
    {
        [("SC_rgb_rle_16bit.dcm", "gdcmconv")] = WrongColours,
        [("SC_rgb_rle_16bit_2frame.dcm", "gdcmconv")] = WrongColours,
        [("SC_rgb_rle_32bit.dcm", "gdcmconv")] = WrongColours,
        [("SC_rgb_rle_32bit_2frame.dcm", "gdcmconv")] = WrongColours,
        [("JLSL_16_15_1_1F.dcm", "gdcmconv")] = NoSign,
        [("JLSL_16_15_1_1F.dcm", "dcmdjpls")] = NoSign,
    };

    private const string NoSign = "Signed samples of 15 bits: we repeat the sign above them, they leave a zero; the stored bits are the same.";

    private const string WrongColours = "GDCM 3.0.21 puts RLE segments of colours wider than 8 bits in a wrong order; DCMTK agrees with us.";

    [Theory]
    [InlineData("1.2.840.10008.1.2.5")]
    [InlineData("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")]
    [InlineData("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")]
    public void Every_sample_is_what_others_decode(params string[] transferSyntaxUIDs)
    {
        ConcurrentQueue<string> wrong = [];
        int compared = 0;
        CompressedFile[] files = [.. CompressedFile.All(transferSyntaxUIDs)];
        Parallel.ForEach(files, new ParallelOptions { MaxDegreeOfParallelism = 2 }, file =>
        {
            byte[] ours;
            FrameFormat format;
            try
            {
                DecodedFrame[] frames = [.. file.Frames.Select(f => PixelCodecs.Find(file.TransferSyntax)!.Decode(f, file.Format))];
                ours = [.. frames.SelectMany(static f => f.Bytes)];
                format = frames[0].Format;
            }
            catch (Exception e) when (e is DicomContentException or PixelCodecRefusedException)
            {
                if (!Refused.TryGetValue(file.Name, out string? reason) || !e.Message.Contains(reason, StringComparison.Ordinal))
                {
                    wrong.Enqueue($"{file.Name}: {e.Message}");
                }

                return;
            }

            string[][] programs = OtherDecoders.DcmtkFor(file.TransferSyntax.UID) is { } dcmtk ? [OtherDecoders.Gdcm, dcmtk] : [OtherDecoders.Gdcm];
            int judges = 0;
            foreach (string[] program in programs)
            {
                if (OtherDecoders.Decode(program, file.Path) is { } theirs && theirs.DataSet.Find(Tags.PixelData) is { Fragments: null })
                {
                    string? difference = Compare(format, ours, theirs.DataSet);
                    bool isDoubted = Doubted.ContainsKey((file.Name, program[0]));
                    if (difference is not null && !isDoubted)
                    {
                        wrong.Enqueue($"{file.Name}, {program[0]}: {difference}");
                    }

                    judges += difference is null ? 1 : 0;
                }
            }

            compared += judges > 0 ? 1 : 0;
            if (judges < programs.Length)
            {
                output.WriteLine($"{file.Path[^Math.Min(90, file.Path.Length)..]}: {judges} of {programs.Length} agree {format.PhotometricInterpretation} {format.BitsAllocated}/{format.BitsStored}");
            }
        });
        output.WriteLine($"{files.Length} files, {compared} compared");
        wrong.ShouldBeEmpty();
        compared.ShouldBeGreaterThan(0);
    }

    /// <summary>Null when the stored bits of every sample are equal, else how many are not.</summary>
    private static string? Compare(FrameFormat format, byte[] ours, DataSet theirSet)
    {
        FrameFormat.TryRead(theirSet, out FrameFormat theirFormat);
        byte[] theirs = theirSet.Find(Tags.PixelData)!.Value.ToArray();
        int length = (int)format.FrameLength;
        if (theirFormat.BitsAllocated != format.BitsAllocated || theirs.Length < ours.Length)
        {
            return $"{theirs.Length} bytes of {theirFormat.BitsAllocated} bits, ours {ours.Length} of {format.BitsAllocated}";
        }

        int step = format.BitsAllocated / 8, stored = 0, above = 0, worst = 0;
        uint mask = uint.MaxValue >> (32 - format.BitsStored);
        for (int from = 0; from < ours.Length; from += length)
        {
            byte[] frame = CodecFrames.ByPixel(theirFormat, theirs[from..(from + length)]);
            for (int i = 0; i < length; i += step)
            {
                uint a = OtherDecoders.Sample(ours.AsSpan(from + i), step), b = OtherDecoders.Sample(frame.AsSpan(i), step);
                if ((a & mask) != (b & mask))
                {
                    stored++;
                    worst = Math.Max(worst, Math.Abs((int)(a & mask) - (int)(b & mask)));
                }

                above += a == b ? 0 : 1;
            }
        }

        return stored > 0 ? $"{stored} samples of {ours.Length / step} differ by up to {worst} ({theirFormat.PhotometricInterpretation} there, {format.PhotometricInterpretation} here)"
            : above > 0 ? $"{above} samples of {ours.Length / step} differ above the stored bits" : null;
    }
}
