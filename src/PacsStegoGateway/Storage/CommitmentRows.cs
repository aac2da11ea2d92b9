namespace PacsStegoGateway.Storage;

/// <summary>Where a modality's request for commitment is on its way.</summary>
public enum CommitRequestState
{
    /// <summary>Not every object is as far as it must be.</summary>
    Waiting,

    /// <summary>The result stands; the modality has not taken it yet.</summary>
    Ready,

    /// <summary>The modality has taken the result.</summary>
    Reported,

    /// <summary>The modality has answered the result by a failure.</summary>
    Refused,

    /// <summary>The modality could not be told for as long as the configuration says, or the key of the request is gone.</summary>
    Abandoned,
}

/// <summary>What a modality asked to be committed. UIDs that it named stand here only sealed.</summary>
/// <remarks>Times are Unix milliseconds, UTC.</remarks>
public sealed class CommitRequestRow
{
    public long Id { get; init; }

    public string CallingAE { get; init; } = "";

    /// <summary>Our title that was called: the one that reports.</summary>
    public string CalledAE { get; init; } = "";

    public string RemoteAddress { get; init; } = "";

    /// <summary>Pseudonym of the Transaction UID.</summary>
    public string TransactionIndex { get; init; } = "";

    public string Node { get; init; } = "";

    public CommitRequestState State { get; init; }

    /// <summary>Objects asked about.</summary>
    public int Instances { get; init; }

    /// <summary>How many of them are not committed; once the result stands.</summary>
    public int Failed { get; init; }

    /// <summary>Keyed hash of the request: tells one that is repeated from another under the same Transaction UID.</summary>
    public byte[] ContentHash { get; init; } = [];

    /// <summary>The request; null once it is over.</summary>
    public byte[]? Sealed { get; init; }

    /// <summary>Which of the objects are not committed, by their place in the request; once the result stands.</summary>
    public byte[]? Failures { get; init; }

    /// <summary>Failed attempts to report.</summary>
    public int Attempts { get; init; }

    public long NextAttemptAt { get; init; }

    public long ReceivedAt { get; init; }

    /// <summary>When the result stood.</summary>
    public long? ReadyAt { get; init; }

    public long UpdatedAt { get; init; }

    public string? Detail { get; init; }
}

/// <summary>What a modality's request turned out to be.</summary>
public enum CommitRequestReceipt
{
    New,

    /// <summary>The same as one that is under way or was answered: it is answered (again).</summary>
    Repeated,

    /// <summary>Another one bears this Transaction UID: nothing was changed.</summary>
    Conflict,
}

/// <summary>How far an object is that a modality asks about.</summary>
/// <param name="Reached">The level that its row has reached; null: it waits, or lies in quarantine.</param>
public readonly record struct CommitStanding(string SopClassUID, Configuration.CommitmentLevel? Reached);

/// <summary>Where a transaction with a destination is.</summary>
public enum CommitTransactionState
{
    /// <summary>It may have been asked; the answer is not known.</summary>
    Asking,

    /// <summary>The destination has accepted it and owes a report.</summary>
    Asked,

    /// <summary>Every object of it was reported.</summary>
    Reported,

    /// <summary>Asked again by another transaction; a late report still counts.</summary>
    Lapsed,
}

/// <summary>What we asked a destination to commit.</summary>
/// <remarks>Times are Unix milliseconds, UTC.</remarks>
public sealed class CommitTransactionRow
{
    /// <summary>Our Transaction UID.</summary>
    public string UID { get; init; } = "";

    public string Destination { get; init; } = "";

    public string Node { get; init; } = "";

    public CommitTransactionState State { get; init; }

    public int Instances { get; init; }

    public int Committed { get; init; }

    public int Failed { get; init; }

    public long CreatedAt { get; init; }

    /// <summary>Without a report until then it is asked again.</summary>
    public long DeadlineAt { get; init; }

    public long UpdatedAt { get; init; }

    public string? Detail { get; init; }
}
