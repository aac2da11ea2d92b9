using System.Diagnostics;
using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Benchmarks;

/// <summary>
/// Fills a trail of the product's own making into an empty PostgreSQL database, then asks it what auditors ask, writes to it through the
/// store, and verifies it.
/// </summary>
public sealed class AuditTrail(DatabaseOptions database, KeyRing keys, long rows, int questions)
{
    private const int Months = 24;
    private const int Chunk = 10_000;
    private const int Page = 100;
    private const string Copy =
        """
        COPY audit (sequence, at, node, event, outcome, calling_ae, remote_address, user_identity, purpose, patient, study_uid, sop_uid, reason, detail, sealed, key_id, mac)
        FROM STDIN (FORMAT BINARY)
        """;

    private static readonly AuditEvent[] Cycle =
    [
        AuditEvent.Received, AuditEvent.Protected, AuditEvent.Forwarded, AuditEvent.Committed, AuditEvent.Received, AuditEvent.Protected, AuditEvent.Forwarded,
        AuditEvent.Committed, AuditEvent.Reidentified, AuditEvent.Query,
    ];

    private readonly DateTimeOffset _end = DateTimeOffset.UtcNow;
    private readonly Random _random = new(1);
    private readonly byte[] _sealed = new byte[300];

    /// <summary>Everything, as a Markdown table on the writer.</summary>
    /// <returns>The slowest 95th percentile of the questions, milliseconds.</returns>
    public async Task<double> RunAsync(TextWriter result, CancellationToken cancellationToken)
    {
        await using GatewayStore store = await GatewayStore.OpenAsync(new PostgreSqlDialect(database), keys, TimeProvider.System, cancellationToken);
        long start = Stopwatch.GetTimestamp();
        await FillAsync(cancellationToken);
        TimeSpan filled = Stopwatch.GetElapsedTime(start);
        await result.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{rows} entries in {Months} months, filled in {filled.TotalSeconds:F0} s; {questions} questions of each kind, {Page} entries each at most.\n"));
        await result.WriteLineAsync("| question | p50, ms | p95, ms |\n|---|---|---|");
        double slowest = 0;
        foreach ((string name, Func<AuditFilter> filter) in Questions())
        {
            double[] times = new double[questions];
            for (int i = 0; i < questions; i++)
            {
                AuditFilter asked = filter() with { Limit = Page };
                start = Stopwatch.GetTimestamp();
                await store.QueryAuditAsync(asked, cancellationToken);
                times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }

            Array.Sort(times);
            slowest = Math.Max(slowest, times[(int)(questions * 0.95)]);
            await result.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {name} | {times[questions / 2]:F2} | {times[(int)(questions * 0.95)]:F2} |"));
        }

        await result.WriteLineAsync("\n| work | a second |\n|---|---|");
        foreach (int writers in (int[])[1, 16, 64])
        {
            int each = (int)Math.Clamp(rows / 100 / writers, 5, 200);
            start = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, writers).Select(w => Task.Run(async () =>
            {
                for (int i = 0; i < each; i++)
                {
                    await store.AppendAuditAsync(RecordOf((w * each) + i, _end));
                }
            }, cancellationToken)));
            await result.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"| entries written, {writers} at a time, each flushed to disk | {writers * each / Stopwatch.GetElapsedTime(start).TotalSeconds:F0} |"));
        }

        start = Stopwatch.GetTimestamp();
        AuditVerdict verdict = await store.ReadTrailAsync(
            (head, entries) => new AuditVerifier(keys).VerifyAsync(head, entries, AuditCheckpoints.None, null, cancellationToken), cancellationToken);
        await result.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"| entries verified | {verdict.Entries / Stopwatch.GetElapsedTime(start).TotalSeconds:F0} |"));
        return verdict.IsGenuine ? slowest : throw new InvalidOperationException($"The trail that was made does not verify: {verdict.First}");
    }

    /// <summary>As the product would have written it over two years; the end of the chain is set at last.</summary>
    private async Task FillAsync(CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken);
        for (int month = 0; month <= Months + 1; month++)
        {
            await ExecuteAsync("SELECT audit_make_partition($1)", _end.AddMonths(month - Months).ToUnixTimeMilliseconds());
        }

        var chain = new AuditChain(keys);
        var head = new AuditHead([], 0, 0, [], []);
        for (long done = 0; done < rows; done += Chunk)
        {
            int count = (int)Math.Min(Chunk, rows - done);
            (IReadOnlyList<ChainedEntry> entries, head) = chain.Extend(head, [.. Enumerable.Range(0, count).Select(i => RecordOf(done + i, TimeOf(done + i)).Storable())]);
            await using NpgsqlBinaryImporter copy = await connection.BeginBinaryImportAsync(Copy, cancellationToken);
            foreach ((AuditRecord record, long keyId, byte[] mac) in entries)
            {
                await copy.StartRowAsync(cancellationToken);
                await copy.WriteAsync(record.Sequence, NpgsqlDbType.Bigint, cancellationToken);
                await copy.WriteAsync(record.At.ToUnixTimeMilliseconds(), NpgsqlDbType.Bigint, cancellationToken);
                await copy.WriteAsync(record.Node, NpgsqlDbType.Text, cancellationToken);
                await copy.WriteAsync((int)record.Event, NpgsqlDbType.Integer, cancellationToken);
                await copy.WriteAsync((int)record.Outcome, NpgsqlDbType.Integer, cancellationToken);
                foreach (string? text in (string?[])
                    [record.CallingAE, record.RemoteAddress, record.User, record.Purpose, record.Patient, record.StudyUID, record.SopUID, record.Reason, record.Detail])
                {
                    await copy.WriteAsync(text, NpgsqlDbType.Text, cancellationToken);
                }

                await copy.WriteAsync(record.Sealed, NpgsqlDbType.Bytea, cancellationToken);
                await copy.WriteAsync(keyId, NpgsqlDbType.Bigint, cancellationToken);
                await copy.WriteAsync(mac, NpgsqlDbType.Bytea, cancellationToken);
            }

            await copy.CompleteAsync(cancellationToken);
        }

        await ExecuteAsync("UPDATE audit_head SET trail = $1, sequence = $2, key_id = $3, mac = $4, seal = $5", head.Trail, head.Sequence, head.KeyId, head.Mac, head.Seal);
        await ExecuteAsync("VACUUM ANALYZE audit");

        async Task ExecuteAsync(string sql, params object[] values)
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            foreach (object value in values)
            {
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            }

            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private IEnumerable<(string Name, Func<AuditFilter> Filter)> Questions()
    {
        yield return ("an hour", () =>
        {
            DateTimeOffset from = TimeOf(Any());
            return new AuditFilter { From = from, Until = from.AddHours(1) };
        });
        yield return ("a patient", () => new AuditFilter { Patient = PatientOf(Any()) });
        yield return ("a study", () => new AuditFilter { StudyUID = StudyOf(Any()) });
        yield return ("an instance", () => new AuditFilter { SopUID = SopOf(Any()) });
        yield return ("a calling AE", () => new AuditFilter { CallingAE = CallingAEOf(Any()) });
        yield return ("a calling AE since a time", () => new AuditFilter { CallingAE = CallingAEOf(Any()), From = TimeOf(Any()) });
        yield return ("an outcome since a time", () => new AuditFilter { Outcome = AuditOutcome.SeriousFailure, From = TimeOf(Any()) });
        yield return ("an event since a time", () => new AuditFilter { Events = [AuditEvent.Reidentified], From = TimeOf(Any()) });
        yield return ("a user of an AE", () => new AuditFilter { CallingAE = CallingAEOf(Any()), User = $"user{_random.Next(200)}" });
    }

    private long Any() => _random.NextInt64(rows);

    private AuditRecord RecordOf(long i, DateTimeOffset at)
    {
        AuditEvent what = Cycle[i % Cycle.Length];
        bool isQuery = what is AuditEvent.Query;
        return new AuditRecord(what, i % 97 == 0 ? AuditOutcome.SeriousFailure : AuditOutcome.Success)
        {
            At = at,
            Node = "gateway",
            CallingAE = CallingAEOf(i),
            RemoteAddress = $"10.1.{i % 50}.7",
            User = what is AuditEvent.Reidentified or AuditEvent.Query ? $"user{i % 200}" : null,
            Patient = isQuery ? null : PatientOf(i),
            StudyUID = isQuery ? null : StudyOf(i),
            SopUID = isQuery ? null : SopOf(i),
            Detail = isQuery ? "Study level, keys PatientID, StudyInstanceUID." : null,
            Sealed = what == AuditEvent.Received ? _sealed : null,
        };
    }

    private DateTimeOffset TimeOf(long i) => _end.AddMonths(-Months) + ((_end - _end.AddMonths(-Months)) * ((double)i / rows));

    private static string PatientOf(long i) => $"P{i / 500:D10}";

    private static string StudyOf(long i) => $"2.25.1000000000000000000000{i / 100:D10}";

    private static string SopOf(long i) => $"2.25.3000000000000000000000{i / 5:D10}";

    private static string CallingAEOf(long i) => $"MODALITY{i / 100 % 50}";
}
