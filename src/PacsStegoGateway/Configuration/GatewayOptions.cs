namespace PacsStegoGateway.Configuration;

/// <summary>
/// Everything that can be set, as one tree. Read from <c>config/gateway.json</c> (comments allowed), then environment
/// variables <c>PSG__Section__Key</c>, then switches <c>--Section:Key=value</c>; the later one wins.
/// </summary>
/// <remarks>
/// Every unit is in the name. Zero and null mean what each comment says, nothing else. Wrong values stop the start, all of
/// them listed at once (<see cref="GatewayOptionsValidator"/>).
/// </remarks>
public sealed class GatewayOptions
{
    /// <summary>Folder that relative paths of Spool, Database and Keys start from. Default <c>data</c>, in the working folder.</summary>
    public string DataFolder { get; set; } = "data";

    public NodeOptions Node { get; set; } = new();

    public ListenOptions Listen { get; set; } = new();

    [Live]
    public LimitOptions Limits { get; set; } = new();

    /// <summary>Who may call. Everybody else is rejected at association (permanent, user, 3). None by default: nobody.</summary>
    [Live]
    public List<CallerOptions> Callers { get; set; } = [];

    /// <summary>Who may use which verbs of the command line. None by default: the account that can read the key ring, and root.</summary>
    [Live]
    public List<OperatorOptions> Operators { get; set; } = [];

    /// <summary>Where a C-MOVE may send to; any other destination is A801.</summary>
    [Live]
    public List<PeerOptions> MoveDestinations { get; set; } = [];

    /// <summary>Where everything goes that no rule sends elsewhere, and where originals are fetched back from.</summary>
    public PacsOptions Pacs { get; set; } = new();

    /// <summary>Further destinations, which rules name. None by default.</summary>
    public List<DestinationOptions> Destinations { get; set; } = [];

    /// <summary>Which objects go where; the first rule that holds decides, without one the object is quarantined. None: everything goes to Pacs.</summary>
    [Live]
    public List<RouteOptions> Routes { get; set; } = [];

    public SpoolOptions Spool { get; set; } = new();

    public DatabaseOptions Database { get; set; } = new();

    public KeyOptions Keys { get; set; } = new();

    public SegmentationOptions Segmentation { get; set; } = new();

    public EmbeddingSettings Embedding { get; set; } = new();

    public WorkOptions Work { get; set; } = new();

    [Live]
    public CommitmentOptions Commitment { get; set; } = new();

    [Live]
    public RetrievalOptions Retrieval { get; set; } = new();

    public AuditOptions Audit { get; set; } = new();

    /// <summary>The path as it stands if absolute, else below <see cref="DataFolder"/>.</summary>
    public string InDataFolder(string path) => Path.GetFullPath(Path.Combine(DataFolder, path));
}
