using PacsStegoGateway.Routing;
using PacsStegoGateway.Security;

namespace PacsStegoGateway.Configuration;

/// <summary>One configuration in effect, whole: options, who may do what, and the certificates it names. Never changed.</summary>
public sealed record ConfigurationSnapshot(GatewayOptions Options, AccessPolicy Access, GatewayTls Tls)
{
    public RouteTable Routes { get; } = new(Options);
}

/// <summary>The configuration in effect now. A reload exchanges the whole; nothing is ever half old and half new.</summary>
/// <remarks>
/// Whoever asks for <see cref="Current"/> once for each piece of work and goes on with that finds a change at the next piece. Options
/// without <see cref="LiveAttribute"/> are the same in every snapshot of a process and may be read once.
/// </remarks>
public sealed class LiveConfiguration
{
    private readonly Action<string> _told;
    private ConfigurationSnapshot _current;

    /// <summary>A configuration as it stands, certificates opened.</summary>
    /// <param name="told">Hears of certificate files that change.</param>
    /// <exception cref="ConfigurationException">Certificates cannot be used.</exception>
    public LiveConfiguration(GatewayOptions options, Action<string> told)
    {
        _told = told;
        _current = Open(options);
    }

    /// <summary>Raised after an exchange, on the reloading thread, with what was before and what is now: for those who hold something open.</summary>
    public event Action<ConfigurationSnapshot, ConfigurationSnapshot>? Changed;

    public ConfigurationSnapshot Current => Volatile.Read(ref _current);

    /// <summary>What could be exchanged for the current one.</summary>
    /// <exception cref="ConfigurationException">Certificates cannot be used.</exception>
    public ConfigurationSnapshot Open(GatewayOptions options) => new(options, new AccessPolicy(options), new GatewayTls(options, _told));

    public void Exchange(ConfigurationSnapshot next)
    {
        ConfigurationSnapshot before = Interlocked.Exchange(ref _current, next);
        Changed?.Invoke(before, next);
    }
}

/// <summary>Marks an option, or a section with all that is in it, that takes effect while the gateway runs. Every other waits for a restart.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class LiveAttribute : Attribute;
