using System.Collections.Concurrent;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

/// <summary>Every compressed file at hand is decoded by us, by GDCM and by DCMTK, and compared sample by sample.</summary>
public sealed class RealFileCodecTests(ITestOutputHelper output)
{
    /// <summary>Two implementations of the inverse DCT may differ by so much.</summary>
    private const int TransformTolerance = 1;

    /// <summary>Files that we do not decode, by the file's name, and what is said of them.</summary>
    private static readonly Dictionary<string, string> Refused = new()
    {
        ["JPEG2000-embedded-sequence-delimiter.dcm"] = "3722445056 columns",
        ["multiframe.dcm"] = "240 rows and 55 columns",
        ["genFile.dcm"] = "does not begin with a JPEG start of image",
    };

    /// <summary>Files that a judge decodes differently, by the file's name and the judge, and why it is not believed.</summary>
    private static readonly Dictionary<(string File, string Judge), string> Doubted = new()
    {
        [("SC_rgb_rle_16bit.dcm", "gdcmconv")] = WrongColours,
        [("SC_rgb_rle_16bit_2frame.dcm", "gdcmconv")] = WrongColours,
        [("SC_rgb_rle_32bit.dcm", "gdcmconv")] = WrongColours,
        [("SC_rgb_rle_32bit_2frame.dcm", "gdcmconv")] = WrongColours,
        [("RG3_JPLY", "gdcmconv")] = "GDCM clears the bits above BitsStored, DCMTK and we keep what the DCT overshot: 1024 of 1023.",
        [("J2K_pixelrep_mismatch.dcm", "gdcmconv")] = NoSign,
        [("JLSL_16_15_1_1F.dcm", "gdcmconv")] = NoSign,
        [("JLSL_16_15_1_1F.dcm", "dcmdjpls")] = NoSign,
    };

    private const string NoSign = "Signed samples of fewer bits than allocated: we repeat the sign above them, they leave a zero; the stored bits are the same.";

    private const string WrongColours = "GDCM 3.0.21 puts RLE segments of colours wider than 8 bits in a wrong order; DCMTK agrees with us.";

    [Theory]
    [InlineData("1.2.840.10008.1.2.5")]
    [InlineData("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")]
    [InlineData("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")]
    [InlineData("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")]
    [InlineData("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")]
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

            // DCMTK gives colours of JPEG with DCT as they are coded, which we do too; GDCM may convert them.
            bool isTransformed = file.TransferSyntax.UID is "1.2.840.10008.1.2.4.50" or "1.2.840.10008.1.2.4.51";
            string[]? dcmtk = OtherDecoders.DcmtkFor(file.TransferSyntax.UID);
            string[][] programs = dcmtk is null ? [OtherDecoders.Gdcm] : isTransformed && format.SamplesPerPixel == 3 ? [dcmtk] : [OtherDecoders.Gdcm, dcmtk];
            int judges = 0;
            foreach (string[] program in programs)
            {
                if (OtherDecoders.Decode(program, file.Path) is { } theirs && theirs.DataSet.Find(Tags.PixelData) is { Fragments: null })
                {
                    string? difference = Compare(format, ours, theirs.DataSet, isTransformed ? TransformTolerance : 0);
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
    private static string? Compare(FrameFormat format, byte[] ours, DataSet theirSet, int tolerance)
    {
        FrameFormat.TryRead(theirSet, out FrameFormat theirFormat);
        byte[] theirs = theirSet.Find(Tags.PixelData)!.Value.ToArray();
        int length = (int)format.FrameLength;
        if (format.BitsAllocated == 1 && theirFormat.BitsAllocated == 8)
        {
            // A byte for each bit there.
            int wrong = Enumerable.Range(0, theirs.Length).Count(i =>
                theirs[i] != ((ours[(i / (int)format.PixelCount * length) + (i % (int)format.PixelCount >> 3)] >> (i % (int)format.PixelCount & 7)) & 1));
            return wrong == 0 ? null : $"{wrong} bits differ";
        }

        if (theirFormat.BitsAllocated != format.BitsAllocated || theirs.Length < ours.Length)
        {
            return $"{theirs.Length} bytes of {theirFormat.BitsAllocated} bits, ours {ours.Length} of {format.BitsAllocated}";
        }

        int step = format.BitsAllocated / 8, stored = 0, above = 0, worst = 0;
        uint mask = uint.MaxValue >> (32 - format.BitsStored);
        for (int from = 0; from < ours.Length; from += length)
        {
            byte[] frame = CodecFrames.ByPixel(theirFormat, theirs[from..(from + length)]);
            if (frame.AsSpan().SequenceEqual(ours.AsSpan(from, length)))
            {
                continue;
            }

            for (int i = 0; i < length; i += step)
            {
                uint a = OtherDecoders.Sample(ours.AsSpan(from + i), step), b = OtherDecoders.Sample(frame.AsSpan(i), step);
                if (Math.Abs((long)a - b) <= tolerance)
                {
                    continue;
                }

                if (Math.Abs((int)(a & mask) - (int)(b & mask)) > tolerance)
                {
                    stored++;
                    worst = Math.Max(worst, Math.Abs((int)(a & mask) - (int)(b & mask)));
                }

                above++;
            }
        }

        return stored > 0 ? $"{stored} samples of {ours.Length / step} differ by up to {worst} ({theirFormat.PhotometricInterpretation} there, {format.PhotometricInterpretation} here)"
            : above > 0 ? $"{above} samples of {ours.Length / step} differ above the stored bits" : null;
    }
}
