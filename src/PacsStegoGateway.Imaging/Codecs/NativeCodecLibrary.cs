using System.Reflection;
using System.Runtime.InteropServices;

namespace PacsStegoGateway.Imaging.Codecs;

/// <summary>A native library that a codec calls: found by the names that systems give it, or missing with a message.</summary>
internal sealed class NativeCodecLibrary
{
    /// <summary>Names that P/Invoke declarations use; the resolver turns them into what is on the machine.</summary>
    public const string CharLSName = "charls", OpenJpegName = "openjp2", TurboJpegName = "turbojpeg";

    public static readonly NativeCodecLibrary CharLS = new("CharLS 2 (JPEG-LS)", "libcharls2",
        ["charls-2-x64.dll", "charls-2.dll", "charls.dll", "libcharls-2.dll"], ["libcharls.so.2"], ["libcharls.2.dylib", "libcharls.dylib"]);

    public static readonly NativeCodecLibrary OpenJpeg = new("OpenJPEG 2 (JPEG 2000)", "libopenjp2-7",
        ["openjp2.dll", "libopenjp2-7.dll", "libopenjp2.dll"], ["libopenjp2.so.7"], ["libopenjp2.7.dylib", "libopenjp2.dylib"]);

    public static readonly NativeCodecLibrary TurboJpeg = new("libjpeg-turbo (JPEG)", "libturbojpeg0 (Ubuntu: libturbojpeg)",
        ["turbojpeg.dll", "libturbojpeg.dll", "libturbojpeg-0.dll"], ["libturbojpeg.so.0"], ["libturbojpeg.0.dylib", "libturbojpeg.dylib"]);

    private readonly Lazy<nint> _handle;
    private readonly string _message;

    static NativeCodecLibrary() => NativeLibrary.SetDllImportResolver(typeof(NativeCodecLibrary).Assembly, static (name, _, _) => name switch
    {
        CharLSName => CharLS._handle.Value,
        OpenJpegName => OpenJpeg._handle.Value,
        TurboJpegName => TurboJpeg._handle.Value,
        _ => 0,
    });

    /// <param name="product">Name of the library in words.</param>
    /// <param name="package">Its Debian package.</param>
    internal NativeCodecLibrary(string product, string package, string[] windows, string[] linux, string[] mac)
    {
        string[] names = OperatingSystem.IsWindows() ? windows : OperatingSystem.IsMacOS() ? mac : linux;
        _handle = new Lazy<nint>(() => Load(names));
        string remedy = OperatingSystem.IsWindows() ? $"put {names[0]} beside the program"
            : OperatingSystem.IsMacOS() ? $"install it with Homebrew or put {names[0]} beside the program"
            : $"install the Debian package {package} or put {names[0]} beside the program";
        _message = $"The library {product} is not on this machine: {remedy}.";
    }

    /// <summary>What to do when the library is not here; null when it is.</summary>
    public string? Missing => _handle.Value == 0 ? _message : null;

    /// <exception cref="PixelCodecRefusedException">The library is not here.</exception>
    public void Require()
    {
        if (Missing is { } message)
        {
            throw new PixelCodecRefusedException(PixelCodecRefusal.LibraryMissing, message);
        }
    }

    private static nint Load(string[] names)
    {
        foreach (string name in names)
        {
            if (NativeLibrary.TryLoad(name, Assembly.GetExecutingAssembly(), DllImportSearchPath.SafeDirectories, out nint handle)
                || (OperatingSystem.IsMacOS() && NativeLibrary.TryLoad($"/opt/homebrew/lib/{name}", out handle)))
            {
                return handle;
            }
        }

        return 0;
    }
}
