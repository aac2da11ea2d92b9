using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Phantoms;

/// <summary>One made instance, ready to be sent.</summary>
/// <param name="RelativePath">Where <see cref="PhantomStudy.Write"/> puts it: series folder and number.</param>
public sealed record PhantomInstance(string RelativePath, string SopClassUID, string SopInstanceUID, TransferSyntax TransferSyntax, DataSet DataSet)
{
    /// <summary>The Part 10 file.</summary>
    public byte[] ToArray() =>
    [
        .. FileMeta.Prefix(SopClassUID, SopInstanceUID, TransferSyntax.UID, "PHANTOM"),
        .. DataSetWriter.ToArray(DataSet, TransferSyntax),
    ];
}

/// <summary>
/// Synthesises a patient who never lived: a CT study (abdomen, chest) and an MR study (abdomen, head) with complete IODs
/// (PS3.3 A.3, A.4), realistic slices and identity in every place where real scanners put it. For the demonstration,
/// the tests and measurements: no patient's data is in the repository.
/// </summary>
public static class PhantomStudy
{
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
            string path = Path.Combine(directory, instance.RelativePath);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, instance.ToArray());
            written.Add(path);
        }

        return written;
    }

    private static IEnumerable<PhantomInstance> CreateEach(PhantomOptions options)
    {
        PhantomPerson person = PhantomPerson.Draw(options.Seed);
        foreach (PhantomSeries series in PhantomSeries.All)
        {
            var random = new PhantomRandom(options.Seed, series.Folder);
            for (int slice = 0; slice < options.SlicesPerSeries; slice++)
            {
                double position = options.SlicesPerSeries == 1 ? 0.5 : (double)slice / (options.SlicesPerSeries - 1);
                // The body is drawn from the series alone, so that neighbouring slices belong to one person.
                PhantomCanvas canvas = series.Draw(series.Size, position, new PhantomRandom(options.Seed, series.Folder + " body"));
                byte[] frame = (series.Modality, series.IsSigned) switch
                {
                    ("CT", true) => PhantomPixels.SignedCT(canvas, random, PhantomModules.Padding),
                    ("CT", false) => PhantomPixels.UnsignedCT(canvas, random),
                    _ => PhantomPixels.MR(canvas, random),
                };
                DataSet dataSet = new PhantomModules(options.Seed, person, series, slice, options.SlicesPerSeries).Build(frame);
                yield return new PhantomInstance(
                    Path.Combine(series.Folder, $"{slice + 1:D4}.dcm"),
                    series.SopClassUID,
                    dataSet.GetText(Tags.SOPInstanceUID)!,
                    series.TransferSyntax,
                    dataSet);
            }
        }
    }
}
