using System.Net;
using System.Net.Sockets;
using PacsStegoGateway.Configuration;

namespace PacsStegoGateway.Security;

/// <summary>
/// Who comes too often, or was turned away too often, waits. Counted by address and title together, so that whoever guesses
/// keeps nobody else out; what is remembered of strangers is bounded.
/// </summary>
public sealed class AssociationDoor(Func<LimitOptions> limits, TimeProvider time)
{
    /// <summary>Entries of one kind of refusal and key that are recorded singly in a minute; the others are counted.</summary>
    private const int RecordedPerMinute = 6;

    private readonly RateLimit<IPAddress> _perAddress = new(() => limits().AssociationsPerMinutePerAddress, time);
    private readonly RateLimit<string> _perAE = new(() => limits().AssociationsPerMinutePerAE, time);
    private readonly RateLimit<string> _queries = new(() => limits().QueriesPerMinute, time);
    private readonly RateLimit<string> _retrievals = new(() => limits().RetrievalsPerMinute, time);
    private readonly RateLimit<IPAddress> _records = new(static () => RecordedPerMinute, time);
    private readonly Lock _gate = new();
    private readonly BoundedMemory<(IPAddress Address, string AETitle), Rejections> _rejected = new();
    private readonly BoundedMemory<IPAddress, Unrecorded> _unrecorded = new();

    /// <summary>Asked before anything is looked at: false when this address comes too often, or must wait with this title.</summary>
    public bool MayKnock(IPAddress? address, string callingAE)
    {
        IPAddress from = Group(address);
        if (!_perAddress.TryTake(from))
        {
            return false;
        }

        lock (_gate)
        {
            return !_rejected.TryGet((from, callingAE), out Rejections rejections) || time.GetTimestamp() >= rejections.Until;
        }
    }

    /// <summary>Asked when it is known who it is: false when this caller comes too often.</summary>
    public bool MayEnter(string callingAE) => _perAE.TryTake(callingAE);

    public bool MayQuery(string callingAE) => _queries.TryTake(callingAE);

    public bool MayRetrieve(string callingAE) => _retrievals.TryTake(callingAE);

    /// <summary>Somebody was turned away for what he said he was.</summary>
    public void Rejected(IPAddress? address, string callingAE)
    {
        LimitOptions now = limits();
        var longest = TimeSpan.FromSeconds(now.LongestPauseSeconds);
        lock (_gate)
        {
            Rejections rejections = _rejected.GetOrAdd((Group(address), callingAE), static () => new Rejections());
            rejections.Count = rejections.Count > 0 && time.GetElapsedTime(rejections.Last) > longest + rejections.Pause ? 1 : rejections.Count + 1;
            rejections.Last = time.GetTimestamp();
            int over = rejections.Count - now.RejectionsBeforePause;
            rejections.Pause = over < 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(now.LongestPauseSeconds, Math.Pow(2, Math.Min(over, 30))));
            rejections.Until = rejections.Last + (long)(rejections.Pause.TotalSeconds * time.TimestampFrequency);
        }
    }

    /// <summary>It was who it said: earlier mistakes are forgotten.</summary>
    public void Admitted(IPAddress? address, string callingAE)
    {
        lock (_gate)
        {
            _rejected.Remove((Group(address), callingAE));
        }
    }

    /// <summary>Whether a refusal by a limit is recorded by itself: many of them must not fill the trail.</summary>
    /// <param name="before">Refusals since the last one that was recorded.</param>
    public bool IsRecorded(IPAddress? address, out int before)
    {
        IPAddress from = Group(address);
        bool isRecorded = _records.TryTake(from);
        lock (_gate)
        {
            Unrecorded unrecorded = _unrecorded.GetOrAdd(from, static () => new Unrecorded());
            before = unrecorded.Count;
            unrecorded.Count = isRecorded ? 0 : unrecorded.Count + 1;
        }

        return isRecorded;
    }

    /// <summary>IPv6: the /64, of which one machine has every address.</summary>
    private static IPAddress Group(IPAddress? address)
    {
        if (address is null)
        {
            return IPAddress.None;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        byte[] bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    private sealed class Rejections
    {
        public int Count { get; set; }

        public long Last { get; set; }

        public TimeSpan Pause { get; set; }

        public long Until { get; set; }
    }

    private sealed class Unrecorded
    {
        public int Count { get; set; }
    }
}
