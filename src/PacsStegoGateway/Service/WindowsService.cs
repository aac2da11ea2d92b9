using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace PacsStegoGateway.Service;

/// <summary>
/// The Windows service control protocol (advapi32): tells the service control manager that we start, run and stop, and
/// turns its stop request into a cancellation.
/// </summary>
public static class WindowsService
{
    private const uint OwnProcess = 0x10;
    private const uint AcceptStop = 0x01;
    private const uint AcceptShutdown = 0x04;
    private const uint ControlStop = 1;
    private const uint ControlShutdown = 5;
    private const int NotStartedByManager = 1063;
    private const uint ServiceSpecificError = 1066;

    private enum State : uint
    {
        Stopped = 1,
        StartPending = 2,
        StopPending = 3,
        Running = 4,
    }

    private delegate void ServiceMain(uint count, IntPtr arguments);

    private delegate uint Handler(uint control, uint type, IntPtr data, IntPtr context);

    /// <summary>Runs as a service when the service control manager started this process; returns at once when it did not.</summary>
    /// <param name="run">The gateway: <c>ready</c> is to be called when associations are accepted; returns the exit code.</param>
    /// <param name="exitCode">What run returned.</param>
    /// <returns>False when this process is no service: nothing was run.</returns>
    [SupportedOSPlatform("windows")]
    public static bool TryRun(Func<Action, CancellationToken, Task<int>> run, out int exitCode)
    {
        int result = 0;
        using var stop = new CancellationTokenSource();
        IntPtr handle = IntPtr.Zero;
        Handler handler = (control, _, _, _) =>
        {
            if (control is ControlStop or ControlShutdown)
            {
                Report(handle, State.StopPending, 90_000, 0);
                stop.Cancel();
            }

            return 0;
        };
        ServiceMain main = (_, _) =>
        {
            handle = RegisterServiceCtrlHandlerEx(ServiceContent.Name, handler, IntPtr.Zero);
            if (handle == IntPtr.Zero)
            {
                return;
            }

            Report(handle, State.StartPending, 60_000, 0);
            try
            {
                result = run(() => Report(handle, State.Running, 0, 0), stop.Token).GetAwaiter().GetResult();
            }
            finally
            {
                Report(handle, State.Stopped, 0, (uint)result);
            }
        };
        ServiceTableEntry[] table = [new() { Name = ServiceContent.Name, Main = Marshal.GetFunctionPointerForDelegate(main) }, default];
        bool wasService = StartServiceCtrlDispatcher(table);
        int error = Marshal.GetLastPInvokeError();
        GC.KeepAlive(main);
        GC.KeepAlive(handler);
        exitCode = result;
        return wasService ? true : error == NotStartedByManager ? false : throw new Win32Exception(error);
    }

    /// <summary>Registers the service to start with the system.</summary>
    /// <exception cref="Win32Exception">Not allowed, or there is one already.</exception>
    [SupportedOSPlatform("windows")]
    public static void Install(string commandLine)
    {
        const uint createService = 0x0002;
        const uint allAccess = 0xF01FF;
        const uint autoStart = 2;
        const uint normalError = 1;
        IntPtr manager = Check(OpenSCManager(null, null, createService));
        try
        {
            IntPtr service = Check(CreateService(manager, ServiceContent.Name, "PacsStegoGateway", allAccess, OwnProcess, autoStart, normalError,
                commandLine, null, IntPtr.Zero, null, @"NT SERVICE\" + ServiceContent.Name, null));
            CloseServiceHandle(service);
        }
        finally
        {
            CloseServiceHandle(manager);
        }
    }

    /// <summary>Removes the service; one that runs goes when it stops.</summary>
    /// <exception cref="Win32Exception">Not allowed, or there is none.</exception>
    [SupportedOSPlatform("windows")]
    public static void Uninstall()
    {
        const uint connect = 0x0001;
        const uint delete = 0x10000;
        IntPtr manager = Check(OpenSCManager(null, null, connect));
        try
        {
            IntPtr service = Check(OpenService(manager, ServiceContent.Name, delete));
            bool deleted = DeleteService(service);
            int error = Marshal.GetLastPInvokeError();
            CloseServiceHandle(service);
            if (!deleted)
            {
                throw new Win32Exception(error);
            }
        }
        finally
        {
            CloseServiceHandle(manager);
        }
    }

    private static IntPtr Check(IntPtr handle) => handle != IntPtr.Zero ? handle : throw new Win32Exception(Marshal.GetLastPInvokeError());

    private static void Report(IntPtr handle, State state, uint waitMilliseconds, uint exitCode)
    {
        var status = new ServiceStatus
        {
            Type = OwnProcess,
            State = (uint)state,
            Accepted = state == State.Running ? AcceptStop | AcceptShutdown : 0,
            ExitCode = exitCode == 0 ? 0 : ServiceSpecificError,
            ServiceExitCode = exitCode,
            WaitHint = waitMilliseconds,
        };
        SetServiceStatus(handle, ref status);
    }

    /// <summary>SERVICE_TABLE_ENTRYW.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ServiceTableEntry
    {
        [MarshalAs(UnmanagedType.LPWStr)]
        public string? Name;
        public IntPtr Main;
    }

    /// <summary>SERVICE_STATUS.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ServiceStatus
    {
        public uint Type;
        public uint State;
        public uint Accepted;
        public uint ExitCode;
        public uint ServiceExitCode;
        public uint CheckPoint;
        public uint WaitHint;
    }

#pragma warning disable SYSLIB1054 // Structures and delegates marshal as they are; there is nothing to generate.
    [DllImport("advapi32", EntryPoint = "StartServiceCtrlDispatcherW", SetLastError = true, ExactSpelling = true)]
    private static extern bool StartServiceCtrlDispatcher([In] ServiceTableEntry[] table);

    [DllImport("advapi32", EntryPoint = "RegisterServiceCtrlHandlerExW", SetLastError = true, CharSet = CharSet.Unicode, ExactSpelling = true)]
    private static extern IntPtr RegisterServiceCtrlHandlerEx(string name, Handler handler, IntPtr context);

    [DllImport("advapi32", SetLastError = true, ExactSpelling = true)]
    private static extern bool SetServiceStatus(IntPtr handle, ref ServiceStatus status);

    [DllImport("advapi32", EntryPoint = "OpenSCManagerW", SetLastError = true, CharSet = CharSet.Unicode, ExactSpelling = true)]
    private static extern IntPtr OpenSCManager(string? machine, string? database, uint access);

    [DllImport("advapi32", EntryPoint = "CreateServiceW", SetLastError = true, CharSet = CharSet.Unicode, ExactSpelling = true)]
    private static extern IntPtr CreateService(IntPtr manager, string name, string display, uint access, uint type, uint start, uint error,
        string path, string? group, IntPtr tag, string? dependencies, string? account, string? password);

    [DllImport("advapi32", EntryPoint = "OpenServiceW", SetLastError = true, CharSet = CharSet.Unicode, ExactSpelling = true)]
    private static extern IntPtr OpenService(IntPtr manager, string name, uint access);

    [DllImport("advapi32", SetLastError = true, ExactSpelling = true)]
    private static extern bool DeleteService(IntPtr service);

    [DllImport("advapi32", SetLastError = true, ExactSpelling = true)]
    private static extern bool CloseServiceHandle(IntPtr handle);
#pragma warning restore SYSLIB1054
}
