using PacsStegoGateway.Configuration;

namespace PacsStegoGateway.Security;

/// <summary>
/// What an account may do at the command line. The check binds those who came by sudo or whom the files let in; whoever can read the
/// key ring can do everything without us, and is not told otherwise.
/// </summary>
public static class OperatorPolicy
{
    private static readonly HashSet<Role> All = [.. Enum.GetValues<Role>()];

    private static readonly StringComparison Comparison =
        OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    /// <summary>The account that is asked about: behind sudo, the one that called it.</summary>
    /// <param name="canReadKeys">The process can read the key ring: then it is root or the service account.</param>
    public static Account WhoActs(Account process, bool canReadKeys, Func<string, string?> variable) =>
        (process.IsAdministrator || canReadKeys) && Account.BehindSudo(variable) is { } behind && behind.Name != process.Name
            ? behind with { Through = process.Name }
            : process;

    /// <summary>
    /// The roles of the account: those it is listed with, by itself and by its groups. Who is not listed has every role when it can
    /// read the key ring itself, or through sudo when nobody is listed at all; else none.
    /// </summary>
    public static IReadOnlySet<Role> RolesOf(Account account, bool canReadKeys, IReadOnlyList<OperatorOptions> operators)
    {
        OperatorOptions[] listed = [.. operators.Where(o => Is(account, o.Account))];
        return listed.Length > 0 ? listed.SelectMany(static o => o.Roles).ToHashSet()
            : account.Through is not null ? operators.Count == 0 ? All : new HashSet<Role>()
            : account.IsAdministrator || canReadKeys ? All
            : new HashSet<Role>();
    }

    private static bool Is(Account account, string listed) => listed.StartsWith(OperatorOptions.GroupPrefix, StringComparison.Ordinal)
        ? account.Groups.Any(g => g.Equals(listed[OperatorOptions.GroupPrefix.Length..], Comparison))
        : account.Name.Equals(listed, Comparison);
}
