namespace PacsStegoGateway.Deidentification;

/// <summary>What is to be done to an object: the profile of PS3.15 Annex E and how it is declared in the object.</summary>
public sealed record DeidentificationProfile
{
    private DeidentificationProfile()
    {
    }

    /// <summary>Basic Application Level Confidentiality Profile (PS3.15 E.2) without options.</summary>
    public static DeidentificationProfile Basic { get; } = new();

    /// <summary>The code of CID 7050 that (0012,0064) declares, scheme DCM.</summary>
    public (string Value, string Meaning) Code { get; } = ("113100", "Basic Application Confidentiality Profile");

    /// <summary>
    /// (0028,0303) Longitudinal Temporal Information Modified: REMOVED, because without an option no date survives.
    /// </summary>
    public string LongitudinalTemporalInformationModified => "REMOVED";

    /// <summary>The name used in (0012,0063), edition included; at most 64 characters with the product's name.</summary>
    public string Name => $"PS3.15 {ProfileTable.Edition} Basic Profile";
}
