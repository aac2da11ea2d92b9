using PacsStegoGateway.Configuration;
using PacsStegoGateway.Retrieval;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Forwarding;

/// <summary>One destination as configured: when it may be sent to, how fast, and its senders, which share that limit.</summary>
public sealed class Destination : IDisposable
{
    private readonly Func<IObjectSender> _open;
    private readonly StowService? _service;

    /// <param name="reveal">Proves that what is decoded for it still gives the original back.</param>
    public Destination(DestinationOptions options, GatewayTls tls, Reveal reveal, Spool spool, TimeProvider time)
    {
        Options = options;
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

    /// <summary>A sender with a connection of its own.</summary>
    public IObjectSender OpenSender() => _open();

    public void Dispose() => _service?.Dispose();

    /// <summary>For people: kind, hours and limit.</summary>
    public override string ToString() => string.Concat(
        Name, Options.Kind == DestinationKind.Stow ? ", STOW-RS" : ", C-STORE", Options.IsSecure ? " over TLS" : "",
        Hours is null ? "" : $", {Hours} local time", Options.MaxMegabitsPerSecond > 0 ? $", at most {Options.MaxMegabitsPerSecond} Mbit/s" : "");
}
