using System.Net.Http.Json;
using System.Text.Json;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Forwarding;
using PacsStegoGateway.Tests.Gateway;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Forwarding;

/// <summary>STOW-RS to a service that we did not write: Orthanc with its DICOMweb plugin.</summary>
public sealed class OrthancStowTests : IAsyncDisposable
{
    private static readonly string[] Programs = ["/usr/sbin/Orthanc", "/usr/bin/Orthanc", "/usr/local/sbin/Orthanc"];
    private static readonly string[] Plugins = ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so", "/usr/lib/orthanc/libOrthancDicomWeb.so"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("psg-orthanc-");
    private readonly HttpClient _http = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Objects_are_stored_again_and_again_and_what_is_no_object_or_no_user_is_refused()
    {
        int http = Dcmtk.FreePort();
        await using Dcmtk.Server orthanc = await StartAsync(http);
        DestinationOptions options = new()
        {
            Name = "ORTHANC", Kind = DestinationKind.Stow, Url = $"http://127.0.0.1:{http}/dicom-web", UserName = "psg", Password = "s3cret",
        };
        using (var service = new StowService(options, null, null))
        {
            await using var sender = new StowSender(service);
            for (int i = 0; i < 3; i++)
            {
                (await sender.SendAsync(Instance(i), Cancel)).ShouldBeOfType<SendOutcome.Stored>();
            }

            (await sender.SendAsync(Instance(1), Cancel)).ShouldBeOfType<SendOutcome.Stored>("sent again, as after a crash");
            (await sender.SendAsync(Instance(7) with { DataSet = ByteSource.Of(new byte[] { 1, 2, 3, 4, 5 }) }, Cancel)).ShouldNotBeOfType<SendOutcome.Stored>();
        }

        _http.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String("psg:s3cret"u8));
        JsonElement statistics = await _http.GetFromJsonAsync<JsonElement>($"http://127.0.0.1:{http}/statistics", Cancel);
        statistics.GetProperty("CountInstances").GetInt32().ShouldBe(3);

        options.Password = "wrong";
        using var stranger = new StowService(options, null, null);
        await using var refused = new StowSender(stranger);
        (await refused.SendAsync(Instance(9), Cancel)).ShouldBeOfType<SendOutcome.Refused>().Detail.ShouldBe("ORTHANC answered HTTP 401.");
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task<Dcmtk.Server> StartAsync(int http)
    {
        string? program = Array.Find(Programs, File.Exists);
        string? plugin = Array.Find(Plugins, File.Exists);
        if (program is null || plugin is null)
        {
            Assert.Skip("Orthanc and its DICOMweb plugin are not installed.");
        }

        string configuration = Path.Combine(_folder.FullName, "orthanc.json");
        string storage = Path.Combine(_folder.FullName, "storage");
        await File.WriteAllTextAsync(configuration, JsonSerializer.Serialize(new
        {
            Name = "ORTHANC",
            DicomServerEnabled = false,
            HttpPort = http,
            RemoteAccessAllowed = false,
            AuthenticationEnabled = true,
            RegisteredUsers = new { psg = "s3cret" },
            StorageDirectory = storage,
            IndexDirectory = storage,
            OverwriteInstances = false,
            Plugins = new[] { plugin },
            DicomWeb = new { Enable = true, Root = "/dicom-web/" },
        }), Cancel);
        return await Dcmtk.ServeAsync(program, http, _folder.FullName, configuration);
    }

    private static ObjectToSend Instance(int number) => new(
        SopClasses.CTImageStorage, SampleObjects.SopUID(number), TransferSyntax.ExplicitVRLittleEndian,
        ByteSource.Of(SampleObjects.Encode(SampleObjects.Create(number))));
}
