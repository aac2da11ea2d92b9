namespace PacsStegoGateway.Configuration;

public static partial class GatewayOptionsValidator
{
    private static void CheckLimits(LimitOptions limits, Problems found)
    {
        found.Range("Limits:AssociationsPerMinutePerAddress", limits.AssociationsPerMinutePerAddress, 0, 1_000_000);
        found.Range("Limits:AssociationsPerMinutePerAE", limits.AssociationsPerMinutePerAE, 0, 1_000_000);
        found.Range("Limits:QueriesPerMinute", limits.QueriesPerMinute, 0, 1_000_000);
        found.Range("Limits:RetrievalsPerMinute", limits.RetrievalsPerMinute, 0, 1_000_000);
        found.Range("Limits:RejectionsBeforePause", limits.RejectionsBeforePause, 1, 1000);
        found.Range("Limits:LongestPauseSeconds", limits.LongestPauseSeconds, 1, 3600);
        found.Range("Limits:VerificationReserve", limits.VerificationReserve, 1, 100);
    }
}
