using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Intake;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Commitment;

/// <summary>Whether what a modality asked about is as far as the configuration wants.</summary>
public sealed class CommitmentJudge(GatewayStore store, IdentityVault vault)
{
    private const int AtOnce = 500;

    /// <summary>Looks from a place on; stops at the first object that may still change.</summary>
    /// <param name="request">What was asked.</param>
    /// <param name="from">A place in it, all before which were decided.</param>
    /// <param name="age">How long ago it was asked.</param>
    /// <param name="options">In effect now.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>
    /// The place of the object that is not decided, or null when all are; and those from <paramref name="from"/> on that are not committed.
    /// </returns>
    public async Task<(int? Undecided, List<(int Place, DimseStatus Reason)> Failures)> LookAsync(
        CommitmentMessage request, int from, TimeSpan age, CommitmentOptions options, CancellationToken cancellationToken)
    {
        var failures = new List<(int, DimseStatus)>();
        for (int place = from; place < request.References.Count;)
        {
            int until = Math.Min(place + AtOnce, request.References.Count);
            string[] pseudonyms = [.. Enumerable.Range(place, until - place).Select(i => vault.Pseudonyms.MapUID(request.References[i].SopInstanceUID))];
            IReadOnlyDictionary<string, CommitStanding> standings = await store.StandingsAsync(pseudonyms, cancellationToken);
            for (int first = place; place < until; place++)
            {
                DimseStatus? verdict = Judge(request.References[place],
                    standings.TryGetValue(pseudonyms[place - first], out CommitStanding standing) ? standing : null, age, options);
                if (verdict is null)
                {
                    return (place, failures);
                }

                if (!verdict.Value.IsSuccess)
                {
                    failures.Add((place, verdict.Value));
                }
            }
        }

        return (null, failures);
    }

    /// <returns>Null while it may still change.</returns>
    private static DimseStatus? Judge(SopReference reference, CommitStanding? standing, TimeSpan age, CommitmentOptions options)
    {
        bool isLate = age >= TimeSpan.FromHours(options.MaxHours);
        if (standing is not { } found)
        {
            return isLate || age >= TimeSpan.FromMinutes(options.UnknownMinutes) ? DimseStatus.NoSuchSOPInstance : null;
        }

        return found.SopClassUID != reference.SopClassUID ? DimseStatus.ClassInstanceConflict
            : found.Reached >= options.When ? DimseStatus.Success
            : isLate ? DimseStatus.ProcessingFailure
            : null;
    }
}
