using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Configuration;

/// <summary>The certificates that the configuration names, opened: one server, one client for each destination that speaks TLS.</summary>
public sealed class GatewayTls
{
    private readonly Dictionary<PeerOptions, TlsClient> _clients = [];

    /// <param name="told">Hears, in words, of files that change while we run.</param>
    /// <exception cref="ConfigurationException">Files cannot be used; all of them are listed.</exception>
    public GatewayTls(GatewayOptions options, Action<string> told)
    {
        var problems = new List<ConfigurationProblem>();
        if (options.Listen.Tls is { Enabled: true } listen)
        {
            Open("Listen:Tls", listen.ToFiles(), () => Server = new TlsServer(
                new TlsCredentials(listen.ToFiles(), words => told($"Listen:Tls: {words}")),
                listen.ClientCertificates, TimeSpan.FromSeconds(listen.HandshakeTimeoutSeconds), TimeProvider.System));
        }

        Add("Pacs", options.Pacs);
        for (int i = 0; i < options.MoveDestinations.Count; i++)
        {
            Add($"MoveDestinations:{i}", options.MoveDestinations[i]);
        }

        for (int i = 0; i < options.Destinations.Count; i++)
        {
            Add($"Destinations:{i}", options.Destinations[i]);
        }

        if (options.Audit.Syslog is { Enabled: true, Tls.Enabled: true } syslog)
        {
            Open("Audit:Syslog:Tls", syslog.Tls.ToFiles(), () => Syslog = syslog.Tls.Open(words => told($"Audit:Syslog:Tls: {words}")));
        }

        for (int i = 0; i < options.Callers.Count; i++)
        {
            Add($"Callers:{i}:Commitment", options.Callers[i].Commitment);
        }

        if (problems.Count > 0)
        {
            throw new ConfigurationException(problems);
        }

        void Add(string path, PeerOptions peer) => Open($"{path}:Tls", peer.Tls.ToFiles(), () =>
        {
            if (peer.IsSecure)
            {
                _clients.Add(peer, peer.Tls.Open(words => told($"{path}:Tls: {words}")));
            }
        });

        void Open(string path, TlsFiles files, Action open)
        {
            try
            {
                open();
            }
            catch (TlsException e)
            {
                IReadOnlyList<string> all = TlsFilesCheck.Unusable(files);
                problems.AddRange((all.Count > 0 ? all : [e.Message]).Select(m => new ConfigurationProblem(path, m)));
            }
        }
    }

    /// <summary>Null when the configuration does not listen for TLS.</summary>
    public TlsServer? Server { get; private set; }

    /// <summary>Towards the receiver of the audit trail; null when there is none, or not over TLS.</summary>
    public TlsClient? Syslog { get; private set; }

    /// <summary>
    /// What the service would start with and should not: expired certificates, private keys that are open to others. Not
    /// refused at the start, because files may be put right while it runs.
    /// </summary>
    public static IEnumerable<ConfigurationProblem> Unsound(GatewayOptions options, DateTimeOffset now)
    {
        var used = new List<(string Path, TlsFiles Files)>();
        if (options.Listen.Tls.Enabled)
        {
            used.Add(("Listen:Tls", options.Listen.Tls.ToFiles()));
        }

        if (options.Pacs.Tls.Enabled)
        {
            used.Add(("Pacs:Tls", options.Pacs.Tls.ToFiles()));
        }

        if (options.Audit.Syslog is { Enabled: true, Tls.Enabled: true } syslog)
        {
            used.Add(("Audit:Syslog:Tls", syslog.Tls.ToFiles()));
        }

        used.AddRange(options.MoveDestinations.Index().Where(static d => d.Item.Tls.Enabled)
            .Select(static d => ($"MoveDestinations:{d.Index}:Tls", d.Item.Tls.ToFiles())));
        used.AddRange(options.Destinations.Index().Where(static d => d.Item.IsSecure)
            .Select(static d => ($"Destinations:{d.Index}:Tls", d.Item.Tls.ToFiles())));
        used.AddRange(options.Callers.Index().Where(static c => c.Item.Commitment.IsSecure)
            .Select(static c => ($"Callers:{c.Index}:Commitment:Tls", c.Item.Commitment.Tls.ToFiles())));
        return used.SelectMany(u => TlsFilesCheck.Unsound(u.Files, now).Select(m => new ConfigurationProblem(u.Path, m)));
    }

    /// <summary>What makes connections to the peer secure; null: they are plain.</summary>
    public TlsClient? ClientOf(PeerOptions peer) => _clients.GetValueOrDefault(peer);

    /// <summary>Where and how the peer is called: over TLS when it is configured so.</summary>
    /// <param name="callingAETitle">Ours.</param>
    /// <param name="connectTimeoutSeconds">For name resolution and TCP.</param>
    public PeerAddress AddressOf(PeerOptions peer, string callingAETitle, int connectTimeoutSeconds) =>
        new(peer.Host, peer.Port, peer.AETitle, callingAETitle)
        {
            ConnectTimeout = TimeSpan.FromSeconds(connectTimeoutSeconds),
            Tls = _clients.GetValueOrDefault(peer),
        };
}
