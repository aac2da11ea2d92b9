using System.Runtime.CompilerServices;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>A patient, study, series or instance that satisfies every key.</summary>
/// <param name="Patient">Pseudonym, for the audit trail.</param>
/// <param name="Values">What the view shows of it: of a level above the image, those of its first instance.</param>
public sealed record QueryMatch(string Patient, DataSet Values)
{
    /// <summary>Of a patient.</summary>
    public int Studies { get; init; }

    /// <summary>Of a patient or study.</summary>
    public int Series { get; init; }

    /// <summary>Of a patient, study or series.</summary>
    public long Instances { get; init; }

    /// <summary>Of a study.</summary>
    public IReadOnlyList<string> Modalities { get; init; } = [];

    /// <summary>Of a study, when they were asked for.</summary>
    public IReadOnlyList<string> SopClasses { get; init; } = [];

    /// <summary>Of an original instance: the transfer syntax it was received in. Null where it is not known.</summary>
    public string? TransferSyntaxUID { get; init; }
}

/// <summary>
/// Walks the index from studies downward. Plain keys narrow the rows; what is left is opened, one entry a study until the study fits, and
/// compared. The first answers come from small pages, so that they come at once.
/// </summary>
public sealed class IndexSearch(GatewayStore store)
{
    private const int FirstPage = 16;
    private const int LargestPage = 512;

    /// <summary>Entries from which on opening is shared by all cores.</summary>
    private const int WorthSharing = 64;

    /// <summary>In order of receipt of the first instance; patients in order of their pseudonyms. The same query gives the same order.</summary>
    public IAsyncEnumerable<QueryMatch> FindAsync(QueryView view, QueryIdentifier identifier, CancellationToken cancellationToken) =>
        identifier.Level == QueryLevel.Patient ? PatientsAsync(view, identifier, cancellationToken) : BelowAsync(view, identifier, cancellationToken);

    private async IAsyncEnumerable<QueryMatch> BelowAsync(QueryView view, QueryIdentifier identifier, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IndexFilter filter = view.Narrow(identifier);
        await foreach (IReadOnlyList<IndexedStudy> page in PagesAsync(filter, IndexPosition.OfReceipt, cancellationToken))
        {
            List<(IndexedStudy Study, DataSet Values)> fitting =
                [.. Opened(view, page).Where(s => identifier.IsMatch(s.Values, QueryLevel.Patient, QueryLevel.Study))];
            if (fitting.Count == 0)
            {
                continue;
            }

            long[] ids = [.. fitting.Select(static s => s.Study.Id)];
            ILookup<long, IndexedSeries> series = (await store.SeriesOfAsync(ids, cancellationToken)).ToLookup(static s => s.StudyId);
            ILookup<long, string>? classes = identifier.Level == QueryLevel.Study && identifier.Keys.Contains(Tags.SOPClassesInStudy)
                ? await store.SopClassesOfAsync(ids, cancellationToken)
                : null;
            foreach ((IndexedStudy study, DataSet values) in fitting.Where(s => series.Contains(s.Study.Id)))
            {
                if (identifier.Level == QueryLevel.Study)
                {
                    if (StudyOf(view, identifier, study, values, series[study.Id], classes) is { } match)
                    {
                        yield return match;
                    }

                    continue;
                }

                await foreach (QueryMatch match in InStudyAsync(view, identifier, filter, study, series[study.Id], cancellationToken))
                {
                    yield return match;
                }
            }
        }
    }

    /// <returns>Null when its modalities are not those asked for.</returns>
    private static QueryMatch? StudyOf(
        QueryView view, QueryIdentifier identifier, IndexedStudy study, DataSet values, IEnumerable<IndexedSeries> series, ILookup<long, string>? classes)
    {
        string[] modalities = [];
        if (identifier.Keys.GetText(Tags.ModalitiesInStudy) is { } wanted)
        {
            modalities = [.. series.Select(s => view.Open(s.Sealed, s.Attributes)?.GetText(Tags.Modality) ?? "").Where(static m => m.Length > 0).Distinct().Order(StringComparer.Ordinal)];
            if (!KeyMatch.IsMatch(Vr.CS, wanted, string.Join('\\', modalities)))
            {
                return null;
            }
        }

        return new QueryMatch(study.Patient, values)
        {
            Series = series.Count(),
            Instances = series.Sum(static s => s.Instances),
            Modalities = modalities,
            SopClasses = [.. classes?[study.Id] ?? []],
        };
    }

    private async IAsyncEnumerable<QueryMatch> InStudyAsync(QueryView view, QueryIdentifier identifier, IndexFilter filter,
        IndexedStudy study, IEnumerable<IndexedSeries> all, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (IndexedSeries series in all)
        {
            if ((filter.SeriesUIDs is { } uids && !uids.Contains(series.SeriesUID))
                || view.Open(series.Sealed, series.Attributes) is not { } values
                || !identifier.IsMatch(values, QueryLevel.Series, QueryLevel.Series))
            {
                continue;
            }

            if (identifier.Level == QueryLevel.Series)
            {
                yield return new QueryMatch(study.Patient, values) { Instances = series.Instances };
                continue;
            }

            int size = FirstPage;
            for (long after = 0; ; size = LargestPage)
            {
                IReadOnlyList<IndexedInstance> page = await store.InstancesOfAsync(series.Id, filter.SopUIDs, after, size, cancellationToken);
                foreach (IndexedInstance instance in page)
                {
                    if (view.Open(instance.Sealed, instance.Attributes) is { } image && identifier.IsMatch(image, QueryLevel.Image, QueryLevel.Image))
                    {
                        yield return new QueryMatch(study.Patient, image) { TransferSyntaxUID = view.IsOriginal ? instance.TransferSyntaxUID : null };
                    }
                }

                if (page.Count < size)
                {
                    break;
                }

                after = page[^1].Id;
            }
        }
    }

    private async IAsyncEnumerable<QueryMatch> PatientsAsync(QueryView view, QueryIdentifier identifier, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = new PatientStudies("");
        await foreach (IReadOnlyList<IndexedStudy> page in PagesAsync(view.Narrow(identifier), IndexPosition.OfPatients, cancellationToken))
        {
            var complete = new List<PatientStudies>();
            Dictionary<long, DataSet> opened = Opened(view, page).ToDictionary(static s => s.Study.Id, static s => s.Values);
            foreach (IndexedStudy study in page)
            {
                if (study.Patient != last.Patient)
                {
                    complete.Add(last);
                    last = new PatientStudies(study.Patient);
                }

                last.Ids.Add(study.Id);
                if (opened.TryGetValue(study.Id, out DataSet? values) && identifier.IsMatch(values, QueryLevel.Patient, QueryLevel.Patient))
                {
                    last.Fitting.Add((study.Id, values));
                }
            }

            foreach (QueryMatch match in await CountedAsync(complete, cancellationToken))
            {
                yield return match;
            }
        }

        foreach (QueryMatch match in await CountedAsync([last], cancellationToken))
        {
            yield return match;
        }
    }

    private async Task<IReadOnlyList<QueryMatch>> CountedAsync(IEnumerable<PatientStudies> patients, CancellationToken cancellationToken)
    {
        List<PatientStudies> fitting = [.. patients.Where(static p => p.Fitting.Count > 0)];
        if (fitting.Count == 0)
        {
            return [];
        }

        ILookup<long, IndexedSeries> series = (await store.SeriesOfAsync([.. fitting.SelectMany(static p => p.Ids)], cancellationToken)).ToLookup(static s => s.StudyId);
        return
        [
            .. from patient in fitting
               let named = patient.Fitting.Where(s => series.Contains(s.StudyId)).Select(static s => s.Values).FirstOrDefault()
               where named is not null
               select new QueryMatch(patient.Patient, named)
               {
                   Studies = patient.Ids.Count(series.Contains),
                   Series = patient.Ids.Sum(id => series[id].Count()),
                   Instances = patient.Ids.Sum(id => series[id].Sum(static s => s.Instances)),
               },
        ];
    }

    private async IAsyncEnumerable<IReadOnlyList<IndexedStudy>> PagesAsync(
        IndexFilter filter, IndexPosition from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (int size = FirstPage; ; size = LargestPage)
        {
            IReadOnlyList<IndexedStudy> page = await store.StudiesAsync(filter, from, size, cancellationToken);
            if (page.Count > 0)
            {
                yield return page;
                from = new IndexPosition(from.Patient is null ? null : page[^1].Patient, page[^1].Id);
            }

            if (page.Count < size)
            {
                yield break;
            }

            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private static IEnumerable<(IndexedStudy Study, DataSet Values)> Opened(QueryView view, IReadOnlyList<IndexedStudy> studies)
    {
        IEnumerable<(IndexedStudy Study, DataSet? Values)> opened = studies.Count < WorthSharing
            ? studies.Select(s => (s, view.Open(s.Sealed, s.Attributes)))
            : studies.AsParallel().AsOrdered().Select(s => (s, view.Open(s.Sealed, s.Attributes)));
        return opened.Where(static s => s.Values is not null)!;
    }

    /// <summary>The studies of one patient, as far as they have been walked over.</summary>
    private sealed record PatientStudies(string Patient)
    {
        public List<long> Ids { get; } = [];

        public List<(long StudyId, DataSet Values)> Fitting { get; } = [];
    }
}
