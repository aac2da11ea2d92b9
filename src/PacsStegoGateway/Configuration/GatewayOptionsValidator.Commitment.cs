namespace PacsStegoGateway.Configuration;

public static partial class GatewayOptionsValidator
{
    private static void CheckCommitment(GatewayOptions options, Problems found)
    {
        CommitmentOptions commitment = options.Commitment;
        found.Range("Commitment:MaxHours", commitment.MaxHours, 1, 720);
        found.Range("Commitment:UnknownMinutes", commitment.UnknownMinutes, 0, 1440);
        found.Range("Commitment:GiveUpDays", commitment.GiveUpDays, 1, 365);
        found.Range("Commitment:MaxReferences", commitment.MaxReferences, 1, 100_000);
        found.Range("Commitment:GatherSeconds", commitment.GatherSeconds, 1, 3600);
        found.Range("Commitment:MaxInstances", commitment.MaxInstances, 1, 10_000);
        found.Range("Commitment:ReportMinutes", commitment.ReportMinutes, 1, 10_080);
        found.Range("Commitment:MaxResends", commitment.MaxResends, 0, 100);
        foreach ((int i, CallerOptions caller) in options.Callers.Index())
        {
            PeerOptions peer = caller.Commitment;
            if (peer.Host.Length == 0)
            {
                if (peer.AETitle.Length > 0 || peer.Tls.Enabled)
                {
                    found.Add($"Callers:{i}:Commitment:Host", "must be set: results are sent there.");
                }

                continue;
            }

            found.Range($"Callers:{i}:Commitment:Port", peer.Port, 1, 65_535);
            if (peer.AETitle.Length > 0)
            {
                found.AETitle($"Callers:{i}:Commitment:AETitle", peer.AETitle);
            }
        }

        CheckReports(options.Pacs, "Pacs", options, found);
        foreach ((int i, DestinationOptions destination) in options.Destinations.Index())
        {
            CheckReports(destination, $"Destinations:{i}", options, found);
        }
    }

    /// <summary>A destination reports on an association of its own, to the title that asked it.</summary>
    private static void CheckReports(DestinationOptions destination, string path, GatewayOptions options, Problems found)
    {
        if (destination is { StorageCommitment: true, Kind: DestinationKind.Dimse } && !options.Listen.AETitles.Contains(destination.CallingAETitle))
        {
            found.Add($"{path}:CallingAETitle", "must be one of Listen:AETitles when StorageCommitment is true: its reports call it.");
        }
    }
}
