using System.Buffers.Binary;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

/// <summary>A real compressed file: its format and the codestream of each frame.</summary>
internal sealed record CompressedFile(string Path, TransferSyntax TransferSyntax, FrameFormat Format, IReadOnlyList<ReadOnlyMemory<byte>> Frames)
{
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>All files of the shared data whose transfer syntax is one of these.</summary>
    public static IEnumerable<CompressedFile> All(params string[] transferSyntaxUIDs)
    {
        foreach (string set in (string[])["conformance", "train"])
        {
            foreach (string path in Directory.EnumerateFiles(SharedData.Require($"data/{set}"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                if (TryRead(path) is { } file && transferSyntaxUIDs.Contains(file.TransferSyntax.UID))
                {
                    yield return file;
                }
            }
        }
    }

    private static CompressedFile? TryRead(string path)
    {
        try
        {
            DicomFile file = DicomFile.Read(File.ReadAllBytes(path));
            if (file.DataSet.Find(Tags.PixelData)?.Fragments is not { Count: > 1 } fragments || FrameFormat.TryRead(file.DataSet, out FrameFormat format) is not null)
            {
                return null;
            }

            int count = Math.Max(1, file.DataSet.GetInt32(Tags.NumberOfFrames) ?? 1);
            return new CompressedFile(path, file.TransferSyntax, format, Split(fragments, count));
        }
        catch (DicomContentException)
        {
            return null;
        }
    }

    /// <summary>One frame: all fragments. As many fragments as frames: one each. Else the offset table says it, or the start of images.</summary>
    private static IReadOnlyList<ReadOnlyMemory<byte>> Split(IReadOnlyList<ReadOnlyMemory<byte>> fragments, int count)
    {
        if (fragments.Count - 1 == count)
        {
            return [.. fragments.Skip(1)];
        }

        var starts = new List<int>();
        if (count == 1)
        {
            starts.Add(1);
        }
        else if (fragments[0].Length == 4 * count)
        {
            for (int i = 1, offset = 0; i < fragments.Count; offset += fragments[i++].Length + 8)
            {
                if (Enumerable.Range(0, count).Any(f => BinaryPrimitives.ReadInt32LittleEndian(fragments[0].Span[(4 * f)..]) == offset))
                {
                    starts.Add(i);
                }
            }
        }
        else
        {
            starts.AddRange(Enumerable.Range(1, fragments.Count - 1).Where(i => fragments[i].Span is [0xFF, 0xD8, 0xFF, ..]));
        }

        return [.. starts.Select((start, i) => (ReadOnlyMemory<byte>)fragments.Skip(start)
            .Take((i + 1 < starts.Count ? starts[i + 1] : fragments.Count) - start).SelectMany(static f => f.ToArray()).ToArray())];
    }
}
