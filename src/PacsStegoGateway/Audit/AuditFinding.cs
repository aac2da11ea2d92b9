namespace PacsStegoGateway.Audit;

/// <summary>What is wrong with the trail at one place.</summary>
public enum AuditFault
{
    /// <summary>Entries are gone from within the trail.</summary>
    Missing,

    /// <summary>A column is not what was written, or a gateway never wrote the entry.</summary>
    Changed,

    /// <summary>The entry is a genuine one in a place that is not its own.</summary>
    Moved,

    /// <summary>An entry too many: its number is taken, or it lies behind the end.</summary>
    Inserted,

    /// <summary>Entries are gone from the end.</summary>
    Truncated,

    /// <summary>The end of the trail was set by somebody who does not have the key, now or when the entry was written.</summary>
    HeadChanged,

    /// <summary>The row that tells the end is gone.</summary>
    HeadGone,

    /// <summary>The entry names a key that the ring does not have: nothing can be said about it.</summary>
    UnknownKey,

    /// <summary>There is no entry at all.</summary>
    Empty,

    /// <summary>The trail is consistent, and not the one that a checkpoint was taken of.</summary>
    Rewritten,

    /// <summary>A line of the checkpoint file is not one that was written with our key.</summary>
    CheckpointChanged,
}

/// <summary>Something that is wrong with the trail.</summary>
/// <param name="Sequence">The first entry that it concerns; 0 when it concerns none.</param>
/// <param name="Fault">What kind.</param>
/// <param name="Words">For people, without identity.</param>
public sealed record AuditFinding(long Sequence, AuditFault Fault, string Words);

/// <summary>What verification found out.</summary>
/// <param name="Entries">How many there are.</param>
/// <param name="Last">The number of the last one; 0 when there is none.</param>
/// <param name="Checkpoints">How many checkpoints agreed.</param>
/// <param name="Count">How many findings there were; 0 when everything is as it was written.</param>
/// <param name="Findings">The first of them, at most 100.</param>
public sealed record AuditVerdict(long Entries, long Last, int Checkpoints, long Count, IReadOnlyList<AuditFinding> Findings)
{
    public bool IsGenuine => Count == 0;

    /// <summary>The first bad entry, or what is wrong with none in particular; null when nothing is wrong.</summary>
    public AuditFinding? First => Findings.Where(static f => f.Sequence > 0).MinBy(static f => f.Sequence) ?? Findings.FirstOrDefault();
}
