using System.Runtime.InteropServices;

namespace PacsStegoGateway.Work;

/// <summary>
/// A thread for computing that steps back for the threads that answer modalities: an answer is waited for, a protected
/// image is not.
/// </summary>
internal static partial class WorkerThread
{
    /// <summary>Ten steps of niceness: about a tenth of the weight of a normal thread (sched(7)).</summary>
    private const int Niceness = 10;

    private const int ProcessOrThread = 0; // PRIO_PROCESS; on Linux the id 0 means the calling thread alone.

    [ThreadStatic]
    private static bool _hasSteppedBack;

    /// <summary>True on a thread that has stepped back: it must hold nothing that others wait for.</summary>
    public static bool HasSteppedBack => _hasSteppedBack;

    /// <summary>Runs the work on a thread of its own, with less priority where the system lets us.</summary>
    public static Task Run(Action work) => Task.Factory.StartNew(
        () =>
        {
            StepBack();
            work();
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static void StepBack()
    {
        _hasSteppedBack = true;
        if (OperatingSystem.IsLinux())
        {
            // .NET ignores thread priorities on Linux. A refusal costs latency only, so its result is not looked at.
            _ = SetPriority(ProcessOrThread, 0, Niceness);
        }
        else
        {
            Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
        }
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int niceness);
}
