using System.Net;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Configuration;

/// <summary>Every rule that a configuration must obey, checked all at once. Touches no file and no network.</summary>
public static partial class GatewayOptionsValidator
{
    /// <summary>All problems, in the order of the tree; none when the configuration can be used.</summary>
    public static IReadOnlyList<ConfigurationProblem> Validate(GatewayOptions options)
    {
        var found = new Problems();
        CheckNode(options.Node, found);
        CheckListen(options.Listen, found);
        CheckLimits(options.Limits, found);
        CheckOperators(options.Operators, found);
        CheckCallers(options, found);
        for (int i = 0; i < options.MoveDestinations.Count; i++)
        {
            CheckPeer(options.MoveDestinations[i], $"MoveDestinations:{i}", found);
        }

        CheckUnique(options.MoveDestinations.Select(static d => d.AETitle), "MoveDestinations", found);
        CheckPacs(options, found);
        CheckDestinations(options, found);
        CheckRoutes(options, found);
        CheckCommitment(options, found);
        CheckSpool(options.Spool, found);
        CheckDatabase(options.Database, found);
        CheckAudit(options.Audit, found);
        found.NotEmpty("DataFolder", options.DataFolder);
        CheckKeys(options.Keys, found);
        if (options.Segmentation.Kind == SegmenterKind.MaskRcnn)
        {
            found.NotEmpty("Segmentation:ModelPath", options.Segmentation.ModelPath);
        }

        found.Range("Embedding:MaximumChange", options.Embedding.MaximumChange, 0, 255);
        found.Range("Work:Workers", options.Work.Workers, 0, 256);
        found.Range("Work:QueueLength", options.Work.QueueLength, 1, 10_000);
        found.Range("Work:MaxWaiting", options.Work.MaxWaiting, 0, 10_000_000);
        found.Range("Work:RetryFirstSeconds", options.Work.RetryFirstSeconds, 1, 3600);
        found.Range("Work:RetryMaxSeconds", options.Work.RetryMaxSeconds, options.Work.RetryFirstSeconds, 86_400);
        CheckRetrieval(options, found);
        return found.List;
    }

    /// <summary>1 to 16 characters of the default repertoire, no backslash, no control character, no space at the ends (PS3.5 6.2, AE).</summary>
    public static bool IsAETitle(string title) =>
        title.Length is >= 1 and <= 16 && title.Trim().Length == title.Length && title.All(static c => c is >= ' ' and <= '~' and not '\\');

    private static void CheckListen(ListenOptions listen, Problems found)
    {
        if (!IPAddress.TryParse(listen.Address, out _))
        {
            found.Add("Listen:Address", "must be an IP address, such as 0.0.0.0 or 127.0.0.1.");
        }

        found.Range("Listen:Port", listen.Port, 0, 65_535);
        if (!listen.Plain && !listen.Tls.Enabled)
        {
            found.Add("Listen:Plain", "is false and Listen:Tls is not enabled: nobody could call.");
        }

        CheckTlsListen(listen, found);
        CheckStorageClasses(listen, found);
        for (int i = 0; i < listen.AETitles.Count; i++)
        {
            found.AETitle($"Listen:AETitles:{i}", listen.AETitles[i]);
        }

        found.Range("Listen:MaxAssociations", listen.MaxAssociations, 1, 10_000);
        found.Range("Listen:MaxAssociationsPerAE", listen.MaxAssociationsPerAE, 1, listen.MaxAssociations);
        found.Range("Listen:MaxPendingConnections", listen.MaxPendingConnections, 1, 10_000);
        found.Range("Listen:MaxPendingConnectionsPerAddress", listen.MaxPendingConnectionsPerAddress, 1, listen.MaxPendingConnections);
        found.Range("Listen:MaxPduLength", listen.MaxPduLength, 4096, 1_048_576);
        found.Range("Listen:ArtimTimeoutSeconds", listen.ArtimTimeoutSeconds, 1, 300);
        found.Range("Listen:DimseTimeoutSeconds", listen.DimseTimeoutSeconds, 1, 3600);
        found.Range("Listen:IdleTimeoutSeconds", listen.IdleTimeoutSeconds, 1, 86_400);
        for (int i = 0; i < listen.TransferSyntaxes.Count; i++)
        {
            string uid = listen.TransferSyntaxes[i];
            if (!Uid.IsValid(uid))
            {
                found.Add($"Listen:TransferSyntaxes:{i}", "must be a UID.");
            }
            else if (TransferSyntax.Of(uid) is { Deflated: true } or { BigEndian: true })
            {
                found.Add($"Listen:TransferSyntaxes:{i}", "deflated and big endian transfer syntaxes are not accepted.");
            }
        }
    }

    private static void CheckStorageClasses(ListenOptions listen, Problems found)
    {
        for (int i = 0; i < listen.PrivateStorageClasses.Count; i++)
        {
            if (!Uid.IsValid(listen.PrivateStorageClasses[i]))
            {
                found.Add($"Listen:PrivateStorageClasses:{i}", "must be a UID.");
            }
        }
    }

    private static void CheckTlsListen(ListenOptions listen, Problems found)
    {
        TlsListenOptions tls = listen.Tls;
        found.Range("Listen:Tls:Port", tls.Port, 0, 65_535);
        found.Range("Listen:Tls:HandshakeTimeoutSeconds", tls.HandshakeTimeoutSeconds, 1, 60);
        if (!tls.Enabled)
        {
            return;
        }

        found.NotEmpty("Listen:Tls:CertificatePath", tls.CertificatePath);
        if (tls.ClientCertificates != ClientCertificates.None)
        {
            found.NotEmpty("Listen:Tls:AuthoritiesPath", tls.AuthoritiesPath);
        }

        if (listen.Plain && tls.Port != 0 && tls.Port == listen.Port)
        {
            found.Add("Listen:Tls:Port", "must not be Listen:Port: set Listen:Plain to false to speak TLS only.");
        }
    }

    private static void CheckCallers(GatewayOptions options, Problems found)
    {
        List<CallerOptions> callers = options.Callers;
        for (int i = 0; i < callers.Count; i++)
        {
            found.AETitle($"Callers:{i}:AETitle", callers[i].AETitle);
            if (callers[i].Roles.Count == 0)
            {
                found.Add($"Callers:{i}:Roles", "must name at least one of modality, reader, reidentifier, operator, auditor, admin.");
            }

            CheckUsers(callers[i], $"Callers:{i}", found);
            for (int j = 0; j < callers[i].Addresses.Count; j++)
            {
                if (!AddressRange.TryParse(callers[i].Addresses[j], out _))
                {
                    found.Add($"Callers:{i}:Addresses:{j}", "must be an address (10.1.2.3) or a range (10.1.0.0/16).");
                }
            }
        }

        for (int i = 0; i < callers.Count; i++)
        {
            for (int j = 0; j < callers[i].Certificates.Count; j++)
            {
                if (!PeerCertificate.CanBeMeant(callers[i].Certificates[j]))
                {
                    found.Add($"Callers:{i}:Certificates:{j}", "must be a name, a whole subject, or sha256: and a fingerprint of 64 hexadecimal digits.");
                }
            }

            if (callers[i].Certificates.Count > 0
                && (!options.Listen.Tls.Enabled || options.Listen.Tls.ClientCertificates == ClientCertificates.None))
            {
                found.Add($"Callers:{i}:Certificates", "needs Listen:Tls with client certificates: it could never call.");
            }
        }

        CheckUnique(callers.Select(static c => c.AETitle), "Callers", found);
    }

    private static void CheckPeer(PeerOptions peer, string path, Problems found)
    {
        found.AETitle($"{path}:AETitle", peer.AETitle);
        found.NotEmpty($"{path}:Host", peer.Host);
        found.Range($"{path}:Port", peer.Port, 1, 65_535);
    }

    private static void CheckSpool(SpoolOptions spool, Problems found)
    {
        found.NotEmpty("Spool:Folder", spool.Folder);
        found.Range("Spool:MinFreeMegabytes", spool.MinFreeMegabytes, 0, 1_048_576);
        found.Range("Spool:QuotaMegabytes", spool.QuotaMegabytes, 0, 1L << 40);
        found.Range("Spool:MaxObjectMegabytes", spool.MaxObjectMegabytes, 1, 1048576);
    }

    private static void CheckDatabase(DatabaseOptions database, Problems found)
    {
        found.Range("Database:TimeoutSeconds", database.TimeoutSeconds, 1, 300);
        if (database.Kind == DatabaseKind.Sqlite)
        {
            found.NotEmpty("Database:Path", database.Path);
            return;
        }

        try
        {
            var parsed = new Npgsql.NpgsqlConnectionStringBuilder(database.ConnectionString);
            if (string.IsNullOrEmpty(parsed.Host) || string.IsNullOrEmpty(parsed.Database))
            {
                found.Add("Database:ConnectionString", "must name Host and Database, such as Host=db;Database=psg;Username=psg.");
            }
            else if (!string.IsNullOrEmpty(parsed.Password))
            {
                found.Add("Database:ConnectionString", "must not hold the password: set PSG__Database__Password.");
            }
        }
        catch (ArgumentException)
        {
            // The text of the exception may repeat parts of the string.
            found.Add("Database:ConnectionString", "is not a PostgreSQL connection string.");
        }
    }

    private static void CheckUnique(IEnumerable<string> titles, string path, Problems found)
    {
        foreach (IGrouping<string, string> twice in titles.GroupBy(static t => t).Where(static g => g.Key.Length > 0 && g.Count() > 1))
        {
            found.Add(path, $"names {twice.Key} more than once.");
        }
    }

    private sealed class Problems
    {
        public List<ConfigurationProblem> List { get; } = [];

        public void Add(string path, string message) => List.Add(new ConfigurationProblem(path, message));

        public void Range(string path, long value, long lowest, long highest)
        {
            if (value < lowest || value > highest)
            {
                Add(path, $"is {value}; must be {lowest} to {highest}.");
            }
        }

        public void NotEmpty(string path, string value)
        {
            if (string.IsNullOrWhiteSpace(value))
            {
                Add(path, "must be set.");
            }
        }

        public void AETitle(string path, string title)
        {
            if (!IsAETitle(title))
            {
                Add(path, "must be an AE title: 1 to 16 characters, no backslash, no space at the ends.");
            }
        }
    }
}
