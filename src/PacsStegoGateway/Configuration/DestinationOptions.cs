using System.Text.Json.Serialization;

namespace PacsStegoGateway.Configuration;

/// <summary>How a destination takes objects.</summary>
public enum DestinationKind
{
    /// <summary>C-STORE.</summary>
    Dimse,

    /// <summary>STOW-RS (PS3.18 10.5).</summary>
    Stow,
}

/// <summary>Where protected objects are sent to.</summary>
public class DestinationOptions : PeerOptions
{
    /// <summary>
    /// What rows, rules and the log call it, 1 to 64 characters; stays the same for the life of its deliveries. Empty: its
    /// AE title. Needed for STOW-RS, which has none.
    /// </summary>
    public string Name { get; set; } = "";

    /// <summary>dimse or stow. Default dimse.</summary>
    public DestinationKind Kind { get; set; } = DestinationKind.Dimse;

    /// <summary>Of STOW-RS: the root of the service, such as <c>https://pacs.example.org/dicom-web</c>; <c>/studies</c> is added. With https the section Tls holds.</summary>
    public string Url { get; set; } = "";

    /// <summary>Of STOW-RS: sent as Bearer. Set it by the environment variable PSG__Destinations__0__BearerToken, not in a file.</summary>
    [Secret]
    public string? BearerToken { get; set; }

    /// <summary>Of STOW-RS: for HTTP Basic, with Password. Empty: none.</summary>
    public string UserName { get; set; } = "";

    /// <summary>Of STOW-RS. Set it by the environment variable PSG__Destinations__0__Password, not in a file.</summary>
    [Secret]
    public string? Password { get; set; }

    /// <summary>Our AE title towards it. Default PSG.</summary>
    public string CallingAETitle { get; set; } = "PSG";

    /// <summary>Longest wait for TCP and association, seconds, 1 to 120. Default 10.</summary>
    public int ConnectTimeoutSeconds { get; set; } = 10;

    /// <summary>Longest wait for an answer, and longest silence while sending, seconds, 1 to 3600. Default 120.</summary>
    public int AnswerTimeoutSeconds { get; set; } = 120;

    /// <summary>Associations, or HTTP connections, kept open for sending, 1 to 8. Default 2.</summary>
    public int Associations { get; set; } = 2;

    /// <summary>An association or connection without work is released after, seconds, 1 to 3600. Default 20.</summary>
    public int ReleaseAfterSeconds { get; set; } = 20;

    /// <summary>Ask it for storage commitment before our files go. Default false. DIMSE only.</summary>
    public bool StorageCommitment { get; set; }

    /// <summary>
    /// When objects are sent, as <c>19:00-06:00</c>, in the local time of this machine; the end may lie on the next day. An
    /// object that is under way at the end is finished. Empty: always.
    /// </summary>
    public string Hours { get; set; } = "";

    /// <summary>Most that is sent, all its associations together, Mbit/s (10⁶ bits), 0 to 100000. Default 0: no limit.</summary>
    public int MaxMegabitsPerSecond { get; set; }

    /// <summary>The name that stands in rows.</summary>
    [JsonIgnore]
    public string KnownAs => Name.Length > 0 ? Name : AETitle;

    [JsonIgnore]
    public override bool IsSecure => Kind == DestinationKind.Stow
        ? Url.StartsWith("https:", StringComparison.OrdinalIgnoreCase)
        : Tls.Enabled;
}
