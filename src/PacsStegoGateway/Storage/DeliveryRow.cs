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
