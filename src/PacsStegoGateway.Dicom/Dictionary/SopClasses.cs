using System.Collections.Frozen;

namespace PacsStegoGateway.Dicom;

/// <summary>What kind of object a SOP class UID means.</summary>
public static partial class SopClasses
{
    public const string Verification = "1.2.840.10008.1.1";
    public const string CTImageStorage = "1.2.840.10008.5.1.4.1.1.2";
    public const string MRImageStorage = "1.2.840.10008.5.1.4.1.1.4";
    public const string PatientRootFind = "1.2.840.10008.5.1.4.1.2.1.1";
    public const string PatientRootMove = "1.2.840.10008.5.1.4.1.2.1.2";
    public const string PatientRootGet = "1.2.840.10008.5.1.4.1.2.1.3";
    public const string StudyRootFind = "1.2.840.10008.5.1.4.1.2.2.1";
    public const string StudyRootMove = "1.2.840.10008.5.1.4.1.2.2.2";
    public const string StudyRootGet = "1.2.840.10008.5.1.4.1.2.2.3";

    /// <summary>Storage Commitment Push Model (PS3.4 J.3).</summary>
    public const string StorageCommitment = "1.2.840.10008.1.20.1";

    /// <summary>The one instance that every commitment is asked of (PS3.4 J.3.5).</summary>
    public const string StorageCommitmentInstance = "1.2.840.10008.1.20.1.1";

    private static readonly FrozenDictionary<string, (string UID, string Name, string Iod)> ByUID =
        Storage.ToFrozenDictionary(static s => s.UID);

    /// <summary>Every storage SOP class of the standard (PS3.4 B.5).</summary>
    public static IEnumerable<string> StorageUIDs => ByUID.Keys;

    /// <summary>True for a storage SOP class of the standard; false for private and retired ones.</summary>
    public static bool IsStandardStorage(string uid) => ByUID.ContainsKey(uid);

    /// <summary>The standard's name, or null.</summary>
    public static string? NameOf(string uid) => ByUID.TryGetValue(uid, out var entry) ? entry.Name : null;

    /// <summary>The name of the IOD (PS3.3 A), or null.</summary>
    public static string? IodOf(string uid) => ByUID.TryGetValue(uid, out var entry) ? entry.Iod : null;
}
