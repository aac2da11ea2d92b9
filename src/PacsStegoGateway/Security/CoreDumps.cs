using System.Runtime.InteropServices;

namespace PacsStegoGateway.Security;

/// <summary>The memory of the gateway holds keys and identities: it is not written to disk when the process dies.</summary>
public static class CoreDumps
{
    private const int RLIMIT_CORE = 4;

    /// <summary>For this process and those that it starts. Windows writes none by itself.</summary>
    /// <returns>False when the system did not obey.</returns>
    public static bool Forbid()
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            return true;
        }

        var none = default(Limit);
        return setrlimit(RLIMIT_CORE, in none) == 0;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Limit
    {
        public readonly nuint Soft;
        public readonly nuint Hard;
    }

#pragma warning disable IDE1006, SYSLIB1054 // The name is that of the C library, and there is nothing to generate.
    [DllImport("libc")]
    private static extern int setrlimit(int resource, in Limit limit);
#pragma warning restore IDE1006, SYSLIB1054
}
