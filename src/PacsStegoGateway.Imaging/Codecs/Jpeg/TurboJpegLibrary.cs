using System.Runtime.InteropServices;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>The C interface of libjpeg-turbo 2 (turbojpeg.h); results other than 0 are errors or warnings.</summary>
internal static unsafe partial class TurboJpegLibrary
{
    /// <summary>TJPF_RGB, TJPF_GRAY.</summary>
    public const int PixelsRgb = 0, PixelsGray = 6;

    /// <summary>TJSAMP_444, TJSAMP_422, TJSAMP_GRAY.</summary>
    public const int NoSubsampling = 0, HalfWidthChroma = 1, GrayOnly = 3;

    /// <summary>TJFLAG_NOREALLOC, TJFLAG_ACCURATEDCT, TJFLAG_STOPONWARNING, TJFLAG_LIMITSCANS (500 scans of a progressive stream).</summary>
    public const int NoReallocation = 1024, AccurateTransform = 4096, StopOnWarning = 8192, LimitScans = 32768;

    /// <summary>TJERR_WARNING: there is an image, but not all was well.</summary>
    public const int Warning = 0;

    private const string Library = NativeCodecLibrary.TurboJpegName;

    [LibraryImport(Library, EntryPoint = "tjInitDecompress")]
    public static partial TurboJpegHandle CreateDecoder();

    [LibraryImport(Library, EntryPoint = "tjInitCompress")]
    public static partial TurboJpegHandle CreateEncoder();

    [LibraryImport(Library, EntryPoint = "tjDestroy")]
    public static partial int Destroy(nint handle);

    [LibraryImport(Library, EntryPoint = "tjDecompress2")]
    public static partial int Decode(TurboJpegHandle handle, byte* jpeg, CULong length, byte* pixels, int width, int pitch, int height, int pixelFormat, int flags);

    [LibraryImport(Library, EntryPoint = "tjBufSize")]
    public static partial CULong BufferLength(int width, int height, int subsampling);

    [LibraryImport(Library, EntryPoint = "tjCompress2")]
    public static partial int Encode(TurboJpegHandle handle, byte* pixels, int width, int pitch, int height, int pixelFormat, byte** jpeg, CULong* length,
        int subsampling, int quality, int flags);

    [LibraryImport(Library, EntryPoint = "tjGetErrorCode")]
    public static partial int GetErrorCode(TurboJpegHandle handle);

    [LibraryImport(Library, EntryPoint = "tjGetErrorStr2")]
    private static partial nint GetErrorMessage(TurboJpegHandle handle);

    public static string MessageOf(TurboJpegHandle handle) => Marshal.PtrToStringUTF8(GetErrorMessage(handle)) ?? "no reason given";
}

/// <summary>A decoder or an encoder of libjpeg-turbo.</summary>
internal sealed class TurboJpegHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => TurboJpegLibrary.Destroy(handle) == 0;
}
