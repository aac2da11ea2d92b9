using System.Runtime.InteropServices;

namespace PacsStegoGateway.Segmentation.OnnxRuntime;

/// <summary>
/// The used part of ONNX Runtime's C API. The library hands out one table of function pointers whose order never
/// changes within an API version (onnxruntime_c_api.h, struct OrtApi): a slot's number is its identity.
/// </summary>
internal sealed unsafe class OrtApi
{
    /// <summary>ORT_API_VERSION that is asked for; every library from 1.17 on gives it.</summary>
    public const uint ApiVersion = 17;

    private const int LoggingLevelError = 3;
    private readonly nint* _slots;

    private OrtApi(nint* slots, string version)
    {
        _slots = slots;
        Version = version;
        nint environment;
        using CString name = new("PacsStegoGateway");
        Check(((delegate* unmanaged<int, byte*, nint*, nint>)_slots[Slot.CreateEnv])(LoggingLevelError, name.Pointer, &environment));
        Environment = environment;
        Check(((delegate* unmanaged<nint, nint>)_slots[Slot.DisableTelemetryEvents])(environment));
    }

    /// <summary>The library's version, such as 1.30.0.</summary>
    public string Version { get; }

    /// <summary>OrtEnv, one per library; it lives as long as the process, as the library itself does.</summary>
    private nint Environment { get; }

    /// <summary>Asks a loaded library for its table.</summary>
    /// <exception cref="OnnxRuntimeUnavailableException">It does not offer <see cref="ApiVersion"/>.</exception>
    /// <exception cref="EntryPointNotFoundException">It is some other library.</exception>
    public static OrtApi Bind(nint library)
    {
        // OrtApiBase is { const OrtApi* (*GetApi)(uint32_t); const char* (*GetVersionString)(); }.
        nint* apiBase = (nint*)((delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "OrtGetApiBase"))();
        string version = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)apiBase[1])()) ?? "unknown";
        nint* slots = (nint*)((delegate* unmanaged<uint, nint>)apiBase[0])(ApiVersion);
        return slots != null
            ? new OrtApi(slots, version)
            : throw new OnnxRuntimeUnavailableException($"ONNX Runtime {version} is too old: 1.{ApiVersion} or later is needed. Run scripts/fetch-onnxruntime.sh.");
    }

    /// <summary>
    /// A session that runs in its caller's thread. The optimisation level is pinned (all): other levels give other
    /// low-order bits.
    /// </summary>
    /// <exception cref="OnnxRuntimeException">The bytes are not a model this library can run.</exception>
    public OrtHandle CreateSession(ReadOnlySpan<byte> model)
    {
        const int EnableAll = 99;
        nint raw;
        Check(((delegate* unmanaged<nint*, nint>)_slots[Slot.CreateSessionOptions])(&raw));
        using OrtHandle options = new(this, Slot.ReleaseSessionOptions, raw);
        Check(((delegate* unmanaged<nint, int, nint>)_slots[Slot.SetIntraOpNumThreads])(raw, 1));
        Check(((delegate* unmanaged<nint, int, nint>)_slots[Slot.SetInterOpNumThreads])(raw, 1));
        Check(((delegate* unmanaged<nint, int, nint>)_slots[Slot.SetSessionGraphOptimizationLevel])(raw, EnableAll));
        nint session;
        fixed (byte* bytes = model)
        {
            Check(((delegate* unmanaged<nint, byte*, nuint, nint, nint*, nint>)_slots[Slot.CreateSessionFromArray])(
                Environment, bytes, (nuint)model.Length, raw, &session));
        }

        return new OrtHandle(this, Slot.ReleaseSession, session);
    }

    /// <summary>A tensor over memory that stays the caller's.</summary>
    /// <param name="pinned">On the pinned heap, alive as long as the tensor.</param>
    /// <param name="shape">Product = length of <paramref name="pinned"/>.</param>
    public OrtHandle CreateTensor(float[] pinned, ReadOnlySpan<long> shape)
    {
        const int DeviceAllocator = 0;
        const int DefaultMemory = 0;
        const int ElementFloat = 1;
        nint raw;
        Check(((delegate* unmanaged<int, int, nint*, nint>)_slots[Slot.CreateCpuMemoryInfo])(DeviceAllocator, DefaultMemory, &raw));
        using OrtHandle memory = new(this, Slot.ReleaseMemoryInfo, raw);
        nint value;
        fixed (long* dimensions = shape)
        {
            void* data = (void*)Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
            Check(((delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint>)_slots[Slot.CreateTensorWithDataAsOrtValue])(
                raw, data, (nuint)pinned.Length * sizeof(float), dimensions, (nuint)shape.Length, ElementFloat, &value));
        }

        return new OrtHandle(this, Slot.ReleaseValue, value);
    }

    /// <summary>Runs the session; the outputs' memory is filled in place.</summary>
    public void Run(OrtHandle session, nint* inputNames, nint* inputs, nuint inputCount, nint* outputNames, nuint outputCount, nint* outputs) =>
        Check(((delegate* unmanaged<nint, nint, nint*, nint*, nuint, nint*, nuint, nint*, nint>)_slots[Slot.Run])(
            session.DangerousGetHandle(), 0, inputNames, inputs, inputCount, outputNames, outputCount, outputs));

    public void Release(int slot, nint value) => ((delegate* unmanaged<nint, void>)_slots[slot])(value);

    /// <summary>Turns a status (null = OK) into an exception and gives it back to the library.</summary>
    private void Check(nint status)
    {
        if (status == 0)
        {
            return;
        }

        int code = ((delegate* unmanaged<nint, int>)_slots[Slot.GetErrorCode])(status);
        string message = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint, nint>)_slots[Slot.GetErrorMessage])(status)) ?? "";
        Release(Slot.ReleaseStatus, status);
        throw new OnnxRuntimeException(code, message);
    }

    /// <summary>Positions in struct OrtApi.</summary>
    private static class Slot
    {
        public const int GetErrorCode = 1;
        public const int GetErrorMessage = 2;
        public const int CreateEnv = 3;
        public const int DisableTelemetryEvents = 6;
        public const int CreateSessionFromArray = 8;
        public const int Run = 9;
        public const int CreateSessionOptions = 10;
        public const int SetSessionGraphOptimizationLevel = 23;
        public const int SetIntraOpNumThreads = 24;
        public const int SetInterOpNumThreads = 25;
        public const int CreateTensorWithDataAsOrtValue = 49;
        public const int CreateCpuMemoryInfo = 69;
        public const int ReleaseStatus = 93;
        public const int ReleaseMemoryInfo = 94;
        public const int ReleaseSession = 95;
        public const int ReleaseValue = 96;
        public const int ReleaseSessionOptions = 100;
    }
}
