namespace PacsStegoGateway.Configuration;

/// <summary>
/// One rule: which objects, and where they go. All conditions that are set must hold; the first rule that holds decides. When an
/// object is protected the rules that are configured then are asked, whenever it was received.
/// </summary>
public sealed class RouteOptions
{
    /// <summary>For log and audit trail, 1 to 64 characters.</summary>
    public string Name { get; set; } = "";

    /// <summary>Our AE titles that were called, wild cards allowed; any of them. Empty: whichever.</summary>
    public List<string> CalledAETitles { get; set; } = [];

    /// <summary>Calling AE titles, wild cards allowed; any of them. Empty: whoever.</summary>
    public List<string> CallingAETitles { get; set; } = [];

    /// <summary>Values of Modality (0008,0060), such as CT; any of them. Empty: whatever.</summary>
    public List<string> Modalities { get; set; } = [];

    /// <summary>
    /// Attributes of the received object, by keyword or as <c>ggggeeee</c>, each with what its value must match (PS3.4
    /// C.2.2.2): wild cards <c>*</c> and <c>?</c>, ranges of dates and times, alternatives separated by a backslash. Of several
    /// values one is enough. <c>*</c> matches an absent attribute too, <c>?*</c> does not. Top level only.
    /// </summary>
    public Dictionary<string, string> Tags { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>How objects are de-identified: the name of a profile. Default, and the only one: basic.</summary>
    public string Profile { get; set; } = BasicProfile;

    /// <summary>Names of destinations; it goes to each of them.</summary>
    public List<string> Destinations { get; set; } = [];

    /// <summary>Take it, but send it nowhere: it is quarantined. Default false.</summary>
    public bool Refuse { get; set; }

    /// <summary>The basic profile of PS3.15 E with the options that the conformance statement names.</summary>
    public const string BasicProfile = "basic";
}
