using System.CommandLine;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Security;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Commands;

/// <summary>Asked before any verb runs: may this account do that. A refusal is recorded, and so is every use of the keys.</summary>
internal static class OperatorGate
{
    /// <summary>For the audit trail: the account, and behind sudo both.</summary>
    public static string User => Describe(WhoActs(null));

    /// <exception cref="NotPermittedException">It may not.</exception>
    /// <exception cref="ConfigurationException">Who may cannot be read.</exception>
    /// <exception cref="StoreUnavailableException">The use of a key cannot be recorded.</exception>
    public static async Task PassAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (VerbRights.Of(parsed) is { Count: 0 } || HasOwnKeys(parsed))
        {
            return;
        }

        string verb = VerbRights.NameOf(parsed.CommandResult);
        if (VerbRights.Of(parsed) is not { } operations)
        {
            throw new NotPermittedException($"psg {verb}: nobody may, because nobody decided who may.");
        }

        if (Load(parsed) is not { } options)
        {
            // The service reads the same, and lists every problem at once.
            return;
        }

        bool canReadKeys = CanReadKeys(options);
        Account account = WhoActs(options);
        IReadOnlySet<Role> roles = OperatorPolicy.RolesOf(account, canReadKeys, options.Operators);
        foreach (Operation operation in operations.Where(o => !AccessTable.Allows(roles, o)))
        {
            bool isRecorded = await TryRecordAsync(options, new AuditRecord(AuditEvent.Denied, AuditOutcome.SeriousFailure)
            {
                User = Describe(account),
                Reason = operation.ToString(),
                Detail = $"psg {verb} on the command line.",
            }, cancellation).ConfigureAwait(false);
            throw new NotPermittedException(
                $"{Describe(account)} may not run psg {verb}: {operation} needs the role {string.Join(" or ", AccessTable.RolesFor(operation).Order()).ToLowerInvariant()}. "
                + "Roles are given in the section Operators of the configuration. "
                + (isRecorded ? "This attempt was recorded." : "This attempt could not be recorded: the audit trail is out of reach."));
        }

        if (operations.Select(EventOf).FirstOrDefault(static e => e is not null) is { } used)
        {
            await RecordUseAsync(options, new AuditRecord(used) { User = Describe(account), Detail = $"psg {verb} on the command line." }, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Records what a verb that works without the store is about to do, once it is sure that it will.</summary>
    /// <exception cref="StoreUnavailableException">It cannot be recorded: then it must not be done.</exception>
    public static async Task RecordAsync(ParseResult parsed, AuditEvent @event, string detail, CancellationToken cancellation)
    {
        if (!HasOwnKeys(parsed) && Load(parsed) is { } options)
        {
            await RecordUseAsync(options, new AuditRecord(@event) { User = Describe(WhoActs(options)), Detail = detail }, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>What has no entry of its own: verbs that work without the store, whatever comes of them.</summary>
    private static AuditEvent? EventOf(Operation operation) => operation switch
    {
        Operation.ProtectFiles or Operation.RevealFiles => AuditEvent.KeyUsed,
        _ => null,
    };

    /// <summary>A key ring that is not the gateway's is its owner's business.</summary>
    private static bool HasOwnKeys(ParseResult parsed)
    {
        if (Value<string?>(parsed, "--keys") is not { } named)
        {
            return false;
        }

        GatewayOptions options = ConfigurationFile.LoadSections(Value<string?>(parsed, "--config"), "Keys");
        return !options.Keys.IsFile || Path.GetFullPath(named) != options.InDataFolder(options.Keys.RingPath);
    }

    /// <summary>Null: it cannot be read, and the verb itself says what is wrong with it.</summary>
    /// <exception cref="ConfigurationException">It cannot be read, and the verb would not look.</exception>
    private static GatewayOptions? Load(ParseResult parsed)
    {
        string[] switches = Value<string[]>(parsed, "--set") ?? [];
        var problems = new List<ConfigurationProblem>();
        GatewayOptions? options = GatewayConfiguration.Read(
            ConfigurationFile.Find(Value<string?>(parsed, "--config")), RunCommand.ToSwitches(switches), problems);
        if (options is not null)
        {
            problems.AddRange(GatewayOptionsValidator.Validate(options)
                .Where(static p => p.Path.Split(':')[0] is "DataFolder" or "Operators" or "Keys" or "Database"));
        }

        return problems.Count == 0 ? options
            : VerbRights.Of(parsed) is [Operation.RunService] ? null
            : throw new ConfigurationException(problems);
    }

    private static T? Value<T>(ParseResult parsed, string name) =>
        parsed.CommandResult.Command.Options.OfType<Option<T>>().FirstOrDefault(o => o.Name == name) is { } option ? parsed.GetValue(option) : default;

    /// <param name="options">Null: whether it can read the keys does not matter, because what is asked for was done already.</param>
    private static Account WhoActs(GatewayOptions? options) =>
        OperatorPolicy.WhoActs(Account.OfProcess(), options is null || CanReadKeys(options), Environment.GetEnvironmentVariable);

    /// <summary>Where there is no ring yet, it is for whom the folder lets make one.</summary>
    private static bool CanReadKeys(GatewayOptions options)
    {
        if (!KeySource.Exists(options))
        {
            return true;
        }

        try
        {
            if (options.Keys.IsFile)
            {
                using FileStream file = File.OpenRead(options.InDataFolder(options.Keys.RingPath));
                return true;
            }

            return KeySource.Open(options) is not null;
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException or KeyRingException)
        {
            return false;
        }
    }

    private static string Describe(Account account) => account.Through is { } through ? $"{account.Name} as {through}" : account.Name;

    /// <summary>Recorded before it is done. Without a gateway beside the ring there is no trail, and nothing to record in.</summary>
    private static async Task RecordUseAsync(GatewayOptions options, AuditRecord record, CancellationToken cancellation)
    {
        if (HasTrail(options))
        {
            await AppendAsync(options, record, cancellation).ConfigureAwait(false);
        }
    }

    private static async Task<bool> TryRecordAsync(GatewayOptions options, AuditRecord record, CancellationToken cancellation)
    {
        try
        {
            if (!HasTrail(options))
            {
                return false;
            }

            await AppendAsync(options, record, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is StoreUnavailableException or ConfigurationException or KeyRingException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool HasTrail(GatewayOptions options) => KeySource.Exists(options)
        && (options.Database.Kind == DatabaseKind.PostgreSql || File.Exists(options.InDataFolder(options.Database.Path)));

    private static async Task AppendAsync(GatewayOptions options, AuditRecord record, CancellationToken cancellation)
    {
        await using GatewayStore store = await GatewayStore.OpenAsync(
            StoreDialect.Of(options), ProtectionRooms.OpenKeys(options), TimeProvider.System, cancellation).ConfigureAwait(false);
        await store.AppendAuditAsync(record).ConfigureAwait(false);
    }
}

/// <summary>The account may not do what it asked for.</summary>
internal sealed class NotPermittedException(string message) : Exception(message);
