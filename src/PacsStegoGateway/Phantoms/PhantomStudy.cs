using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Phantoms;

/// <summary>One made instance, ready to be sent.</summary>
/// <param name="RelativePath">Where it is written, below a folder: series folder and number.</param>
public sealed record PhantomInstance(string RelativePath, string SopClassUID, string SopInstanceUID, TransferSyntax TransferSyntax, DataSet DataSet)
{
    /// <summary>The Part 10 file.</summary>
    public ByteSource ToPart10() => ByteSource.Join(
        ByteSource.Of(FileMeta.Prefix(SopClassUID, SopInstanceUID, TransferSyntax.UID, "PHANTOM")),
        DataSetWriter.ToSource(DataSet, TransferSyntax));

    /// <inheritdoc cref="ToPart10"/>
    public byte[] ToArray() => ToPart10().ToArray();
}

/// <summary>
/// Synthesises a patient who never lived: a CT study (abdomen, chest) and an MR study (abdomen, head) with complete IODs
/// (PS3.3 A.3, A.4), realistic slices and identity in every place where real scanners put it. For the demonstration,
/// the tests and measurements: no patient's data is in the repository.
/// </summary>
public static class PhantomStudy
{
    /// <summary>Most frames of <see cref="CreateMultiframe"/>: a value field has less than 4 GiB.</summary>
    public const int MaxFrames = 8191;

    /// <summary>Frames that differ from each other; a longer object shows them again and again.</summary>
    private const int DifferentFrames = 8;

    /// <summary>Every instance of the options, one after the other; the same options give the same bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More slices than <see cref="PhantomOptions.MaxSlicesPerSeries"/>, or none.</exception>
    public static IEnumerable<PhantomInstance> Create(PhantomOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SlicesPerSeries, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.SlicesPerSeries, PhantomOptions.MaxSlicesPerSeries, nameof(options));
        return CreateEach(options);
    }

    /// <summary>Writes <see cref="Create"/> as files below a folder, which is made; files of the same name are replaced.</summary>
    /// <returns>The paths written, in the order of series and slices.</returns>
    public static IReadOnlyList<string> Write(string directory, PhantomOptions options)
    {
        var written = new List<string>();
        foreach (PhantomInstance instance in Create(options))
        {
            written.Add(Write(directory, instance));
        }

        return written;
    }

    /// <summary>Writes one instance below a folder, which is made; returns the path.</summary>
    public static string Write(string directory, PhantomInstance instance)
    {
        string path = Path.Combine(directory, instance.RelativePath);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        instance.ToPart10().CopyTo(file);
        return path;
    }

    /// <summary>
    /// The abdomen as one object of many frames, to measure with: CT Image Storage, 512 x 512, 16 bits allocated, half a
    /// MiB a frame. It takes the memory of eight frames.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">More frames than <see cref="MaxFrames"/>, or none.</exception>
    public static PhantomInstance CreateMultiframe(int seed, int frames)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frames, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(frames, MaxFrames);
        PhantomSeries series = PhantomSeries.All[0];
        var random = new PhantomRandom(seed, series.Folder);
        ByteSource[] different = [.. Enumerable.Range(0, Math.Min(frames, DifferentFrames)).Select(i => ByteSource.Of(Draw(series, seed, i, DifferentFrames, random)))];
        ByteSource pixels = ByteSource.Join([.. Enumerable.Range(0, frames).Select(i => different[i % DifferentFrames])]);
        return Describe(Path.Combine("multiframe", $"{frames}.dcm"), series, new PhantomModules(seed, PhantomPerson.Draw(seed), series, 0, 1).Build(pixels, frames));
    }

    private static IEnumerable<PhantomInstance> CreateEach(PhantomOptions options)
    {
        PhantomPerson person = PhantomPerson.Draw(options.Seed);
        foreach (PhantomSeries series in PhantomSeries.All)
        {
            var random = new PhantomRandom(options.Seed, series.Folder);
            for (int slice = 0; slice < options.SlicesPerSeries; slice++)
            {
                byte[] frame = Draw(series, options.Seed, slice, options.SlicesPerSeries, random);
                DataSet dataSet = new PhantomModules(options.Seed, person, series, slice, options.SlicesPerSeries).Build(ByteSource.Of(frame));
                yield return Describe(Path.Combine(series.Folder, $"{slice + 1:D4}.dcm"), series, dataSet);
            }
        }
    }

    private static byte[] Draw(PhantomSeries series, int seed, int slice, int slices, PhantomRandom random)
    {
        double position = slices == 1 ? 0.5 : (double)slice / (slices - 1);
        // The body is drawn from the series alone, so that neighbouring slices belong to one person.
        PhantomCanvas canvas = series.Draw(series.Size, position, new PhantomRandom(seed, series.Folder + " body"));
        return (series.Modality, series.IsSigned) switch
        {
            ("CT", true) => PhantomPixels.SignedCT(canvas, random, PhantomModules.Padding),
            ("CT", false) => PhantomPixels.UnsignedCT(canvas, random),
            _ => PhantomPixels.MR(canvas, random),
        };
    }

    private static PhantomInstance Describe(string path, PhantomSeries series, DataSet dataSet) =>
        new(path, series.SopClassUID, dataSet.GetText(Tags.SOPInstanceUID)!, series.TransferSyntax, dataSet);
}
