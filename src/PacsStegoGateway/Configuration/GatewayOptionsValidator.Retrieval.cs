using System.Collections.Frozen;

namespace PacsStegoGateway.Configuration;

public static partial class GatewayOptionsValidator
{
    /// <summary>HL7 v3 value set PurposeOfUse (2.16.840.1.113883.1.11.20448), and RESCH, which ISO/TS 14265 readers know for HRESCH.</summary>
    private static readonly FrozenSet<string> PurposesOfUse = FrozenSet.ToFrozenSet(
    [
        "TREAT", "ETREAT", "BTG", "ERTREAT", "CLINTRL", "COC", "POPHLTH", "CAREMGT",
        "HPAYMT", "CLMATTCH", "COVAUTH", "COVERAGE", "ELIGDTRM", "ELIGVER", "ENROLLM", "MILDCRG", "REMITADV",
        "HRESCH", "RESCH", "BIORCH", "CLINTRCH", "CLINTRCHNPC", "CLINTRCHPC", "DSRCH", "POARCH", "PRECLINTRCH", "TRANSRCH",
        "HOPERAT", "DONAT", "FRAUD", "GOV", "HACCRED", "HCOMPL", "HDECD", "HDIRECT", "HDM", "HLEGAL", "HOUTCOMS", "HPRGRP", "HQUALIMP", "HSYSADMIN",
        "LABELING", "METAMGT", "MEMADMIN", "MILCDM", "PATADMIN", "PATSFTY", "PERFMSR", "RECORDMGT", "SYSDEV", "HTEST", "TRAIN",
        "HMARKT", "PATRQT", "FAMRQT", "PWATRNY", "SUPNWK", "PUBHLTH", "DISASTER", "THREAT",
    ]);

    private static void CheckRetrieval(GatewayOptions options, Problems found)
    {
        found.Range("Retrieval:MaxMatches", options.Retrieval.MaxMatches, 1, 1_000_000);
        found.Range("Retrieval:PendingSeconds", options.Retrieval.PendingSeconds, 1, 60);
        found.Range("Retrieval:ConnectTimeoutSeconds", options.Retrieval.ConnectTimeoutSeconds, 1, 120);
        HashSet<string> destinations = [.. options.MoveDestinations.Select(static d => d.AETitle)];
        foreach ((int i, CallerOptions caller) in options.Callers.Index())
        {
            if (caller.PurposeOfUse.Length > 0 && !PurposesOfUse.Contains(caller.PurposeOfUse))
            {
                found.Add($"Callers:{i}:PurposeOfUse", "must be a code of HL7 v3 PurposeOfUse, such as TREAT, PATRQT or HRESCH, or empty.");
            }

            foreach ((int j, string destination) in caller.MoveDestinations.Index())
            {
                if (!destinations.Contains(destination))
                {
                    found.Add($"Callers:{i}:MoveDestinations:{j}", "names no AE title of MoveDestinations.");
                }
            }
        }
    }
}
