using System.Runtime.InteropServices;

namespace PacsStegoGateway.Service;

/// <summary>
/// Memory holds identity and keys: nothing of it is to be written to a disk because the program falls. What cannot be done from
/// inside is told in <c>docs/security.md</c>.
/// </summary>
internal static partial class CrashDumps
{
    private const int CoreLimit = 4; // RLIMIT_CORE
    private const int SetDumpable = 4; // PR_SET_DUMPABLE

    private static readonly string[] Switches = ["DOTNET_DbgEnableMiniDump", "COMPlus_DbgEnableMiniDump"];

    /// <summary>
    /// Switches off what the kernel writes. The limit of the size holds for files alone, the mark for programs too that the kernel
    /// pipes a dump to (core(5)), and it keeps other processes of the account from reading our memory.
    /// </summary>
    public static void Forbid()
    {
        if (OperatingSystem.IsLinux())
        {
            // Both only take rights away, which is never refused; so their results are not looked at.
            _ = SetResourceLimit(CoreLimit, default);
            _ = ProcessControl(SetDumpable, 0, 0, 0, 0);
        }
    }

    /// <summary>The variable by which the environment asks the runtime itself for dumps, or null: it was read before any of our code ran.</summary>
    public static string? AskedForBy() => Array.Find(Switches, static name =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value && value.Trim() != "0");

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetResourceLimit(int resource, in Limit limit);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ProcessControl(int option, nuint argument, nuint second, nuint third, nuint fourth);

    /// <summary>struct rlimit: what holds, and how far it may be raised again.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Limit
    {
        private readonly nuint _now;
        private readonly nuint _most;
    }
}
