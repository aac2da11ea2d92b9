using System.Globalization;
using System.Text;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Phantoms;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>What is sent: made images always, clinical ones where the data folder is beside the repository.</summary>
public static class Images
{
    private const string CHAOS = "emrekavur+CHAOS-evaluation";
    private static readonly string[] Uncompressed = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"];

    /// <summary>Writes a phantom study and gives its files.</summary>
    public static IReadOnlyList<string> Phantoms(string folder, int slices, int seed = 1) =>
        PhantomStudy.Write(folder, new PhantomOptions { Seed = seed, SlicesPerSeries = slices });

    /// <summary>Writes as many small images (MR 256x256) as are wanted, all different objects: copies of a few phantoms under UIDs of their own.</summary>
    /// <remarks>The UID is replaced by one of the same length, in the bytes: a copy costs no more than writing it.</remarks>
    public static IReadOnlyList<string> Copies(string folder, int count, int seed = 1)
    {
        List<(byte[] Bytes, string UID)> originals = [.. PhantomStudy.Create(new PhantomOptions { Seed = seed, SlicesPerSeries = 3 })
            .Where(static p => p.SopClassUID == SopClasses.MRImageStorage)
            .Select(static p => (p.ToArray(), p.SopInstanceUID))];
        var written = new List<string>();
        Directory.CreateDirectory(folder);
        for (int i = 0; i < count; i++)
        {
            (byte[] bytes, string uid) = originals[i % originals.Count];
            byte[] copy = [.. bytes];
            byte[] old = Encoding.ASCII.GetBytes(uid);
            byte[] other = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{uid[..^7]}{1_000_000 + i}"));
            for (int at = copy.AsSpan().IndexOf(old); at >= 0; at = copy.AsSpan().IndexOf(old))
            {
                other.CopyTo(copy, at);
            }

            written.Add(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{i:00000}.dcm")));
            File.WriteAllBytes(written[^1], copy);
        }

        return written;
    }

    /// <summary><see cref="Copies"/>, read again to be sent object by object.</summary>
    public static List<PhantomInstance> Small(string folder, int count, int seed = 1) => [.. Copies(folder, count, seed).Select(static p =>
    {
        var file = DicomFile.Read(File.ReadAllBytes(p));
        return new PhantomInstance(Path.GetFileName(p), SopClasses.MRImageStorage, file.DataSet.GetText(Tags.SOPInstanceUID)!, file.TransferSyntax, file.DataSet);
    })];

    /// <summary>Every slice of the CHAOS case and up to <paramref name="each"/> uncompressed images of every other collection; none when there is no data.</summary>
    public static IReadOnlyList<string> Clinical(int each)
    {
        string train = Path.GetFullPath(Path.Combine(Tests.SharedData.RepositoryRoot, "..", "shared", "data", "train"));
        string manifest = Path.Combine(train, "manifest.csv");
        return !File.Exists(manifest) ? [] : File.ReadLines(manifest).Skip(1)
            .Select(SplitLine)
            .Where(static f => Uncompressed.Contains(f[11]))
            .GroupBy(static f => (Collection: f[0].Split('/')[0], Modality: f[6], Syntax: f[11]))
            .SelectMany(g => g.Key.Collection == CHAOS ? g : Spread([.. g], each))
            .Select(f => Path.Combine(train, f[0]))
            .ToList();
    }

    /// <summary>Some of a list, evenly from its beginning to its end.</summary>
    private static IEnumerable<T> Spread<T>(IReadOnlyList<T> all, int count) =>
        Enumerable.Range(0, Math.Min(count, all.Count)).Select(i => all[i * all.Count / Math.Min(count, all.Count)]);

    /// <summary>One line of the manifest: commas, double quotes around a field that has one.</summary>
    private static List<string> SplitLine(string line)
    {
        var fields = new List<string>();
        bool quoted = false;
        int start = 0;
        for (int i = 0; i <= line.Length; i++)
        {
            if (i < line.Length && line[i] == '"')
            {
                quoted = !quoted;
            }
            else if (i == line.Length || (line[i] == ',' && !quoted))
            {
                fields.Add(line[start..i].Trim('"'));
                start = i + 1;
            }
        }

        return fields;
    }
}
