using System.Diagnostics;
using System.Globalization;
using System.Text;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

/// <summary>Another implementation reads the same files: pydicom must see the elements and values that we see.</summary>
public class OtherReadersTests
{
    private const string Python = "/usr/bin/python3";

    /// <summary>
    /// Prints one line per element: path of tags and item numbers, VR, and the value's length and bytes, sorted as the
    /// file has it. Sequences of a VR of UN are left out: pydicom gives their bytes where we give items.
    /// </summary>
    private const string Script = """
        import sys, zlib
        import pydicom
        from pydicom.dataelem import RawDataElement
        def walk(prefix, ds):
            for tag in sorted(ds.keys()):
                e = ds.get_item(tag)
                if tag == 0x00080005: # already turned into text when it is read
                    continue
                at = "%s%08X" % (prefix, int(tag))
                if isinstance(e, RawDataElement) and e.VR not in ("SQ",) and not (e.VR is None and ds[tag].VR == "SQ") and e.length != 0xFFFFFFFF:
                    v = e.value or b""
                    print("%s %d %08X" % (at, len(v), zlib.crc32(v)))
                elif ds[tag].VR != "SQ" and ds[tag].is_empty:
                    print("%s 0 00000000" % at)
                elif ds[tag].VR == "SQ":
                    print("%s SQ %d" % (at, len(ds[tag].value)))
                    for i, item in enumerate(ds[tag].value):
                        walk("%s[%d]" % (at, i), item)
        for line in sys.stdin:
            path = line.rstrip("\n")
            print("FILE", path)
            walk("", pydicom.dcmread(path, force=True))
        """;

    [Fact]
    public async Task Pydicom_sees_the_same_elements_and_bytes_in_every_training_file()
    {
        string[] files = [.. RealFileTests.Files("train")];
        Assert.SkipUnless(File.Exists(Python), "python3 is not installed.");
        using var process = Process.Start(new ProcessStartInfo(Python, ["-c", Script])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardInput.WriteAsync(string.Join('\n', files) + "\n");
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.SkipWhen((await errors).Contains("No module named 'pydicom'", StringComparison.Ordinal), "pydicom is not installed.");
        process.ExitCode.ShouldBe(0, await errors);

        var ours = new StringBuilder();
        foreach (string path in files)
        {
            ours.Append(CultureInfo.InvariantCulture, $"FILE {path}\n");
            Walk("", DicomFile.Read(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken)).DataSet, ours);
        }

        string[] theirLines = (await output).Split('\n');
        string[] ourLines = ours.ToString().Split('\n');
        int first = ourLines.Zip(theirLines).TakeWhile(static pair => pair.First == pair.Second).Count();
        if (first < Math.Max(ourLines.Length, theirLines.Length))
        {
            Assert.Fail($"In {ourLines.Take(first + 1).Last(static l => l.StartsWith("FILE", StringComparison.Ordinal))}: "
                + $"ours {ourLines.ElementAtOrDefault(first)}, theirs {theirLines.ElementAtOrDefault(first)}");
        }

        ourLines.Length.ShouldBeGreaterThan(20_000);
    }

    private static void Walk(string prefix, DataSet set, StringBuilder lines)
    {
        foreach (Element element in set)
        {
            string at = string.Create(CultureInfo.InvariantCulture, $"{prefix}{element.Tag.Value:X8}");
            if (element.Items is { } items)
            {
                lines.Append(CultureInfo.InvariantCulture, $"{at} SQ {items.Count}\n");
                for (int i = 0; i < items.Count; i++)
                {
                    Walk($"{at}[{i}]", items[i], lines);
                }
            }
            else if (element.Fragments is null && element.Tag != Tags.SpecificCharacterSet)
            {
                lines.Append(CultureInfo.InvariantCulture, $"{at} {element.Value.Length} {Crc32(element.Value.Span):X8}\n");
            }
        }
    }

    /// <summary>The checksum of RFC 1952, which zlib.crc32 computes.</summary>
    internal static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc = (crc >> 8) ^ Table[(byte)(crc ^ b)];
        }

        return ~crc;
    }

    private static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(static n =>
    {
        uint c = (uint)n;
        for (int k = 0; k < 8; k++)
        {
            c = (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
        }

        return c;
    })];
}
