using System.Net.Http.Json;
using System.Text.Json;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>An Orthanc of our own: temporary storage, free ports, open to every caller on this machine.</summary>
public sealed class OrthancServer : IAsyncDisposable
{
    private static readonly string Program = File.Exists("/usr/sbin/Orthanc") ? "/usr/sbin/Orthanc" : "Orthanc";

    private readonly TemporaryFolder _folder = new("orthanc");
    private readonly HttpClient _http;
    private ChildProcess? _process;

    private OrthancServer()
    {
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{HttpPort}"), Timeout = TimeSpan.FromSeconds(60) };
    }

    public string AETitle => "ORTHANC";

    public int DicomPort { get; } = FreePort.Next();

    public int HttpPort { get; } = FreePort.Next();

    public static async Task<OrthancServer> Start()
    {
        var server = new OrthancServer();
        await server.StartAgain();
        return server;
    }

    /// <summary>Starts it with the data it had before <see cref="Stop"/>.</summary>
    public async Task StartAgain()
    {
        string configuration = _folder.At("orthanc.json");
        await File.WriteAllTextAsync(configuration, JsonSerializer.Serialize(new
        {
            Name = AETitle,
            DicomAet = AETitle,
            DicomPort,
            HttpPort,
            RemoteAccessAllowed = false,
            AuthenticationEnabled = false,
            StorageDirectory = _folder.Folder("storage"),
            IndexDirectory = _folder.Folder("storage"),
            Plugins = Array.Empty<string>(),
            DicomCheckCalledAet = false,
            DicomAlwaysAllowEcho = true,
            DicomAlwaysAllowStore = true,
            DicomAlwaysAllowFind = true,
            DicomAlwaysAllowGet = true,
            DicomAlwaysAllowMove = true,
            StableAge = 2,
        }));
        _process = ChildProcess.Start(Program, [configuration]);
        await _process.UntilListening(DicomPort);
        await _process.UntilListening(HttpPort);
    }

    public async Task Stop()
    {
        if (_process is not null)
        {
            await _process.Stop();
            await _process.DisposeAsync();
            _process = null;
        }
    }

    /// <summary>Instances held.</summary>
    public async Task<int> Count()
    {
        JsonElement statistics = await _http.GetFromJsonAsync<JsonElement>("/statistics", TestContext.Current.CancellationToken);
        return statistics.GetProperty("CountInstances").GetInt32();
    }

    /// <summary>SOP Instance UIDs of everything held.</summary>
    public async Task<IReadOnlyList<string>> SopInstanceUIDs()
    {
        JsonElement instances = await _http.GetFromJsonAsync<JsonElement>("/instances?expand", TestContext.Current.CancellationToken);
        return [.. instances.EnumerateArray().Select(static i => i.GetProperty("MainDicomTags").GetProperty("SOPInstanceUID").GetString()!)];
    }

    /// <summary>Every instance held, as the Part 10 file that Orthanc stored.</summary>
    public async Task<IReadOnlyList<byte[]>> Files()
    {
        var files = new List<byte[]>();
        foreach (string id in await _http.GetFromJsonAsync<string[]>("/instances", TestContext.Current.CancellationToken) ?? [])
        {
            files.Add(await _http.GetByteArrayAsync($"/instances/{id}/file", TestContext.Current.CancellationToken));
        }

        return files;
    }

    /// <summary>Loses an instance.</summary>
    public async Task Delete(string sopInstanceUID)
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        JsonElement instances = await _http.GetFromJsonAsync<JsonElement>("/instances?expand", cancel);
        string id = instances.EnumerateArray().Single(i => i.GetProperty("MainDicomTags").GetProperty("SOPInstanceUID").GetString() == sopInstanceUID)
            .GetProperty("ID").GetString()!;
        (await _http.DeleteAsync(new Uri($"/instances/{id}", UriKind.Relative), cancel)).EnsureSuccessStatusCode();
    }

    /// <summary>Takes away an instance and stores another file in its place, as a PACS that recompresses does.</summary>
    public async Task Replace(string sopInstanceUID, byte[] file)
    {
        await Delete(sopInstanceUID);
        using var content = new ByteArrayContent(file);
        (await _http.PostAsync(new Uri("/instances", UriKind.Relative), content, TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _http.Dispose();
        _folder.Dispose();
    }
}
