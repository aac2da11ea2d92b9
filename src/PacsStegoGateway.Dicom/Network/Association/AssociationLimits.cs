namespace PacsStegoGateway.Dicom.Network;

/// <summary>What a peer may ask of one association, in bytes, counts and time. Every limit is on by default.</summary>
/// <remarks>Zero or <see cref="Timeout.InfiniteTimeSpan"/> never means "no limit" here: <see cref="Validate"/> refuses it.</remarks>
public sealed record AssociationLimits
{
    public static AssociationLimits Default { get; } = new();

    /// <summary>
    /// Longest P-DATA-TF PDU we receive, in bytes of its variable field, announced in the A-ASSOCIATE PDU (PS3.8 D.1).
    /// Default 131,072, the most that DCMTK offers and takes; 4,096 to 16,777,216.
    /// </summary>
    public uint MaxPduLength { get; init; } = 131_072;

    /// <summary>
    /// Longest A-ASSOCIATE-RQ or -AC PDU, in bytes. Default 262,144: 128 contexts of 30 transfer syntaxes each are
    /// about 110,000 bytes.
    /// </summary>
    public uint MaxAssociatePduLength { get; init; } = 262_144;

    /// <summary>Presentation contexts in one association. Default and most: 128, all odd numbers of a byte (PS3.8 9.3.2.2).</summary>
    public int MaxPresentationContexts { get; init; } = 128;

    /// <summary>Longest command set, in bytes over all fragments. Default 65,536; real ones have some hundreds.</summary>
    public int MaxCommandSetLength { get; init; } = 65_536;

    /// <summary>Longest identifier of C-FIND, C-MOVE and C-GET, which is held in memory. Default 1 MiB.</summary>
    public int MaxIdentifierLength { get; init; } = 1_048_576;

    /// <summary>
    /// Longest Action or Event Information of N-ACTION and N-EVENT-REPORT, which is held in memory. Default 16 MiB: 100,000
    /// references of a storage commitment are less than 12 MiB.
    /// </summary>
    public int MaxInformationLength { get; init; } = 16 << 20;

    /// <summary>Longest data set of a C-STORE, in bytes; it is streamed, so this guards the disk. Default 16 GiB.</summary>
    public long MaxDataSetLength { get; init; } = 16L << 30;

    /// <summary>
    /// The ARTIM timer of PS3.8 9.1.4: from the connection to the whole A-ASSOCIATE-RQ, from it to the -AC, and from the
    /// last PDU to the close of the connection. Default 30 s, DCMTK's value for the same.
    /// </summary>
    public TimeSpan ArtimTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Longest silence, in either direction, while a message or an answer is under way; every byte starts it anew.
    /// Default 60 s.
    /// </summary>
    public TimeSpan DimseTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest silence between messages of an accepted association. Default 300 s.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>While a C-MOVE works in silence its last pending response is said again this often. Default 5 s.</summary>
    public TimeSpan PendingInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Every value out of its range, in words; none when all are good.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> wrong = [];
        Range(MaxPduLength, 4096, 1 << 24, nameof(MaxPduLength));
        Range(MaxAssociatePduLength, 4096, 1 << 24, nameof(MaxAssociatePduLength));
        Range(MaxPresentationContexts, 1, 128, nameof(MaxPresentationContexts));
        Range(MaxCommandSetLength, 1024, 1 << 24, nameof(MaxCommandSetLength));
        Range(MaxIdentifierLength, 1024, 1 << 30, nameof(MaxIdentifierLength));
        Range(MaxInformationLength, 1024, 1 << 30, nameof(MaxInformationLength));
        Range(MaxDataSetLength, 1024, long.MaxValue, nameof(MaxDataSetLength));
        Time(ArtimTimeout, nameof(ArtimTimeout));
        Time(DimseTimeout, nameof(DimseTimeout));
        Time(IdleTimeout, nameof(IdleTimeout));
        Time(PendingInterval, nameof(PendingInterval));
        return wrong;

        void Range(long value, long least, long most, string name)
        {
            if (value < least || value > most)
            {
                wrong.Add($"{name} is {value}; it must be {least} to {most}.");
            }
        }

        void Time(TimeSpan value, string name)
        {
            if (value < TimeSpan.FromMilliseconds(10) || value > TimeSpan.FromDays(1))
            {
                wrong.Add($"{name} is {value}; it must be 10 ms to 1 day.");
            }
        }
    }
}
