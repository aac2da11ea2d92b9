using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>
/// UIDs that PS3.6 Annex A registers and that stand where instances are named: they identify nobody. The root of the
/// standard alone proves nothing, since anybody can write digits behind it.
/// </summary>
internal static class RegisteredUIDs
{
    /// <summary>Frames of reference, palettes, well-known SOP Instances (printer, logs, UPS), print and storage.</summary>
    private static readonly string[] Roots =
    [
        "1.2.840.10008.1.4.", "1.2.840.10008.1.5.", "1.2.840.10008.1.20.", "1.2.840.10008.1.40.", "1.2.840.10008.1.42.",
        "1.2.840.10008.5.1.1.", "1.2.840.10008.5.1.4.1.1.", "1.2.840.10008.5.1.4.34.", "1.2.840.10008.20.",
    ];

    /// <summary>
    /// True for a valid UID under one of the roots with at most three components of at most three digits behind it, as
    /// registered ones have: too little for a date, or a number of a person.
    /// </summary>
    internal static bool Contains(string uid)
    {
        foreach (string root in Roots)
        {
            if (uid.StartsWith(root, StringComparison.Ordinal))
            {
                string[] behind = uid[root.Length..].Split('.');
                return Uid.IsValid(uid) && behind.Length <= 3 && behind.All(static c => c.Length <= 3);
            }
        }

        return false;
    }
}
