using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Audit;

/// <summary>
/// Walks the trail once, in order, and holds every entry against the one before, the end against the last, and checkpoints
/// against what stands at their numbers. Needs memory for the checkpoints and a thousand MACs, however long the trail is.
/// </summary>
/// <remarks>After something wrong it goes on, so that one changed entry is one finding and the extent of the damage is seen.</remarks>
public sealed class AuditVerifier(KeyRing keys)
{
    private const int MostFindings = 100;

    /// <summary>How far from its place a moved entry is recognised as one, entries; beyond that it is reported as changed.</summary>
    private const int Window = 1024;

    private const int MostSuspects = 16;

    private readonly AuditChain _chain = new(keys);
    private readonly List<AuditFinding> _findings = [];
    private readonly Dictionary<long, byte[]> _recent = [];
    private readonly List<Suspect> _suspects = [];
    private long _count;

    /// <summary>Verifies a trail; once for each instance.</summary>
    /// <param name="head">The end, as the database tells it; null when its row is gone.</param>
    /// <param name="entries">All, by order of number.</param>
    /// <param name="checkpoints">What was kept outside the database.</param>
    /// <param name="progress">Hears of the number of entries that were looked at, now and then.</param>
    public async Task<AuditVerdict> VerifyAsync(
        AuditHead? head, IAsyncEnumerable<ChainedEntry> entries, AuditCheckpoints checkpoints, Action<long>? progress, CancellationToken cancellationToken)
    {
        foreach (int line in checkpoints.Changed)
        {
            Find(0, AuditFault.CheckpointChanged, $"Line {line} of the checkpoints was not written with a key of the ring.");
        }

        bool isHeadSound = CheckHead(head);
        long entryCount = 0;
        long last = 0;
        long beyond = 0;
        int agreed = 0;
        // What the next entry may stand on: the MAC that the one before bears, and the one that it should bear.
        byte[]? borne = null;
        byte[]? due = null;
        var homeless = new Queue<byte[]>();
        await foreach (ChainedEntry entry in entries.WithCancellation(cancellationToken))
        {
            if (++entryCount % 10_000 == 0)
            {
                progress?.Invoke(entryCount);
            }

            long sequence = entry.Record.Sequence;
            if (sequence <= last)
            {
                Find(sequence, AuditFault.Inserted, $"There is more than one entry {sequence}, or one with a number below 1.");
                continue;
            }

            if (isHeadSound && sequence > head!.Sequence)
            {
                beyond++;
                continue;
            }

            bool isAfterGap = sequence > last + 1;
            if (isAfterGap)
            {
                Find(last + 1, AuditFault.Missing, sequence == last + 2 ? $"Entry {last + 1} is gone." : $"Entries {last + 1} to {sequence - 1} are gone.");
            }

            last = sequence;
            if (!_chain.Knows(entry.KeyId))
            {
                Find(sequence, AuditFault.UnknownKey, $"Entry {sequence} names a key that the ring does not have.");
                (borne, due) = (entry.Mac, null);
            }
            else if (isAfterGap)
            {
                // Nothing is left that it could be held against; the next one is held against it.
                (borne, due) = (entry.Mac, null);
            }
            else
            {
                byte[]? origin = sequence == 1 && head is not null ? _chain.Origin(entry.KeyId, head.Trail) : null;
                byte[]? mac = Fits(entry, origin) ?? Fits(entry, borne) ?? Fits(entry, due) ?? homeless.Select(m => Fits(entry, m)).FirstOrDefault(static m => m is not null);
                // Whether the first entry is genuine, only a sound head can say.
                if (mac is null && (sequence > 1 || isHeadSound))
                {
                    Find(sequence, AuditFault.Changed, $"Entry {sequence} is not what was written.");
                    Doubt(entry);
                    homeless.Enqueue(entry.Mac);
                    if (homeless.Count > MostSuspects)
                    {
                        homeless.Dequeue();
                    }
                }

                due = mac is null && (origin ?? borne) is { } before ? _chain.MacOf(entry.KeyId, before, entry.Record) : null;
                borne = entry.Mac;
            }

            if (entry.Record.Event == AuditEvent.TrailBroken)
            {
                // The gateway went on from an end that it could not prove; what follows fits, and does not make it good.
                Find(sequence, AuditFault.HeadChanged, $"Entry {sequence} tells: {entry.Record.Detail}");
            }

            Remember(sequence, entry.Mac);
            if (checkpoints.At(sequence) is { } checkpoint)
            {
                if (checkpoint.Mac.AsSpan().SequenceEqual(entry.Mac) && (head is null || checkpoint.Trail.AsSpan().SequenceEqual(head.Trail)))
                {
                    agreed++;
                }
                else
                {
                    Find(sequence, AuditFault.Rewritten, $"Entry {sequence} is another one than at the checkpoint of {checkpoint.At:yyyy-MM-dd HH:mm:ss}.");
                }
            }
        }

        if (beyond > 0)
        {
            Find(head!.Sequence + 1, AuditFault.Inserted, $"The trail ends with entry {head.Sequence}; {beyond} behind it were added.");
        }

        CheckEnd(head, isHeadSound, last, borne, due, checkpoints);
        Diagnose(last + 1);
        return new AuditVerdict(entryCount, last, agreed, _count, _findings);

        byte[]? Fits(ChainedEntry entry, byte[]? before) =>
            before is not null && _chain.MacOf(entry.KeyId, before, entry.Record) is { } mac && mac.AsSpan().SequenceEqual(entry.Mac) ? mac : null;
    }

    private bool CheckHead(AuditHead? head)
    {
        if (head is null)
        {
            Find(0, AuditFault.HeadGone, "The row that tells the end of the trail is gone.");
            return false;
        }

        if (head.Sequence == 0 && head.Trail.Length == 0 && head.Mac.Length == 0 && head.Seal.Length == 0)
        {
            return false;
        }

        if (_chain.IsSealed(head) is not { } isSealed)
        {
            Find(0, AuditFault.UnknownKey, "The end of the trail names a key that the ring does not have.");
            return false;
        }

        if (isSealed)
        {
            return true;
        }

        Find(0, AuditFault.HeadChanged, "The end of the trail was set by somebody who does not have the key.");
        return false;
    }

    private void CheckEnd(AuditHead? head, bool isHeadSound, long last, byte[]? borne, byte[]? due, AuditCheckpoints checkpoints)
    {
        if (last == 0 && head is { Sequence: 0 })
        {
            Find(0, AuditFault.Empty, "There is no entry: nothing was ever recorded, or everything was removed.");
        }
        else if (isHeadSound && last < head!.Sequence)
        {
            Find(last + 1, AuditFault.Truncated, $"The entries from {last + 1} to the last, {head.Sequence}, are gone.");
        }
        else if (isHeadSound && borne is not null && !head!.Mac.AsSpan().SequenceEqual(borne) && !head.Mac.AsSpan().SequenceEqual(due))
        {
            Find(last, AuditFault.Changed, $"Entry {last} is not the one that the trail ends with.");
        }
        else if (head is { Sequence: 0, Seal.Length: 0 } && last > 0)
        {
            Find(0, AuditFault.HeadChanged, "The trail has entries, and its end says that it has none.");
        }

        if (checkpoints.Last is { } checkpoint && checkpoint.Sequence > last)
        {
            Find(last + 1, AuditFault.Truncated,
                $"The entries from {last + 1} on are gone: at the checkpoint of {checkpoint.At:yyyy-MM-dd HH:mm:ss} there were {checkpoint.Sequence}.");
        }
    }

    private void Find(long sequence, AuditFault fault, string words)
    {
        _count++;
        if (_findings.Count < MostFindings)
        {
            _findings.Add(new AuditFinding(sequence, fault, words));
        }
    }

    private void Remember(long sequence, byte[] mac)
    {
        _recent[sequence] = mac;
        if (_suspects.Count > 0 && sequence >= _suspects[0].Entry.Record.Sequence + Window)
        {
            Diagnose(sequence);
        }

        if (_suspects.Count == 0)
        {
            _recent.Remove(sequence - Window);
        }
    }

    private void Doubt(ChainedEntry entry)
    {
        if (_suspects.Count < MostSuspects && _findings.Count > 0 && _findings[^1].Sequence == entry.Record.Sequence)
        {
            _suspects.Add(new Suspect(entry, _findings.Count - 1));
        }
    }

    /// <summary>Were entries that do not fit in their place written for another one nearby?</summary>
    private void Diagnose(long upTo)
    {
        byte[][] homeless = [.. _suspects.Select(static s => s.Entry.Mac)];
        foreach ((ChainedEntry entry, int finding) in _suspects)
        {
            long own = entry.Record.Sequence;
            for (long place = Math.Max(2, own - Window); place <= Math.Min(upTo, own + Window); place++)
            {
                if (place != own && (IsFor(place, _recent.GetValueOrDefault(place - 1)) || Array.Exists(homeless, m => IsFor(place, m))))
                {
                    _findings[finding] = new AuditFinding(own, AuditFault.Moved, $"In the place of entry {own} stands entry {place}.");
                    break;
                }
            }

            bool IsFor(long place, byte[]? before) => before is not null
                && _chain.MacOf(entry.KeyId, before, entry.Record with { Sequence = place }).AsSpan().SequenceEqual(entry.Mac);
        }

        _suspects.Clear();
        foreach (long old in _recent.Keys.Where(s => s <= upTo - Window).ToList())
        {
            _recent.Remove(old);
        }
    }

    private sealed record Suspect(ChainedEntry Entry, int Finding);
}
