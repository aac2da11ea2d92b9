using PacsStegoGateway.Configuration;
using PacsStegoGateway.Retrieval;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Work;

namespace PacsStegoGateway.Forwarding;

/// <summary>One destination as configured: when it may be sent to, how fast, and its senders, which share that limit.</summary>
public sealed class Destination : IDisposable
{
    private readonly TimeProvider _time;
    private readonly Func<IObjectSender> _open;
    private readonly StowService? _service;

    /// <param name="reveal">Proves that what is decoded for it still gives the original back.</param>
    public Destination(DestinationOptions options, GatewayTls tls, Reveal reveal, Spool spool, TimeProvider time)
    {
        Options = options;
        _time = time;
        Hours = SendingHours.TryParse(options.Hours, out SendingHours? hours)
            ? hours
            : throw new ArgumentException($"{options.Hours} are no hours.", nameof(options));
        BandwidthLimit? limit = options.MaxMegabitsPerSecond > 0 ? new BandwidthLimit(options.MaxMegabitsPerSecond, time) : null;
        if (options.Kind == DestinationKind.Stow)
        {
            StowService service = _service = new StowService(options, tls.ClientOf(options), limit);
            _open = () => new ProvenSender(new StowSender(service), reveal, spool);
        }
        else
        {
            var contexts = new ProposedContexts();
            _open = () => new ProvenSender(new DimseSender(options, new DestinationLink(options, tls, contexts, limit)), reveal, spool);
        }
    }

    public DestinationOptions Options { get; }

    /// <summary>As it stands in rows.</summary>
    public string Name => Options.KnownAs;

    /// <summary>Null: always.</summary>
    public SendingHours? Hours { get; }

    /// <summary>True within its hours.</summary>
    public bool IsOpen => Hours is null || Hours.Wait(_time) == TimeSpan.Zero;

    /// <summary>What its deliveries are made with.</summary>
    public ForwardTarget Target => new(Name, Options.StorageCommitment);

    /// <summary>Set when something new may wait for it.</summary>
    public WorkSignal Signal { get; } = new();

    /// <summary>A sender with a connection of its own.</summary>
    public IObjectSender OpenSender() => _open();

    public void Dispose() => _service?.Dispose();

    /// <summary>For people: kind, hours and limit.</summary>
    public override string ToString() => string.Concat(
        Name, Options.Kind == DestinationKind.Stow ? ", STOW-RS" : ", C-STORE", Options.IsSecure ? " over TLS" : "",
        Hours is null ? "" : $", {Hours} local time", Options.MaxMegabitsPerSecond > 0 ? $", at most {Options.MaxMegabitsPerSecond} Mbit/s" : "");
}

/// <summary>Every destination that is configured; the first is the PACS that originals are fetched back from.</summary>
public sealed class DestinationSet : IDisposable
{
    private readonly Dictionary<string, Destination> _byName;

    public DestinationSet(GatewayOptions options, GatewayTls tls, Reveal reveal, Spool spool, TimeProvider time)
    {
        All = [.. options.Destinations.Prepend(options.Pacs).Select(d => new Destination(d, tls, reveal, spool, time))];
        _byName = All.ToDictionary(static d => d.Name, StringComparer.Ordinal);
    }

    public IReadOnlyList<Destination> All { get; }

    public bool Knows(string name) => _byName.ContainsKey(name);

    /// <summary>What deliveries to these destinations are made with.</summary>
    public IReadOnlyList<ForwardTarget> TargetsOf(IReadOnlyList<string> names) => [.. names.Select(n => _byName[n].Target)];

    /// <summary>Says that something new may wait for these.</summary>
    public void Wake(IReadOnlyList<string> names)
    {
        foreach (string name in names)
        {
            _byName[name].Signal.Set();
        }
    }

    public void Dispose()
    {
        foreach (Destination destination in All)
        {
            destination.Dispose();
        }
    }
}
