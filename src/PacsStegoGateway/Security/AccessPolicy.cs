using System.Net;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Security;

/// <summary>Who may call and what for; everything that is not allowed is refused. Immutable: a reload makes another.</summary>
public sealed class AccessPolicy
{
    private readonly HashSet<string> _called;
    private readonly Dictionary<string, Caller> _callers;

    public AccessPolicy(GatewayOptions options)
    {
        _called = [.. options.Listen.AETitles];
        _callers = options.Callers.ToDictionary(static c => c.AETitle, static c => new Caller(
            c.AETitle, c.Roles.ToHashSet(), c.Addresses.Select(static a => AddressRange.TryParse(a, out AddressRange range)
                ? range
                : throw new InvalidOperationException("The address was not validated.")).ToArray(), c.Certificates, IsPacs: false)
        {
            Users = c.Users,
            MoveDestinations = c.MoveDestinations,
            PurposeOfUse = c.PurposeOfUse.Length > 0 ? c.PurposeOfUse : null,
        });

        // A PACS that was asked to move objects to us calls to deliver them; it needs no role, and may do nothing else.
        if (options.Pacs.Retrieve == RetrieveMethod.Move)
        {
            _callers[options.Pacs.AETitle] = _callers.TryGetValue(options.Pacs.AETitle, out Caller? listed)
                ? listed with { IsPacs = true }
                : new Caller(options.Pacs.AETitle, new HashSet<Role>(), [], [], IsPacs: true);
        }

        // A destination that is asked for storage commitment calls to report; it needs no role for that either.
        foreach (IGrouping<string, DestinationOptions> asked in options.Destinations.Prepend(options.Pacs)
            .Where(static d => d is { StorageCommitment: true, Kind: DestinationKind.Dimse }).GroupBy(static d => d.AETitle))
        {
            _callers[asked.Key] = (_callers.GetValueOrDefault(asked.Key) ?? new Caller(asked.Key, new HashSet<Role>(), [], [], IsPacs: false))
                with { ReportsFor = [.. asked.Select(static d => d.KnownAs)] };
        }
    }

    public bool IsOurs(string calledAETitle) => _called.Contains(calledAETitle);

    /// <summary>The caller, or null when nobody of that title may call from there or with that certificate.</summary>
    /// <param name="certificate">Proved by TLS; null without.</param>
    public Caller? Find(string callingAETitle, IPAddress? address, PeerCertificate? certificate) =>
        _callers.TryGetValue(callingAETitle, out Caller? caller)
        && (caller.Addresses.Count == 0 || (address is not null && caller.Addresses.Any(r => r.Contains(address))))
        && (caller.Certificates.Count == 0 || (certificate is not null && caller.Certificates.Any(certificate.Is)))
            ? caller
            : null;
}

/// <summary>A calling AE title and its rights.</summary>
public sealed record Caller(
    string AETitle, IReadOnlySet<Role> Roles, IReadOnlyList<AddressRange> Addresses, IReadOnlyList<string> Certificates, bool IsPacs)
{
    /// <summary>Of whom one must be named; none: nobody is asked for.</summary>
    public IReadOnlyList<CallerUserOptions> Users { get; init; } = [];

    /// <summary>Where its C-MOVE may send to; empty: to all that are configured.</summary>
    public IReadOnlyList<string> MoveDestinations { get; init; } = [];

    /// <summary>A code of HL7 v3 PurposeOfUse; null: none is recorded.</summary>
    public string? PurposeOfUse { get; init; }

    /// <summary>Whether who was admitted as this user still is one: users come and go with the configuration.</summary>
    public bool Knows(string? user) => Users.Count == 0 || Users.Any(u => u.Name == user || u.Name == CallerUserOptions.Anybody);

    /// <summary>Names of the destinations under this title that are asked for storage commitment: it may report for them.</summary>
    public IReadOnlyList<string> ReportsFor { get; init; } = [];

    public bool May(Operation operation) => AccessTable.Allows(Roles, operation);
}
