using System.Globalization;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Commands;

/// <summary>A gateway that the database knows.</summary>
internal sealed record StatusNode(string Name, bool IsAlive, long LeaseLeftSeconds, DateTimeOffset StartedAt);

/// <summary>Objects in one state.</summary>
internal sealed record StatusObjects(InstanceState State, long Count, DateTimeOffset? OldestReceivedAt);

/// <summary>Deliveries to one destination in one state.</summary>
/// <param name="Conditions">Hours and limit of the destination, in words; or that nobody knows it.</param>
internal sealed record StatusQueue(string Destination, DeliveryState State, long Count, DateTimeOffset OldestQueuedAt, int MostAttempts, string? Conditions = null)
{
    public static string? ConditionsOf(string destination, GatewayOptions options)
    {
        if (options.Destinations.Prepend(options.Pacs).FirstOrDefault(d => d.KnownAs == destination) is not { } known)
        {
            return "not configured";
        }

        string[] said =
        [
            .. known.Hours.Length > 0 ? [$"sent {known.Hours} local time"] : Array.Empty<string>(),
            .. known.MaxMegabitsPerSecond > 0 ? [string.Create(CultureInfo.InvariantCulture, $"at most {known.MaxMegabitsPerSecond} Mbit/s")] : Array.Empty<string>(),
        ];
        return said.Length == 0 ? null : string.Join(", ", said);
    }
}

/// <summary>How things stand, and what a person has to do about it. Holds no identity, not even pseudonyms.</summary>
internal sealed record StatusReport(
    DateTimeOffset At, IReadOnlyList<StatusNode> Nodes, IReadOnlyList<StatusObjects> Objects, IReadOnlyList<StatusQueue> Queues,
    long? FreeDiskMegabytes, IReadOnlyList<string> Attention)
{
    /// <summary>A queue whose oldest waits longer is worth a look, even without a failure.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    /// <summary>A destination that answers takes what waits within seconds: after minutes somebody wants to know.</summary>
    private static readonly TimeSpan LongForDestination = TimeSpan.FromMinutes(5);

    public static async Task<StatusReport> MakeAsync(GatewayStore store, GatewayOptions options, TimeProvider time, CancellationToken cancellation)
    {
        DateTimeOffset now = time.GetUtcNow();
        List<StatusNode> nodes = [.. (await store.NodesAsync(cancellation).ConfigureAwait(false)).Select(static n =>
            new StatusNode(n.Name, n.LeftMilliseconds > 0, Math.Max(0, n.LeftMilliseconds / 1000), DateTimeOffset.FromUnixTimeMilliseconds(n.StartedAt)))];
        List<StatusObjects> objects = [.. (await store.CountUnfinishedAsync(cancellation).ConfigureAwait(false)).Select(static s =>
            new StatusObjects(s.Key, s.Value.Count, s.Value.Count == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(s.Value.OldestReceivedAt)))];
        List<StatusQueue> queues = [.. (await store.SummarizeQueuesAsync(cancellation).ConfigureAwait(false)).Select(q =>
            new StatusQueue(q.Destination, q.State, q.Count, DateTimeOffset.FromUnixTimeMilliseconds(q.OldestQueuedAt), q.MostAttempts,
                StatusQueue.ConditionsOf(q.Destination, options)))];
        IReadOnlyList<NodeRow> dead = await store.DeadNodesAsync(cancellation).ConfigureAwait(false);
        long? free = FreeMegabytes(options.InDataFolder(options.Spool.Folder));
        return new StatusReport(now, nodes, objects, queues, free, Attend(nodes, dead, objects, queues, free, options, now));
    }

    /// <summary>A state in words that need no manual.</summary>
    public static string Words(DeliveryState state) => state switch
    {
        DeliveryState.Pending => "waiting",
        DeliveryState.Dead => "refused for good",
        DeliveryState.Sent => "sent, not committed",
        _ => "done",
    };

    /// <summary>The state as the switch --state takes it.</summary>
    public static string NameOf(DeliveryState state) => state.ToString().ToLowerInvariant();

    private static List<string> Attend(
        List<StatusNode> nodes, IReadOnlyList<NodeRow> dead, List<StatusObjects> objects, List<StatusQueue> queues, long? free, GatewayOptions options, DateTimeOffset now)
    {
        var found = new List<string>();
        bool anyAlive = nodes.Any(static n => n.IsAlive);
        if (!anyAlive)
        {
            found.Add("No gateway runs: nothing is received, protected or sent. Start it ('systemctl start psg') and look at its log.");
        }

        foreach (NodeRow node in dead.Where(_ => anyAlive))
        {
            found.Add($"The gateway {node.Name} is dead and left work. Another takes it over within two leases; if this line stays, they do not share its spool folder: start {node.Name} again.");
        }

        if (free is { } left && options.Spool.MinFreeMegabytes > 0 && left < options.Spool.MinFreeMegabytes)
        {
            found.Add($"The disk of the spool is below the watermark ({left} of {options.Spool.MinFreeMegabytes} MiB free): nothing is accepted (A700). Make room; never delete files of the spool by hand.");
        }

        long waiting = objects.Where(static o => o.State is InstanceState.Received or InstanceState.Protected).Sum(static o => o.Count);
        if (options.Work.MaxWaiting > 0 && waiting >= options.Work.MaxWaiting)
        {
            found.Add($"{waiting} objects are on their way, as many as Work:MaxWaiting allows one gateway: it may answer A700 until destinations have taken some.");
        }

        foreach (StatusQueue queue in queues)
        {
            string age = Age.Text(now - queue.OldestQueuedAt);
            if (queue.State == DeliveryState.Dead)
            {
                found.Add($"{queue.Destination} refused {queue.Count} objects for good, the oldest {age} ago: 'psg queue list --destination {queue.Destination} --state dead' tells why.");
            }
            else if (options.Destinations.Prepend(options.Pacs).All(d => d.KnownAs != queue.Destination))
            {
                found.Add($"{queue.Count} objects wait for {queue.Destination}, which is not configured: put it back, or drop them ('psg queue drop --help').");
            }
            else if (queue.State == DeliveryState.Pending && now - queue.OldestQueuedAt > LongForDestination)
            {
                found.Add($"{queue.Count} objects wait for {queue.Destination}, the oldest for {age}: does it answer ('psg echo')? Is it within its hours?");
            }
            else if (queue.State == DeliveryState.Sent && now - queue.OldestQueuedAt > Long)
            {
                found.Add($"{queue.Destination} has not committed itself to keep {queue.Count} objects, the oldest sent {age} ago: does it do storage commitment, and can it call us?");
            }
        }

        if (objects.FirstOrDefault(static o => o.State == InstanceState.Received && o.Count > 0) is { OldestReceivedAt: { } oldest } && now - oldest > Long)
        {
            found.Add($"The oldest object waits for protection since {Age.Text(now - oldest)}: see the gateway's log.");
        }

        if (objects.FirstOrDefault(static o => o.State == InstanceState.Quarantined && o.Count > 0) is { } quarantined)
        {
            found.Add($"{quarantined.Count} objects are in quarantine: 'psg quarantine list'.");
        }

        return found;
    }

    public void Print()
    {
        Console.WriteLine("Gateways");
        foreach (StatusNode node in Nodes)
        {
            string life = node.IsAlive ? $"runs since {Text(node.StartedAt)} UTC, lease {node.LeaseLeftSeconds} s" : "does not run";
            Console.WriteLine($"  {node.Name,-20} {life}");
        }

        Console.WriteLine("Objects");
        foreach (StatusObjects some in Objects)
        {
            string oldest = some.OldestReceivedAt is { } at ? $", the oldest received {Age.Text(At - at)} ago" : "";
            Console.WriteLine($"  {some.State.ToString(),-20} {some.Count.ToString(CultureInfo.InvariantCulture)}{oldest}");
        }

        Console.WriteLine("Queues");
        foreach (StatusQueue queue in Queues)
        {
            string tried = queue.MostAttempts > 0 ? $", tried up to {queue.MostAttempts} times" : "";
            Console.WriteLine($"  {queue.Destination,-20} {queue.Count} {Words(queue.State)}, the oldest for {Age.Text(At - queue.OldestQueuedAt)}{tried}{(queue.Conditions is null ? "" : $" ({queue.Conditions})")}");
        }

        if (Queues.Count == 0)
        {
            Console.WriteLine("  empty");
        }

        if (FreeDiskMegabytes is { } free)
        {
            Console.WriteLine($"Disk of the spool      {free} MiB free");
        }

        Console.WriteLine(Attention.Count == 0 ? "All is well." : "To be looked at");
        foreach (string sentence in Attention)
        {
            Console.WriteLine($"  * {sentence}");
        }
    }

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static long? FreeMegabytes(string folder) => Directory.Exists(folder) ? new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace >> 20 : null;
}
