namespace PacsStegoGateway.Storage;

/// <summary>One destination of a protected object.</summary>
/// <param name="Destination">Its name in the configuration.</param>
/// <param name="StorageCommitment">It is asked to commit itself to keep the object, and our files stay until it has.</param>
public sealed record ForwardTarget(string Destination, bool StorageCommitment = false);

/// <summary>How far an object is on its way to one destination.</summary>
public enum DeliveryState
{
    /// <summary>To be sent.</summary>
    Pending,

    /// <summary>The destination answered success; final unless it is asked for storage commitment.</summary>
    Sent,

    /// <summary>The destination has committed itself to keep it.</summary>
    Committed,

    /// <summary>Refused for good: a person decides (<c>psg queue retry</c> or <c>drop</c>).</summary>
    Dead,
}

/// <summary>One object on its way to one destination. Times are Unix milliseconds, UTC.</summary>
public sealed class DeliveryRow
{
    public long Id { get; init; }

    public string Destination { get; init; } = "";

    /// <summary>The gateway that works on it.</summary>
    public string Node { get; init; } = "";

    public DeliveryState State { get; init; }

    public bool WantsCommitment { get; init; }

    /// <summary>Nothing more happens to it, and it needs our files no longer.</summary>
    public bool IsFinal { get; init; }

    /// <summary>Failed attempts since it was queued or retried by a person.</summary>
    public int Attempts { get; init; }

    public long NextAttemptAt { get; init; }

    /// <summary>How the last attempt ended, in our own words.</summary>
    public string? Detail { get; init; }

    public long QueuedAt { get; init; }

    public long UpdatedAt { get; init; }

    public long? SentAt { get; init; }

    /// <summary>Transaction UID of the storage commitment that was asked for.</summary>
    public string? CommitTransaction { get; init; }

    /// <summary>The object.</summary>
    public InstanceRow Instance { get; set; } = new();
}

/// <summary>What became of a delivery.</summary>
/// <param name="Changed">False when it was no longer as it was read, or no longer ours: nothing was written.</param>
/// <param name="FilesUnneeded">It was the last: every delivery of the object is final, and its files may go.</param>
public readonly record struct Settlement(bool Changed, bool FilesUnneeded = false);

/// <summary>Which unfinished deliveries; null means any.</summary>
public sealed record DeliveryFilter
{
    public IReadOnlyList<long>? Ids { get; init; }

    public string? Destination { get; init; }

    public DeliveryState? State { get; init; }

    /// <summary>Queued before.</summary>
    public DateTimeOffset? QueuedBefore { get; init; }

    /// <summary>Only ids greater than this: to page on.</summary>
    public long AfterId { get; init; }

    /// <summary>Most rows, 1 to 100000. Default 1000.</summary>
    public int Limit { get; init; } = 1000;
}

/// <summary>Unfinished deliveries of one destination in one state.</summary>
public sealed class DeliverySummary
{
    public string Destination { get; init; } = "";

    public DeliveryState State { get; init; }

    public long Count { get; init; }

    /// <summary>When the oldest was queued, Unix milliseconds.</summary>
    public long OldestQueuedAt { get; init; }

    /// <summary>Most failed attempts of one.</summary>
    public int MostAttempts { get; init; }
}

/// <summary>What became of a delivery that a person dropped.</summary>
public enum DropResult
{
    /// <summary>It was no longer as it was read: nothing was changed.</summary>
    Gone,

    /// <summary>Other destinations still wait for the object.</summary>
    Dropped,

    /// <summary>It was the last, and another destination has the object: its files may go.</summary>
    DroppedLast,

    /// <summary>No destination has the object: it is in quarantine, where a person decides.</summary>
    Quarantined,
}
