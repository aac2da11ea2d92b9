using System.Runtime.InteropServices;

namespace PacsStegoGateway.Segmentation.OnnxRuntime;

/// <summary>An object of the library, released through its own slot of the table.</summary>
internal sealed class OrtHandle : SafeHandle
{
    private readonly OrtApi _api;
    private readonly int _releaseSlot;

    public OrtHandle(OrtApi api, int releaseSlot, nint value)
        : base(0, ownsHandle: true)
    {
        _api = api;
        _releaseSlot = releaseSlot;
        SetHandle(value);
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        _api.Release(_releaseSlot, handle);
        return true;
    }
}

/// <summary>Zero-terminated UTF-8 in native memory.</summary>
internal readonly unsafe struct CString(string text) : IDisposable
{
    public byte* Pointer { get; } = (byte*)Marshal.StringToCoTaskMemUTF8(text);

    public void Dispose() => Marshal.FreeCoTaskMem((nint)Pointer);
}
