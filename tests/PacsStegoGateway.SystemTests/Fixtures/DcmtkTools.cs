using System.Globalization;
using System.Text.RegularExpressions;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>DCMTK's command-line programs as senders, callers and judges.</summary>
public static partial class DcmtkTools
{
    /// <summary>C-ECHO.</summary>
    /// <param name="options">More of its switches, such as those for TLS.</param>
    public static Task<Finished> Echo(int port, string calling = "MODALITY", string called = "PSG", IEnumerable<string>? options = null) =>
        ChildProcess.Run("echoscu", ["-v", "-ta", "20", "-td", "20", .. options ?? [], "-aet", calling, "-aec", called, "127.0.0.1", Text(port)], 60);

    /// <summary>C-STORE of files or folders; verbose output.</summary>
    public static Task<Finished> Store(int port, string calling, string called, IEnumerable<string> paths, IEnumerable<string>? options = null) =>
        ChildProcess.Run("storescu",
            ["-v", "+sd", "+r", "-aet", calling, "-aec", called, .. options ?? [], "127.0.0.1", Text(port), .. paths], 300);

    /// <summary>The status of every C-STORE response, as four hexadecimal digits, in the order of the output.</summary>
    public static Task<Finished> StoreWithStatus(int port, string calling, string called, IEnumerable<string> paths) =>
        Store(port, calling, called, paths, ["-d"]);

    /// <summary>C-MOVE at study root of one study to <paramref name="destination"/>; output has every DIMSE status.</summary>
    public static Task<Finished> Move(int port, string calling, string called, string destination, string level, params string[] keys) =>
        ChildProcess.Run("movescu",
            ["-d", "-S", "-aet", calling, "-aec", called, "-aem", destination,
             "-k", $"QueryRetrieveLevel={level}", .. keys.SelectMany(static k => new[] { "-k", k }), "127.0.0.1", Text(port)], 300);

    /// <summary>C-FIND at study root.</summary>
    public static Task<Finished> Find(int port, string calling, string called, string level, params string[] keys) =>
        ChildProcess.Run("findscu",
            ["-d", "-S", "-aet", calling, "-aec", called,
             "-k", $"QueryRetrieveLevel={level}", .. keys.SelectMany(static k => new[] { "-k", k }), "127.0.0.1", Text(port)], 120);

    /// <summary>True when <c>dcmdump</c> reads the file to its end without an error.</summary>
    public static async Task<bool> Reads(string file) => (await ChildProcess.Run("dcmdump", ["-q", file])).ExitCode == 0;

    /// <summary>The lines of <c>dciodvfy</c> that start with "Error", values and positions included.</summary>
    public static async Task<IReadOnlyList<string>> Errors(string file) =>
        (await ChildProcess.Run("dciodvfy", [file])).Output.Split('\n')
            .Where(static l => l.StartsWith("Error", StringComparison.Ordinal))
            .Select(static l => l.Trim())
            .ToList();

    /// <summary>The DIMSE statuses in the debug output of a DCMTK client, four hexadecimal digits each, in order.</summary>
    public static IReadOnlyList<string> Statuses(Finished finished) =>
        StatusLine().Matches(finished.Output).Select(static m => m.Groups[1].Value.ToUpperInvariant()).ToList();

    [GeneratedRegex(@"DIMSE Status\s*: 0x([0-9a-fA-F]{4})")]
    private static partial Regex StatusLine();

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}

/// <summary>DCMTK's <c>storescp</c>, which keeps every data set exactly as it was received.</summary>
public sealed class StoreScp : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new("storescp");
    private readonly ChildProcess _process;

    private StoreScp(string aeTitle, IEnumerable<string> options)
    {
        AETitle = aeTitle;
        // +B: bit preserving, every data set is kept as it came over the wire.
        _process = ChildProcess.Start("storescp",
            ["-v", "-aet", aeTitle, "-od", _folder.Path, "+B", .. options, Port.ToString(CultureInfo.InvariantCulture)]);
    }

    public string AETitle { get; }

    public int Port { get; } = FreePort.Next();

    /// <summary>Files received so far.</summary>
    public IReadOnlyList<string> Received => Directory.GetFiles(_folder.Path);

    /// <summary>True when the last association is over.</summary>
    public bool HasEnded => _process.Output.TrimEnd().Split('\n')[^1] is { } last
        && (last.Contains("Association Release", StringComparison.Ordinal) || last.Contains("Abort", StringComparison.Ordinal));

    /// <param name="options">More of its switches, such as +xi: Implicit VR Little Endian only.</param>
    public static async Task<StoreScp> Start(string aeTitle, params string[] options)
    {
        var server = new StoreScp(aeTitle, options);
        await server._process.UntilListening(server.Port);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Dispose();
    }
}
