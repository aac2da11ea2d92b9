using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Principal;

namespace PacsStegoGateway.Security;

/// <summary>An account of the operating system.</summary>
/// <param name="Groups">Names of its groups; on Windows <c>DOMAIN\group</c>.</param>
/// <param name="IsAdministrator">root, or elevated on Windows.</param>
public sealed record Account(string Name, IReadOnlySet<string> Groups, bool IsAdministrator)
{
    /// <summary>Who stands behind sudo; null without it.</summary>
    public string? Through { get; init; }

    /// <summary>The account that this process runs as.</summary>
    public static Account OfProcess() => OperatingSystem.IsWindows() ? OnWindows() : OnUnix();

    /// <summary>
    /// The account that called sudo, when sudo made this process what it is. Only to be asked for by an account that can do everything
    /// anyway: anybody can set these variables.
    /// </summary>
    public static Account? BehindSudo(Func<string, string?> variable)
    {
        if (OperatingSystem.IsWindows() || variable("SUDO_USER") is not { Length: > 0 } name
            || !uint.TryParse(variable("SUDO_GID"), out uint group))
        {
            return null;
        }

        return new Account(name, GroupsOf(name, group), IsAdministrator: false);
    }

    [UnsupportedOSPlatform("windows")]
    private static Account OnUnix() => new(Environment.UserName, GroupsOf(Environment.UserName, getegid()), geteuid() == 0);

    [SupportedOSPlatform("windows")]
    private static Account OnWindows()
    {
        using var identity = WindowsIdentity.GetCurrent();
        var groups = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (IdentityReference group in identity.Groups ?? [])
        {
            try
            {
                groups.Add(group.Translate(typeof(NTAccount)).Value);
            }
            catch (Exception e) when (e is IdentityNotMappedException or Win32Exception)
            {
                // A group without a name cannot be in the configuration.
            }
        }

        return new Account(identity.Name, groups, new WindowsPrincipal(identity).IsInRole(WindowsBuiltInRole.Administrator));
    }

    [UnsupportedOSPlatform("windows")]
    private static HashSet<string> GroupsOf(string account, uint group)
    {
        int count = 64;
        uint[] ids = new uint[count];
        if (getgrouplist(account, group, ids, ref count) < 0)
        {
            ids = new uint[Math.Max(count, 1)];
            count = ids.Length;
            _ = getgrouplist(account, group, ids, ref count);
        }

        // The name is the first member of struct group, on every system that we run on.
        return [.. ids.Take(count).Select(getgrgid).Where(static g => g != IntPtr.Zero)
            .Select(static g => Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(g))).OfType<string>()];
    }

#pragma warning disable IDE1006, SYSLIB1054 // The names are those of the C library, and there is nothing to generate.
    [DllImport("libc")]
    private static extern uint geteuid();

    [DllImport("libc")]
    private static extern uint getegid();

    [DllImport("libc", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int getgrouplist([MarshalAs(UnmanagedType.LPUTF8Str)] string user, uint group, [Out] uint[] groups, ref int count);

    [DllImport("libc")]
    private static extern IntPtr getgrgid(uint group);
#pragma warning restore IDE1006, SYSLIB1054
}
