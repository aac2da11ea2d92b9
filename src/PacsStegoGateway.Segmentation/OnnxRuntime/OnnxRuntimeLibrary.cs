using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace PacsStegoGateway.Segmentation.OnnxRuntime;

/// <summary>
/// Finds and loads the native library, once per process and path. The first place that has the file decides:
/// the path given as an option; beside the program (<c>native/&lt;rid&gt;/</c>, NuGet's <c>runtimes/&lt;rid&gt;/native/</c>, the
/// program's own folder); the file named by the environment variable <see cref="EnvironmentVariable"/>;
/// <c>native/&lt;rid&gt;/</c> of any folder above the program (a repository's root); the system's own search.
/// </summary>
public sealed class OnnxRuntimeLibrary
{
    /// <summary>Names a library file; looked at after the places beside the program.</summary>
    public const string EnvironmentVariable = "PSG_ONNXRUNTIME";

    private const string WhatToDo =
        "Run scripts/fetch-onnxruntime.sh, or name the library file in the configuration or in the environment variable " + EnvironmentVariable + ".";

    private static readonly Dictionary<string, OnnxRuntimeLibrary> Loaded = new(StringComparer.Ordinal);
    private readonly Lazy<string?> _sha256;

    private OnnxRuntimeLibrary(string path, bool isFile, OrtApi api)
    {
        Path = path;
        Api = api;
        _sha256 = new Lazy<string?>(() => isFile ? Checksum(path) : null);
    }

    /// <summary>The file, or the bare name when the system's own search found it.</summary>
    public string Path { get; }

    /// <summary>What the library says of itself, such as 1.30.0.</summary>
    public string Version => Api.Version;

    /// <summary>SHA-256 of the file in lower-case hex, computed on first use; null when the system's own search found it.</summary>
    public string? Sha256 => _sha256.Value;

    internal OrtApi Api { get; }

    /// <summary>Platform name of this process as the folders under <c>native/</c> carry it, such as linux-x64.</summary>
    public static string RuntimeIdentifier { get; } =
        (OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux") + "-"
        + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    private static string[] FileNames { get; } = OperatingSystem.IsWindows() ? ["onnxruntime.dll"]
        : OperatingSystem.IsMacOS() ? ["libonnxruntime.1.dylib", "libonnxruntime.dylib"]
        : ["libonnxruntime.so.1", "libonnxruntime.so"];

    /// <summary>Loads the library, or returns the one already loaded from the same place.</summary>
    /// <param name="path">A file that must be used, or null to look in the places above.</param>
    /// <exception cref="OnnxRuntimeUnavailableException">Not found, not loadable here, or older than API version 17.</exception>
    public static OnnxRuntimeLibrary Load(string? path = null)
    {
        if (path is not null && !File.Exists(path))
        {
            throw new OnnxRuntimeUnavailableException($"There is no ONNX Runtime library at '{path}'. {WhatToDo}");
        }

        string? file = path is not null ? System.IO.Path.GetFullPath(path) : Candidates().FirstOrDefault(File.Exists);
        lock (Loaded)
        {
            string key = file ?? FileNames[0];
            if (!Loaded.TryGetValue(key, out OnnxRuntimeLibrary? library))
            {
                library = file is not null ? Open(file, isFile: true) : OpenFromSystem();
                Loaded.Add(key, library);
            }

            return library;
        }
    }

    private static OnnxRuntimeLibrary Open(string file, bool isFile)
    {
        try
        {
            return new OnnxRuntimeLibrary(file, isFile, OrtApi.Bind(NativeLibrary.Load(file)));
        }
        catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            throw new OnnxRuntimeUnavailableException(
                $"'{file}' cannot be loaded as ONNX Runtime for {RuntimeIdentifier} (it needs glibc 2.28 or later on Linux). {WhatToDo}", failure);
        }
    }

    private static OnnxRuntimeLibrary OpenFromSystem()
    {
        foreach (string name in FileNames)
        {
            if (NativeLibrary.TryLoad(name, Assembly.GetExecutingAssembly(), DllImportSearchPath.SafeDirectories, out nint handle))
            {
                return new OnnxRuntimeLibrary(name, isFile: false, OrtApi.Bind(handle));
            }
        }

        throw new OnnxRuntimeUnavailableException($"The native ONNX Runtime for {RuntimeIdentifier} was not found. {WhatToDo}");
    }

    private static IEnumerable<string> Candidates()
    {
        string program = AppContext.BaseDirectory;
        string native = System.IO.Path.Combine("native", RuntimeIdentifier);
        foreach (string folder in new[] { native, System.IO.Path.Combine("runtimes", RuntimeIdentifier, "native"), "" })
        {
            foreach (string name in FileNames)
            {
                yield return System.IO.Path.Combine(program, folder, name);
            }
        }

        if (Environment.GetEnvironmentVariable(EnvironmentVariable) is { Length: > 0 } named)
        {
            yield return System.IO.Path.GetFullPath(named);
        }

        for (DirectoryInfo? folder = new DirectoryInfo(program).Parent; folder is not null; folder = folder.Parent)
        {
            foreach (string name in FileNames)
            {
                yield return System.IO.Path.Combine(folder.FullName, native, name);
            }
        }
    }

    private static string Checksum(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
