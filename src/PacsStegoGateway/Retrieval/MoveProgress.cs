using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Retrieval;

/// <summary>The counts of one C-MOVE or C-GET: completed + failed + warning + remaining is always the total. Thread-safe.</summary>
public sealed class MoveProgress
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, FoundInstance> _open;
    private readonly HashSet<string> _taken = [];
    private readonly List<string> _failed = [];
    private int _completed;
    private int _warning;
    private string? _comment;

    public MoveProgress(IReadOnlyList<FoundInstance> all)
    {
        All = all;
        _open = all.ToDictionary(static f => f.Row.SopUID);
    }

    public IReadOnlyList<FoundInstance> All { get; }

    public int Total => All.Count;

    /// <summary>True when it is neither counted nor on its way.</summary>
    public bool IsWaiting(FoundInstance instance)
    {
        lock (_gate)
        {
            return _open.ContainsKey(instance.Row.SopUID) && !_taken.Contains(instance.Row.SopUID);
        }
    }

    /// <summary>The instance of this pseudonym if it waits; from now on it is on its way.</summary>
    public FoundInstance? Take(string sopUID)
    {
        lock (_gate)
        {
            return _open.TryGetValue(sopUID, out FoundInstance? found) && _taken.Add(sopUID) ? found : null;
        }
    }

    /// <summary>It did not come after all, and waits again.</summary>
    public void GiveBack(FoundInstance instance)
    {
        lock (_gate)
        {
            _taken.Remove(instance.Row.SopUID);
        }
    }

    /// <summary>Counts the instance by the destination's status; one that was counted stays as it is.</summary>
    /// <param name="comment">Why it failed, for the final response: the first that is given is told. At most 64 characters, no identity.</param>
    public void Settle(FoundInstance instance, DimseStatus status, string? comment = null)
    {
        lock (_gate)
        {
            if (!_open.Remove(instance.Row.SopUID))
            {
                return;
            }

            if (status.IsSuccess)
            {
                _completed++;
            }
            else if (status.IsWarning)
            {
                _warning++;
            }
            else
            {
                _failed.Add(instance.Name);
                _comment ??= comment;
            }
        }
    }

    public void FailRemaining()
    {
        lock (_gate)
        {
            _failed.AddRange(_open.Values.Select(static f => f.Name));
            _open.Clear();
        }
    }

    public MoveResponse Pending() => Counted(DimseStatus.Pending);

    /// <summary>
    /// FE00 after a C-CANCEL that left something; else 0000 when all went well, A702 when all failed, B000 when there were failures or warnings
    /// (PS3.4 C.4.2.1.5, C.4.3.1.4).
    /// </summary>
    public MoveResponse Final(bool canceled)
    {
        MoveResponse counted = Counted(DimseStatus.Success);
        DimseStatus status = canceled && counted.Remaining > 0 ? DimseStatus.Cancel
            : counted.Failed + counted.Warning == 0 ? DimseStatus.Success
            : counted.Failed == Total ? DimseStatus.UnableToPerformSuboperations
            : DimseStatus.SuboperationsCompleteWithFailures;
        lock (_gate)
        {
            return counted with { Status = status, FailedSOPInstanceUIDList = [.. _failed], ErrorComment = _comment };
        }
    }

    private MoveResponse Counted(DimseStatus status)
    {
        lock (_gate)
        {
            return new MoveResponse(status) { Remaining = _open.Count, Completed = _completed, Failed = _failed.Count, Warning = _warning };
        }
    }
}
